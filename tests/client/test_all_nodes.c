/* all_nodes: fake monitors of many nodes, those that misbehave in every way, and a clock that goes
 * on only when nobody else has anything to say. */
#include "client/all_nodes.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/scratch.h"
#include "base/clock.h"
#include "client/login.h"
#include "net.h"
#include "wire/monitor.h"

#define FAKES_MAX 100
#define LOGIN "alice:secret"
#define SECONDS(n) ((n)*INT64_C(1000))

/* What one does that is no monitor of the node that it is said to be. */
enum manner {
	HONEST,
	SILENT, /* connects, as a stopped process does, and never says a word */
	CLOSED, /* nobody listens */
	ENDS, /* the connection, at once */
	FULL, /* greets with ERR */
	LINGERS, /* asks for the login, says ERR and stays */
	FOREIGN, /* no monitor */
	CHATTY, /* never ends the greeting */
	DENIES, /* the login */
	MUTE, /* after the login */
	ALONE, /* shares nothing */
	OTHER, /* is another node */
	DIES, /* when it is asked */
	SULKS, /* when it is asked: is silent */
};

struct fake {
	pthread_t thread;
	int listener;
	uint16_t port;
	enum manner manner;
	const char *told; /* in NODES, instead of its address; NULL: that */
	const char *state; /* in NODES; NULL: online */
	const char *name; /* likewise; NULL: "nI" */
	char heard[200]; /* requests but NODES, each with a ; behind it */
	atomic_int fd; /* the connection; 0: there is none yet */
	atomic_bool waits; /* for the client */
};

static struct fake fakes[FAKES_MAX];
static size_t fake_count;
static bool is_apart; /* the first node */
static const char *answer; /* of all honest ones, to what they are asked, with # for the number */
static const char *listed; /* what the first node answers to NODES; NULL: what there is */
static int64_t now = SECONDS(1000);

/* ---- the clock ---- */

int64_t __wrap_clock_ms(void);
int64_t __wrap_clock_ms(void)
{
	return now;
}

int64_t __wrap_clock_deadline(int64_t ms);
int64_t __wrap_clock_deadline(int64_t ms)
{
	return ms == CLOCK_NEVER ? CLOCK_NEVER : now + ms;
}

/* ---- the monitors ---- */

static bool has_thread(const struct fake *f)
{
	return f->manner != SILENT && f->manner != CLOSED;
}

/* Nothing is on its way from the client to this one, and nothing back. */
static bool is_idle(struct fake *f)
{
	int fd = atomic_load(&f->fd), bytes = 0;
	struct pollfd p = {.fd = f->listener, .events = POLLIN};

	if (!has_thread(f))
		return true;
	if (!atomic_load(&f->waits))
		return false;
	if (fd == 0)
		return poll(&p, 1, 0) == 0;
	return ioctl(fd, FIONREAD, &bytes) < 0 || bytes == 0;
}

static bool are_all_idle(void)
{
	for (size_t i = 0; i < fake_count; i++) {
		if (!is_idle(&fakes[i]))
			return false;
	}
	return true;
}

/* What is there is there; else time passes, once all fakes have said what they have to say. */
int __wrap_socket_wait(struct pollfd *fds, nfds_t count, int64_t deadline);
int __wrap_socket_wait(struct pollfd *fds, nfds_t count, int64_t deadline)
{
	bool is_over = deadline <= now;
	int ready = 0;

	while (ready == 0) {
		bool is_last = is_over || are_all_idle();

		ready = poll(fds, count, is_last ? 0 : 10);
		if (is_last)
			break;
	}
	if (ready == 0 && !is_over) {
		assert_int_not_equal(deadline, CLOCK_NEVER);
		now = deadline;
	}
	return ready;
}

static const char *name_of(size_t i, char out[32])
{
	if (fakes[i].name != NULL)
		return fakes[i].name;
	snprintf(out, 32, "n%zu", i);
	return out;
}

static void put(int fd, const char *text)
{
	(void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

/* Until `fd` is readable, which it stays until somebody has seen that it is. */
static void wait_for_client(struct fake *f, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	atomic_store(&f->waits, true);
	poll(&p, 1, -1);
	atomic_store(&f->waits, false);
}

static bool take_line(struct fake *f, int fd, char *line, size_t size)
{
	size_t len = 0;

	wait_for_client(f, fd);
	while (len + 1 < size && recv(fd, line + len, 1, 0) == 1) {
		if (line[len] == '\n') {
			line[len] = '\0';
			return true;
		}
		len++;
	}
	return false;
}

static void put_node(FILE *out, size_t i, const char *state)
{
	char name[32];

	fprintf(out,
		"node:%s state:%s version:1.2 sessions:0 max_sessions:9 started:2026-11-26T09:00:12",
		name_of(i, name), state);
	if (fakes[i].told != NULL)
		fprintf(out, " lag:0 monitor:%s\n", fakes[i].told);
	else
		fprintf(out, " lag:0 monitor:127.0.0.1:%u\n", fakes[i].port);
}

static void put_nodes(int fd, size_t own)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs("OK\n", out);
	put_node(out, own, own == 0 && is_apart ? "apart" : "here");
	for (size_t i = 0; i < fake_count; i++) {
		if (i != own)
			put_node(out, i, fakes[i].state != NULL ? fakes[i].state : "online");
	}
	fputs("\n", out);
	fclose(out);
	put(fd, own == 0 && listed != NULL ? listed : text);
	free(text);
}

static void put_answer(int fd, size_t i)
{
	const char *number = strchr(answer, '#');
	char text[4096];

	snprintf(text, sizeof(text), "%.*s%zu%s", (int)(number - answer), answer, i, number + 1);
	put(fd, text);
}

/* Of what node `i` is asked once it has logged somebody in. False when it has no more to say. */
static bool take_request(int fd, size_t i, const char *line)
{
	struct fake *f = &fakes[i];
	size_t len = strlen(f->heard);

	if (strcmp(line, "NODES") == 0 && f->manner == MUTE)
		return false;
	if (strcmp(line, "NODES") == 0 && f->manner == ALONE)
		put(fd, "ERR This server shares nothing\n\n");
	else if (strcmp(line, "NODES") == 0)
		put_nodes(fd, f->manner == OTHER ? 0 : i);
	else
		snprintf(f->heard + len, sizeof(f->heard) - len, "%s;", line);
	if (strcmp(line, "NODES") == 0)
		return f->manner != ALONE && f->manner != OTHER;
	if (f->manner == HONEST)
		put_answer(fd, i);
	if (f->manner == DIES)
		shutdown(fd, SHUT_RDWR);
	return false;
}

static bool greet(int fd, const struct fake *f)
{
	static const char *const greetings[] = {
		[FULL] = "ERR Too many connections\n",
		[LINGERS] = (MONITOR_PROMPT "\nERR Shutting down\n"),
		[FOREIGN] = "220 mail.example.org ESMTP\r\n",
		[CHATTY] = "Please enter",
		[SULKS] = NULL,
	};

	put(fd, greetings[f->manner] != NULL ? greetings[f->manner] : MONITOR_PROMPT "\n");
	return greetings[f->manner] == NULL;
}

static bool log_in(int fd, struct fake *f)
{
	char line[256];

	if (!take_line(f, fd, line, sizeof(line)))
		return false;
	if (f->manner == DENIES || strcmp(line, LOGIN) != 0) {
		put(fd, "ERR Invalid credentials\n");
		return false;
	}
	put(fd, "OK Welcome alice\n");
	return true;
}

static void serve_one(int fd, size_t i)
{
	char line[256];

	if (!greet(fd, &fakes[i]) || !log_in(fd, &fakes[i]))
		return;
	while (take_line(&fakes[i], fd, line, sizeof(line)) && take_request(fd, i, line))
		continue;
}

static void *serve(void *arg)
{
	struct fake *f = arg;
	char rest[256];
	int fd;

	wait_for_client(f, f->listener);
	fd = accept(f->listener, NULL, NULL);
	if (fd < 0)
		return NULL;
	atomic_store(&f->fd, fd);
	if (f->manner == ENDS)
		shutdown(fd, SHUT_RDWR);
	else
		serve_one(fd, (size_t)(f - fakes));
	do
		wait_for_client(f, fd);
	while (recv(fd, rest, sizeof(rest), 0) > 0);
	atomic_store(&f->waits, true);
	return NULL;
}

static void start_fakes(size_t count)
{
	fake_count = count;
	for (size_t i = 0; i < count; i++)
		fakes[i].listener = net_listen("127.0.0.1", &fakes[i].port);
	for (size_t i = 0; i < count; i++) {
		struct fake *f = &fakes[i];

		if (f->manner == CLOSED)
			close(f->listener);
		if (has_thread(f))
			assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
	}
}

/* What they have heard stands still then. */
static void join_fakes(void)
{
	for (size_t i = 0; i < fake_count; i++) {
		struct fake *f = &fakes[i];

		if (f->manner == CLOSED)
			continue;
		shutdown(f->listener, SHUT_RDWR); /* whoever waits there for nobody */
		if (has_thread(f))
			pthread_join(f->thread, NULL);
		if (f->fd > 0)
			close(f->fd);
		close(f->listener);
	}
}

static void forget_fakes(void)
{
	memset(fakes, 0, sizeof(fakes));
	fake_count = 0;
	is_apart = false;
	answer = listed = NULL;
}

static void stop_fakes(void)
{
	join_fakes();
	forget_fakes();
}

/* ---- the client ---- */

static struct {
	struct flags flags;
	struct client client;
	enum client_status status;
	char *out, *err; /* what was printed */
	int64_t took; /* by the clock above */
} run;

static int free_printed(void **state)
{
	free(run.out);
	free(run.err);
	run.out = run.err = NULL;
	memset(&run.flags, 0, sizeof(run.flags));
	return scratch_leave(state);
}

/* Both files become the process's for a while. */
static int replace_file(FILE *file, int number, const char *name)
{
	int before;

	fflush(file);
	before = dup(number);
	assert_true(before >= 0);
	assert_non_null(freopen(name, "w", file));
	return before;
}

static void bring_back_file(FILE *file, int number, int before)
{
	fflush(file);
	assert_true(dup2(before, number) >= 0);
	close(before);
}

static void connect_to_first(int ending)
{
	char error[LINK_ERROR_MAX], port[8];
	struct link_target target = {"127.0.0.1", port, LINK_PATIENCE_MS, LINK_REPLY_MAX, NULL};

	snprintf(port, sizeof(port), "%u", fakes[0].port);
	run.flags.action = FLAGS_ASK;
	run.flags.all = true;
	run.client = (struct client){.flags = &run.flags,
		.signals = {.ending = ending, .screen = -1},
		.json = run.flags.json};
	run.client.link = link_open(&target, error);
	assert_non_null(run.client.link);
	link_interrupt_by(run.client.link, ending);
}

static enum client_status log_in_and_ask(const char *request)
{
	enum client_status status;

	scratch_write("password", "secret\n");
	assert_int_equal(chmod("password", 0600), 0);
	run.flags.password_file = "password";
	run.flags.user = "alice";
	status = login_run(&run.client);
	return status == CLIENT_OK ? all_nodes_ask(&run.client, request) : status;
}

/* Asks the fakes, which are ended. */
static void ask_by(const char *request, int ending)
{
	int64_t before = now;
	int out, err;

	connect_to_first(ending);
	out = replace_file(stdout, STDOUT_FILENO, "out");
	err = replace_file(stderr, STDERR_FILENO, "err");
	run.status = log_in_and_ask(request);
	bring_back_file(stdout, STDOUT_FILENO, out);
	bring_back_file(stderr, STDERR_FILENO, err);
	client_close(&run.client);
	run.took = now - before;
	run.out = scratch_read("out");
	run.err = scratch_read("err");
	stop_fakes();
}

static void ask(const char *request)
{
	ask_by(request, -1);
}

/* ---- tests ---- */

static void each_node_answers_under_its_name(void **state)
{
	(void)state;
	answer = "OK timeout set to 15s\nby:#\n\n";
	start_fakes(3);
	ask("CONFIG timeout 15");
	assert_int_equal(run.status, CLIENT_OK);
	assert_string_equal(run.err, "");
	assert_string_equal(run.out,
		"node n0:\nOK timeout set to 15s\nby:0\n\n"
		"node n1:\nOK timeout set to 15s\nby:1\n\n"
		"node n2:\nOK timeout set to 15s\nby:2\n");
}

static void each_node_is_a_member_of_the_object(void **state)
{
	(void)state;
	run.flags.json = true;
	answer = "OK\nactive users:#\n\n";
	fakes[1].manner = CLOSED;
	fakes[3].name = "q\\x22";
	start_fakes(4);
	ask("STATS");
	assert_int_equal(run.status, CLIENT_REFUSED);
	assert_string_equal(run.out,
		"{\"n0\":{\"status\":\"OK\",\"active_users\":0},\"n1\":null,"
		"\"n2\":{\"status\":\"OK\",\"active_users\":2},"
		"\"q\\\"\":{\"status\":\"OK\",\"active_users\":3}}\n");
}

static void one_refusal_is_a_failure(void **state)
{
	(void)state;
	answer = "ERR There is no user bob (#)\n\n";
	start_fakes(2);
	ask("DEL_USER bob");
	assert_int_equal(run.status, CLIENT_REFUSED);
	assert_string_equal(run.err, "");
	assert_string_equal(run.out,
		"node n0:\nERR There is no user bob (0)\n\n"
		"node n1:\nERR There is no user bob (1)\n");
}

static void names_who_gives_no_answer_and_goes_on(void **state)
{
	static const struct {
		enum manner manner;
		const char *says;
	} rows[] = {
		{SILENT, "silent"},
		{CLOSED, "cannot reach its monitor at 127.0.0.1:"},
		{ENDS, "ended the connection"},
		{FULL, "ERR Too many connections"},
		{LINGERS, "ERR Shutting down"},
		{FOREIGN, "there is no monitor of socks5d"},
		{CHATTY, "silent"},
		{DENIES, "ERR Invalid credentials; the login has to be an administrator's there"},
		{MUTE, "silent"},
		{ALONE, "is no node: ERR This server shares nothing"},
		{OTHER, "is that of node n0 from here; monitor_listen"},
		{DIES, "ended the connection"},
		{SULKS, "silent"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		answer = "OK #\n\n";
		fakes[1].manner = rows[i].manner;
		start_fakes(3);
		free(run.out);
		free(run.err);
		ask("USERS");
		assert_int_equal(run.status, CLIENT_REFUSED);
		assert_string_equal(run.out, "node n0:\nOK 0\n\nnode n2:\nOK 2\n");
		assert_begins(run.err, "monitor_client: node n1: ");
		assert_contains(run.err, rows[i].says);
		assert_in_range(run.took, 0, 2 * LINK_PATIENCE_MS);
	}
}

static void names_who_is_not_asked(void **state)
{
	(void)state;
	answer = "OK #\n\n";
	fakes[1].state = "offline";
	fakes[2].told = "-";
	fakes[3].told = "proxy.example.org:8080";
	start_fakes(5);
	ask("USERS");
	assert_int_equal(run.status, CLIENT_REFUSED);
	assert_string_equal(run.out, "node n0:\nOK 0\n\nnode n4:\nOK 4\n");
	assert_contains(run.err, "node n1: it is offline");
	assert_contains(run.err, "node n2: its monitor has no address of TCP");
	assert_contains(run.err, "or shared_nodes at the node that was asked does not name");
	assert_contains(run.err, "node n3: it tells an address of its monitor that is none");
}

static void without_the_engine_all_are_asked(void **state)
{
	(void)state;
	is_apart = true;
	answer = "OK #\n\n";
	fakes[1].state = "offline";
	start_fakes(2);
	ask("USERS");
	assert_int_equal(run.status, CLIENT_OK);
	assert_string_equal(run.out, "node n0:\nOK 0\n\nnode n1:\nOK 1\n");
}

/* Each dead one by itself would take half a minute. */
static void dead_ones_among_many_cost_their_patience_once(void **state)
{
	size_t nodes = 0;

	(void)state;
	answer = "OK #\n\n";
	for (size_t i = 5; i < FAKES_MAX; i += 10)
		fakes[i].manner = SILENT;
	start_fakes(FAKES_MAX);
	ask("USERS");
	assert_int_equal(run.status, CLIENT_REFUSED);
	for (const char *p = run.out; (p = strstr(p, "OK ")) != NULL; p++)
		nodes++;
	assert_int_equal(nodes, 90);
	assert_contains(run.err, "node n5: ");
	assert_contains(run.err, "node n95: ");
	assert_in_range(run.took, 0, SECONDS(40));
}

static void only_the_request_is_sent_and_once(void **state)
{
	char heard[2][200];

	(void)state;
	answer = "OK #\n\n";
	fakes[1].manner = DIES;
	fakes[2].manner = OTHER;
	start_fakes(3);
	connect_to_first(-1);
	int out = replace_file(stdout, STDOUT_FILENO, "out");
	int err = replace_file(stderr, STDERR_FILENO, "err");
	log_in_and_ask("KILL_USER bob");
	bring_back_file(stdout, STDOUT_FILENO, out);
	bring_back_file(stderr, STDERR_FILENO, err);
	client_close(&run.client);
	join_fakes();
	strcpy(heard[0], fakes[1].heard);
	strcpy(heard[1], fakes[2].heard);
	forget_fakes();
	assert_string_equal(heard[0], "KILL_USER bob;");
	assert_string_equal(heard[1], "");
}

/* Such as anybody on this host may listen for, where the nodes are elsewhere. */
static void loopback_is_sent_no_login_where_the_nodes_may_be_elsewhere(void **state)
{
	bool was_connected;

	(void)state;
	answer = "OK #\n\n";
	fakes[0].told = "192.0.2.1:8080";
	start_fakes(2);
	connect_to_first(-1);
	int out = replace_file(stdout, STDOUT_FILENO, "out");
	int err = replace_file(stderr, STDERR_FILENO, "err");
	run.status = log_in_and_ask("USERS");
	bring_back_file(stdout, STDOUT_FILENO, out);
	bring_back_file(stderr, STDERR_FILENO, err);
	client_close(&run.client);
	join_fakes();
	was_connected = fakes[1].fd > 0;
	forget_fakes();
	assert_false(was_connected);
	assert_int_equal(run.status, CLIENT_REFUSED);
	run.err = scratch_read("err");
	assert_contains(run.err, "node n1: the address of its monitor is a loopback one");
}

static void what_names_try_with_the_terminal_is_shown(void **state)
{
	(void)state;
	answer = "OK #\n\n";
	fakes[1].name = "\x1b]0;owned\x07";
	fakes[2].name = "\x1b[2J";
	fakes[2].manner = CLOSED;
	start_fakes(3);
	ask("USERS");
	assert_contains(run.out, "node \\x1b]0;owned\\x07:\n");
	assert_contains(run.err, "node \\x1b[2J: ");
}

static void a_server_that_shares_nothing_is_an_error(void **state)
{
	(void)state;
	answer = "OK #\n\n";
	listed = "ERR This server shares nothing with others: the setting shared is empty\n\n";
	start_fakes(2);
	ask("USERS");
	assert_int_equal(run.status, CLIENT_REFUSED);
	assert_string_equal(run.out, "");
	assert_string_equal(run.err,
		"monitor_client: --all: ERR This server shares nothing with others: the setting "
		"shared is empty\n");
}

static void a_list_that_is_none_is_an_error(void **state)
{
	(void)state;
	answer = "OK #\n\n";
	listed = "OK\nhello world\n\n";
	start_fakes(2);
	ask("USERS");
	assert_int_equal(run.status, CLIENT_BROKEN);
	assert_contains(run.err, "which node it is");
}

static void ctrl_c_ends_it_and_keeps_what_was_answered(void **state)
{
	int ending = eventfd(0, EFD_CLOEXEC);
	uint64_t one = 1;

	(void)state;
	answer = "OK #\n\n";
	start_fakes(3);
	connect_to_first(-1);
	int out = replace_file(stdout, STDOUT_FILENO, "out");
	int err = replace_file(stderr, STDERR_FILENO, "err");
	run.client.signals.ending = ending;
	assert_int_equal(write(ending, &one, sizeof(one)), sizeof(one));
	run.status = log_in_and_ask("USERS");
	bring_back_file(stdout, STDOUT_FILENO, out);
	bring_back_file(stderr, STDERR_FILENO, err);
	client_close(&run.client);
	stop_fakes();
	close(ending);
	assert_int_equal(run.status, CLIENT_INTERRUPTED);
	scratch_assert("err", "monitor_client: interrupted\n");
}

static void whom_the_server_knows_needs_a_login_for_the_others(void **state)
{
	(void)state;
	start_fakes(2);
	connect_to_first(-1);
	int err = replace_file(stderr, STDERR_FILENO, "err");
	run.client.is_known = true;
	run.status = login_for_others(&run.client);
	bring_back_file(stderr, STDERR_FILENO, err);
	client_close(&run.client);
	stop_fakes();
	assert_int_equal(run.status, CLIENT_USAGE);
	run.err = scratch_read("err");
	assert_contains(run.err, "-u NAME");
}

static void the_login_for_the_others_is_where_flags_say(void **state)
{
	(void)state;
	start_fakes(1);
	connect_to_first(-1);
	scratch_write("password", "secret\n");
	assert_int_equal(chmod("password", 0600), 0);
	run.client.is_known = true;
	run.flags.user = "alice";
	run.flags.password_file = "password";
	assert_int_equal(login_for_others(&run.client), CLIENT_OK);
	assert_string_equal(run.client.login, LOGIN);
	assert_int_equal(login_for_others(&run.client), CLIENT_OK);
	client_close(&run.client);
	assert_null(run.client.login);
	stop_fakes();
}

#define nodes_test(f) cmocka_unit_test_setup_teardown(f, scratch_enter, free_printed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		nodes_test(each_node_answers_under_its_name),
		nodes_test(each_node_is_a_member_of_the_object),
		nodes_test(one_refusal_is_a_failure),
		nodes_test(names_who_gives_no_answer_and_goes_on),
		nodes_test(names_who_is_not_asked),
		nodes_test(without_the_engine_all_are_asked),
		nodes_test(dead_ones_among_many_cost_their_patience_once),
		nodes_test(only_the_request_is_sent_and_once),
		nodes_test(loopback_is_sent_no_login_where_the_nodes_may_be_elsewhere),
		nodes_test(what_names_try_with_the_terminal_is_shown),
		nodes_test(a_server_that_shares_nothing_is_an_error),
		nodes_test(a_list_that_is_none_is_an_error),
		nodes_test(ctrl_c_ends_it_and_keeps_what_was_answered),
		nodes_test(whom_the_server_knows_needs_a_login_for_the_others),
		nodes_test(the_login_for_the_others_is_where_flags_say),
	};

	return cmocka_run_group_tests_name("client/all_nodes", tests, NULL, NULL);
}
