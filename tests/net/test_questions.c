/* questions: who joins, collects and leaves, and who sees to the answers; the test asks in the
 * place of name servers. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/asking.h"
#include "net/bell.h"
#include "net/nameservers.h"
#include "net/questions.h"
#include "suite.h"

#define MOST 8

/* ---- asking, as the test has it ---- */

static struct {
	asking_done *done;
	void *arg;
	struct asked *begun[MOST]; /* all of them, in their order */
	size_t count;
	unsigned ended, repeated, servers_set;
	bool fails_at_once;
	size_t fds; /* to be polled */
	int64_t due;

	/* an answer that comes in the next turn */
	struct asked *answered;
	struct lookup_answer *answer;
} fake;

struct asking *__wrap_asking_new(
	struct nameservers *n, struct fdbudget *budget, asking_done *done, void *arg);
void __wrap_asking_free(struct asking *a);
void __wrap_asking_set_servers(struct asking *a, struct nameservers *n);
void __wrap_asking_begin(struct asking *a, struct asked *q);
void __wrap_asking_repeat(struct asking *a, struct asked *q);
void __wrap_asking_end(struct asking *a, struct asked *q);
size_t __wrap_asking_fds(const struct asking *a, struct pollfd *fds, size_t room);
int64_t __wrap_asking_due(const struct asking *a);
void __wrap_asking_go_on(struct asking *a, const struct pollfd *fds, size_t count);

struct asking *__wrap_asking_new(
	struct nameservers *n, struct fdbudget *budget, asking_done *done, void *arg)
{
	(void)budget;
	nameservers_free(n);
	fake.done = done;
	fake.arg = arg;
	return (struct asking *)&fake;
}

void __wrap_asking_free(struct asking *a)
{
	(void)a;
}

void __wrap_asking_set_servers(struct asking *a, struct nameservers *n)
{
	(void)a;
	nameservers_free(n);
	fake.servers_set++;
}

void __wrap_asking_begin(struct asking *a, struct asked *q)
{
	(void)a;
	assert_true(fake.count < MOST);
	fake.begun[fake.count++] = q;
	q->last = clock_ms();
}

void __wrap_asking_repeat(struct asking *a, struct asked *q)
{
	(void)a;
	(void)q;
	fake.repeated++;
}

void __wrap_asking_end(struct asking *a, struct asked *q)
{
	(void)a;
	(void)q;
	fake.ended++;
}

size_t __wrap_asking_fds(const struct asking *a, struct pollfd *fds, size_t room)
{
	(void)a;
	for (size_t i = 0; i < fake.fds && i < room; i++)
		fds[i] = (struct pollfd){.fd = -1};
	return fake.fds;
}

int64_t __wrap_asking_due(const struct asking *a)
{
	(void)a;
	return fake.due;
}

void __wrap_asking_go_on(struct asking *a, const struct pollfd *fds, size_t count)
{
	(void)a;
	(void)fds;
	(void)count;
	for (size_t i = 0; fake.fails_at_once && i < fake.count; i++)
		fake.done(fake.arg, fake.begun[i], NULL, 0);
	if (fake.answered != NULL)
		fake.done(fake.arg, fake.answered, fake.answer, 60000);
	fake.answered = NULL;
}

/* ---- the thread, whose wait never lasts ---- */

static struct {
	bool watches;
	nfds_t fds;
	bool was_woken;
	int64_t until;
} thread;

int __wrap_socket_wait(struct pollfd *fds, nfds_t count, int64_t deadline);

int __wrap_socket_wait(struct pollfd *fds, nfds_t count, int64_t deadline)
{
	int ready = poll(fds, count, 0);

	thread.watches = count > 1;
	thread.fds = count;
	thread.was_woken = fds[0].revents != 0;
	thread.until = deadline;
	return ready;
}

/* ---- sessions ---- */

struct asker {
	struct waiter waiter;
	struct lookup_answer answers[LOOKUP_FAMILIES];
};

static struct dnscache *cache;
static struct nameservers_source *source;
static struct questions *q;
static struct asker a, b;

static int start(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	memset(&thread, 0, sizeof(thread));
	fake.due = CLOCK_NEVER;
	fake.fds = 1;
	cache = dnscache_new(64);
	source = nameservers_source_new("/nowhere/resolv.conf", NULL);
	q = questions_new(source, cache, NULL, 60000);
	assert_non_null(q);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	questions_free(q);
	nameservers_source_free(source);
	dnscache_free(cache);
	return 0;
}

/* As one who has looked into the cache when so much was published. */
static void ask_behind(
	struct asker *asker, const char *name, bool ipv6, bool ipv4, uint64_t published)
{
	*asker = (struct asker){
		.answers = {[LOOKUP_IPV6] = {.state = ipv6 ? LOOKUP_PENDING : LOOKUP_NOT_FOUND},
			[LOOKUP_IPV4] = {.state = ipv4 ? LOOKUP_PENDING : LOOKUP_NOT_FOUND}}};
	questions_ask(q, &asker->waiter, name, asker->answers, published);
}

static void ask(struct asker *asker, const char *name, bool ipv6, bool ipv4)
{
	ask_behind(asker, name, ipv6, ipv4, questions_published(q));
}

static bool is_told(const struct asker *asker)
{
	struct pollfd p = {.fd = questions_bell_fd(&asker->waiter), .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void collect(struct asker *asker)
{
	questions_collect(q, &asker->waiter, asker->answers);
}

static void leave(struct asker *asker)
{
	questions_leave(q, &asker->waiter);
}

/* The answer to the `i`th question, of `count` addresses, comes with the next turn. */
static void answer(size_t i, enum lookup_state state, size_t count)
{
	struct lookup_answer *new = calloc(1, sizeof(*new));

	assert_non_null(new);
	new->state = state;
	new->count = count;
	for (size_t k = 0; k < count; k++) {
		const uint8_t bytes[4] = {192, 0, 2, (uint8_t)(1 + k)};

		new->addrs[k] = addr_from_ipv4(bytes, 0);
	}
	fake.answered = fake.begun[i];
	fake.answer = new;
}

/* And that is a turn of the thread. */
static void answer_now(size_t i, enum lookup_state state, size_t count)
{
	answer(i, state, count);
	questions_attend(q);
}

static void expect_first(const struct asker *asker, const char *addr)
{
	char text[ADDR_TEXT_MAX];

	assert_false(questions_waits(&asker->waiter));
	assert_string_equal(addr_format_host(&asker->answers[LOOKUP_IPV4].addrs[0], text), addr);
}

static void an_answer_is_told_and_collected(void **state)
{
	(void)state;
	ask(&a, "a", false, true);
	assert_string_equal(fake.begun[0]->name, "a");
	assert_int_equal(fake.begun[0]->family, LOOKUP_IPV4);
	assert_false(is_told(&a));
	answer_now(0, LOOKUP_FOUND, 1);
	assert_true(is_told(&a));
	assert_true(questions_waits(&a.waiter));
	collect(&a);
	expect_first(&a, "192.0.2.1");
}

static void the_same_question_is_joined(void **state)
{
	(void)state;
	ask(&a, "a", false, true);
	ask(&b, "a", false, true);
	assert_int_equal(fake.count, 1);
	answer_now(0, LOOKUP_FOUND, 2);
	collect(&a);
	collect(&b);
	expect_first(&a, "192.0.2.1");
	expect_first(&b, "192.0.2.2");
}

static void other_names_and_families_are_other_questions(void **state)
{
	(void)state;
	ask(&a, "a", true, true);
	ask(&b, "b", false, true);
	assert_int_equal(fake.count, 3);
	for (size_t i = 0; i < 3; i++)
		answer_now(i, LOOKUP_NOT_FOUND, 0);
	collect(&a);
	collect(&b);
	assert_false(questions_waits(&a.waiter) || questions_waits(&b.waiter));
}

static void an_answer_is_in_the_cache_when_its_question_is_closed(void **state)
{
	struct lookup_answer found;

	(void)state;
	ask(&a, "a", true, true);
	answer_now(0, LOOKUP_NOT_FOUND, 0);
	answer_now(1, LOOKUP_FOUND, 3);
	assert_true(dnscache_find(cache, "a", LOOKUP_IPV6, &found));
	assert_int_equal(found.state, LOOKUP_NOT_FOUND);
	assert_true(dnscache_find(cache, "a", LOOKUP_IPV4, &found));
	assert_int_equal(found.count, 3);
	ask(&b, "a", false, true);
	assert_int_equal(fake.count, 3);
	leave(&b);
	collect(&a);
}

/* It came between his look into the cache and his question. */
static void what_was_published_meanwhile_is_not_asked_again(void **state)
{
	uint64_t published = questions_published(q), hits, misses;

	(void)state;
	ask(&a, "a", true, true);
	answer_now(0, LOOKUP_FOUND, 1);
	ask_behind(&b, "a", true, true, published);
	assert_int_equal(fake.count, 2);
	assert_int_equal(b.answers[LOOKUP_IPV6].state, LOOKUP_FOUND);
	assert_int_equal(b.answers[LOOKUP_IPV4].state, LOOKUP_PENDING);
	answer_now(1, LOOKUP_FOUND, 2);
	collect(&a);
	collect(&b);
	expect_first(&b, "192.0.2.2");
	ask_behind(&b, "a", true, true, published);
	assert_int_equal(fake.count, 2);
	expect_first(&b, "192.0.2.1");
	dnscache_counts(cache, &hits, &misses);
	assert_int_equal(hits + misses, 0);
}

static void what_was_published_of_others_is_asked_all_the_same(void **state)
{
	uint64_t published = questions_published(q);

	(void)state;
	ask(&a, "a", false, true);
	answer_now(0, LOOKUP_FOUND, 1);
	collect(&a);
	ask_behind(&b, "b", false, true, published);
	assert_int_equal(fake.count, 2);
	leave(&b);
}

static void nobody_is_told_of_what_does_not_help_while_more_comes(void **state)
{
	(void)state;
	ask(&a, "a", true, true);
	answer_now(0, LOOKUP_NOT_FOUND, 0);
	assert_false(is_told(&a));
	answer_now(1, LOOKUP_NOT_FOUND, 0);
	assert_true(is_told(&a));
	collect(&a);
	assert_false(questions_waits(&a.waiter));
}

static void one_family_is_told_before_the_other(void **state)
{
	(void)state;
	ask(&a, "a", true, true);
	answer_now(1, LOOKUP_FOUND, 1);
	assert_true(is_told(&a));
	collect(&a);
	assert_true(questions_waits(&a.waiter));
	assert_false(is_told(&a));
	assert_int_equal(a.answers[LOOKUP_IPV6].state, LOOKUP_PENDING);
	answer_now(0, LOOKUP_NOT_FOUND, 0);
	assert_true(is_told(&a));
	collect(&a);
	assert_false(questions_waits(&a.waiter));
}

static void what_fails_at_once_is_told(void **state)
{
	(void)state;
	fake.fails_at_once = true;
	ask(&a, "a", true, true);
	assert_true(is_told(&a));
	collect(&a);
	assert_false(questions_waits(&a.waiter));
	assert_int_equal(a.answers[LOOKUP_IPV4].state, LOOKUP_FAILED);
	assert_int_equal(fake.ended, 0);
}

static void the_last_to_leave_ends_a_question(void **state)
{
	(void)state;
	ask(&a, "a", false, true);
	ask(&b, "a", false, true);
	leave(&a);
	assert_int_equal(fake.ended, 0);
	leave(&b);
	assert_int_equal(fake.ended, 1);
	/* Whoever asks now asks anew. */
	ask(&a, "a", false, true);
	assert_int_equal(fake.count, 2);
	leave(&a);
}

static void an_answer_need_not_be_collected(void **state)
{
	(void)state;
	ask(&a, "a", false, true);
	answer_now(0, LOOKUP_FOUND, 1);
	leave(&a);
	assert_false(questions_waits(&a.waiter));
	assert_int_equal(fake.ended, 0);
}

static void who_joins_late_has_it_asked_again(void **state)
{
	(void)state;
	ask(&a, "a", false, true);
	ask(&b, "a", false, true);
	assert_int_equal(fake.repeated, 0);
	leave(&b);
	fake.begun[0]->last = clock_ms() - 2000;
	ask(&b, "a", false, true);
	assert_int_equal(fake.repeated, 1);
	leave(&b);
	leave(&a);
}

static void other_servers_are_followed(void **state)
{
	(void)state;
	assert_int_equal(nameservers_source_set(source, "192.0.2.1", ""), 0);
	questions_set(q, 5000);
	assert_int_equal(fake.servers_set, 1);
	assert_int_equal(questions_negative_ttl(q), 5000);
	questions_set(q, 5000);
	assert_int_equal(fake.servers_set, 1);
}

/* ---- who sees to it ---- */

static void expect_wait(bool watches, bool was_woken)
{
	questions_attend(q);
	assert_int_equal(thread.watches, watches);
	assert_int_equal(thread.was_woken, was_woken);
}

static void one_that_is_alone_leads_and_the_thread_sleeps(void **state)
{
	(void)state;
	fake.due = 5000;
	ask(&a, "a", false, true);
	assert_true(a.waiter.leads);
	assert_int_equal(a.waiter.due, 5000);
	expect_wait(false, false);
	assert_true(thread.until == CLOCK_NEVER);
	answer(0, LOOKUP_FOUND, 1);
	questions_lead(q, &a.waiter);
	assert_false(is_told(&a)); /* it is about to look */
	fake.due = CLOCK_NEVER;
	collect(&a);
	expect_first(&a, "192.0.2.1");
	assert_false(a.waiter.leads);
	expect_wait(false, false);
	/* And so may the next one. */
	ask(&b, "b", false, true);
	assert_true(b.waiter.leads);
	/* What it leaves is to be cleared away. */
	fake.due = 0;
	leave(&b);
	expect_wait(false, true);
	assert_int_equal(thread.until, 0);
}

static void when_others_ask_the_thread_takes_over(void **state)
{
	(void)state;
	fake.due = 5000;
	ask(&a, "a", false, true);
	ask(&b, "b", false, true);
	assert_false(b.waiter.leads);
	expect_wait(true, true);
	assert_int_equal(thread.until, 5000);
	questions_lead(q, &a.waiter);
	assert_false(a.waiter.leads);
	answer_now(0, LOOKUP_FOUND, 1);
	assert_true(is_told(&a));
	collect(&a);
	leave(&b);
}

static void what_a_leader_leaves_behind_is_the_threads(void **state)
{
	(void)state;
	ask(&a, "a", false, true);
	ask(&b, "a", false, true);
	leave(&a);
	expect_wait(true, true);
	answer_now(0, LOOKUP_FOUND, 1);
	collect(&b);
	expect_first(&b, "192.0.2.1");
}

static void one_that_needs_several_sockets_leaves_them_to_the_thread(void **state)
{
	(void)state;
	ask(&a, "a", false, true);
	assert_true(a.waiter.leads);
	fake.fds = 2;
	questions_lead(q, &a.waiter);
	assert_false(a.waiter.leads);
	expect_wait(true, true);
	assert_int_equal(thread.fds, 3);
	fake.fds = 300;
	expect_wait(true, false);
	assert_int_equal(thread.fds, 301);
	leave(&a);
}

static void nobody_leads_while_the_thread_watches(void **state)
{
	(void)state;
	ask(&a, "a", false, true);
	ask(&b, "b", false, true);
	expect_wait(true, true);
	leave(&a);
	leave(&b);
	ask(&a, "a", false, true);
	assert_false(a.waiter.leads);
	expect_wait(true, false);
	leave(&a);
	expect_wait(false, false);
}

static void the_thread_is_woken_for_what_is_due_before(void **state)
{
	(void)state;
	fake.due = 5000;
	ask(&a, "a", false, true);
	ask(&b, "b", false, true);
	expect_wait(true, true);
	leave(&b);
	ask(&b, "c", false, true);
	expect_wait(true, false);
	leave(&b);
	fake.due = 4000;
	ask(&b, "d", false, true);
	expect_wait(true, true);
	assert_int_equal(thread.until, 4000);
	leave(&a);
	leave(&b);
}

static void it_is_woken_once(void **state)
{
	(void)state;
	ask(&a, "a", false, true);
	ask(&b, "b", false, true);
	leave(&b);
	ask(&b, "b", false, true);
	expect_wait(true, true);
	expect_wait(true, false);
	leave(&a);
	leave(&b);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(an_answer_is_told_and_collected),
		TEST(the_same_question_is_joined),
		TEST(other_names_and_families_are_other_questions),
		TEST(an_answer_is_in_the_cache_when_its_question_is_closed),
		TEST(what_was_published_meanwhile_is_not_asked_again),
		TEST(what_was_published_of_others_is_asked_all_the_same),
		TEST(nobody_is_told_of_what_does_not_help_while_more_comes),
		TEST(one_family_is_told_before_the_other),
		TEST(what_fails_at_once_is_told),
		TEST(the_last_to_leave_ends_a_question),
		TEST(an_answer_need_not_be_collected),
		TEST(who_joins_late_has_it_asked_again),
		TEST(other_servers_are_followed),
		TEST(one_that_is_alone_leads_and_the_thread_sleeps),
		TEST(when_others_ask_the_thread_takes_over),
		TEST(what_a_leader_leaves_behind_is_the_threads),
		TEST(one_that_needs_several_sockets_leaves_them_to_the_thread),
		TEST(nobody_leads_while_the_thread_watches),
		TEST(the_thread_is_woken_for_what_is_due_before),
		TEST(it_is_woken_once),
	};

	return cmocka_run_group_tests_name("net/questions", tests, NULL, NULL);
}
