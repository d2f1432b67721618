/* attempts: who gets a place in a channel, and for how long, against a server that keeps silent. */
#include <ares.h>
#include <poll.h>
#include <string.h>

#include "dns.h"
#include "net/attempts.h"
#include "suite.h"

#define MANY 640 /* a tenth batch is allowed for them, of 64 each */
#define NOW 1000000

static const struct dns_record records[] = {
	{"a.test", DNS_ANSWER, 60, "192.0.2.1"},
	{"*", DNS_SILENT, 0, NULL},
	{NULL, DNS_ANSWER, 0, NULL},
};

static struct dns *dns;
static struct addr server;
static struct fdbudget budget;
static struct attempts *a;
static struct attempt *many[MANY];

static int start(void **state)
{
	const char *text;
	bool has_port;

	(void)state;
	assert_int_equal(ares_library_init(ARES_LIB_INIT_ALL), ARES_SUCCESS);
	dns = dns_start(records);
	text = dns_server(dns);
	assert_true(addr_parse_port(text, strlen(text), &server, &has_port));
	fdbudget_plan(&budget, 1000, 10, 10);
	a = attempts_new(&budget);
	assert_non_null(a);
	attempts_set_servers(a, 1);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	attempts_free(a);
	assert_int_equal(atomic_load(&budget.spare_used), 0);
	dns_stop(dns);
	ares_library_cleanup();
	return 0;
}

static struct attempt *begin(const char *name, unsigned round)
{
	struct attempt *attempt = attempts_begin(a,
		&(struct attempt_setup){
			.name = name, .family = LOOKUP_IPV4, .addr = &server, .round = round});

	assert_non_null(attempt);
	return attempt;
}

static void begin_many(unsigned round)
{
	for (size_t i = 0; i < MANY; i++)
		many[i] = begin("mute", round);
}

static void release_many(void)
{
	for (size_t i = 0; i < MANY; i++)
		attempts_release(a, many[i]);
	attempts_go_on(a, NOW);
}

/* How many were asked at `now`. */
static size_t count_asked(int64_t now)
{
	size_t count = 0;

	for (size_t i = 0; i < MANY; i++)
		count += many[i]->asked == now;
	return count;
}

static size_t take_ended(enum dnschannel_outcome expected)
{
	struct attempt *ended;
	size_t count = 0;

	for (; (ended = attempts_take_ended(a)) != NULL; count++)
		assert_int_equal(ended->outcome, expected);
	return count;
}

static void half_of_many_have_places(void **state)
{
	(void)state;
	begin_many(0);
	attempts_go_on(a, NOW);
	assert_int_equal(count_asked(NOW), MANY / 2);
	dns_wait_questions(dns, "*", 2 * DNSCHANNEL_QUESTIONS); /* all would be too much for it */
	assert_true(dns_most_of_one_port(dns) <= DNSCHANNEL_QUESTIONS);
	release_many();
}

static void the_others_have_them_when_time_is_over(void **state)
{
	(void)state;
	begin_many(0);
	attempts_go_on(a, NOW);
	assert_int_equal(attempts_deadline(a), NOW + 2000);
	attempts_go_on(a, NOW + 1999);
	assert_int_equal(take_ended(DNSCHANNEL_SILENT), 0);
	attempts_go_on(a, NOW + 2000);
	assert_int_equal(take_ended(DNSCHANNEL_SILENT), MANY / 2);
	/* There are fewer now, for whom eight batches are allowed. */
	assert_int_equal(count_asked(NOW + 2000), 8 * DNSCHANNEL_QUESTIONS);
	release_many();
}

static void later_rounds_have_half_of_the_places_and_first_ones_the_rest(void **state)
{
	struct attempt *first;

	(void)state;
	begin_many(1);
	attempts_go_on(a, NOW);
	assert_int_equal(count_asked(NOW), MANY / 4);
	first = begin("mute", 0);
	attempts_go_on(a, NOW + 1);
	assert_int_equal(first->asked, NOW + 1);
	attempts_release(a, first);
	release_many();
}

static void rounds_wait_for_longer_each(void **state)
{
	static const int64_t waits[ATTEMPT_ROUNDS] = {2000, 4000, 8000, 16000};

	(void)state;
	for (unsigned round = 0; round < ATTEMPT_ROUNDS; round++) {
		struct attempt *attempt = begin("mute", round);

		attempts_go_on(a, NOW);
		assert_int_equal(attempts_deadline(a), NOW + waits[round]);
		attempts_release(a, attempt);
		attempts_go_on(a, NOW);
		assert_true(attempts_deadline(a) == INT64_MAX);
	}
}

static void an_answer_ends_it(void **state)
{
	struct attempt *attempt = begin("a.test", 0), *ended;
	struct pollfd p;

	(void)state;
	attempts_go_on(a, NOW);
	assert_int_equal(attempts_fds(a, &p, 1), 1);
	assert_int_equal(poll(&p, 1, NET_PATIENCE_S * 1000), 1);
	attempts_process(a, &p, 1);
	ended = attempts_take_ended(a);
	assert_ptr_equal(ended, attempt);
	assert_int_equal(ended->outcome, DNSCHANNEL_FOUND);
	assert_int_equal(ended->answer->count, 1);
	assert_int_equal(ended->ttl_ms, 60000);
	attempts_release(a, ended);
	attempts_go_on(a, NOW);
}

static void without_a_descriptor_they_wait_and_it_is_tried_again(void **state)
{
	size_t spare = budget.spare;

	(void)state;
	budget.spare = 0;
	begin_many(0);
	attempts_go_on(a, NOW);
	assert_int_equal(count_asked(NOW), DNSCHANNEL_OWN_SOCKETS * DNSCHANNEL_QUESTIONS);
	assert_int_equal(attempts_deadline(a), NOW + 100);
	budget.spare = spare;
	attempts_go_on(a, NOW + 99);
	assert_int_equal(count_asked(NOW + 99), 0);
	attempts_go_on(a, NOW + 100);
	assert_true(count_asked(NOW + 100) > 0);
	release_many();
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(half_of_many_have_places),
		TEST(the_others_have_them_when_time_is_over),
		TEST(later_rounds_have_half_of_the_places_and_first_ones_the_rest),
		TEST(rounds_wait_for_longer_each),
		TEST(an_answer_ends_it),
		TEST(without_a_descriptor_they_wait_and_it_is_tried_again),
	};

	return cmocka_run_group_tests_name("net/attempts", tests, NULL, NULL);
}
