/* peer: who somebody at the monitor is, who counts as one with whom, and who needs no login. */
#include "monitor/peer.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/check.h"

static struct peer from_address(const char *text)
{
	struct addr a;
	bool has_port;

	assert_true(addr_parse_port(text, strlen(text), &a, &has_port));
	return peer_from_address(NULL, &a);
}

static struct peer of_user(uid_t uid)
{
	return (struct peer){.is_local = true, .uid = uid};
}

static void one_at_the_socket_is_who_the_kernel_says(void **state)
{
	int ends[2];
	struct peer p;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	p = peer_from_socket(ends[0]);
	assert_true(p.is_local);
	assert_int_equal(p.uid, geteuid());
	assert_true(addr_is_loopback(&p.from));
	close(ends[0]);
	close(ends[1]);
}

static void of_whom_the_kernel_says_nothing_is_nobody(void **state)
{
	int ends[2];
	struct peer p;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	p = peer_from_socket(ends[0]);
	assert_false(peer_is_operator(&p));
	close(ends[0]);
	close(ends[1]);
}

static void operators_are_root_and_who_runs_the_server(void **state)
{
	const uid_t own = geteuid();
	struct peer root = of_user(0), server = of_user(own), other = of_user(own + 1),
		    overflow = of_user(65534), remote = from_address("127.0.0.1:80");

	(void)state;
	assert_true(peer_is_operator(&root));
	assert_true(own == 65534 || peer_is_operator(&server));
	assert_false(peer_is_operator(&other));
	assert_false(peer_is_operator(&overflow));
	assert_false(peer_is_operator(&remote));
}

static void the_log_has_the_address_or_the_user(void **state)
{
	struct peer remote = from_address("[2001:db8::1]:51514"), local = of_user(1000);
	char text[PEER_TEXT_MAX];

	(void)state;
	assert_string_equal(peer_format(&remote, text), "[2001:db8::1]:51514");
	addr_set_port(&remote.from, 0); /* whom a server in front has told without one */
	assert_string_equal(peer_format(&remote, text), "2001:db8::1");
	assert_string_equal(peer_format(&local, text), "uid:1000");
}

static void users_and_networks_count_as_one_each(void **state)
{
	struct peer a = from_address("[2001:db8::1]:1"), b = from_address("[2001:db8::2]:2"),
		    c = from_address("192.0.2.1:1"), alice = of_user(7), bob = of_user(8);

	(void)state;
	assert_true(peer_is_one_with(&a, &b));
	assert_false(peer_is_one_with(&a, &c));
	assert_true(peer_is_one_with(&alice, &alice));
	assert_false(peer_is_one_with(&alice, &bob));
	assert_false(peer_is_one_with(&alice, &c));
	assert_false(peer_is_one_with(&c, &alice));
}

static void names_are_the_system_s_or_numbers(void **state)
{
	struct passwd *root = getpwuid(0);
	struct peer p = of_user(0);
	struct peer_names names;

	(void)state;
	peer_find_names(&names);
	assert_string_equal(peer_name(&p, &names), root != NULL ? root->pw_name : "uid:0");
	assert_string_not_equal(names.server, "");
	p = of_user(geteuid());
	assert_string_equal(peer_name(&p, &names), names.server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_at_the_socket_is_who_the_kernel_says),
		cmocka_unit_test(of_whom_the_kernel_says_nothing_is_nobody),
		cmocka_unit_test(operators_are_root_and_who_runs_the_server),
		cmocka_unit_test(the_log_has_the_address_or_the_user),
		cmocka_unit_test(users_and_networks_count_as_one_each),
		cmocka_unit_test(names_are_the_system_s_or_numbers),
	};

	return cmocka_run_group_tests_name("monitor/peer", tests, NULL, NULL);
}
