/* fronts: which sockets are opened, kept and closed, who is told, and what a failure takes back. */
#include "server/fronts.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/said.h"
#include "../base/scratch.h"
#include "net.h"
#include "net/occupant.h"

/* ---- two who accept ---- */

struct listener_log {
	const struct listeners *now;
	unsigned expected, times;
	int error; /* of the next expectation */
};

static struct listener_log at[FRONTS];

static int expect(void *context, const struct listeners *next)
{
	struct listener_log *l = context;

	assert_non_null(next);
	l->expected++;
	errno = l->error;
	return l->error == 0 ? 0 : -1;
}

static void listen_on(void *context, const struct listeners *next)
{
	struct listener_log *l = context;

	l->now = next;
	l->times++;
}

/* ---- faults ---- */

static int lacking_family; /* that the kernel knows nothing of */
static int lacking_error; /* or what else it says of it */

int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);

int __wrap_socket(int family, int type, int protocol)
{
	if (family != lacking_family)
		return __real_socket(family, type, protocol);
	errno = lacking_error;
	return -1;
}

static enum occupant found; /* of whoever is asked */

enum occupant __wrap_occupant_ask(const struct addr *a, int64_t deadline);

enum occupant __wrap_occupant_ask(const struct addr *a, int64_t deadline)
{
	(void)a;
	(void)deadline;
	return found;
}

/* ---- fronts ---- */

static struct fdbudget budget;
static struct fronts fronts;
static char error[CONFIG_ERROR_MAX];

/* A configuration with these settings. */
static struct config *configured(const char *const settings[][2])
{
	struct config_source source = {.path = NULL};
	struct config *c = config_read(&source, error);
	char why[SETTING_ERROR_MAX];

	assert_non_null(c);
	for (size_t i = 0; settings[i][0] != NULL; i++) {
		struct setting_input in = {.text = settings[i][1]};

		if (!setting_set(settings_find(settings[i][0]), &c->settings, &in, why))
			fail_msg("%s", why);
	}
	return c;
}

#define CONFIG(...) configured((const char *const[][2]){__VA_ARGS__, {NULL, NULL}})
#define EVERY_PORT                                                                                 \
	{"port", "0"},                                                                             \
	{                                                                                          \
		"monitor_port", "0"                                                                \
	}

static struct config *start(struct config *c)
{
	size_t count = fronts_descriptors(&c->settings);

	assert_int_equal(fronts_open(&fronts, &budget, count, NULL, c, error), 0);
	for (enum front i = 0; i < FRONTS; i++) {
		struct acceptor a = {.expect = expect, .listen_on = listen_on, .context = &at[i]};

		fronts_set_acceptor(&fronts, i, &a);
	}
	assert_int_equal(fronts_begin(&fronts, error), 0);
	return c;
}

static size_t open_files;

static int setup(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	fdbudget_plan(&budget, 200, 10, 10);
	fronts = (struct fronts){.budget = NULL};
	memset(at, 0, sizeof(at));
	lacking_family = AF_UNSPEC;
	lacking_error = EAFNOSUPPORT;
	found = OCCUPANT_UNKNOWN;
	open_files = fdbudget_count_open();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fronts_close_all(&fronts);
	assert_int_equal(fdbudget_count_open(), open_files);
	return 0;
}

static int fd_at(enum front front, size_t i)
{
	return fronts_listeners(&fronts, front)->items[i].fd;
}

static uint16_t port_at(enum front front, size_t i)
{
	return addr_port(&fronts_listeners(&fronts, front)->items[i].bound);
}

static void change(struct config *next, bool logs_new)
{
	if (fronts_prepare(&fronts, next, error) < 0)
		fail_msg("%s", error);
	fronts_commit(&fronts, logs_new);
	config_release(next);
}

static const char *text_of_port(uint16_t port)
{
	static char text[2][8];
	static int turn;

	turn = !turn;
	snprintf(text[turn], sizeof(text[turn]), "%u", port);
	return text[turn];
}

static uint16_t free_port(void)
{
	uint16_t port;

	close(net_listen("127.0.0.1", &port));
	return port;
}

/* ---- the tests ---- */

static void each_front_has_its_sockets_and_they_are_our_own(void **state)
{
	struct config *c = start(CONFIG(EVERY_PORT, {"listen", "127.0.0.1, 127.0.0.2"}));

	(void)state;
	assert_int_equal(fronts_listeners(&fronts, FRONT_PROXY)->count, 2);
	assert_int_equal(fronts_listeners(&fronts, FRONT_MONITOR)->count, 1);
	for (enum front i = 0; i < FRONTS; i++) {
		assert_ptr_equal(at[i].now, fronts_listeners(&fronts, i));
		assert_int_equal(at[i].expected, 1);
		assert_int_equal(at[i].times, 1);
	}
	assert_int_equal(c->own_count, 3);
	assert_int_equal(addr_port(&c->own[1]), port_at(FRONT_PROXY, 1));
	assert_int_equal(addr_port(&c->own[2]), port_at(FRONT_MONITOR, 0));
	assert_true(addr_equal(&c->monitor_at, &c->own[2]));
	close(net_connect("127.0.0.1", port_at(FRONT_PROXY, 0)));
	close(net_connect("127.0.0.1", port_at(FRONT_MONITOR, 0)));
	config_release(c);
}

static void addresses_without_a_port_get_that_of_the_front(void **state)
{
	uint16_t port = free_port(), monitor = free_port(), own = free_port();
	char listen[64];
	struct config *c;

	(void)state;
	snprintf(listen, sizeof(listen), "127.0.0.1, 127.0.0.2:%u, 127.0.0.3:0", own);
	c = start(CONFIG({"port", text_of_port(port)}, {"monitor_port", text_of_port(monitor)},
		{"listen", listen}));
	assert_int_equal(port_at(FRONT_PROXY, 0), port);
	assert_int_equal(port_at(FRONT_PROXY, 1), own);
	assert_int_not_equal(port_at(FRONT_PROXY, 2), port);
	assert_int_equal(port_at(FRONT_MONITOR, 0), monitor);
	config_release(c);
}

static void what_stays_is_kept_and_its_acceptor_is_left_alone(void **state)
{
	int proxy, monitor, waiting;

	(void)state;
	config_release(start(CONFIG(EVERY_PORT, {"listen", "127.0.0.1"})));
	proxy = fd_at(FRONT_PROXY, 0);
	monitor = fd_at(FRONT_MONITOR, 0);
	waiting = net_connect("127.0.0.1", port_at(FRONT_PROXY, 0));
	change(CONFIG(EVERY_PORT, {"listen", "127.0.0.1"}), true);
	assert_int_equal(fd_at(FRONT_PROXY, 0), proxy);
	assert_int_equal(at[FRONT_PROXY].times, 1);
	change(CONFIG(EVERY_PORT, {"listen", "127.0.0.2, 127.0.0.1"}), false);
	assert_int_equal(fd_at(FRONT_PROXY, 1), proxy);
	assert_int_equal(fd_at(FRONT_MONITOR, 0), monitor);
	assert_int_equal(at[FRONT_PROXY].times, 2);
	assert_int_equal(at[FRONT_MONITOR].times, 1);
	close(net_accept(proxy)); /* who has waited since before */
	close(waiting);
}

static void expect_refused(uint16_t port)
{
	struct addr a = net_addr("127.0.0.1", port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, &a.sa, addr_len(&a)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(fd);
}

static void what_is_not_wanted_any_more_is_closed(void **state)
{
	static const char *const ports[] = {"port", "monitor_port"};

	(void)state;
	config_release(start(CONFIG(EVERY_PORT, {"listen", "127.0.0.1"})));
	for (enum front i = 0; i < COUNT(ports); i++) {
		enum front other = i == FRONT_PROXY ? FRONT_MONITOR : FRONT_PROXY;
		uint16_t before = port_at(i, 0), stays = port_at(other, 0), next = free_port();

		change(CONFIG({ports[other], text_of_port(stays)}, {ports[i], text_of_port(next)},
			       {"listen", "127.0.0.1"}),
			false);
		assert_int_equal(port_at(i, 0), next);
		expect_refused(before);
		close(net_connect("127.0.0.1", next));
	}
}

/* Everything that a change could have changed. */
static void assert_unchanged(const struct listeners *const before[FRONTS])
{
	for (enum front i = 0; i < FRONTS; i++) {
		assert_ptr_equal(fronts_listeners(&fronts, i), before[i]);
		assert_int_equal(at[i].times, 1);
	}
	assert_int_equal(fdbudget_count_open(), open_files + 2);
	assert_int_equal(atomic_load(&budget.spare_used), 0);
}

static void a_change_that_is_refused_or_undone_leaves_all_as_it_was(void **state)
{
	const struct listeners *before[FRONTS];
	char taken[32], expected[128];
	uint16_t port;
	int holder = net_listen("127.0.0.1", &port);
	struct config *next;

	(void)state;
	open_files = fdbudget_count_open();
	config_release(start(CONFIG(EVERY_PORT, {"listen", "127.0.0.1"})));
	for (enum front i = 0; i < FRONTS; i++)
		before[i] = fronts_listeners(&fronts, i);
	snprintf(taken, sizeof(taken), "127.0.0.1:%u", port);
	snprintf(expected, sizeof(expected), "cannot listen on %s: Address already in use", taken);

	next = CONFIG(EVERY_PORT, {"listen", "127.0.0.2, 127.0.0.1"}, {"monitor_listen", taken});
	assert_int_equal(fronts_prepare(&fronts, next, error), -1);
	assert_string_equal(error, expected);
	assert_unchanged(before);
	config_release(next);

	next = CONFIG(
		EVERY_PORT, {"listen", "127.0.0.2, 127.0.0.1"}, {"monitor_listen", "127.0.0.2"});
	at[FRONT_MONITOR].error = ENOSPC;
	assert_int_equal(fronts_prepare(&fronts, next, error), -1);
	assert_string_equal(error, "cannot wait for clients: No space left on device");
	assert_unchanged(before);
	at[FRONT_MONITOR].error = 0;

	assert_int_equal(fronts_prepare(&fronts, next, error), 0);
	assert_int_equal(atomic_load(&budget.spare_used), 2);
	assert_int_equal(fdbudget_count_open(), open_files + 4);
	fronts_undo(&fronts);
	assert_unchanged(before);
	config_release(next);
	close(net_connect("127.0.0.1", port_at(FRONT_PROXY, 0)));
	close(holder);
	open_files--; /* which was the holder's */
}

/* The settings are wrong by themselves, so nothing has to be opened to find it. */
static void one_port_of_an_address_is_listened_on_once(void **state)
{
	static const struct {
		const char *listen, *monitor, *says; /* NULL: good */
	} rows[] = {
		{"127.0.0.1:1080", "127.0.0.1:8080", NULL},
		{"127.0.0.1:1080", "127.0.0.1:1080",
			"monitor_listen: \"127.0.0.1:1080\": listen has 127.0.0.1:1080 already"},
		{"0.0.0.0:1080", "127.0.0.1:1080",
			"monitor_listen: \"127.0.0.1:1080\": listen has 0.0.0.0:1080 already"},
		{"127.0.0.1:1080", "0.0.0.0:1080", "monitor_listen: \"0.0.0.0:1080\": "},
		{"127.0.0.1:1080", "127.0.0.2:1080", NULL},
		{"0.0.0.0:1080, [::]:1080", "[::1]:8080", NULL},
		{"0.0.0.0:1080", "[::1]:1080", NULL},
		{"127.0.0.1:1080, 127.0.0.2:1080, 127.0.0.1:1080", "127.0.0.1:8080",
			"listen: \"127.0.0.1:1080\": listen has 127.0.0.1:1080 already"},
		{"127.0.0.1:0, 127.0.0.1:0", "127.0.0.1:0", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config *c =
			CONFIG({"listen", rows[i].listen}, {"monitor_listen", rows[i].monitor});
		int result = fronts_check_places(&c->settings, error);

		if ((result == 0) != (rows[i].says == NULL))
			fail_msg("row %zu", i);
		if (rows[i].says != NULL)
			assert_begins(error, rows[i].says);
		config_release(c);
	}
}

static void a_change_cannot_take_what_another_front_has(void **state)
{
	const struct listeners *before[FRONTS];
	char taken[32], says[128];
	struct config *next;

	(void)state;
	config_release(start(CONFIG(EVERY_PORT, {"listen", "127.0.0.1"})));
	for (enum front i = 0; i < FRONTS; i++)
		before[i] = fronts_listeners(&fronts, i);
	snprintf(taken, sizeof(taken), "127.0.0.1:%u", port_at(FRONT_MONITOR, 0));
	snprintf(says, sizeof(says), "listen: %s is what monitor_listen of this very server has",
		taken);
	next = CONFIG(EVERY_PORT, {"listen", taken}, {"monitor_listen", "127.0.0.2"});
	assert_int_equal(fronts_prepare(&fronts, next, error), -1);
	assert_begins(error, says);
	assert_unchanged(before);
	config_release(next);
}

static void who_has_the_port_is_asked(void **state)
{
	char taken[32];
	struct config *c;

	(void)state;
	config_release(start(CONFIG(EVERY_PORT, {"listen", "127.0.0.1"})));
	snprintf(taken, sizeof(taken), "127.0.0.1:%u", port_at(FRONT_MONITOR, 0));
	c = CONFIG(EVERY_PORT, {"listen", taken}, {"monitor_listen", "127.0.0.2"});
	found = OCCUPANT_MONITOR;
	assert_null(listeners_open(&c->settings.listen, 1, NULL, error));
	assert_contains(error, ": Address already in use: the monitor of another socks5d answers");
	found = OCCUPANT_SOCKS;
	assert_null(listeners_open(&c->settings.listen, 1, NULL, error));
	assert_contains(error, ": Address already in use: a SOCKS5 server answers there");
	config_release(c);
}

static void a_port_that_needs_a_right_says_how_to_get_it(void **state)
{
	static const char *const parts[] = {"cannot listen on 127.0.0.1:80: Permission denied: ",
		"setcap cap_net_bind_service=+ep /", "AmbientCapabilities=CAP_NET_BIND_SERVICE"};
	struct config *c = CONFIG({"listen", "127.0.0.1:80"});

	(void)state;
	lacking_family = AF_INET;
	lacking_error = EACCES;
	assert_null(listeners_open(&c->settings.listen, 1, NULL, error));
	for (size_t i = 0; i < COUNT(parts); i++)
		assert_contains(error, parts[i]);
	config_release(c);
	c = CONFIG({"listen", "127.0.0.1:1080"});
	assert_null(listeners_open(&c->settings.listen, 1, NULL, error));
	assert_string_equal(error, "cannot listen on 127.0.0.1:1080: Permission denied");
	config_release(c);
}

static void what_goes_beyond_the_reserve_is_kept_of_the_spare(void **state)
{
	(void)state;
	config_release(start(CONFIG(EVERY_PORT, {"listen", "127.0.0.1"})));
	assert_int_equal(atomic_load(&budget.spare_used), 0);
	change(CONFIG(EVERY_PORT, {"listen", "127.0.0.1, 127.0.0.2, 127.0.0.3"}), false);
	assert_int_equal(atomic_load(&budget.spare_used), 2);
	change(CONFIG(EVERY_PORT, {"listen", "127.0.0.4, 127.0.0.3"}), false);
	assert_int_equal(atomic_load(&budget.spare_used), 1);
	change(CONFIG(EVERY_PORT, {"listen", "127.0.0.1"}), false);
	assert_int_equal(atomic_load(&budget.spare_used), 0);
}

static void without_descriptors_to_spare_nothing_is_opened(void **state)
{
	struct config *next = CONFIG(EVERY_PORT, {"listen", "127.0.0.2"});
	size_t taken = 0;

	(void)state;
	config_release(start(CONFIG(EVERY_PORT, {"listen", "127.0.0.1"})));
	while (fdbudget_borrow(&budget, 1))
		taken++;
	assert_int_equal(fronts_prepare(&fronts, next, error), -1);
	assert_begins(error, "no descriptors to spare for new listeners");
	assert_int_equal(fdbudget_count_open(), open_files + 2);
	assert_int_equal(atomic_load(&budget.spare_used), taken);
	config_release(next);
}

static void an_acceptor_that_is_not_ready_at_the_start_fails_it(void **state)
{
	struct config *c = CONFIG(EVERY_PORT, {"listen", "127.0.0.1"});
	struct acceptor a = {.expect = expect, .listen_on = listen_on, .context = &at[0]};

	(void)state;
	assert_int_equal(fronts_open(&fronts, &budget, 2, NULL, c, error), 0);
	fronts_set_acceptor(&fronts, FRONT_PROXY, &a);
	at[0].error = ENOMEM;
	assert_int_equal(fronts_begin(&fronts, error), -1);
	assert_string_equal(error, "cannot wait for clients: Cannot allocate memory");
	assert_null(fronts_listeners(&fronts, FRONT_PROXY));
	config_release(c);
}

static void what_cannot_be_opened_at_the_start_leaves_nothing_open(void **state)
{
	char taken[32], expected[128];
	uint16_t port;
	int holder = net_listen("127.0.0.1", &port);
	struct config *c;

	(void)state;
	snprintf(taken, sizeof(taken), "127.0.0.1:%u", port);
	snprintf(expected, sizeof(expected), "cannot listen on %s: Address already in use", taken);
	c = CONFIG(EVERY_PORT, {"listen", "127.0.0.1"}, {"monitor_listen", taken});
	assert_int_equal(fronts_open(&fronts, &budget, 2, NULL, c, error), -1);
	assert_string_equal(error, expected);
	close(holder);
	assert_int_equal(fdbudget_count_open(), open_files);
	config_release(c);
}

/* ---- what is not there ---- */

static void an_address_that_is_not_there_yet_is_listened_on_from_the_start(void **state)
{
	static const char *const monitors[] = {"203.0.113.2", "2001:db8::2"};

	(void)state;
	for (size_t i = 0; i < COUNT(monitors); i++) {
		struct config *c = start(CONFIG(EVERY_PORT, {"listen", "203.0.113.1, 127.0.0.1"},
			{"monitor_listen", monitors[i]}));

		assert_true(fronts_listeners(&fronts, FRONT_PROXY)->items[0].is_awaited);
		assert_false(fronts_listeners(&fronts, FRONT_PROXY)->items[1].is_awaited);
		assert_true(fronts_listeners(&fronts, FRONT_MONITOR)->items[0].is_awaited);
		assert_int_not_equal(port_at(FRONT_MONITOR, 0), 0);
		config_release(c);
		fronts_close_all(&fronts);
	}
}

static void a_change_to_an_address_that_is_not_there_is_refused(void **state)
{
	struct config *next = CONFIG(EVERY_PORT, {"listen", "203.0.113.1, 203.0.113.2"});
	int awaited;

	(void)state;
	config_release(start(CONFIG(EVERY_PORT, {"listen", "203.0.113.1"})));
	awaited = fd_at(FRONT_PROXY, 0);
	assert_int_equal(fronts_prepare(&fronts, next, error), -1);
	assert_string_equal(
		error, "cannot listen on 203.0.113.2:0: Cannot assign requested address");
	config_release(next);
	/* One that is awaited since the start stays. */
	change(CONFIG(EVERY_PORT, {"listen", "203.0.113.1, 127.0.0.1"}), false);
	assert_int_equal(fd_at(FRONT_PROXY, 0), awaited);
	assert_true(fronts_listeners(&fronts, FRONT_PROXY)->items[0].is_awaited);
}

static void a_family_that_the_kernel_lacks_is_left_out_beside_others(void **state)
{
	struct config *c;

	(void)state;
	lacking_family = AF_INET6;
	c = start(CONFIG(EVERY_PORT, {"listen", "::, 127.0.0.1, ::1"}));
	assert_int_equal(fronts_listeners(&fronts, FRONT_PROXY)->count, 1);
	assert_int_equal(c->own_count, 2);
	close(net_connect("127.0.0.1", port_at(FRONT_PROXY, 0)));
	config_release(c);
	/* In a change, too, for it was left out before. */
	change(CONFIG(EVERY_PORT, {"listen", "::, 127.0.0.2"}), false);
	assert_int_equal(fronts_listeners(&fronts, FRONT_PROXY)->count, 1);
	assert_int_equal(atomic_load(&budget.spare_used), 0);
}

static void only_addresses_of_a_family_that_the_kernel_lacks_are_an_error(void **state)
{
	struct config *c = CONFIG(EVERY_PORT, {"listen", "127.0.0.1"}, {"monitor_listen", "::1"});

	(void)state;
	lacking_family = AF_INET6;
	assert_int_equal(fronts_open(&fronts, &budget, 2, NULL, c, error), -1);
	assert_string_equal(
		error, "cannot listen on [::1]:0: Address family not supported by protocol");
	config_release(c);
}

static void one_can_be_closed_by_itself(void **state)
{
	uint16_t port;

	(void)state;
	config_release(start(CONFIG(EVERY_PORT, {"listen", "127.0.0.1"})));
	port = port_at(FRONT_PROXY, 0);
	fronts_close(&fronts, FRONT_PROXY);
	expect_refused(port);
	assert_null(fronts_listeners(&fronts, FRONT_PROXY));
	close(net_connect("127.0.0.1", port_at(FRONT_MONITOR, 0)));
}

/* ---- the web's front ---- */

/* Its loop's one, its clients', and one of a client who is turned away. */
static void the_web_keeps_descriptors_for_its_clients_only_where_it_listens(void **state)
{
	struct config *c = CONFIG(EVERY_PORT, {"listen", "127.0.0.1"}), *next;

	(void)state;
	assert_int_equal(fronts_descriptors(&c->settings), 2);
	start(c);
	assert_int_equal(fronts_listeners(&fronts, FRONT_WEB)->count, 0);
	next = CONFIG(EVERY_PORT, {"listen", "127.0.0.1"}, {"web_listen", "127.0.0.1:0"},
		{"max_web_clients", "5"});
	assert_int_equal(fronts_descriptors(&next->settings), 3 + 5 + 2);
	assert_int_equal(fronts_prepare(&fronts, next, error), 0);
	fronts_commit(&fronts, false);
	assert_int_equal(fronts.borrowed, 1 + 5 + 2);
	assert_int_equal(fronts_listeners(&fronts, FRONT_WEB)->count, 1);
	assert_int_equal(next->own_count, 3);
	config_release(next);
	assert_int_equal(fronts_prepare(&fronts, c, error), 0);
	fronts_commit(&fronts, false);
	assert_int_equal(fronts_listeners(&fronts, FRONT_WEB)->count, 0);
	assert_int_equal(fronts.borrowed, 5 + 2); /* who is there may stay */
	fronts_close_all(&fronts);
	config_release(c);
}

static void the_web_has_a_port_where_none_is_named(void **state)
{
	struct config *c = CONFIG({"web_listen", "127.0.0.1"});
	struct listen_list places = fronts_places(&c->settings, FRONT_WEB);

	(void)state;
	assert_int_equal(places.count, 1);
	assert_int_equal(addr_port(&places.addrs[0]), 8081);
	config_release(c);
}

/* ---- the monitor's unix socket ---- */

/* Of its clients, and of one that is turned away. */
#define CLIENT_DESCRIPTORS (FRONTS_SOCKET_CLIENTS + 1)

static int enter_folder(void **state)
{
	return setup(state) == 0 ? scratch_enter(state) : -1;
}

static int leave_folder(void **state)
{
	return scratch_leave(state) == 0 ? teardown(state) : -1;
}

static struct config *with_socket(const char *path)
{
	return CONFIG(EVERY_PORT, {"listen", "127.0.0.1"}, {"monitor_socket", path});
}

static size_t sockets_at(enum front front)
{
	return fronts_listeners(&fronts, front)->count;
}

static void expect_listener_at(const char *path)
{
	int fd = local_connect(path, 1000);

	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	close(fd);
}

static void a_socket_is_no_address_of_our_own_and_goes_at_the_end(void **state)
{
	struct config *c = start(with_socket("socket"));

	(void)state;
	assert_int_equal(c->own_count, 2);
	assert_int_equal(sockets_at(FRONT_MONITOR_SOCKET), 1);
	assert_int_equal(fronts_descriptors(&c->settings), 2 + 1 + CLIENT_DESCRIPTORS);
	expect_listener_at("socket");
	fronts_close_all(&fronts);
	assert_int_equal(access("socket", F_OK), -1);
	config_release(c);
}

static void a_socket_that_stays_is_kept_and_one_that_was_deleted_made_again(void **state)
{
	int before;

	(void)state;
	config_release(start(with_socket("socket")));
	before = fd_at(FRONT_MONITOR_SOCKET, 0);
	change(with_socket("socket"), true);
	assert_int_equal(fd_at(FRONT_MONITOR_SOCKET, 0), before);
	assert_int_equal(at[FRONT_MONITOR_SOCKET].times, 1);
	expect_listener_at("socket");
	assert_int_equal(unlink("socket"), 0);
	change(with_socket("socket"), true);
	assert_int_equal(at[FRONT_MONITOR_SOCKET].times, 2);
	expect_listener_at("socket");
	assert_int_equal(atomic_load(&budget.spare_used), 0);
}

/* Who came by it may still be there when it is gone. */
static void a_socket_comes_moves_and_goes_and_its_clients_stay_counted(void **state)
{
	(void)state;
	config_release(start(with_socket("")));
	assert_int_equal(sockets_at(FRONT_MONITOR_SOCKET), 0);
	change(with_socket("one"), false);
	expect_listener_at("one");
	assert_int_equal(atomic_load(&budget.spare_used), 1 + CLIENT_DESCRIPTORS);
	change(with_socket("two"), false);
	expect_listener_at("two");
	assert_int_equal(access("one", F_OK), -1);
	assert_int_equal(atomic_load(&budget.spare_used), 1 + CLIENT_DESCRIPTORS);
	change(with_socket(""), false);
	assert_int_equal(access("two", F_OK), -1);
	assert_int_equal(atomic_load(&budget.spare_used), CLIENT_DESCRIPTORS);
	assert_int_equal(sockets_at(FRONT_MONITOR_SOCKET), 0);
	assert_int_equal(at[FRONT_MONITOR].times, 1);
}

static void a_socket_that_cannot_be_changes_nothing(void **state)
{
	static const char *const wrong[][2] = {
		{"none/socket", "cannot listen at none/socket: the folder is missing"},
		{"file", "cannot listen at file: there is something else of that name"},
		{"alive", "cannot listen at alive: another server is listening there"}};
	struct local_file alive;
	int other = local_listen("alive", 4, &alive);

	(void)state;
	open_files = fdbudget_count_open();
	scratch_write("file", "");
	config_release(start(with_socket("socket")));
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct config *next = with_socket(wrong[i][0]);

		assert_int_equal(fronts_prepare(&fronts, next, error), -1);
		assert_string_equal(error, wrong[i][1]);
		/* Somebody else's is fine, as the one of ours will be that runs. */
		assert_int_equal(fronts_check(&next->settings, error), i < 2 ? -1 : 0);
		assert_string_equal(error, wrong[i][1]);
		assert_int_equal(at[FRONT_MONITOR_SOCKET].times, 1);
		assert_int_equal(atomic_load(&budget.spare_used), 0);
		expect_listener_at("socket");
		config_release(next);
	}
	expect_listener_at("alive");
	close(other);
	open_files--; /* which was the other's */
}

/* Who came before would come by a configuration that does not know of it. */
static void nobody_is_let_in_before_the_change_is_made(void **state)
{
	struct config *next = CONFIG(EVERY_PORT, {"listen", "127.0.0.1, 127.0.0.2"});
	const struct addr *added;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	config_release(start(CONFIG(EVERY_PORT, {"listen", "127.0.0.1"})));
	assert_int_equal(fronts_prepare(&fronts, next, error), 0);
	added = &next->own[1];
	assert_int_equal(connect(fd, &added->sa, sizeof(added->in)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(fd);
	fronts_commit(&fronts, false);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, &added->sa, sizeof(added->in)), 0);
	close(fd);
	config_release(next);
}

static void a_socket_that_was_only_prepared_leaves_no_file(void **state)
{
	struct config *next = with_socket("next");

	(void)state;
	config_release(start(with_socket("socket")));
	assert_int_equal(fronts_prepare(&fronts, next, error), 0);
	fronts_undo(&fronts);
	config_release(next);
	assert_int_equal(access("next", F_OK), -1);
	expect_listener_at("socket");
}

/* ---- what is said ---- */

/* What a change says in the log. */
static void listen_to(struct config *next, bool is_reload)
{
	said_begin();
	log_set_level(LOG_INFO);
	change(next, !is_reload);
	if (is_reload)
		fronts_log(&fronts);
	log_set_level(LOG_ERROR);
	said_end();
}

static void what_is_new_is_said_and_at_a_reload_everything(void **state)
{
	static const char proxy[] = "msg=listening address=127.0.0.1:",
			  added[] = "msg=listening address=127.0.0.2:",
			  monitor[] = "msg=\"monitor listening\" address=127.0.0.1:";

	(void)state;
	config_release(start(CONFIG(EVERY_PORT, {"listen", "127.0.0.1"})));
	listen_to(CONFIG(EVERY_PORT, {"listen", "127.0.0.1, 127.0.0.2"}), false);
	assert_contains(said, added);
	assert_null(strstr(said, proxy));
	assert_null(strstr(said, monitor));
	listen_to(CONFIG(EVERY_PORT, {"listen", "127.0.0.1, 127.0.0.2"}), true);
	assert_contains(said, proxy);
	assert_contains(said, added);
	assert_contains(said, monitor);
	listen_to(CONFIG(EVERY_PORT, {"listen", "127.0.0.1, 127.0.0.2"}), false);
	assert_string_equal(said, "");
	lacking_family = AF_INET6;
	listen_to(CONFIG(EVERY_PORT, {"listen", "127.0.0.1, ::"}), false);
	assert_contains(said, "level=warn msg=\"[::]:0 is not listened on:");
}

static void a_socket_is_said_by_its_path(void **state)
{
	(void)state;
	config_release(start(with_socket("")));
	listen_to(with_socket("socket"), false);
	assert_contains(said, "msg=\"monitor listening\" path=socket");
	assert_null(strstr(said, "address="));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define SOCKET_TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_front_has_its_sockets_and_they_are_our_own),
		TEST(addresses_without_a_port_get_that_of_the_front),
		TEST(what_stays_is_kept_and_its_acceptor_is_left_alone),
		TEST(what_is_not_wanted_any_more_is_closed),
		TEST(a_change_that_is_refused_or_undone_leaves_all_as_it_was),
		TEST(one_port_of_an_address_is_listened_on_once),
		TEST(a_change_cannot_take_what_another_front_has),
		TEST(who_has_the_port_is_asked),
		TEST(a_port_that_needs_a_right_says_how_to_get_it),
		TEST(what_goes_beyond_the_reserve_is_kept_of_the_spare),
		TEST(without_descriptors_to_spare_nothing_is_opened),
		TEST(the_web_keeps_descriptors_for_its_clients_only_where_it_listens),
		TEST(the_web_has_a_port_where_none_is_named),
		TEST(an_acceptor_that_is_not_ready_at_the_start_fails_it),
		TEST(what_cannot_be_opened_at_the_start_leaves_nothing_open),
		TEST(an_address_that_is_not_there_yet_is_listened_on_from_the_start),
		TEST(a_change_to_an_address_that_is_not_there_is_refused),
		TEST(a_family_that_the_kernel_lacks_is_left_out_beside_others),
		TEST(only_addresses_of_a_family_that_the_kernel_lacks_are_an_error),
		TEST(one_can_be_closed_by_itself),
		TEST(what_is_new_is_said_and_at_a_reload_everything),
		SOCKET_TEST(a_socket_is_no_address_of_our_own_and_goes_at_the_end),
		SOCKET_TEST(a_socket_that_stays_is_kept_and_one_that_was_deleted_made_again),
		SOCKET_TEST(a_socket_comes_moves_and_goes_and_its_clients_stay_counted),
		SOCKET_TEST(a_socket_that_cannot_be_changes_nothing),
		SOCKET_TEST(nobody_is_let_in_before_the_change_is_made),
		SOCKET_TEST(a_socket_that_was_only_prepared_leaves_no_file),
		SOCKET_TEST(a_socket_is_said_by_its_path),
	};

	return cmocka_run_group_tests_name("server/fronts", tests, NULL, NULL);
}
