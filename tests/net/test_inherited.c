/* inherited: which descriptors are ours, what they are, and what they are given. */
#include "net/inherited.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

#include "../base/scratch.h"
#include "handing.h"
#include "net.h"
#include "net/local.h"

static struct inherited items[INHERITED_MOST];
static size_t count;

static void take(const struct handing *handed, size_t n)
{
	hand_over_these(handed, n);
	count = inherited_take(items);
}

static void close_all(void)
{
	for (size_t i = 0; i < count; i++)
		close(items[i].fd);
	count = 0;
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

static void what_they_are_is_asked_of_the_kernel(void **state)
{
	struct local_file file;
	uint16_t port;
	int listener = out_of_the_way(net_listen("127.0.0.1", &port));
	int quiet = out_of_the_way(socket(AF_INET, SOCK_STREAM, 0));
	int datagram = out_of_the_way(socket(AF_INET, SOCK_DGRAM, 0));
	int local = out_of_the_way(local_listen("here.sock", 1, &file));
	int nothing = out_of_the_way(open("/dev/null", O_RDONLY));
	int connected = out_of_the_way(net_connect("127.0.0.1", port));
	const struct handing handed[] = {{listener, "a"}, {quiet, "b"}, {datagram, ""},
		{local, "d"}, {nothing, "e"}, {connected, "f"}};
	static const enum inherited_kind kinds[] = {INHERITED_TCP, INHERITED_OTHER, INHERITED_OTHER,
		INHERITED_LOCAL, INHERITED_OTHER, INHERITED_OTHER};

	(void)state;
	take(handed, COUNT(handed));
	assert_int_equal(count, COUNT(handed));
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(items[i].fd, 3 + i);
		assert_string_equal(items[i].name, handed[i].name);
		assert_int_equal(items[i].kind, kinds[i]);
	}
	assert_int_equal(addr_port(&items[0].bound), port);
	assert_false(items[0].is_for_both);
	assert_string_equal(items[3].path, "here.sock");
	close_all();
	for (size_t i = 0; i < COUNT(handed); i++)
		close(handed[i].fd);
}

static void clients_are_accepted_there_as_elsewhere(void **state)
{
	uint16_t port;
	int listener = out_of_the_way(net_listen("127.0.0.1", &port));

	(void)state;
	assert_int_equal(fcntl(listener, F_SETFL, 0), 0);
	take(&(struct handing){listener, "socks"}, 1);
	assert_int_equal(fcntl(3, F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(3, F_GETFL) & O_NONBLOCK);
	assert_int_equal(option(3, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(option(3, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(option(3, SOL_SOCKET, SO_OOBINLINE), 1);
	close_all();
	close(listener);
}

static int listen_at_any6(int only)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) < 0 ||
		bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0 || listen(fd, 1) < 0)
		return -1;
	return out_of_the_way(fd);
}

/* Which is how systemd has ListenStream=1080. */
static void one_that_serves_both_families_is_known(void **state)
{
	(void)state;
	for (int only = 0; only <= 1; only++) {
		int fd = listen_at_any6(only);

		if (fd < 0)
			skip(); /* no IPv6 here */
		take(&(struct handing){fd, "socks"}, 1);
		assert_int_equal(items[0].kind, INHERITED_TCP);
		assert_int_equal(items[0].is_for_both, !only);
		close_all();
		close(fd);
	}
}

static void an_abstract_name_is_no_path(void **state)
{
	const struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "\0socks5d-test"};
	int fd = out_of_the_way(socket(AF_UNIX, SOCK_STREAM, 0));

	(void)state;
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(sa_family_t)), 0);
	assert_int_equal(listen(fd, 1), 0);
	take(&(struct handing){fd, "x"}, 1);
	assert_int_equal(items[0].kind, INHERITED_LOCAL);
	assert_string_equal(items[0].path, "");
	close_all();
	close(fd);
}

static void the_environment_is_believed_once_and_only_if_it_is_ours(void **state)
{
	static const char *const pids[] = {NULL, "1", "x", ""};
	static const char *const numbers[] = {NULL, "x", "-1", "", "99999999999"};
	uint16_t port;
	int listener = out_of_the_way(net_listen("127.0.0.1", &port));

	(void)state;
	take(&(struct handing){listener, "socks"}, 1);
	assert_int_equal(count, 1);
	assert_null(getenv("LISTEN_PID"));
	assert_null(getenv("LISTEN_FDS"));
	assert_null(getenv("LISTEN_FDNAMES"));
	assert_int_equal(inherited_take(items), 0);
	close(3);
	for (size_t i = 0; i < COUNT(pids); i++) {
		hand_over_these(&(struct handing){listener, "socks"}, 1);
		if (pids[i] == NULL)
			unsetenv("LISTEN_PID");
		else
			setenv("LISTEN_PID", pids[i], 1);
		assert_int_equal(inherited_take(items), 0);
		assert_null(getenv("LISTEN_FDS"));
	}
	for (size_t i = 0; i < COUNT(numbers); i++) {
		hand_over_these(&(struct handing){listener, "socks"}, 1);
		if (numbers[i] == NULL)
			unsetenv("LISTEN_FDS");
		else
			setenv("LISTEN_FDS", numbers[i], 1);
		assert_int_equal(inherited_take(items), 0);
	}
	close(3);
	count = 0;
	close(listener);
}

static void names_may_be_missing_or_too_long(void **state)
{
	char names[400];
	uint16_t port;
	int listener = out_of_the_way(net_listen("127.0.0.1", &port));
	const struct handing two[] = {{listener, ""}, {listener, ""}};

	(void)state;
	hand_over_these(two, 2);
	unsetenv("LISTEN_FDNAMES");
	count = inherited_take(items);
	assert_int_equal(count, 2);
	assert_string_equal(items[0].name, "");
	assert_string_equal(items[1].name, "");
	close_all();
	memset(names, 'n', sizeof(names));
	strcpy(names + 300, ":web:more");
	hand_over_these(two, 2);
	setenv("LISTEN_FDNAMES", names, 1);
	count = inherited_take(items);
	assert_int_equal(strlen(items[0].name), INHERITED_NAME_MAX - 1);
	assert_string_equal(items[1].name, "web");
	close_all();
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(what_they_are_is_asked_of_the_kernel),
		cmocka_unit_test(clients_are_accepted_there_as_elsewhere),
		cmocka_unit_test(one_that_serves_both_families_is_known),
		cmocka_unit_test(an_abstract_name_is_no_path),
		cmocka_unit_test(the_environment_is_believed_once_and_only_if_it_is_ours),
		cmocka_unit_test(names_may_be_missing_or_too_long),
	};

	return cmocka_run_group_tests_name("net/inherited", tests, NULL, NULL);
}
