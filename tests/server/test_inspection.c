/* inspection: what -n, --explain and --doctor say of a configuration; and that without memory each
 * says why, has no verdict, and leaves nothing behind. */
#include "server/inspection.h"

#include <errno.h>
#include <sodium.h>

#include "../base/faults_all.h"
#include "../base/scratch.h"
#include "base/log.h"
#include "monitor.h"
#include "net/own.h"
#include "server/doctor.h"

#define CONFIGURATION                                                                              \
	"listen = 127.0.0.1\nport = 0\nmonitor_port = 0\nusers_file = users\nsandbox = off\n"      \
	"dns_servers = 127.0.0.1:9\n"                                                              \
	"client_group = @room 192.0.2.0/29\nclient_limits = @room rate=2Mbit\n"                    \
	"upstream = a socks5://127.0.0.1:9\nrule = deny from @room to .example.org\n"

static bool addresses_fail, threads_fail;

int __real_own_refresh(struct own *own);
int __wrap_own_refresh(struct own *own);
int __real_pthread_create(
	pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *context);
int __wrap_pthread_create(
	pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *context);

int __wrap_own_refresh(struct own *own)
{
	errno = EACCES;
	return addresses_fail ? -1 : __real_own_refresh(own);
}

int __wrap_pthread_create(
	pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *context)
{
	return threads_fail ? EAGAIN : __real_pthread_create(thread, attributes, run, context);
}

/* The doctor, who looks at the host for as long as that takes. */
static unsigned bad_things;

bool __wrap_doctor_look(struct doctor *d);

bool __wrap_doctor_look(struct doctor *d)
{
	fprintf(d->out, "looked at %zu users%s\n", d->users, d->users_problem);
	d->found[DOCTOR_BAD] = bad_things;
	return bad_things == 0;
}

static struct options options;
static char error[CONFIG_ERROR_MAX];
static char *said;
static size_t said_len;

static int set_up(void **state)
{
	if (sodium_init() < 0 || scratch_enter(state) < 0)
		return -1;
	scratch_write("conf", CONFIGURATION);
	scratch_write("users", "root:" MONITOR_HASH ":admin\n");
	assert_int_equal(chmod("users", 0600), 0);
	options = (struct options){.source = {.path = "conf"}, .user_count = 1};
	options.users[0] = (struct user_credentials){.name = "ann", .password = "secret"};
	options.question = "from=192.0.2.1 user=ann to=www.example.org:443";
	addresses_fail = threads_fail = false;
	bad_things = 0;
	log_set_level(LOG_ERROR);
	return 0;
}

static int tear_down(void **state)
{
	free(said);
	said = NULL;
	log_set_level(LOG_INFO);
	return scratch_leave(state);
}

/* What the command says goes to `said`; -1 with the reason in `error`. */
static int ask(int (*command)(FILE *out))
{
	FILE *out;
	int result;

	free(said);
	out = open_memstream(&said, &said_len);
	assert_non_null(out);
	*error = '\0';
	result = command(out);
	assert_int_equal(fclose(out), 0);
	return result;
}

static enum explain_verdict verdict;

static int check(FILE *out)
{
	(void)out;
	return inspection_check(&options, error);
}

static int explain_it(FILE *out)
{
	return inspection_explain(&options, out, &verdict, error);
}

static int examine(FILE *out)
{
	return inspection_examine(&options, out, error);
}

static void what_is_right_is_said_to_be(void **state)
{
	(void)state;
	assert_int_equal(ask(check), 0);
	assert_int_equal(ask(explain_it), 0);
	assert_int_equal(verdict, EXPLAIN_DENY);
	assert_contains(said, "deny from @room to .example.org");
	bad_things = 2;
	assert_int_equal(ask(examine), 2);
	assert_string_equal(said, "looked at 2 users\n");
}

static void a_file_that_is_wrong_is_told_by_each(void **state)
{
	(void)state;
	scratch_write("conf", "timeout = x\n");
	assert_int_equal(ask(check), -1);
	assert_contains(error, "conf:1: timeout: ");
	assert_int_equal(ask(explain_it), -1);
	assert_contains(error, "conf:1: timeout: ");
	assert_int_equal(ask(examine), -1);
	assert_contains(error, "conf:1: timeout: ");
}

/* Wrong users are what the doctor is for. */
static void users_that_cannot_be_read_are_told_by_each(void **state)
{
	(void)state;
	scratch_write("users", "root\n");
	assert_int_equal(ask(check), -1);
	assert_contains(error, "users:1: ");
	assert_int_equal(ask(explain_it), -1);
	assert_contains(error, "users:1: ");
	assert_int_equal(ask(examine), 0);
	assert_contains(said, "users:1: ");
}

static void a_question_that_is_none_is_told(void **state)
{
	(void)state;
	options.question = "from=192.0.2.1";
	assert_int_equal(ask(explain_it), -1);
	assert_begins(error, "--explain: ");
}

static void what_the_host_does_not_give_is_told(void **state)
{
	(void)state;
	addresses_fail = true;
	assert_int_equal(ask(examine), -1);
	assert_string_equal(error, "the addresses of this host cannot be read: Permission denied");
	addresses_fail = false;
	options.asks_names = threads_fail = true;
	assert_int_equal(ask(explain_it), -1);
	assert_begins(error, "names cannot be looked up: ");
}

/* With each allocation failing in turn: a reason, or the same verdict as with enough. */
static void without_memory_there_is_no_wrong_verdict(void **state)
{
	static int (*const commands[])(FILE *) = {check, explain_it, examine};

	(void)state;
	for (size_t i = 0; i < COUNT(commands); i++) {
		int expected = ask(commands[i]);
		bool struck = true;

		for (int n = 1; struck; n++) {
			int result;

			verdict = EXPLAIN_DENY;
			faults_fail(n);
			result = ask(commands[i]);
			struck = faults_struck();
			if (result < 0 && (!struck || *error == '\0'))
				fail_msg("command %zu, allocation %d: \"%s\"", i, n, error);
			if (result >= 0 && i < 2)
				assert_int_equal(result, expected);
			assert_int_not_equal(verdict, EXPLAIN_ALLOW);
		}
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_right_is_said_to_be),
		TEST(a_file_that_is_wrong_is_told_by_each),
		TEST(users_that_cannot_be_read_are_told_by_each),
		TEST(a_question_that_is_none_is_told),
		TEST(what_the_host_does_not_give_is_told),
		TEST(without_memory_there_is_no_wrong_verdict),
	};

	return cmocka_run_group_tests_name("server/inspection", tests, NULL, NULL);
}
