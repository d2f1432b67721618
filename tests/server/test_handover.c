/* handover: what becomes of sockets that a service manager has opened, and of those it keeps. */
#include "server/handover.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "../base/said.h"
#include "../base/scratch.h"
#include "../net/handing.h"
#include "manager.h"
#include "net.h"
#include "server/fronts.h"

static struct notify notify;
static struct handover handover;
static struct fronts fronts;
static struct fdbudget budget;
static char error[CONFIG_ERROR_MAX];

/* What a service manager keeps. */
#define KEPT_MOST 16
static struct kept {
	int fd;
	char name[LISTENER_NAME_MAX];
} kept[KEPT_MOST];
static size_t kept_count;

static int enter(void **state)
{
	char name[128];

	if (scratch_enter(state) != 0)
		return -1;
	log_set_level(LOG_ERROR);
	fdbudget_plan(&budget, 200, 20, 10);
	fronts = (struct fronts){.budget = NULL};
	assert_non_null(getcwd(name, 80));
	strcat(name, "/notify");
	manager_open(name);
	manager_fd = out_of_the_way(manager_fd);
	assert_int_equal(notify_open(&notify), 0);
	notify.fd = out_of_the_way(notify.fd);
	kept_count = 0;
	return 0;
}

static int leave(void **state)
{
	while (kept_count > 0)
		close(kept[--kept_count].fd);
	fronts_close_all(&fronts);
	handover_free(&handover);
	notify_close(&notify);
	manager_close();
	return scratch_leave(state);
}

#define handover_test(f) cmocka_unit_test_setup_teardown(f, enter, leave)

static void forget_kept(const char *name)
{
	for (size_t i = 0; i < kept_count; i++) {
		if (strcmp(kept[i].name, name) != 0)
			continue;
		close(kept[i].fd);
		kept[i--] = kept[--kept_count];
	}
}

/* Does what it was told, as a service manager would. */
static void be_manager(void)
{
	while (manager_hears(MSG_DONTWAIT)) {
		const char *name = strstr(manager_text, "FDNAME=");

		if (manager_passed >= 0) {
			assert_true(kept_count < KEPT_MOST);
			kept[kept_count].fd = out_of_the_way(manager_passed);
			strcpy(kept[kept_count++].name, name + 7);
		} else if (strncmp(manager_text, "FDSTOREREMOVE=1\n", 16) == 0) {
			forget_kept(name + 7);
		}
	}
}

/* ---- a server that starts, changes and ends ---- */

static void listen_on(void *context, const struct listeners *next)
{
	(void)context;
	(void)next;
}

static struct config *read_config(const char *const settings[][2])
{
	struct config_source source = {
		.path = NULL, .given = handover.given, .given_count = handover.given_count};
	struct config_override flags[8];
	struct config *c;

	source.overrides = flags;
	for (; settings[source.count][0] != NULL; source.count++)
		flags[source.count] = (struct config_override){
			.setting = settings_find(settings[source.count][0]),
			.value = settings[source.count][1]};
	c = config_read(&source, error);
	if (c == NULL)
		fail_msg("%s", error);
	return c;
}

#define CONFIG(...) read_config((const char *const[][2]){__VA_ARGS__, {NULL, NULL}})
#define ANY_MONITOR                                                                                \
	{                                                                                          \
		"monitor_listen", "127.0.0.1:0"                                                    \
	}

static void open_with(struct config *c)
{
	struct acceptor a = {.listen_on = listen_on};

	if (fronts_open(&fronts, &budget, 20, &handover, c, error) < 0)
		fail_msg("%s", error);
	for (enum front i = 0; i < FRONTS; i++)
		fronts_set_acceptor(&fronts, i, &a);
	assert_int_equal(fronts_begin(&fronts, error), 0);
	be_manager();
}

static void start(struct config *c)
{
	handover.notify = &notify;
	open_with(c);
	config_release(c);
}

static void change_to(struct config *c)
{
	if (fronts_prepare(&fronts, c, error) < 0)
		fail_msg("%s", error);
	fronts_commit(&fronts, false);
	config_release(c);
	be_manager();
}

static void end(void)
{
	fronts_close_all(&fronts);
	fronts = (struct fronts){.budget = NULL};
}

/* The next instance is given what was kept. */
static void take_kept(void)
{
	struct handing items[KEPT_MOST];

	for (size_t i = 0; i < kept_count; i++)
		items[i] = (struct handing){kept[i].fd, kept[i].name};
	hand_over_these(items, kept_count);
	handover_free(&handover);
	assert_int_equal(handover_take(&handover, &notify, error), 0);
}

static uint16_t port_at(enum front front, size_t i)
{
	return addr_port(&fronts_listeners(&fronts, front)->items[i].bound);
}

static bool is_kept_as(const char *name)
{
	for (size_t i = 0; i < kept_count; i++) {
		if (strcmp(kept[i].name, name) == 0)
			return true;
	}
	return false;
}

static int try_to_connect(uint16_t port)
{
	struct addr a = net_addr("127.0.0.1", port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int result = connect(fd, &a.sa, addr_len(&a)) < 0 ? errno : 0;

	close(fd);
	return result;
}

/* ---- what is kept ---- */

static void each_listener_is_kept_under_the_name_of_its_place(void **state)
{
	char name[LISTENER_NAME_MAX];
	struct stat st;

	(void)state;
	start(CONFIG({"listen", "127.0.0.1:0, 127.0.0.2:0"}, ANY_MONITOR,
		{"monitor_socket", "m.sock"}, {"web_listen", "127.0.0.1:0"}));
	assert_int_equal(kept_count, 5);
	assert_true(is_kept_as("kept-socks-127.0.0.1_0"));
	assert_true(is_kept_as("kept-socks-127.0.0.2_0"));
	assert_true(is_kept_as("kept-monitor-127.0.0.1_0"));
	assert_true(is_kept_as("kept-web-127.0.0.1_0"));
	assert_int_equal(stat("m.sock", &st), 0);
	snprintf(name, sizeof(name), "kept-monitor_socket-%jx-%jx", (uintmax_t)st.st_dev,
		(uintmax_t)st.st_ino);
	assert_true(is_kept_as(name));
}

/* With who waits there, though nobody has been serving for a while. */
static void the_next_instance_finds_them_by_their_places(void **state)
{
	uint16_t ports[FRONTS];
	int waiting = -1, local = -1;

	(void)state;
	for (int i = 0; i < 3; i++) {
		start(CONFIG({"listen", "127.0.0.1:0"}, ANY_MONITOR, {"monitor_socket", "m.sock"},
			{"web_listen", "127.0.0.1:0"}));
		assert_int_equal(kept_count, 4);
		for (enum front f = 0; f < FRONTS; f++) {
			if (f != FRONT_MONITOR_SOCKET && i > 0)
				assert_int_equal(port_at(f, 0), ports[f]);
			ports[f] = port_at(f, 0);
			assert_false(fronts_listeners(&fronts, f)->items[0].is_lent);
		}
		if (i > 0) {
			close(net_accept(fronts_listeners(&fronts, FRONT_PROXY)->items[0].fd));
			close(net_accept(
				fronts_listeners(&fronts, FRONT_MONITOR_SOCKET)->items[0].fd));
			close(waiting);
			close(local);
		}
		end();
		waiting = net_connect("127.0.0.1", ports[FRONT_PROXY]);
		local = net_connect_local("m.sock");
		assert_true(local >= 0);
		take_kept();
	}
	close(waiting);
	close(local);
}

static void what_listen_names_no_more_is_closed_and_removed(void **state)
{
	uint16_t gone, stays, other;
	char listen[64], now[64];

	(void)state;
	other = net_unused_port();
	snprintf(listen, sizeof(listen), "127.0.0.1:%u, 127.0.0.2:0", other);
	start(CONFIG({"listen", listen}, ANY_MONITOR, {"monitor_socket", "m.sock"}));
	gone = port_at(FRONT_MONITOR, 0);
	stays = port_at(FRONT_PROXY, 1);
	end();
	take_kept();
	/* All of this host instead of one address, which is in the way until it is closed. */
	snprintf(now, sizeof(now), "0.0.0.0:%u, 127.0.0.2:0", other);
	start(CONFIG({"listen", now}, {"monitor_listen", "127.0.0.2:0"}));
	assert_int_equal(port_at(FRONT_PROXY, 1), stays);
	assert_int_equal(try_to_connect(gone), ECONNREFUSED);
	assert_int_equal(try_to_connect(other), 0);
	assert_int_equal(kept_count, 3);
	assert_true(is_kept_as("kept-socks-127.0.0.2_0"));
	assert_true(is_kept_as("kept-monitor-127.0.0.2_0"));
}

/* At once, however long the manager takes to forget it. */
static void a_change_lets_nobody_in_at_what_it_takes_away(void **state)
{
	uint16_t gone;
	struct config *c;

	(void)state;
	start(CONFIG({"listen", "127.0.0.1:0"}, ANY_MONITOR, {"monitor_socket", "m.sock"}));
	gone = port_at(FRONT_PROXY, 0);
	c = CONFIG({"listen", "127.0.0.2:0"}, ANY_MONITOR);
	assert_int_equal(fronts_prepare(&fronts, c, error), 0);
	fronts_commit(&fronts, false);
	config_release(c);
	assert_int_equal(try_to_connect(gone), ECONNREFUSED);
	assert_int_equal(access("m.sock", F_OK), -1);
	be_manager();
	assert_int_equal(kept_count, 2);
	assert_true(is_kept_as("kept-socks-127.0.0.2_0"));
	assert_true(is_kept_as("kept-monitor-127.0.0.1_0"));
	c = CONFIG({"listen", "127.0.0.2:0, 127.0.0.3:0"}, ANY_MONITOR);
	change_to(c);
	assert_int_equal(kept_count, 3);
}

/* Somebody may have put another one in its place. */
static void a_socket_whose_file_is_another_one_is_opened_anew(void **state)
{
	(void)state;
	start(CONFIG({"listen", "127.0.0.1:0"}, ANY_MONITOR, {"monitor_socket", "m.sock"}));
	end();
	assert_int_equal(access("m.sock", F_OK), 0); /* it outlives us */
	assert_int_equal(unlink("m.sock"), 0);
	take_kept();
	start(CONFIG({"listen", "127.0.0.1:0"}, ANY_MONITOR, {"monitor_socket", "m.sock"}));
	assert_int_equal(kept_count, 3);
	close(net_connect_local("m.sock"));
	close(net_accept(fronts_listeners(&fronts, FRONT_MONITOR_SOCKET)->items[0].fd));
}

static void a_start_that_fails_leaves_what_is_kept(void **state)
{
	uint16_t port, taken;
	int holder = out_of_the_way(net_listen("127.0.0.1", &taken));
	char at[32];
	struct config *c;

	(void)state;
	start(CONFIG({"listen", "127.0.0.1:0"}, ANY_MONITOR, {"monitor_socket", "m.sock"}));
	port = port_at(FRONT_PROXY, 0);
	end();
	take_kept();
	snprintf(at, sizeof(at), "127.0.0.1:%u", taken);
	c = CONFIG({"listen", "127.0.0.1:0"}, ANY_MONITOR, {"monitor_socket", "m.sock"},
		{"web_listen", at});
	assert_int_equal(fronts_open(&fronts, &budget, 20, &handover, c, error), -1);
	config_release(c);
	be_manager();
	assert_int_equal(kept_count, 3);
	assert_int_equal(try_to_connect(port), 0);
	take_kept();
	start(CONFIG({"listen", "127.0.0.1:0"}, ANY_MONITOR, {"monitor_socket", "m.sock"}));
	assert_int_equal(port_at(FRONT_PROXY, 0), port);
	close(holder);
}

static void without_a_manager_nothing_is_kept(void **state)
{

	(void)state;
	notify_close(&notify);
	start(CONFIG({"listen", "127.0.0.1:0"}, ANY_MONITOR, {"monitor_socket", "m.sock"}));
	assert_int_equal(kept_count, 0);
	end();
	assert_int_equal(access("m.sock", F_OK), -1);
}

/* ---- sockets of the manager's own ---- */

static void names_say_whose_a_socket_is_and_where_replaces_the_settings(void **state)
{
	uint16_t ports[5];
	struct local_file file;
	char path[128], expected[256];
	struct handing items[6];
	static const char *const names[] = {"socks", "monitor", "web", "socks5d.socket", ""};
	struct config *c;
	char *value;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		items[i] = (struct handing){
			out_of_the_way(net_listen("127.0.0.1", &ports[i])), names[i]};
	assert_non_null(getcwd(path, 80));
	strcat(path, "/s.sock");
	items[5] = (struct handing){out_of_the_way(local_listen(path, 1, &file)), "monitor_socket"};
	hand_over_these(items, COUNT(items));
	assert_int_equal(handover_take(&handover, &notify, error), 0);
	c = CONFIG({"listen", "192.0.2.1"}, {"monitor_listen", "192.0.2.2"},
		{"monitor_socket", "/nowhere/else"});
	snprintf(expected, sizeof(expected), "127.0.0.1:%u, 127.0.0.1:%u, 127.0.0.1:%u", ports[0],
		ports[3], ports[4]);
	value = setting_format(settings_find("listen"), &c->settings);
	assert_string_equal(value, expected);
	free(value);
	for (size_t i = 0; i < 4; i++) {
		static const char *const settings[] = {
			"listen", "monitor_listen", "monitor_socket", "web_listen"};

		assert_int_equal(c->origins[settings_find(settings[i]) - settings_table].from,
			CONFIG_FROM_SYSTEMD);
	}
	open_with(c);
	for (enum front f = 0; f < FRONTS; f++) {
		const struct listeners *l = fronts_listeners(&fronts, f);

		assert_int_equal(l->count, f == FRONT_PROXY ? 3 : 1);
		for (size_t i = 0; i < l->count; i++)
			assert_true(l->items[i].is_lent);
	}
	assert_int_equal(c->own_count, 5);
	assert_int_equal(port_at(FRONT_MONITOR, 0), ports[1]);
	assert_int_equal(port_at(FRONT_WEB, 0), ports[2]);
	assert_string_equal(
		fronts_listeners(&fronts, FRONT_MONITOR_SOCKET)->items[0].file.path, path);
	assert_int_equal(kept_count, 0); /* it has them already */
	config_release(c);
	c = CONFIG({"listen", "192.0.2.3"});
	change_to(c); /* and stays */
	assert_int_equal(port_at(FRONT_PROXY, 0), ports[0]);
	end();
	assert_int_equal(access(path, F_OK), 0);
	for (size_t i = 0; i < COUNT(items); i++)
		close(items[i].fd);
}

static void one_that_serves_both_families_is_own_at_both(void **state)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), both = 0;
	struct config *c;

	(void)state;
	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &both, sizeof(both)) < 0 ||
		bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0 || listen(fd, 1) < 0)
		skip(); /* no IPv6 here */
	fd = out_of_the_way(fd);
	hand_over_these(&(struct handing){fd, "socks"}, 1);
	assert_int_equal(handover_take(&handover, &notify, error), 0);
	c = CONFIG(ANY_MONITOR);
	open_with(c);
	assert_int_equal(c->own_count, 3);
	assert_int_equal(c->own[0].sa.sa_family, AF_INET6);
	assert_int_equal(c->own[1].sa.sa_family, AF_INET);
	assert_int_equal(addr_port(&c->own[1]), port_at(FRONT_PROXY, 0));
	config_release(c);
	close(fd);
}

static void what_cannot_be_accepted_at_is_refused(void **state)
{
	uint16_t port;
	struct local_file file;
	int tcp = out_of_the_way(net_listen("127.0.0.1", &port));
	int datagram = out_of_the_way(socket(AF_INET, SOCK_DGRAM, 0));
	int local = out_of_the_way(local_listen("relative.sock", 1, &file));
	const struct {
		struct handing item;
		const char *says;
	} rows[] = {
		{{datagram, "socks"},
			"descriptor 3, socks, comes from the service manager and is "
			"not a TCP socket that listens"},
		{{datagram, ""}, "descriptor 3, without a name, comes"},
		{{local, "web"},
			"descriptor 3, web, comes from the service manager and is not a "
			"TCP socket"},
		{{tcp, "monitor_socket"},
			"descriptor 3, monitor_socket, comes from the service "
			"manager and is not a unix stream socket"},
		{{local, "monitor_socket"},
			"descriptor 3, monitor_socket, comes from the service "
			"manager and is not one with a path"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		hand_over_these(&rows[i].item, 1);
		assert_int_equal(handover_take(&handover, &notify, error), -1);
		assert_begins(error, rows[i].says);
		handover_free(&handover);
	}
	close(tcp);
	close(datagram);
	close(local);
}

static void two_for_a_front_that_has_one_are_refused(void **state)
{
	struct config_source source = {.path = NULL};
	uint16_t port;
	struct handing two[] = {{out_of_the_way(net_listen("127.0.0.1", &port)), "monitor"},
		{out_of_the_way(net_listen("127.0.0.1", &port)), "monitor"}};

	(void)state;
	hand_over_these(two, 2);
	assert_int_equal(handover_take(&handover, &notify, error), 0);
	source.given = handover.given;
	source.given_count = handover.given_count;
	assert_null(config_read(&source, error));
	assert_begins(error, "sockets of the service manager: monitor_listen: ");
	close(two[0].fd);
	close(two[1].fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		handover_test(each_listener_is_kept_under_the_name_of_its_place),
		handover_test(the_next_instance_finds_them_by_their_places),
		handover_test(what_listen_names_no_more_is_closed_and_removed),
		handover_test(a_change_lets_nobody_in_at_what_it_takes_away),
		handover_test(a_socket_whose_file_is_another_one_is_opened_anew),
		handover_test(a_start_that_fails_leaves_what_is_kept),
		handover_test(without_a_manager_nothing_is_kept),
		handover_test(names_say_whose_a_socket_is_and_where_replaces_the_settings),
		handover_test(one_that_serves_both_families_is_own_at_both),
		handover_test(what_cannot_be_accepted_at_is_refused),
		handover_test(two_for_a_front_that_has_one_are_refused),
	};

	return cmocka_run_group_tests_name("server/handover", tests, NULL, NULL);
}
