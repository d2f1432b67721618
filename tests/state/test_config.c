/* config: files, flags over them, what complaints say, and snapshots under threads. */
#include "state/config.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../base/scratch.h"
#include "base/lines.h"

static char error[CONFIG_ERROR_MAX];

/* Reads `text` as the file "conf"; NULL when it is refused, with the reason in `error`. */
static struct config *read_text(const char *text)
{
	struct config_source source = {.path = "conf"};

	scratch_write("conf", text);
	return config_read(&source, error);
}

static struct config *read_good(const char *text)
{
	struct config *c = read_text(text);

	if (c == NULL)
		fail_msg("%s", error);
	assert_string_equal(error, "");
	return c;
}

static void assert_setting(const struct config *c, const char *name, const char *expected)
{
	char *text = setting_format(settings_find(name), &c->settings);

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

/* At most four. */
static void add_flag(struct config_source *source, const char *name, const char *value)
{
	static struct config_override overrides[4];

	assert_true(source->count < COUNT(overrides));
	source->overrides = overrides;
	source->overrides[source->count++] =
		(struct config_override){.setting = settings_find(name), .value = value};
}

/* ---- good files ---- */

static void has_defaults_without_a_file(void **state)
{
	struct config_source source = {0};
	struct config *c = config_read(&source, error);

	(void)state;
	assert_non_null(c);
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		if (settings_table[i].type != &setting_addresses)
			assert_setting(c, settings_table[i].name, settings_table[i].initial);
	}
	assert_int_equal(c->own_count, 0);
	config_release(c);
}

static void reads_settings_among_comments_and_blank_lines(void **state)
{
	struct config *c = read_good("# a comment = 1\n"
				     "\n"
				     "; another\n"
				     "port = 1234\n"
				     "max_sessions=7\n"
				     "  \t\n"
				     "\t# an indented one\n"
				     "log_file   =   /var/log/my proxy   \n"
				     "timeout = 90s ; and a remark\n"
				     "auth = required");

	(void)state;
	assert_int_equal(c->settings.port, 1234);
	assert_int_equal(c->settings.max_sessions, 7);
	assert_string_equal(c->settings.log_file, "/var/log/my proxy");
	assert_int_equal(c->settings.timeout, 90000);
	assert_int_equal(c->settings.auth, AUTH_REQUIRED);
	config_release(c);
}

static void reads_lines_that_end_in_crlf(void **state)
{
	struct config *c = read_good("# comment\r\n\r\nport = 1234\r\nlog_file = x\r\n");

	(void)state;
	assert_int_equal(c->settings.port, 1234);
	assert_string_equal(c->settings.log_file, "x");
	config_release(c);
}

static void names_may_be_written_with_dashes(void **state)
{
	struct config *c = read_good("max-sessions = 7\n");

	(void)state;
	assert_int_equal(c->settings.max_sessions, 7);
	config_release(c);
}

static void lists_come_by_commas_and_by_repetition(void **state)
{
	struct config *c = read_good("listen = 192.0.2.1:1, 192.0.2.2:2\n"
				     "clients = private\n"
				     "listen = [::1]:3\n"
				     "clients = 203.0.113.0/24, 198.51.100.0/24\n");

	(void)state;
	assert_setting(c, "listen", "192.0.2.1:1, 192.0.2.2:2, [::1]:3");
	assert_setting(c, "clients", "private, 203.0.113.0/24, 198.51.100.0/24");
	config_release(c);
}

/* Whoever opens them gives the others the port of the setting. */
static void addresses_say_whether_they_have_a_port(void **state)
{
	struct config *c = read_good("listen = 192.0.2.1, 192.0.2.2:99, ::1, [::1]:0\n"
				     "monitor_listen = ::1\n"
				     "port = 1234\n");
	const struct listen_list *listen = &c->settings.listen;

	(void)state;
	assert_int_equal(listen->count, 4);
	assert_false(listen->has_port[0]);
	assert_true(listen->has_port[1]);
	assert_int_equal(addr_port(&listen->addrs[1]), 99);
	assert_false(listen->has_port[2]);
	assert_true(listen->has_port[3]);
	assert_int_equal(addr_port(&listen->addrs[3]), 0);
	assert_false(c->settings.monitor_listen.has_port[0]);
	config_release(c);
}

/* ---- flags ---- */

static void flags_win_over_the_file(void **state)
{
	struct config_source source = {.path = "conf"};
	struct config *c;

	(void)state;
	scratch_write("conf", "port = 1\nbacklog = 2\n");
	add_flag(&source, "port", "3");
	add_flag(&source, "timeout", "6s");
	c = config_read(&source, error);
	assert_non_null(c);
	assert_int_equal(c->settings.port, 3);
	assert_int_equal(c->settings.backlog, 2);
	assert_int_equal(c->settings.timeout, 6000);
	config_release(c);
}

static void the_first_list_flag_replaces_the_file_s_list(void **state)
{
	struct config_source source = {.path = "conf"};
	struct config *c;

	(void)state;
	scratch_write("conf", "listen = 192.0.2.1:1\nlisten = 192.0.2.2:2\nclients = any\n");
	add_flag(&source, "listen", "192.0.2.3:3");
	add_flag(&source, "listen", "192.0.2.4:4");
	c = config_read(&source, error);
	assert_non_null(c);
	assert_setting(c, "listen", "192.0.2.3:3, 192.0.2.4:4");
	assert_setting(c, "clients", "any");
	config_release(c);
}

static void bad_flags_are_complained_about_by_their_name(void **state)
{
	struct config_source source = {0};

	(void)state;
	add_flag(&source, "backlog", "7");
	add_flag(&source, "max_sessions", "many");
	assert_null(config_read(&source, error));
	assert_begins(error, "--max-sessions: \"many\": legal is auto or a number from 1 to ");
}

/* ---- bad files ---- */

static void complaints_name_the_line_and_what_is_legal(void **state)
{
	static const struct {
		const char *text, *start;
	} rows[] = {
		{"port = x\n", "conf:1: port: \"x\": legal is a number from 0 to 65535"},
		{"\n# comment\nport = 65536\n", "conf:3: port: \"65536\": legal is a number"},
		{"port = \n", "conf:1: port: \"\": legal is a number"},
		{"port = 1# remark\n", "conf:1: port: \"1# remark\": legal is "},
		{"log_file = \"x\n", "conf:1: log_file: the closing quote is missing"},
		{"log_file = \"x\\\"\n", "conf:1: log_file: the closing quote is missing"},
		{"log_file = \"x\" y\n",
			"conf:1: log_file: nothing but a comment may stand behind"},
		{"= 1\n", "conf:1: this is no line of the form: name = value"},
		{"timeout = 5s\r\nport = -1\r\n", "conf:2: port: \"-1\": legal is "},
		{"auth = maybe\n",
			"conf:1: auth: \"maybe\": legal is auto, required, optional, none"},
		{"timeout = 31d", "conf:1: timeout: \"31d\": legal is a time from 100ms to 30d"},
		{"listen = ::1\nlisten = here\n", "conf:2: listen: \"here\": legal is an IPv4"},
		{"clients = 10.0.0.1/8\n", "conf:1: clients: \"10.0.0.1/8\": legal is auto, any"},
		{"auth = requird\n",
			"conf:1: auth: \"requird\": legal is auto, required, optional, none; did "
			"you mean required?"},
		{"\nprot = 1\n",
			"conf:2: prot: there is no such setting (socks5d --help lists them); did "
			"you mean port?"},
		{"udp_clients = 172.16.0.0\nudp_clients = 172.16.0.1/12\n",
			"conf:2: udp_clients: \"172.16.0.1/12\": legal is networks such as 203.0.113.0/24 "
			"(no bits set behind the prefix; at most 64), or nothing; did you mean "
			"172.16.0.0/12?"},
		{"udp_clients = any\n", "conf:1: udp_clients: \"any\": legal is networks such as "},
		{"port = 1\nport = 2\n", "conf:2: port: \"2\": it was set already"},
		{"port = 1\n\nport = 1\n", "conf:3: port: \"1\": it was set already"},
		{"monitor_listen = ::1\nmonitor_listen = ::1\n",
			"conf:2: monitor_listen: \"::1\": it was set already"},
		{"\n[main]\nport = 1\n", "conf:2: [main]: there are no sections"},
		{"port = 1\nnonsense\n", "conf:2: this is no line of the form: name = value"},
		{"nonsense\nport = 1\n\n# end\n", "conf:1: this is no line of the form"},
		{"port = x\nauth = x\n", "conf:1: port: "},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (read_text(rows[i].text) != NULL)
			fail_msg("\"%s\" was accepted", rows[i].text);
		assert_begins(error, rows[i].start);
	}
}

/* As the file says of its lines. */
static void a_flag_is_given_once_unless_it_is_a_list(void **state)
{
	struct config_source twice = {0}, lists = {0};
	struct config *c;

	(void)state;
	add_flag(&twice, "port", "1080");
	add_flag(&twice, "max_sessions", "5");
	add_flag(&twice, "port", "1081");
	assert_null(config_read(&twice, error));
	assert_string_equal(error, "--port: \"1081\": it was given already");

	add_flag(&lists, "listen", "127.0.0.1");
	add_flag(&lists, "listen", "127.0.0.2");
	c = config_read(&lists, error);
	assert_non_null(c);
	assert_int_equal(c->settings.listen.count, 2);
	config_release(c);
}

/* A line of the greatest length is taken whole, a longer one is refused. */
static void lines_may_be_long(void **state)
{
	static const char start[] = "log_file = ";
	const size_t most = LINES_MAX - strlen(start);
	char *text = malloc(LINES_MAX + 64), *end;
	struct config *c;

	(void)state;
	assert_non_null(text);
	for (size_t longer = 0; longer < 2; longer++) {
		end = stpcpy(text, "port = 1\n");
		end = stpcpy(end, start);
		memset(end, 'x', most + longer);
		stpcpy(end + most + longer, "\nauth = optional\n");
		c = read_text(text);
		if (longer > 0) {
			assert_null(c);
			assert_string_equal(error, "conf:2: the line is longer than 65536 bytes");
			break;
		}
		assert_non_null(c);
		assert_int_equal(strlen(c->settings.log_file), most);
		assert_int_equal(c->settings.auth, AUTH_OPTIONAL);
		config_release(c);
	}
	free(text);
}

static void a_comment_may_stand_behind_a_value(void **state)
{
	static const struct {
		const char *line, *value;
	} rows[] = {
		{"log_file = x.log # note", "x.log"},
		{"log_file = x.log\t; note", "x.log"},
		{"log_file = x#1.log", "x#1.log"},
		{"log_file = x;1.log # a # b", "x;1.log"},
		{"log_file = # nothing yet", ""},
		{"log_file =", ""},
		{"log_file : my proxy.log", "my proxy.log"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config *c = read_good(rows[i].line);

		assert_string_equal(c->settings.log_file, rows[i].value);
		config_release(c);
	}
}

static void a_value_may_be_quoted(void **state)
{
	static const struct {
		const char *line, *value;
	} rows[] = {
		{"log_file = \"x.log\"", "x.log"},
		{"log_file = \" x # 1; \" # note", " x # 1; "},
		{"log_file = \"x = \\\"y\\\" \\\\ \\n\"", "x = \"y\" \\ \\n"},
		{"log_file = \"\"", ""},
		{"log_file = x\"y\"", "x\"y\""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config *c = read_good(rows[i].line);

		assert_string_equal(c->settings.log_file, rows[i].value);
		config_release(c);
	}
}

static void a_byte_order_mark_is_no_part_of_the_first_name(void **state)
{
	struct config *c = read_good("\xef\xbb\xbfport = 1234\n");

	(void)state;
	assert_int_equal(c->settings.port, 1234);
	config_release(c);
}

static void refuses_what_is_no_text(void **state)
{
	FILE *file = fopen("conf", "w");
	struct config_source source = {.path = "conf"};

	(void)state;
	assert_non_null(file);
	fwrite("backlog = 7\nport = 10\0 81\n", 1, 26, file);
	fclose(file);
	assert_null(config_read(&source, error));
	assert_string_equal(error, "conf: not a text file: NUL byte in line 2");
}

/* A pipe has been read to its end at start, and says nothing any more. */
static void a_pipe_serves_the_start_and_is_refused_on_reload(void **state)
{
	struct config_source source = {.path = "fifo"};
	struct config *c;
	pid_t writer;
	int status;

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	writer = fork();
	if (writer == 0) {
		int fd = open("fifo", O_WRONLY);

		_exit(write(fd, "port = 1234\n", 12) == 12 ? 0 : 1);
	}
	c = config_read(&source, error);
	assert_non_null(c);
	assert_int_equal(c->settings.port, 1234);
	config_release(c);
	assert_int_equal(waitpid(writer, &status, 0), writer);
	source.is_reload = true;
	assert_null(config_read(&source, error));
	assert_string_equal(error, "fifo: cannot be read: it is not a regular file");
}

static void complains_about_files_that_cannot_be_read(void **state)
{
	struct config_source missing = {.path = "missing"}, folder = {.path = "folder"};

	(void)state;
	assert_null(config_read(&missing, error));
	assert_string_equal(error, "missing: cannot be read: No such file or directory");
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_null(config_read(&folder, error));
	assert_string_equal(error, "folder: cannot be read: Is a directory");
}

static void complaints_about_long_paths_fit_their_room(void **state)
{
	static char path[3000];
	struct config_source source = {.path = path};

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	assert_null(config_read(&source, error));
	assert_true(strlen(error) < CONFIG_ERROR_MAX);
	assert_non_null(strstr(error, "x: cannot be read: File name too long"));
}

/* ---- snapshots ---- */

static struct config *numbered(int64_t number)
{
	struct config_source source = {0};
	char why[CONFIG_ERROR_MAX];
	struct config *c = config_read(&source, why);

	if (c == NULL)
		abort();
	c->settings.port = c->settings.backlog = number;
	return c;
}

static struct config_store *new_store(void)
{
	struct config_store *store = config_store_new(numbered(1));

	assert_non_null(store);
	return store;
}

static void a_snapshot_outlives_the_next_one(void **state)
{
	struct config_store *store = new_store();
	struct config *old = config_get(store), *new;

	(void)state;
	assert_int_equal(config_generation(store), old->generation);
	config_publish(store, numbered(2));
	new = config_get(store);
	assert_int_not_equal(new->generation, old->generation);
	assert_int_equal(config_generation(store), new->generation);
	assert_int_equal(old->settings.port, 1);
	assert_string_equal(old->settings.log_file, "");
	assert_int_equal(new->settings.port, 2);
	config_release(old);
	config_store_free(store);
	assert_int_equal(new->settings.port, 2);
	config_release(new);
}

static void idle_limits_follow_what_is_published(void **state)
{
	struct config_store *store = new_store();
	const struct idle_limits *limits = config_idle_limits(store);
	struct config *next = numbered(2);

	(void)state;
	assert_int_equal(atomic_load(&limits->timeout), 3600000);
	assert_int_equal(atomic_load(&limits->half_close_timeout), 600000);
	next->settings.timeout = 1;
	next->settings.half_close_timeout = 2;
	config_publish(store, next);
	assert_int_equal(atomic_load(&limits->timeout), 1);
	assert_int_equal(atomic_load(&limits->half_close_timeout), 2);
	config_store_free(store);
}

static void a_clone_is_equal_and_independent(void **state)
{
	const struct setting_input path = {.text = "/a/path"};
	struct config *c = numbered(7), *clone;
	char why[SETTING_ERROR_MAX];

	(void)state;
	assert_true(setting_set(settings_find("log_file"), &c->settings, &path, why));
	c->own_count = 1;
	clone = config_clone(c);
	assert_non_null(clone);
	for (size_t i = 0; i < SETTINGS_COUNT; i++)
		assert_true(setting_equal(&settings_table[i], &clone->settings, &c->settings));
	assert_int_equal(clone->own_count, 1);
	clone->settings.port = 8;
	assert_int_equal(c->settings.port, 7);
	config_release(c);
	assert_string_equal(clone->settings.log_file, "/a/path");
	config_release(clone);
}

static void counts_references(void **state)
{
	struct config_store *store = new_store();
	struct config *a = config_get(store), *b = config_get(store);

	(void)state;
	assert_ptr_equal(a, b);
	assert_int_equal(atomic_load(&a->references), 3);
	config_release(a);
	assert_int_equal(atomic_load(&b->references), 2);
	config_publish(store, numbered(2));
	assert_int_equal(atomic_load(&b->references), 1);
	config_release(b);
	config_release(NULL);
	config_store_free(store);
	config_store_free(NULL);
}

#define READERS 3
#define PUBLISHERS 2
#define READS 5000
#define PUBLICATIONS 200

struct exchange {
	struct config_store *store;
	_Atomic(int) torn;
};

static void *read_often(void *context)
{
	struct exchange *x = context;

	for (int i = 0; i < READS; i++) {
		struct config *c = config_get(x->store);

		if (c->settings.port != c->settings.backlog || c->settings.log_file[0] != '\0')
			atomic_fetch_add(&x->torn, 1);
		config_release(c);
	}
	return NULL;
}

static void *publish_often(void *context)
{
	struct exchange *x = context;

	for (int i = 0; i < PUBLICATIONS; i++)
		config_publish(x->store, numbered(i));
	return NULL;
}

static void threads_get_whole_snapshots_while_others_publish(void **state)
{
	struct exchange x = {.store = new_store()};
	pthread_t threads[READERS + PUBLISHERS];
	struct config *last;

	(void)state;
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
					 i < READERS ? read_often : publish_often, &x),
			0);
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&x.torn), 0);
	last = config_get(x.store);
	assert_int_equal(last->settings.port, PUBLICATIONS - 1);
	assert_int_equal(atomic_load(&last->references), 2);
	config_release(last);
	config_store_free(x.store);
}

/* ---- where values come from ---- */

static void assert_origin(
	const struct config *c, const char *name, enum config_from from, unsigned line)
{
	const struct config_origin *o = &c->origins[settings_find(name) - settings_table];

	assert_int_equal(o->from, from);
	assert_int_equal(o->line, line);
}

static void assert_in_file(const struct config *c, const char *name, const char *expected)
{
	char *text = config_in_file(c, settings_find(name));

	assert_string_equal(text, expected);
	free(text);
}

static void each_value_knows_where_it_comes_from(void **state)
{
	struct config_source source = {.path = "conf"};
	struct config *c, *copy;

	(void)state;
	scratch_write("conf",
		"# a comment\nport = 1234\nclients = private\ntimeout = 30m\n"
		"clients = 192.0.2.0/24\n");
	add_flag(&source, "log_level", "debug");
	add_flag(&source, "timeout", "3s");
	c = config_read(&source, error);
	assert_non_null(c);
	assert_string_equal(c->path, "conf");
	assert_origin(c, "port", CONFIG_FROM_FILE, 2);
	assert_origin(c, "clients", CONFIG_FROM_FILE, 3);
	assert_origin(c, "timeout", CONFIG_FROM_FLAG, 0);
	assert_origin(c, "log_level", CONFIG_FROM_FLAG, 0);
	assert_origin(c, "backlog", CONFIG_FROM_DEFAULT, 0);
	assert_in_file(c, "port", "1234");
	assert_in_file(c, "clients", "private, 192.0.2.0/24");
	assert_in_file(c, "timeout", "30m");
	assert_in_file(c, "log_level", "-");
	assert_in_file(c, "backlog", "-");
	copy = config_clone(c);
	config_release(c);
	assert_string_equal(copy->path, "conf");
	assert_origin(copy, "clients", CONFIG_FROM_FILE, 3);
	assert_origin(copy, "timeout", CONFIG_FROM_FLAG, 0);
	config_release(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_defaults_without_a_file),
		scratch_test(reads_settings_among_comments_and_blank_lines),
		scratch_test(reads_lines_that_end_in_crlf),
		scratch_test(names_may_be_written_with_dashes),
		scratch_test(lists_come_by_commas_and_by_repetition),
		scratch_test(addresses_say_whether_they_have_a_port),
		scratch_test(flags_win_over_the_file),
		scratch_test(each_value_knows_where_it_comes_from),
		scratch_test(the_first_list_flag_replaces_the_file_s_list),
		cmocka_unit_test(bad_flags_are_complained_about_by_their_name),
		scratch_test(complaints_name_the_line_and_what_is_legal),
		scratch_test(a_flag_is_given_once_unless_it_is_a_list),
		scratch_test(lines_may_be_long),
		scratch_test(a_comment_may_stand_behind_a_value),
		scratch_test(a_value_may_be_quoted),
		scratch_test(a_byte_order_mark_is_no_part_of_the_first_name),
		scratch_test(refuses_what_is_no_text),
		scratch_test(a_pipe_serves_the_start_and_is_refused_on_reload),
		scratch_test(complains_about_files_that_cannot_be_read),
		scratch_test(complaints_about_long_paths_fit_their_room),
		cmocka_unit_test(a_snapshot_outlives_the_next_one),
		cmocka_unit_test(idle_limits_follow_what_is_published),
		cmocka_unit_test(a_clone_is_equal_and_independent),
		cmocka_unit_test(counts_references),
		cmocka_unit_test(threads_get_whole_snapshots_while_others_publish),
	};

	return cmocka_run_group_tests_name("state/config", tests, NULL, NULL);
}
