/* resolver: many lookups at once: what they share, what they cost, and what happens when there is
 * no memory, no descriptor or no thread for them. */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "looker.h"

#define CROWD 100 /* for whom all questions are asked at once */
#define BIG_CROWD 400

/* ---- faults, of the calls that the library makes ---- */

static _Atomic(bool) no_eventfd, no_socket, no_memory, no_thread;
static _Atomic(unsigned) sockets_refused;

int __real_eventfd(unsigned count, int flags);
int __wrap_eventfd(unsigned count, int flags);
int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
int __real_pthread_create(
	pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg);
int __wrap_pthread_create(
	pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg);

int __wrap_eventfd(unsigned count, int flags)
{
	if (!no_eventfd)
		return __real_eventfd(count, flags);
	errno = EMFILE;
	return -1;
}

int __wrap_socket(int domain, int type, int protocol)
{
	if (!no_socket)
		return __real_socket(domain, type, protocol);
	sockets_refused++;
	errno = EMFILE;
	return -1;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return no_memory ? NULL : __real_calloc(count, size);
}

int __wrap_pthread_create(
	pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	return no_thread ? EAGAIN : __real_pthread_create(thread, attr, run, arg);
}

/* ---- a resolver ---- */

static const struct dns_record records[] = {
	{"late.test", DNS_LATE_A, 60, "192.0.2.1 192.0.2.2 192.0.2.3 2001:db8::1"},
	{"*.mute", DNS_SILENT, 0, NULL},
	{"*.test", DNS_ANSWER, 0, "192.0.2.1 2001:db8::1"},
	{NULL, DNS_ANSWER, 0, NULL},
};

static struct dns *dns;
static struct resolver *resolver;
static struct fdbudget budget;
static struct looker crowd[BIG_CROWD];

static struct resolver_options options(void)
{
	return (struct resolver_options){.servers = dns_server(dns),
		.search = "search.test",
		.cache_records = 100,
		.negative_ttl_ms = 60000};
}

static int start(void **state)
{
	struct resolver_options o;

	(void)state;
	dns = dns_start(records);
	o = options();
	fdbudget_plan(&budget, 1000, 10, 10);
	resolver = resolver_new(&o, &budget);
	assert_non_null(resolver);
	return resolver_start(resolver);
}

static int stop(void **state)
{
	(void)state;
	resolver_free(resolver);
	assert_int_equal(atomic_load(&budget.spare_used), 0);
	dns_stop(dns);
	return 0;
}

static void begin(size_t i, const char *name)
{
	looker_begin(&crowd[i], resolver, &budget, name);
}

static void look_up(const char *name)
{
	struct looker l;

	looker_look_up(&l, resolver, &budget, name);
	looker_expect(&l, LOOKUP_IPV4, LOOKUP_FOUND, "192.0.2.1");
}

/* Names that the server keeps silent on, of `crowd[from]` to `crowd[to - 1]`. */
static void begin_mute(size_t from, size_t to)
{
	char name[32];

	for (size_t i = from; i < to; i++) {
		snprintf(name, sizeof(name), "n%zu.mute", i);
		begin(i, name);
		assert_true(lookup_pending(&crowd[i].lookup));
	}
}

static void end_crowd(size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		looker_end(&crowd[i]);
}

/* Until the resolver has given back what it borrowed. */
static void wait_for_spare(size_t used)
{
	int64_t deadline = clock_deadline(NET_PATIENCE_S * 1000);

	while (atomic_load(&budget.spare_used) != used) {
		assert_true(clock_ms() < deadline);
		poll(NULL, 0, 1);
	}
}

/* ---- the same question of many ---- */

static void the_same_question_is_asked_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < 9; i++)
		begin(i, "late.test");
	dns_wait_questions(dns, "late.test", 2);
	dns_release(dns);
	for (size_t i = 0; i < 9; i++)
		looker_finish(&crowd[i]);
	/* One for each family. */
	assert_int_equal(dns_questions(dns, "late.test"), 2);
}

static void those_who_asked_together_take_turns(void **state)
{
	static const char *const turns[] = {"192.0.2.1 192.0.2.2 192.0.2.3",
		"192.0.2.2 192.0.2.3 192.0.2.1", "192.0.2.3 192.0.2.1 192.0.2.2"};
	struct looker next;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		begin(i, "late.test");
	dns_wait_questions(dns, "late.test", 2);
	dns_release(dns);
	for (size_t i = 0; i < 4; i++) {
		looker_finish(&crowd[i]);
		looker_expect(&crowd[i], LOOKUP_IPV4, LOOKUP_FOUND, turns[i % 3]);
	}
	/* And those go on who find it in the cache. */
	looker_look_up(&next, resolver, &budget, "late.test");
	looker_expect(&next, LOOKUP_IPV4, LOOKUP_FOUND, turns[4 % 3]);
}

static void one_that_leaves_takes_nothing_from_the_others(void **state)
{
	(void)state;
	begin(0, "late.test");
	begin(1, "late.test");
	dns_wait_questions(dns, "late.test", 2);
	looker_end(&crowd[0]);
	dns_release(dns);
	looker_finish(&crowd[1]);
	looker_expect(&crowd[1], LOOKUP_IPV4, LOOKUP_FOUND, "192.0.2.1 192.0.2.2 192.0.2.3");
	assert_int_equal(dns_questions(dns, "late.test"), 2);
}

static void the_last_to_leave_ends_the_question(void **state)
{
	(void)state;
	begin(0, "late.test");
	begin(1, "late.test");
	dns_wait_questions(dns, "late.test", 2);
	end_crowd(0, 2);
	begin(0, "late.test");
	dns_wait_questions(dns, "late.test", 3);
	looker_end(&crowd[0]);
}

static void one_family_may_be_awaited_while_the_other_is_used(void **state)
{
	(void)state;
	begin(0, "late.test");
	while (crowd[0].lookup.answers[LOOKUP_IPV6].state == LOOKUP_PENDING)
		looker_wait_once(&crowd[0]);
	looker_expect(&crowd[0], LOOKUP_IPV6, LOOKUP_FOUND, "2001:db8::1");
	assert_true(lookup_pending(&crowd[0].lookup));
	dns_release(dns);
	looker_finish(&crowd[0]);
	looker_expect(&crowd[0], LOOKUP_IPV4, LOOKUP_FOUND, "192.0.2.1 192.0.2.2 192.0.2.3");
}

/* ---- channels ---- */

static void a_source_port_is_good_for_32_questions(void **state)
{
	(void)state;
	begin_mute(0, CROWD);
	dns_wait_questions(dns, "*.mute", 2 * CROWD);
	assert_true(dns_most_of_one_port(dns) <= 32);
	assert_true(dns_ports(dns) >= 2 * CROWD / 32);
	end_crowd(0, CROWD);
}

static void a_source_port_is_given_up_when_its_questions_are_answered(void **state)
{
	(void)state;
	for (size_t i = 0; i < 10; i++)
		look_up("a.test");
	/* The kernel may choose one twice. */
	assert_true(dns_ports(dns) >= 8);
}

static void a_lookup_that_waits_holds_one_descriptor(void **state)
{
	(void)state;
	begin_mute(0, CROWD);
	dns_wait_questions(dns, "*.mute", 2 * CROWD);
	for (size_t i = 0; i < CROWD; i++)
		assert_int_equal(crowd[i].lease.held, 1);
	/* A channel for 32 questions, the first four of which have descriptors of their own. */
	assert_true(atomic_load(&budget.spare_used) <= (2 * CROWD + 31) / 32 - 4);
	end_crowd(0, CROWD);
	wait_for_spare(0);
}

/* In bytes; 0 under a sanitizer. */
static size_t memory_in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void a_crowd_that_waits_costs_4_kB_each_and_gives_them_back(void **state)
{
	size_t before, waiting, after;

	(void)state;
	begin_mute(0, CROWD);
	dns_wait_questions(dns, "*.mute", 2 * CROWD);
	end_crowd(0, CROWD);
	wait_for_spare(0);
	before = memory_in_use();
	begin_mute(0, BIG_CROWD);
	dns_wait_questions(dns, "*.mute", 2 * CROWD + 128);
	waiting = memory_in_use();
	assert_true(waiting <= before + BIG_CROWD * 4096);
	end_crowd(0, BIG_CROWD);
	wait_for_spare(0);
	look_up("a.test");
	after = memory_in_use();
	assert_true(after <= before + BIG_CROWD * 256);
}

static void without_a_spare_descriptor_questions_wait(void **state)
{
	struct looker l;
	size_t spare = budget.spare;

	(void)state;
	budget.spare = 0;
	begin_mute(0, 64);
	dns_wait_questions(dns, "*.mute", 128);
	looker_begin(&l, resolver, &budget, "a.test");
	assert_int_equal(dns_questions(dns, "*.test"), 0);
	end_crowd(0, 64);
	looker_finish(&l);
	looker_expect(&l, LOOKUP_IPV4, LOOKUP_FOUND, "192.0.2.1");
	budget.spare = spare;
}

/* ---- faults ---- */

static void without_an_eventfd_a_lookup_fails(void **state)
{
	(void)state;
	no_eventfd = true;
	begin(0, "a.test");
	no_eventfd = false;
	assert_false(lookup_pending(&crowd[0].lookup));
	looker_expect(&crowd[0], LOOKUP_IPV4, LOOKUP_FAILED, "");
	looker_end(&crowd[0]);
	look_up("a.test");
}

static void without_a_socket_questions_wait(void **state)
{
	(void)state;
	no_socket = true;
	begin(0, "a.test");
	while (sockets_refused < 2)
		looker_poll(&crowd[0]);
	assert_true(lookup_pending(&crowd[0].lookup));
	no_socket = false;
	looker_finish(&crowd[0]);
	looker_expect(&crowd[0], LOOKUP_IPV4, LOOKUP_FOUND, "192.0.2.1");
}

static void without_memory_a_lookup_fails(void **state)
{
	(void)state;
	no_memory = true;
	begin(0, "a.test");
	no_memory = false;
	assert_false(lookup_pending(&crowd[0].lookup));
	looker_expect(&crowd[0], LOOKUP_IPV4, LOOKUP_FAILED, "");
	looker_end(&crowd[0]);
	look_up("a.test");
}

static void without_memory_for_its_answer_a_lookup_fails(void **state)
{
	(void)state;
	begin(0, "late.test");
	dns_wait_questions(dns, "late.test", 2);
	while (crowd[0].lookup.answers[LOOKUP_IPV6].state == LOOKUP_PENDING)
		looker_wait_once(&crowd[0]);
	no_memory = true;
	dns_release(dns);
	looker_finish(&crowd[0]);
	no_memory = false;
	looker_expect(&crowd[0], LOOKUP_IPV4, LOOKUP_FAILED, "");
	look_up("a.test");
}

static void without_memory_there_is_no_resolver(void **state)
{
	struct resolver_options o = options();

	(void)state;
	no_memory = true;
	assert_null(resolver_new(&o, &budget));
	no_memory = false;
	no_eventfd = true;
	assert_null(resolver_new(&o, &budget));
	assert_int_equal(errno, EMFILE);
	no_eventfd = false;
}

static void without_a_thread_it_does_not_start(void **state)
{
	struct resolver_options o = options();
	struct resolver *r = resolver_new(&o, &budget);

	(void)state;
	assert_non_null(r);
	no_thread = true;
	assert_int_equal(resolver_start(r), -1);
	assert_int_equal(errno, EAGAIN);
	no_thread = false;
	resolver_free(r);
}

static void lookups_wait_for_the_thread_to_start(void **state)
{
	struct resolver_options o = options();
	struct resolver *r = resolver_new(&o, &budget);
	struct looker l;

	(void)state;
	assert_non_null(r);
	looker_begin(&l, r, &budget, "a.test");
	assert_true(lookup_pending(&l.lookup));
	assert_int_equal(resolver_start(r), 0);
	looker_finish(&l);
	looker_expect(&l, LOOKUP_IPV4, LOOKUP_FOUND, "192.0.2.1");
	resolver_free(r);
}

static void it_ends_with_questions_that_were_just_left(void **state)
{
	struct resolver_options o = options();

	(void)state;
	for (size_t i = 0; i < 50; i++) {
		struct resolver *r = resolver_new(&o, &budget);
		struct looker l;

		assert_non_null(r);
		assert_true(i % 2 == 0 || resolver_start(r) == 0);
		looker_begin(&l, r, &budget, "a.mute");
		looker_end(&l);
		resolver_free(r);
	}
}

/* ---- threads ---- */

static void *look_up_often(void *arg)
{
	struct looker *l = arg;
	char name[32];

	for (unsigned i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "n%u.%s", i % 7, i % 5 == 0 ? "mute" : "test");
		looker_begin(l, resolver, &budget, name);
		if (i % 5 != 0)
			looker_finish(l);
		else
			looker_end(l);
	}
	return NULL;
}

static void threads_look_up_the_same_names(void **state)
{
	pthread_t threads[8];
	struct resolver_options o = options();

	(void)state;
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, look_up_often, &crowd[i]), 0);
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(resolver_configure(resolver, &o), 0);
	for (size_t i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(the_same_question_is_asked_once),
		TEST(those_who_asked_together_take_turns),
		TEST(one_that_leaves_takes_nothing_from_the_others),
		TEST(the_last_to_leave_ends_the_question),
		TEST(one_family_may_be_awaited_while_the_other_is_used),
		TEST(a_source_port_is_good_for_32_questions),
		TEST(a_source_port_is_given_up_when_its_questions_are_answered),
		TEST(a_lookup_that_waits_holds_one_descriptor),
		TEST(a_crowd_that_waits_costs_4_kB_each_and_gives_them_back),
		TEST(without_a_spare_descriptor_questions_wait),
		TEST(without_an_eventfd_a_lookup_fails),
		TEST(without_a_socket_questions_wait),
		TEST(without_memory_a_lookup_fails),
		TEST(without_memory_for_its_answer_a_lookup_fails),
		TEST(without_memory_there_is_no_resolver),
		TEST(without_a_thread_it_does_not_start),
		TEST(lookups_wait_for_the_thread_to_start),
		TEST(it_ends_with_questions_that_were_just_left),
		TEST(threads_look_up_the_same_names),
	};

	return cmocka_run_group_tests_name("net/resolver_crowd", tests, NULL, NULL);
}
