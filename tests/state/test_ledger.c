/* ledger: which addresses are one account, who has to go for whom, users who come and go, and all
 * of it under threads. */
#include "state/ledger.h"

#include <ifaddrs.h>
#include <pthread.h>
#include <stdio.h>

#include "state/ledger_limits.h"
#include "state/limit_book.h"

#include "../base/faults.h"

/* ---- this host's networks ---- */

int __wrap_getifaddrs(struct ifaddrs **out);
void __wrap_freeifaddrs(struct ifaddrs *all);

static struct ifaddrs interface; /* the only one there is */

int __wrap_getifaddrs(struct ifaddrs **out)
{
	*out = &interface;
	return 0;
}

void __wrap_freeifaddrs(struct ifaddrs *all)
{
	(void)all;
}

static struct addr address(const char *text)
{
	struct addr a;

	if (!addr_parse(text, strlen(text), &a))
		fail_msg("\"%s\" is no address", text);
	return a;
}

/* One that is in a network of 64 bits. */
static struct own *own_of(const char *text)
{
	static struct addr own, mask;
	struct own *o = own_new();

	assert_non_null(o);
	own = address(text);
	mask = address("ffff:ffff:ffff:ffff::");
	interface = (struct ifaddrs){.ifa_addr = &own.sa, .ifa_netmask = &mask.sa};
	assert_int_equal(own_refresh(o), 0);
	return o;
}

static struct ledger *ledger_of(size_t idle_clients)
{
	struct ledger *l = ledger_new(idle_clients, NULL);

	assert_non_null(l);
	return l;
}

/* ---- who is one client ---- */

static struct ledger_entry *join(struct ledger *l, const char *text, int64_t now)
{
	struct addr a = address(text);
	struct ledger_entry *e;
	size_t running;

	addr_set_port(&a, (uint16_t)now);
	e = ledger_join_client(l, &a, now, &running);
	assert_non_null(e);
	return e;
}

static bool are_one(struct ledger *l, const char *a, const char *b)
{
	struct ledger_entry *x = join(l, a, 1), *y = join(l, b, 2);

	ledger_leave(x, 3);
	ledger_leave(y, 3);
	return x == y;
}

static void clients_are_addresses_or_networks_of_64_bits(void **state)
{
	static const struct {
		const char *a, *b;
		bool one;
	} rows[] = {
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"::ffff:192.0.2.1", "192.0.2.1", true},
		{"127.0.0.1", "127.0.0.2", false},
		{"127.0.0.1", "::1", false},
		{"::1", "::2", false},
		{"2001:db8:0:1::1", "2001:db8:0:1::2", true},
		{"2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", true},
		{"2001:db8:0:1::1", "2001:db8:0:2::1", false},
		{"2001:db8:0:7::1", "2001:db8:0:7::2", false}, /* this host's */
		{"2001:db8:0:7::1", "2001:db8:0:7::1", true},
		{"2001:db8:0:7::", "2001:db8:0:7::1", false},
		{"fe80::1", "fe80::2", false},
		{"fe80::1%1", "fe80::1%1", true},
		{"fe80::1%1", "fe80::1%2", false},
		{"c000:0201::", "192.0.2.1", false},
	};
	struct own *own = own_of("2001:db8:0:7::ff");
	struct ledger *l = ledger_new(100, own);

	(void)state;
	assert_non_null(l);
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (are_one(l, rows[i].a, rows[i].b) != rows[i].one)
			fail_msg("%s and %s", rows[i].a, rows[i].b);
	}
	ledger_free(l);
	own_free(own);
}

/* What was counted for the network is not the address's, and the other way round. */
static void a_network_that_becomes_this_host_s_begins_anew(void **state)
{
	struct own *own = own_of("2001:db8:0:7::ff");
	struct ledger *l = ledger_new(100, own);
	struct addr elsewhere = address("2001:db8:0:8::ff");
	struct ledger_entry *network, *host;

	(void)state;
	network = join(l, "2001:db8:0:8::", 1);
	interface.ifa_addr = &elsewhere.sa;
	assert_int_equal(own_refresh(own), 0);
	host = join(l, "2001:db8:0:8::", 2);
	assert_ptr_not_equal(network, host);
	ledger_leave(network, 3);
	ledger_leave(host, 3);
	ledger_free(l);
	own_free(own);
}

static void a_client_s_figures_are_those_of_all_its_sessions(void **state)
{
	struct ledger *l = ledger_of(10);
	struct ledger_entry *first = join(l, "192.0.2.1", 1000), *second;
	struct traffic a = {.alarm = NULL}, b = {.alarm = NULL};
	struct ledger_figures f;

	(void)state;
	traffic_begin(&a, 1000);
	traffic_begin(&b, 1000);
	traffic_share(&a, ledger_tally(first));
	second = join(l, "192.0.2.1", 2000);
	traffic_share(&b, ledger_tally(second));
	traffic_count(&a, TRAFFIC_SENT, 1);
	traffic_count(&b, TRAFFIC_SENT, 10);
	traffic_count(&b, TRAFFIC_RECEIVED, 200);
	f = ledger_read(first);
	assert_int_equal(f.sessions, 2);
	assert_int_equal(f.total, 2);
	assert_int_equal(f.sent, 11);
	assert_int_equal(f.received, 200);
	assert_int_equal(f.last_seen, 2000);
	ledger_leave(first, 3000);
	ledger_leave(second, 4000);
	first = join(l, "192.0.2.1", 5000);
	f = ledger_read(first);
	assert_int_equal(f.sessions, 1);
	assert_int_equal(f.total, 3);
	assert_int_equal(f.sent, 11);
	assert_int_equal(f.last_seen, 5000);
	ledger_leave(first, 5000);
	assert_null(ledger_tally(NULL));
	ledger_leave(NULL, 5000);
	ledger_free(l);
	ledger_free(NULL);
}

/* ---- who has to go ---- */

static struct addr numbered(unsigned n)
{
	uint8_t bytes[4] = {10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};

	return addr_from_ipv4(bytes, 0);
}

static struct ledger_entry *join_number(struct ledger *l, unsigned n, int64_t now)
{
	struct addr a = numbered(n);
	size_t running;
	struct ledger_entry *e = ledger_join_client(l, &a, now, &running);

	assert_non_null(e);
	return e;
}

static void visit_number(struct ledger *l, unsigned n, int64_t now)
{
	ledger_leave(join_number(l, n, now), now);
}

/* Asking makes the client new if it was forgotten. */
static bool is_remembered(struct ledger *l, unsigned n, int64_t now)
{
	struct ledger_entry *e = join_number(l, n, now);
	bool known = ledger_read(e).total > 1;

	ledger_leave(e, now);
	return known;
}

static void the_longest_idle_makes_room(void **state)
{
	struct ledger *l = ledger_of(4);

	(void)state;
	for (unsigned n = 0; n < 4; n++)
		visit_number(l, n, 100 + n);
	visit_number(l, 0, 200); /* which makes 1 the oldest */
	visit_number(l, 2, 201); /* and then 3 */
	visit_number(l, 4, 300);
	visit_number(l, 5, 301);
	assert_true(is_remembered(l, 0, 400));
	assert_true(is_remembered(l, 2, 401));
	assert_true(is_remembered(l, 4, 402));
	assert_true(is_remembered(l, 5, 403));
	assert_false(is_remembered(l, 1, 404));
	assert_false(is_remembered(l, 3, 405));
	ledger_free(l);
}

static void idle_is_since_the_end_of_the_session(void **state)
{
	struct ledger *l = ledger_of(2);
	struct ledger_entry *long_one = join_number(l, 0, 100);

	(void)state;
	visit_number(l, 1, 200);
	ledger_leave(long_one, 300);
	visit_number(l, 2, 400);
	assert_true(is_remembered(l, 0, 500));
	assert_false(is_remembered(l, 1, 501));
	ledger_free(l);
}

static void a_client_with_a_session_never_has_to_go(void **state)
{
	struct ledger *l = ledger_of(3);
	struct ledger_entry *busy[5];

	(void)state;
	for (unsigned n = 0; n < COUNT(busy); n++)
		busy[n] = join_number(l, n, n);
	for (unsigned n = 100; n < 200; n++)
		visit_number(l, n, n);
	for (unsigned n = 0; n < COUNT(busy); n++) {
		assert_ptr_equal(join_number(l, n, 300), busy[n]);
		assert_int_equal(ledger_read(busy[n]).sessions, 2);
	}
	for (unsigned n = 197; n < 200; n++)
		assert_true(is_remembered(l, n, 400));
	assert_false(is_remembered(l, 196, 401));
	for (unsigned n = 0; n < COUNT(busy); n++) {
		ledger_leave(busy[n], 500 + n);
		ledger_leave(busy[n], 500 + n);
	}
	ledger_free(l);
}

/* Nobody is idle, and nobody is to be kept from having a session. */
static void there_are_as_many_as_have_sessions_at_least(void **state)
{
	struct ledger *l = ledger_of(0);
	struct ledger_entry *busy[100];

	(void)state;
	for (unsigned n = 0; n < COUNT(busy); n++)
		busy[n] = join_number(l, n, 7);
	for (unsigned n = 0; n < COUNT(busy); n++) {
		assert_ptr_equal(join_number(l, n, 8), busy[n]);
		ledger_leave(busy[n], 9);
		ledger_leave(busy[n], 9);
	}
	ledger_free(l);
}

static size_t count_clients(struct ledger *l)
{
	size_t count = 0;

	free(ledger_clients(l, &count));
	return count;
}

static void what_many_at_once_have_left_becomes_less_again(void **state)
{
	struct ledger *l = ledger_of(10);
	struct ledger_entry *busy[100];

	(void)state;
	for (unsigned n = 0; n < COUNT(busy); n++)
		busy[n] = join_number(l, n, n);
	for (unsigned n = 0; n < COUNT(busy); n++)
		ledger_leave(busy[n], 200);
	assert_int_equal(count_clients(l), 100);
	for (unsigned n = 100; n < 200; n++)
		visit_number(l, n, 300 + n);
	assert_int_equal(count_clients(l), 10);
	ledger_free(l);
}

/* ---- clients that somebody works with ---- */

static struct ledger *crowded; /* while the book is asked, new clients come */
static unsigned newcomers;

void __wrap_limit_book_of_client(struct limit_book *b, const struct network *client,
	struct limits_in_force *out, struct limit_sources *sources);

void __wrap_limit_book_of_client(struct limit_book *b, const struct network *client,
	struct limits_in_force *out, struct limit_sources *sources)
{
	(void)b;
	(void)client;
	(void)sources;
	*out = (struct limits_in_force){.is_kept_out = false};
	for (int i = 0; i < 5; i++, newcomers++)
		visit_number(crowded, 1000 + newcomers, 1000 + newcomers);
}

/* It goes when nobody works with it any more. */
static void a_client_that_somebody_works_with_makes_room(void **state)
{
	struct limit_book *book = limit_book_new();
	struct ledger *l = crowded = ledger_of(10);

	(void)state;
	ledger_follow(l, book, NULL);
	for (unsigned n = 0; n < 10; n++)
		visit_number(l, n, n);
	newcomers = 0;
	assert_int_equal(ledger_limit_clients(l), 0);
	assert_int_equal(newcomers, 50);
	assert_int_equal(count_clients(l), 10);
	assert_false(is_remembered(l, 0, 5000));
	ledger_free(l);
	limit_book_free(book);
}

/* As a plain list of who is idle since when does it. */
#define CLIENTS 60
#define IDLE_MOST 20

/* If there are as many as there may be. */
static void forget_oldest(int64_t idle_since[CLIENTS])
{
	size_t idle = 0, oldest = CLIENTS;

	for (size_t i = 0; i < CLIENTS; i++) {
		idle += idle_since[i] > 0;
		if (idle_since[i] > 0 && (oldest == CLIENTS || idle_since[i] < idle_since[oldest]))
			oldest = i;
	}
	if (idle >= IDLE_MOST)
		idle_since[oldest] = 0;
}

static void the_order_is_that_of_a_plain_list(void **state)
{
	struct ledger *l = ledger_of(IDLE_MOST);
	struct ledger_entry *sessions[CLIENTS] = {NULL};
	int64_t idle_since[CLIENTS] = {0}; /* 0: not known; -1: has a session */
	unsigned seed = 1;

	(void)state;
	for (int64_t now = 1; now < 20000; now++) {
		unsigned n = (unsigned)check_random(&seed, CLIENTS);

		if (sessions[n] != NULL) {
			ledger_leave(sessions[n], now);
			sessions[n] = NULL;
			idle_since[n] = now;
			continue;
		}
		sessions[n] = join_number(l, n, now);
		assert_int_equal(ledger_read(sessions[n]).total > 1, idle_since[n] > 0);
		for (int i = 0; i < 2 && idle_since[n] == 0; i++)
			forget_oldest(idle_since);
		idle_since[n] = -1;
	}
	for (size_t i = 0; i < CLIENTS; i++)
		ledger_leave(sessions[i], 20000);
	ledger_free(l);
}

/* ---- users ---- */

static struct ledger_entry *add(struct ledger *l, const char *name)
{
	struct ledger_entry *user = ledger_add_user(l, name, strlen(name));

	assert_non_null(user);
	return user;
}

static void assert_active(struct ledger *l, const char *expected)
{
	char text[256] = "";
	const char **names;
	size_t count;

	names = ledger_active_users(l, &count);
	assert_non_null(names);
	for (size_t i = 0; i < count; i++)
		strcat(strcat(text, i == 0 ? "" : " "), names[i]);
	free(names);
	assert_string_equal(text, expected);
}

static void a_user_s_logins_are_counted(void **state)
{
	struct ledger *l = ledger_of(1);
	struct ledger_entry *alice = add(l, "alice");
	struct ledger_figures f = ledger_read(alice);

	(void)state;
	assert_int_equal(f.total, 0);
	assert_int_equal(f.last_login, 0);
	ledger_join_user(alice);
	ledger_join_user(alice);
	atomic_fetch_add(&ledger_tally(alice)->sent, 5);
	ledger_leave(alice, 1);
	f = ledger_read(alice);
	assert_int_equal(f.sessions, 1);
	assert_int_equal(f.total, 2);
	assert_int_equal(f.sent, 5);
	assert_true(f.last_login > 0);
	ledger_leave(alice, 1);
	ledger_retire_user(alice);
	ledger_free(l);
}

static void active_users_are_those_with_sessions(void **state)
{
	struct ledger *l = ledger_of(1);
	struct ledger_entry *carol = add(l, "carol"), *alice = add(l, "alice"),
			    *bob = add(l, "bob");

	(void)state;
	assert_active(l, "");
	ledger_join_user(carol);
	ledger_join_user(alice);
	ledger_join_user(alice);
	assert_active(l, "alice carol");
	ledger_leave(carol, 1);
	ledger_leave(alice, 1);
	assert_active(l, "alice");
	ledger_leave(alice, 1);
	assert_active(l, "");
	ledger_retire_user(bob); /* the middle, the first and the last of the list */
	ledger_retire_user(alice);
	ledger_retire_user(carol);
	assert_active(l, "");
	ledger_free(l);
}

static void a_session_may_outlive_its_user(void **state)
{
	struct ledger *l = ledger_of(1);
	struct ledger_entry *old = add(l, "alice"), *new;

	(void)state;
	ledger_join_user(old);
	assert_false(ledger_has_retired(old));
	ledger_retire_user(old);
	assert_true(ledger_has_retired(old));
	assert_active(l, "alice");
	new = add(l, "alice");
	assert_int_equal(ledger_read(new).sessions, 0);
	assert_int_equal(ledger_read(new).total, 0);
	assert_int_equal(ledger_read(old).sessions, 1);
	ledger_join_user(new);
	assert_active(l, "alice"); /* once */
	ledger_leave(old, 1);
	assert_active(l, "alice");
	ledger_leave(new, 1);
	assert_active(l, "");
	ledger_retire_user(new);
	ledger_free(l);
}

/* ---- memory ---- */

static void without_memory_there_is_no_entry_and_nothing_else_happens(void **state)
{
	struct addr known = numbered(1);
	struct ledger *l = NULL;
	struct ledger_entry *e, *k;
	size_t running;

	(void)state;
	for (int n = 1; l == NULL; n++) {
		faults_fail(n);
		l = ledger_new(1000, NULL);
		assert_int_equal(l == NULL, faults_struck());
	}
	/* Enough clients for map and heap to grow in between. */
	for (unsigned client = 1; client < 100; client++) {
		struct addr a = numbered(client);

		e = NULL;
		for (int n = 1; e == NULL; n++) {
			faults_fail(n);
			e = ledger_join_client(l, &a, client, &running);
			assert_int_equal(e == NULL, faults_struck());
		}
		assert_int_equal(ledger_read(e).total, 1);
		ledger_leave(e, client);
	}
	faults_fail(1);
	k = ledger_join_client(l, &known, 200, &running); /* which needs none */
	assert_non_null(k);
	assert_false(faults_struck());
	ledger_leave(k, 200);
	faults_fail(1);
	assert_null(ledger_add_user(l, "alice", 5));
	faults_struck();
	ledger_free(l);
}

/* ---- threads ---- */

#define THREADS 4
#define ROUNDS 20000

struct worker {
	struct ledger *ledger;
	struct ledger_entry *_Atomic *user; /* that may be replaced */
	pthread_rwlock_t *users_lock;
	unsigned seed;
	pthread_t thread;
};

/* As users does it: whoever is found under the lock has not retired. */
static struct ledger_entry *log_in(struct worker *w)
{
	struct ledger_entry *user;

	pthread_rwlock_rdlock(w->users_lock);
	user = atomic_load(w->user);
	ledger_join_user(user);
	pthread_rwlock_unlock(w->users_lock);
	return user;
}

static void *serve_sessions(void *context)
{
	struct worker *w = context;
	struct traffic t = {.alarm = NULL};
	size_t running;

	for (int i = 0; i < ROUNDS; i++) {
		struct addr a = numbered((unsigned)check_random(&w->seed, 50));
		struct ledger_entry *client = ledger_join_client(w->ledger, &a, i, &running);
		struct ledger_entry *user = log_in(w);

		traffic_begin(&t, i);
		traffic_share(&t, ledger_tally(client));
		traffic_share(&t, ledger_tally(user));
		traffic_count(&t, TRAFFIC_SENT, 1);
		traffic_count(&t, TRAFFIC_RECEIVED, 2);
		ledger_leave(user, i);
		ledger_leave(client, i);
	}
	return NULL;
}

static void *look_on(void *context)
{
	struct worker *w = context;

	for (int i = 0; i < ROUNDS / 10; i++) {
		size_t count;
		const char **names = ledger_active_users(w->ledger, &count);

		if (names == NULL || count > 1)
			abort();
		free(names);
	}
	return NULL;
}

static struct ledger_entry *replace_user(struct worker *w)
{
	struct ledger_entry *new = add(w->ledger, "alice"), *old;

	pthread_rwlock_wrlock(w->users_lock);
	old = atomic_exchange(w->user, new);
	pthread_rwlock_unlock(w->users_lock);
	ledger_retire_user(old);
	return new;
}

static void sessions_come_and_go_in_many_threads(void **state)
{
	struct ledger *l = ledger_of(20); /* so that clients have to go */
	struct ledger_entry *_Atomic user = add(l, "alice");
	pthread_rwlock_t users_lock = PTHREAD_RWLOCK_INITIALIZER;
	struct worker workers[THREADS + 1];
	struct ledger_figures f;
	struct ledger_entry *last;

	(void)state;
	for (unsigned i = 0; i < COUNT(workers); i++) {
		workers[i] = (struct worker){
			.ledger = l, .user = &user, .users_lock = &users_lock, .seed = i + 1};
		assert_int_equal(pthread_create(&workers[i].thread, NULL,
					 i < THREADS ? serve_sessions : look_on, &workers[i]),
			0);
	}
	for (int i = 0; i < 200; i++)
		last = replace_user(&workers[0]);
	for (size_t i = 0; i < COUNT(workers); i++)
		assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
	f = ledger_read(last);
	assert_int_equal(f.sessions, 0);
	assert_int_equal(f.sent, f.total);
	assert_int_equal(f.received, 2 * f.total);
	assert_active(l, "");
	ledger_retire_user(last);
	ledger_free(l);
}

/* All of one client, whose sums are known. */
static void *serve_one_client(void *context)
{
	struct worker *w = context;
	struct traffic t = {.alarm = NULL};
	size_t running;

	for (int i = 0; i < ROUNDS; i++) {
		struct addr a = numbered(7);
		struct ledger_entry *client = ledger_join_client(w->ledger, &a, i, &running);

		traffic_begin(&t, i);
		traffic_share(&t, ledger_tally(client));
		traffic_count(&t, TRAFFIC_RECEIVED, 3);
		ledger_leave(client, i);
	}
	return NULL;
}

static void nothing_of_many_threads_gets_lost(void **state)
{
	struct ledger *l = ledger_of(20);
	struct worker workers[THREADS];
	struct ledger_entry *client;
	struct ledger_figures f;

	(void)state;
	for (size_t i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.ledger = l};
		assert_int_equal(
			pthread_create(&workers[i].thread, NULL, serve_one_client, &workers[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
	client = join_number(l, 7, 1);
	f = ledger_read(client);
	assert_int_equal(f.sessions, 1);
	assert_int_equal(f.total, THREADS * ROUNDS + 1);
	assert_int_equal(f.received, THREADS * ROUNDS * 3);
	ledger_leave(client, 1);
	ledger_free(l);
}

/* ---- how many ---- */

static void a_session_is_told_how_many_its_client_has(void **state)
{
	struct ledger *l = ledger_of(2);
	struct addr a = numbered(1), b = numbered(2);
	struct ledger_entry *first, *second, *other;
	size_t running;

	(void)state;
	first = ledger_join_client(l, &a, 1, &running);
	assert_int_equal(running, 1);
	second = ledger_join_client(l, &a, 1, &running);
	assert_int_equal(running, 2);
	other = ledger_join_client(l, &b, 1, &running);
	assert_int_equal(running, 1);
	ledger_leave(first, 2);
	first = ledger_join_client(l, &a, 3, &running);
	assert_int_equal(running, 2);
	ledger_leave(first, 4);
	ledger_leave(second, 4);
	ledger_leave(other, 4);
	ledger_free(l);
}

static void who_is_turned_away_had_no_session(void **state)
{
	struct ledger *l = ledger_of(2);
	struct ledger_entry *stays = join_number(l, 1, 1), *e = join_number(l, 1, 1);

	(void)state;
	ledger_turn_away(e, 1);
	assert_int_equal(ledger_read(stays).refused, 1);
	assert_int_equal(ledger_read(stays).sessions, 1);
	assert_int_equal(ledger_read(stays).total, 1);
	ledger_leave(stays, 1);
	visit_number(l, 1, 1);
	visit_number(l, 2, 1);
	e = join_number(l, 2, 1);
	ledger_turn_away(e, 1);
	visit_number(l, 3, 2); /* both others are idle now, so that one of them goes */
	assert_false(is_remembered(l, 1, 3) && is_remembered(l, 2, 3));
	ledger_free(l);
}

static void clients_come_with_what_they_did_the_latest_first(void **state)
{
	static const char *const addresses[] = {
		"192.0.2.3", "2001:db8::7", "fe80::1%1", "192.0.2.2", "192.0.2.1"};
	static const char *const expected[] = {
		"192.0.2.1", "192.0.2.3", "[fe80::1%1]", "[2001:db8::]/64", "192.0.2.2"};
	static const int64_t seen[] = {9, 5, 7, 3, 1};
	struct ledger *l = ledger_of(10);
	struct ledger_entry *stays[2] = {NULL, NULL};
	struct ledger_client *clients;
	char text[NETWORK_TEXT_MAX];
	size_t count, n = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(addresses); i++) {
		struct ledger_entry *e = join(l, addresses[i], seen[i]);

		ledger_count_refusal(i == 3 ? e : NULL);
		atomic_fetch_add(&ledger_tally(e)->sent, i);
		if (i == 0 || i == 4)
			stays[n++] = e;
		else
			ledger_leave(e, seen[i]);
	}
	clients = ledger_clients(l, &count);
	assert_non_null(clients);
	assert_int_equal(count, COUNT(expected));
	for (size_t i = 0; i < count; i++) {
		const struct ledger_figures *f = &clients[i].figures;

		assert_string_equal(network_format(&clients[i].client, text), expected[i]);
		assert_int_equal(f->sessions, i < 2);
		assert_int_equal(f->refused, i == 4);
	}
	assert_int_equal(clients[0].figures.sent, 4);
	assert_int_equal(clients[3].figures.last_seen, 5);
	free(clients);
	faults_fail(1);
	assert_null(ledger_clients(l, &count));
	ledger_leave(stays[0], 10);
	ledger_leave(stays[1], 10);
	ledger_free(l);
}

static void the_house_is_shared_for_an_hour_after_the_second_client_s_last_session(void **state)
{
	struct ledger *l = ledger_of(10);
	struct ledger_entry *busy = join_number(l, 1, 1000), *second;

	(void)state;
	assert_false(ledger_is_shared(l, 1000));
	second = join_number(l, 2, 2000);
	assert_true(ledger_is_shared(l, 2000)); /* while it lasts */
	assert_true(ledger_is_shared(l, 2000 + 10 * LEDGER_SHARED_MS));
	ledger_leave(second, 5000 + 20 * LEDGER_SHARED_MS);
	assert_true(ledger_is_shared(l, 4999 + 21 * LEDGER_SHARED_MS));
	assert_false(ledger_is_shared(l, 5000 + 21 * LEDGER_SHARED_MS));
	ledger_leave(busy, 5000 + 21 * LEDGER_SHARED_MS);
	ledger_free(l);
}

static void nobody_and_one_client_share_with_nobody(void **state)
{
	struct ledger *l = ledger_of(10);

	(void)state;
	assert_false(ledger_is_shared(l, 1000));
	for (int i = 0; i < 100; i++)
		visit_number(l, 1, 1000 + i);
	assert_false(ledger_is_shared(l, 3000));
	ledger_free(l);
}

static void that_there_is_no_second_client_is_believed_for_a_second(void **state)
{
	struct ledger *l = ledger_of(10);

	(void)state;
	visit_number(l, 1, 1000);
	assert_false(ledger_is_shared(l, 1000));
	visit_number(l, 2, 1001);
	assert_false(ledger_is_shared(l, 1999));
	assert_true(ledger_is_shared(l, 2000));
	ledger_free(l);
}

/* Of many the second newest counts, wherever it stands. */
static void the_house_is_shared_by_the_last_two_of_many(void **state)
{
	for (unsigned newest = 0; newest < 20; newest++) {
		struct ledger *l = ledger_of(100);
		unsigned second = (newest + 7) % 20;

		for (unsigned n = 0; n < 20; n++)
			visit_number(l, n, 1000 + n);
		visit_number(l, second, 5000);
		visit_number(l, newest, 6000);
		assert_true(ledger_is_shared(l, 4999 + LEDGER_SHARED_MS));
		assert_false(ledger_is_shared(l, 5000 + LEDGER_SHARED_MS));
		ledger_free(l);
	}
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clients_are_addresses_or_networks_of_64_bits),
		cmocka_unit_test(a_network_that_becomes_this_host_s_begins_anew),
		cmocka_unit_test(a_client_s_figures_are_those_of_all_its_sessions),
		cmocka_unit_test(the_longest_idle_makes_room),
		cmocka_unit_test(idle_is_since_the_end_of_the_session),
		cmocka_unit_test(a_client_with_a_session_never_has_to_go),
		cmocka_unit_test(there_are_as_many_as_have_sessions_at_least),
		cmocka_unit_test(what_many_at_once_have_left_becomes_less_again),
		cmocka_unit_test(a_client_that_somebody_works_with_makes_room),
		cmocka_unit_test(the_order_is_that_of_a_plain_list),
		cmocka_unit_test(a_user_s_logins_are_counted),
		cmocka_unit_test(active_users_are_those_with_sessions),
		cmocka_unit_test(a_session_may_outlive_its_user),
		cmocka_unit_test(without_memory_there_is_no_entry_and_nothing_else_happens),
		cmocka_unit_test(a_session_is_told_how_many_its_client_has),
		cmocka_unit_test(who_is_turned_away_had_no_session),
		cmocka_unit_test(clients_come_with_what_they_did_the_latest_first),
		cmocka_unit_test(
			the_house_is_shared_for_an_hour_after_the_second_client_s_last_session),
		cmocka_unit_test(nobody_and_one_client_share_with_nobody),
		cmocka_unit_test(that_there_is_no_second_client_is_believed_for_a_second),
		cmocka_unit_test(the_house_is_shared_by_the_last_two_of_many),
		cmocka_unit_test(sessions_come_and_go_in_many_threads),
		cmocka_unit_test(nothing_of_many_threads_gets_lost),
	};

	return cmocka_run_group_tests_name("state/ledger", tests, NULL, NULL);
}
