/* pool: workers and listeners, with sessions that the test holds and lets go, and faults of
 * threads, memory and accept(2). */
#include "proxy/pool.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/socket.h"
#include "proxy/session.h"
#include "suite.h"

/* ---- sessions ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static size_t running, served; /* sessions that are under way, and that were begun */
static size_t may_end; /* of these */
#define SLOTS 256
static struct services services;
static bool slots_in_use[SLOTS];

static void await(bool (*condition)(size_t wanted), size_t wanted)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += NET_PATIENCE_S;
	pthread_mutex_lock(&lock);
	while (!condition(wanted))
		assert_int_equal(pthread_cond_timedwait(&changed, &lock, &until), 0);
	pthread_mutex_unlock(&lock);
}

static bool are_running(size_t wanted)
{
	return running == wanted;
}

static bool were_served(size_t wanted)
{
	return served == wanted;
}

/* Lets one more session end. */
static void let_one_end(void)
{
	pthread_mutex_lock(&lock);
	may_end++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void let_all_end(void)
{
	pthread_mutex_lock(&lock);
	may_end = SIZE_MAX / 2;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

void __wrap_session_run(struct session *s, struct services *shared, struct registry_slot *slot,
	const struct guest *guest);

static size_t index_of(const struct registry_slot *slot)
{
	size_t i = 0;

	while (i < SLOTS && registry_slot_at(services.registry, i) != slot)
		i++;
	assert_true(i < SLOTS);
	return i;
}

/* Lasts until the test lets it end. Two at once never have the same memory or slot. */
void __wrap_session_run(struct session *s, struct services *shared, struct registry_slot *slot,
	const struct guest *guest)
{
	size_t i = index_of(slot);

	assert_ptr_equal(shared, &services);
	assert_non_null(s);
	assert_true(addr_is_loopback(&guest->addr));
	pthread_mutex_lock(&lock);
	assert_false(slots_in_use[i]);
	slots_in_use[i] = true;
	running++;
	served++;
	pthread_cond_broadcast(&changed);
	while (may_end == 0)
		pthread_cond_wait(&changed, &lock);
	may_end--;
	running--;
	ledger_leave(guest->entry, clock_ms());
	slots_in_use[i] = false;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	close(guest->fd);
	config_release(guest->config);
}

/* ---- time ---- */

static _Atomic(int64_t) later; /* than it is, by so many milliseconds */

int64_t __real_clock_ms(void);
int64_t __wrap_clock_ms(void);

int64_t __wrap_clock_ms(void)
{
	return __real_clock_ms() + atomic_load(&later);
}

/* ---- faults ---- */

static _Atomic(int) accept_error, accept_errors; /* what accept4(2) says so many times */
static int threads_left = -1; /* that can be made; -1: any number */
static int epoll_error; /* of EPOLL_CTL_ADD */
static _Atomic(int) arm_errors; /* that EPOLL_CTL_MOD says ENOMEM */
static _Atomic(int) wait_errors; /* that epoll_wait(2) says EINVAL */
static size_t memory_left = SIZE_MAX; /* bytes that one mapping may have */

int __real_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags);

int __wrap_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags)
{
	if (atomic_load(&accept_errors) > 0 && atomic_fetch_sub(&accept_errors, 1) > 0) {
		errno = atomic_load(&accept_error);
		return -1;
	}
	return __real_accept4(fd, sa, len, flags);
}

int __real_pthread_create(
	pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg);
int __wrap_pthread_create(
	pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg);

int __wrap_pthread_create(
	pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	if (threads_left == 0)
		return EAGAIN;
	if (threads_left > 0)
		threads_left--;
	return __real_pthread_create(thread, attr, run, arg);
}

int __real_epoll_ctl(int set, int what, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int set, int what, int fd, struct epoll_event *event);

int __wrap_epoll_ctl(int set, int what, int fd, struct epoll_event *event)
{
	if (epoll_error != 0 && what == EPOLL_CTL_ADD) {
		errno = epoll_error;
		return -1;
	}
	if (what == EPOLL_CTL_MOD && atomic_load(&arm_errors) > 0 &&
		atomic_fetch_sub(&arm_errors, 1) > 0) {
		errno = ENOMEM;
		return -1;
	}
	return __real_epoll_ctl(set, what, fd, event);
}

int __real_epoll_wait(int set, struct epoll_event *events, int most, int timeout);
int __wrap_epoll_wait(int set, struct epoll_event *events, int most, int timeout);

int __wrap_epoll_wait(int set, struct epoll_event *events, int most, int timeout)
{
	if (atomic_load(&wait_errors) > 0 && atomic_fetch_sub(&wait_errors, 1) > 0) {
		errno = EINVAL;
		return -1;
	}
	return __real_epoll_wait(set, events, most, timeout);
}

/* What mmap(2) is called where files may be large. */
void *__real_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset);

void *__wrap_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	if (size > memory_left) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	return __real_mmap64(at, size, protection, flags, fd, offset);
}

/* ---- a pool ---- */

static struct pool *pool;
static sigset_t gone;

static void set(struct config *c, const char *name, const char *text)
{
	struct setting_input in = {.text = text};
	char why[SETTING_ERROR_MAX];

	assert_true(setting_set(settings_find(name), &c->settings, &in, why));
}

static void configure(const char *name, const char *value)
{
	struct config_source source = {.path = NULL};
	char error[CONFIG_ERROR_MAX];
	struct config *c = config_read(&source, error);

	assert_non_null(c);
	set(c, "clients", "any");
	set(c, name, value);
	config_store_free(services.config);
	services.config = config_store_new(c);
	assert_non_null(services.config);
}

static int setup(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	memset(&services, 0, sizeof(services));
	stats_init(&services.stats);
	services.hashing = hashing_new(1);
	services.ledger = ledger_new(10, NULL);
	services.users = users_new(services.hashing, services.ledger, NULL);
	assert_non_null(services.users);
	services.registry = registry_new(SLOTS);
	assert_non_null(services.registry);
	configure("clients", "any");
	running = served = may_end = 0;
	atomic_store(&accept_errors, 0);
	atomic_store(&later, 0);
	threads_left = -1;
	epoll_error = 0;
	atomic_store(&arm_errors, 0);
	atomic_store(&wait_errors, 0);
	memory_left = SIZE_MAX;
	sigemptyset(&gone);
	sigaddset(&gone, POOL_GONE_SIGNAL);
	return pthread_sigmask(SIG_BLOCK, &gone, NULL);
}

static int teardown(void **state)
{
	(void)state;
	registry_free(services.registry);
	users_free(services.users);
	ledger_free(services.ledger);
	hashing_free(services.hashing);
	config_store_free(services.config);
	services.config = NULL;
	return 0;
}

/* A listener on a port of the kernel's choice of 127.0.0.1. */
static struct listeners *open_listener(void)
{
	struct listen_list list = {.count = 1, .addrs = {net_addr("127.0.0.1", 0)}};
	char error[CONFIG_ERROR_MAX];
	struct listeners *l = listeners_open(&list, 64, NULL, error);

	assert_non_null(l);
	return l;
}

static uint16_t port_of(const struct listeners *l)
{
	return addr_port(&l->items[0].bound);
}

static struct listeners *listeners; /* that the pool accepts on */

/* Goes over to these, and closes what is not accepted on any more. */
static void listen_on(struct listeners *next)
{
	assert_int_equal(pool_expect(pool, next), 0);
	pool_listen_on(pool, next);
	if (listeners != NULL)
		listeners_leave_out(listeners, next);
	listeners_close(listeners);
	listeners = next;
}

static void stop_listening(void)
{
	pool_stop(pool);
	listeners_close(listeners);
	listeners = NULL;
}

/* A pool of so many workers that accepts; its port. */
static uint16_t start(size_t workers)
{
	size_t count = workers;

	pool = pool_new(&services, &count);
	assert_non_null(pool);
	assert_int_equal(count, workers);
	listen_on(open_listener());
	return port_of(listeners);
}

static void stop(void)
{
	int number;

	let_all_end();
	stop_listening();
	assert_int_equal(sigwait(&gone, &number), 0);
	assert_true(pool_is_gone(pool));
	pool_free(pool);
}

/* ---- the tests ---- */

static void who_comes_when_all_are_busy_waits_for_the_first_that_is_free(void **state)
{
	uint16_t port = start(3);
	int fds[5];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		fds[i] = net_connect("127.0.0.1", port);
		await(are_running, i + 1);
	}
	assert_int_equal(stats_get(&services.stats.saturated), 1);
	fds[3] = net_connect("127.0.0.1", port);
	fds[4] = net_connect("127.0.0.1", port);
	let_one_end();
	await(were_served, 4);
	let_one_end();
	await(were_served, 5);
	await(are_running, 3);
	stop();
	for (size_t i = 0; i < 5; i++)
		close(fds[i]);
}

static void a_client_that_the_setting_clients_forbids_is_closed_and_counted(void **state)
{
	uint16_t port;
	int fd;

	(void)state;
	configure("clients", "10.0.0.0/8");
	port = start(2);
	fd = net_connect("127.0.0.1", port);
	net_expect_gone(fd);
	close(fd);
	assert_int_equal(stats_get(&services.stats.clients_refused), 1);
	stop();
	assert_int_equal(served, 0);
}

static void the_configuration_is_that_of_the_moment_of_accepting(void **state)
{
	struct config *c, *next;
	uint16_t port;
	int fd;

	(void)state;
	configure("clients", "10.0.0.0/8");
	port = start(1);
	c = config_get(services.config);
	next = config_clone(c);
	config_release(c);
	set(next, "clients", "any");
	config_publish(services.config, next);
	fd = net_connect("127.0.0.1", port);
	await(were_served, 1);
	close(fd);
	stop();
}

/* ---- no address takes the whole house ---- */

/* Connects so many clients that are served, of whom `fds` are then. */
static void serve_from(const char *source, uint16_t port, int *fds, size_t count)
{
	size_t before;

	pthread_mutex_lock(&lock);
	before = running;
	pthread_mutex_unlock(&lock);
	for (size_t i = 0; i < count; i++) {
		fds[i] = net_connect_from(source, "127.0.0.1", port);
		await(are_running, before + i + 1);
	}
}

static void refuse_from(const char *source, uint16_t port)
{
	uint64_t before = stats_get(&services.stats.clients_over_share);
	int fd = net_connect_from(source, "127.0.0.1", port);

	net_expect_gone(fd);
	close(fd);
	assert_int_equal(stats_get(&services.stats.clients_over_share), before + 1);
}

/* A session of that client has been and is over, while no other runs. */
static void visit_from(const char *source, uint16_t port)
{
	int fd;

	serve_from(source, port, &fd, 1);
	let_one_end();
	await(are_running, 0);
	while (atomic_load(&services.places.taken) > 0)
		sched_yield();
	close(fd);
}

static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
}

static void turned_away(const char *source, uint16_t port)
{
	int fd = net_connect_from(source, "127.0.0.1", port);

	net_expect_gone(fd);
	close(fd);
}

/* Whatever its share: that is not looked at any more. */
static void a_client_that_is_banned_is_closed_and_counted(void **state)
{
	struct network client;
	struct ban_info ban;
	uint16_t port;
	int fd;

	(void)state;
	configure("max_sessions_per_client", "1");
	services.bans = bans_new(NULL, NULL);
	assert_non_null(services.bans);
	assert_true(network_parse("127.0.0.0/30", 12, &client));
	assert_int_equal(bans_put(services.bans, &client, CLOCK_NEVER, bans_now(), &ban), 0);
	port = start(4);
	for (int i = 0; i < 3; i++)
		turned_away("127.0.0.1", port);
	serve_from("127.0.0.4", port, &fd, 1);
	assert_int_equal(stats_get(&services.stats.clients_banned), 3);
	assert_int_equal(stats_get(&services.stats.clients_over_share), 0);
	turned_away("127.0.0.4", port);
	assert_int_equal(stats_get(&services.stats.clients_over_share), 1);
	close_all(&fd, 1);
	assert_true(bans_lift(services.bans, &client, bans_now(), &ban));
	assert_int_equal(ban.refused, 3);
	serve_from("127.0.0.1", port, &fd, 1);
	close_all(&fd, 1);
	stop();
	bans_free(services.bans);
}

static void a_client_has_as_many_sessions_as_the_setting_allows(void **state)
{
	uint16_t port;
	int fds[5];

	(void)state;
	configure("max_sessions_per_client", "2");
	port = start(8);
	serve_from("127.0.0.1", port, fds, 2);
	refuse_from("127.0.0.1", port);
	refuse_from("127.0.0.1", port);
	serve_from("127.0.0.2", port, fds + 2, 2);
	refuse_from("127.0.0.2", port);
	let_one_end();
	let_one_end();
	let_one_end();
	let_one_end();
	await(are_running, 0);
	serve_from("127.0.0.1", port, fds + 4, 1);
	assert_int_equal(stats_get(&services.stats.clients_refused), 0);
	stop();
	close_all(fds, 5);
}

/* Whom it connects for is asked about when that is known. */
static void a_balancer_is_asked_nothing(void **state)
{
	struct network banned;
	struct ban_info ban;
	struct config *c;
	uint16_t port;
	int fds[3];

	(void)state;
	configure("proxy_protocol_from", "127.0.0.1");
	c = config_get(services.config);
	set(c, "clients", "10.0.0.0/8, 127.0.0.2");
	set(c, "max_sessions_per_client", "1");
	config_release(c);
	services.bans = bans_new(NULL, NULL);
	assert_non_null(services.bans);
	assert_true(network_parse("127.0.0.1", 9, &banned));
	assert_int_equal(bans_put(services.bans, &banned, CLOCK_NEVER, bans_now(), &ban), 0);
	port = start(4);
	serve_from("127.0.0.1", port, fds, 2);
	serve_from("127.0.0.2", port, fds + 2, 1);
	refuse_from("127.0.0.2", port);
	assert_int_equal(stats_get(&services.stats.clients_banned), 0);
	assert_int_equal(stats_get(&services.stats.clients_refused), 0);
	stop();
	close_all(fds, 3);
	bans_free(services.bans);
}

static void an_address_that_is_alone_fills_all_places_and_waits(void **state)
{
	uint16_t port = start(8);
	int fds[9];

	(void)state;
	serve_from("127.0.0.1", port, fds, 8);
	fds[8] = net_connect("127.0.0.1", port);
	let_one_end();
	await(were_served, 9);
	assert_int_equal(stats_get(&services.stats.clients_over_share), 0);
	stop();
	close_all(fds, 9);
}

static void the_last_place_is_kept_from_a_client_with_more_than_a_quarter(void **state)
{
	uint16_t port = start(8);
	int fds[8];

	(void)state;
	visit_from("127.0.0.2", port);
	serve_from("127.0.0.1", port, fds, 7);
	refuse_from("127.0.0.1", port);
	refuse_from("127.0.0.1", port);
	assert_int_equal(stats_get(&services.stats.saturated), 0);
	serve_from("127.0.0.2", port, fds + 7, 1);
	assert_int_equal(stats_get(&services.stats.saturated), 1);
	stop();
	close_all(fds, 8);
}

/* A quarter of eight is two. */
static void a_client_with_a_quarter_gets_the_last_place(void **state)
{
	uint16_t port = start(8);
	int fds[8];

	(void)state;
	serve_from("127.0.0.1", port, fds, 5);
	serve_from("127.0.0.2", port, fds + 5, 3);
	assert_int_equal(stats_get(&services.stats.clients_over_share), 0);
	stop();
	close_all(fds, 8);
}

static void an_hour_after_the_other_client_all_places_are_for_one(void **state)
{
	uint16_t port = start(8);
	int fds[8];

	(void)state;
	visit_from("127.0.0.2", port);
	serve_from("127.0.0.1", port, fds, 7);
	refuse_from("127.0.0.1", port);
	atomic_store(&later, LEDGER_SHARED_MS - 10 * 60 * 1000);
	refuse_from("127.0.0.1", port);
	atomic_store(&later, LEDGER_SHARED_MS);
	serve_from("127.0.0.1", port, fds + 7, 1);
	stop();
	close_all(fds, 8);
}

static void no_place_is_kept_where_the_setting_says_none(void **state)
{
	uint16_t port;
	int fds[8];

	(void)state;
	configure("max_sessions_per_client", "none");
	port = start(8);
	visit_from("127.0.0.2", port);
	serve_from("127.0.0.1", port, fds, 8);
	stop();
	close_all(fds, 8);
}

/* One of three would be more than a quarter. */
static void no_place_is_kept_of_less_than_four(void **state)
{
	uint16_t port = start(3);
	int fds[3];

	(void)state;
	visit_from("127.0.0.2", port);
	serve_from("127.0.0.1", port, fds, 3);
	stop();
	close_all(fds, 3);
}

/* ---- accepting ---- */

static void pauses_when_accept_fails_and_goes_on(void **state)
{
	static const int errors[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM, EACCES, EINVAL};

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		uint64_t before = stats_get(&services.stats.accept_exhausted);
		uint16_t port = start(2);
		int fd;

		served = may_end = 0;
		atomic_store(&accept_error, errors[i]);
		atomic_store(&accept_errors, 2);
		fd = net_connect("127.0.0.1", port);
		await(were_served, 1);
		assert_int_equal(stats_get(&services.stats.accept_exhausted) - before, 2);
		stop();
		close(fd);
	}
}

static void an_accept_that_never_works_does_not_hold_up_the_stop(void **state)
{
	uint16_t port = start(2);
	int fd;

	(void)state;
	atomic_store(&accept_error, EPERM);
	atomic_store(&accept_errors, 1000000);
	fd = net_connect("127.0.0.1", port);
	while (stats_get(&services.stats.accept_exhausted) < 3)
		sched_yield();
	stop();
	/* And has not spun until then. */
	assert_true(stats_get(&services.stats.accept_exhausted) < 100);
	assert_int_equal(served, 0);
	close(fd);
}

/* ---- arming ---- */

static void a_listener_that_could_not_be_armed_rings_again(void **state)
{
	uint16_t port = start(3);
	int fds[3];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		/* By who has the client, and by whoever sees to it then. */
		atomic_store(&arm_errors, i == 2 ? 0 : 3);
		fds[i] = net_connect("127.0.0.1", port);
		await(were_served, i + 1);
		while (atomic_load(&arm_errors) > 0)
			sched_yield();
	}
	stop();
	close_all(fds, 3);
}

static void a_listener_that_nobody_could_arm_is_seen_to_by_the_first_who_is_idle(void **state)
{
	uint16_t port = start(1);
	int fds[2];

	(void)state;
	atomic_store(&arm_errors, 3);
	fds[0] = net_connect("127.0.0.1", port);
	await(are_running, 1);
	fds[1] = net_connect("127.0.0.1", port);
	let_one_end();
	await(were_served, 2);
	stop();
	close_all(fds, 2);
}

static void a_listener_that_was_deaf_from_the_first_rings(void **state)
{
	uint16_t port;
	int fd;

	(void)state;
	atomic_store(&arm_errors, 3);
	port = start(2);
	fd = net_connect("127.0.0.1", port);
	await(were_served, 1);
	stop();
	close(fd);
}

static void what_cannot_be_armed_does_not_hold_up_the_stop(void **state)
{
	uint16_t port;
	int fd;

	(void)state;
	atomic_store(&arm_errors, 1000000);
	port = start(2);
	fd = net_connect("127.0.0.1", port);
	while (atomic_load(&arm_errors) > 1000000 - 3)
		sched_yield();
	stop();
	assert_true(atomic_load(&arm_errors) > 1000000 - 100);
	close(fd);
}

static void a_wait_that_fails_is_no_client_and_no_end(void **state)
{
	uint16_t port;
	int fd;

	(void)state;
	atomic_store(&wait_errors, 5);
	port = start(2);
	fd = net_connect("127.0.0.1", port);
	await(were_served, 1);
	stop();
	close(fd);
}

static void a_wait_that_never_works_does_not_hold_up_the_stop(void **state)
{
	(void)state;
	atomic_store(&wait_errors, 1000000);
	start(2);
	stop();
	assert_true(atomic_load(&wait_errors) > 1000000 - 100);
}

static void a_connection_that_broke_before_it_was_accepted_is_no_matter(void **state)
{
	static const int errors[] = {ECONNABORTED, EPROTO, EHOSTUNREACH, EINTR};

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		uint16_t port = start(1);
		int fd;

		served = may_end = 0;
		atomic_store(&accept_error, errors[i]);
		atomic_store(&accept_errors, 1);
		fd = net_connect("127.0.0.1", port);
		await(were_served, 1);
		assert_int_equal(stats_get(&services.stats.accept_exhausted), 0);
		stop();
		close(fd);
	}
}

static void goes_over_to_other_listeners(void **state)
{
	uint16_t first = start(2), second;
	struct listeners *next = open_listener();
	struct addr a = net_addr("127.0.0.1", first);
	int fd;

	(void)state;
	second = port_of(next);
	listen_on(next);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, &a.sa, addr_len(&a)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(fd);
	fd = net_connect("127.0.0.1", second);
	await(were_served, 1);
	close(fd);
	stop();
}

static void a_listener_that_stays_keeps_who_waits_in_its_backlog(void **state)
{
	uint16_t port = start(1);
	int busy = net_connect("127.0.0.1", port), waiting;
	struct listeners *next;

	(void)state;
	await(are_running, 1);
	waiting = net_connect("127.0.0.1", port);
	next = open_listener();
	next->items[1] = listeners->items[0];
	next->count = 2;
	listen_on(next);
	let_one_end();
	await(were_served, 2);
	close(busy);
	close(waiting);
	stop();
}

static void cannot_wait_for_a_listener_that_epoll_refuses(void **state)
{
	struct listeners *l = open_listener();

	(void)state;
	start(1);
	epoll_error = ENOSPC;
	assert_int_equal(pool_expect(pool, l), -1);
	assert_int_equal(errno, ENOSPC);
	listeners_close(l);
	stop();
}

/* The system's limit is for others, too, and the last threads are theirs. */
static void leaves_some_threads_to_others_where_there_are_not_enough(void **state)
{
	static const struct {
		int threads;
		size_t workers;
	} rows[] = {{1, 1}, {2, 1}, {5, 3}, {31, 16}, {40, 24}, {160, 140}, {200, 175}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t count = SLOTS;
		int fd;

		served = may_end = 0;
		threads_left = rows[i].threads;
		pool = pool_new(&services, &count);
		assert_non_null(pool);
		assert_int_equal(count, rows[i].workers);
		listen_on(open_listener());
		fd = net_connect("127.0.0.1", port_of(listeners));
		await(were_served, 1);
		stop();
		close(fd);
	}
}

static void is_no_pool_without_a_single_thread(void **state)
{
	size_t count = 8;

	(void)state;
	threads_left = 0;
	assert_null(pool_new(&services, &count));
	assert_int_equal(errno, EAGAIN);
}

static void makes_as_many_workers_as_there_is_address_space_for(void **state)
{
	size_t count = 8;

	(void)state;
	memory_left = 2 * sizeof(struct session);
	pool = pool_new(&services, &count);
	assert_non_null(pool);
	assert_int_equal(count, 2);
	memory_left = SIZE_MAX;
	stop();
	count = 8;
	memory_left = 1;
	assert_null(pool_new(&services, &count));
	memory_left = SIZE_MAX;
}

static void is_no_pool_without_its_set(void **state)
{
	size_t count = 2;

	(void)state;
	epoll_error = ENOMEM;
	assert_null(pool_new(&services, &count));
	assert_int_equal(errno, ENOMEM);
}

static void stopping_waits_for_sessions_and_accepts_nobody(void **state)
{
	uint16_t port = start(2);
	int busy = net_connect("127.0.0.1", port), number;
	struct addr a = net_addr("127.0.0.1", port);
	int late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	await(are_running, 1);
	stop_listening();
	assert_false(pool_is_gone(pool));
	assert_int_equal(connect(late, &a.sa, addr_len(&a)), -1);
	let_one_end();
	assert_int_equal(sigwait(&gone, &number), 0);
	assert_true(pool_is_gone(pool));
	pool_free(pool);
	pool_free(NULL);
	close(late);
	close(busy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define POOL_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		POOL_TEST(who_comes_when_all_are_busy_waits_for_the_first_that_is_free),
		POOL_TEST(a_client_that_the_setting_clients_forbids_is_closed_and_counted),
		POOL_TEST(the_configuration_is_that_of_the_moment_of_accepting),
		POOL_TEST(a_client_that_is_banned_is_closed_and_counted),
		POOL_TEST(a_client_has_as_many_sessions_as_the_setting_allows),
		POOL_TEST(a_balancer_is_asked_nothing),
		POOL_TEST(an_address_that_is_alone_fills_all_places_and_waits),
		POOL_TEST(the_last_place_is_kept_from_a_client_with_more_than_a_quarter),
		POOL_TEST(a_client_with_a_quarter_gets_the_last_place),
		POOL_TEST(an_hour_after_the_other_client_all_places_are_for_one),
		POOL_TEST(no_place_is_kept_where_the_setting_says_none),
		POOL_TEST(no_place_is_kept_of_less_than_four),
		POOL_TEST(pauses_when_accept_fails_and_goes_on),
		POOL_TEST(an_accept_that_never_works_does_not_hold_up_the_stop),
		POOL_TEST(a_listener_that_could_not_be_armed_rings_again),
		POOL_TEST(a_listener_that_nobody_could_arm_is_seen_to_by_the_first_who_is_idle),
		POOL_TEST(a_listener_that_was_deaf_from_the_first_rings),
		POOL_TEST(what_cannot_be_armed_does_not_hold_up_the_stop),
		POOL_TEST(a_wait_that_fails_is_no_client_and_no_end),
		POOL_TEST(a_wait_that_never_works_does_not_hold_up_the_stop),
		POOL_TEST(a_connection_that_broke_before_it_was_accepted_is_no_matter),
		POOL_TEST(goes_over_to_other_listeners),
		POOL_TEST(a_listener_that_stays_keeps_who_waits_in_its_backlog),
		POOL_TEST(cannot_wait_for_a_listener_that_epoll_refuses),
		POOL_TEST(leaves_some_threads_to_others_where_there_are_not_enough),
		POOL_TEST(is_no_pool_without_a_single_thread),
		POOL_TEST(makes_as_many_workers_as_there_is_address_space_for),
		POOL_TEST(is_no_pool_without_its_set),
		POOL_TEST(stopping_waits_for_sessions_and_accepts_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
