/* nameservers: the order in which they are asked, the names that they are asked for, and what
 * resolv.conf(5) says of both. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/nameservers.h"
#include "suite.h"
#include "tmp.h"
#include "unreadable.h"

static char folder[TMP_MAX_PATH], path[TMP_MAX_PATH + 16];
static struct nameservers_source *source;
static struct nameservers *n;

/* Takes the servers, which must be others. */
static void follow(void)
{
	nameservers_free(n);
	n = nameservers_follow(source);
	assert_non_null(n);
}

static void read_lists(const char *servers, const char *search)
{
	assert_int_equal(nameservers_source_set(source, servers, search), 0);
	follow();
}

static void read_file(const char *text)
{
	daemon_write_file(path, text);
	read_lists("", "");
}

static int start(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(tmp_template(folder, "socks5d-resolv")));
	snprintf(path, sizeof(path), "%s/resolv.conf", folder);
	times_said = 0;
	source = nameservers_source_new(path, say);
	assert_non_null(source);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	unsetenv("RES_OPTIONS");
	unsetenv("LOCALDOMAIN");
	nameservers_free(n);
	n = NULL;
	nameservers_source_free(source);
	unlink(path);
	rmdir(folder);
	return 0;
}

static void expect_server(size_t i, const char *expected)
{
	char text[ADDR_TEXT_MAX];

	assert_true(i < nameservers_count(n));
	assert_string_equal(addr_format(nameservers_addr(n, i), text), expected);
}

static void the_list_says_where_they_are(void **state)
{
	(void)state;
	daemon_write_file(path, "nameserver 192.0.2.9\n");
	read_lists("192.0.2.1, [2001:db8::1]:5353 192.0.2.3:54", "");
	assert_int_equal(nameservers_count(n), 3);
	expect_server(0, "192.0.2.1:53");
	expect_server(1, "[2001:db8::1]:5353");
	expect_server(2, "192.0.2.3:54");
}

static void without_a_list_the_file_says_it(void **state)
{
	(void)state;
	read_file("\xef\xbb\xbf# nameserver 192.0.2.8\r\nnameserver 192.0.2.1 # one\r\n"
		  "nameserver\t2001:db8::1\nnameserver fe80::1%lo\nnameserver nonsense\n"
		  "nameservers 192.0.2.9\nnameserver 192.0.2.3");
	assert_int_equal(nameservers_count(n), 3);
	expect_server(0, "192.0.2.1:53");
	expect_server(1, "[2001:db8::1]:53");
	expect_server(2, "192.0.2.3:53");
}

static void without_any_it_is_this_host(void **state)
{
	(void)state;
	read_lists("", "");
	assert_int_equal(nameservers_count(n), 1);
	expect_server(0, "127.0.0.1:53");
	assert_int_equal(times_said, 0);
}

static void they_are_read_again_only_when_they_may_be_others(void **state)
{
	(void)state;
	read_file("nameserver 192.0.2.1\n");
	assert_null(nameservers_follow(source));
	now += 100000;
	assert_null(nameservers_follow(source));
	daemon_write_file(path, "nameserver 192.0.2.22\n");
	now += 999;
	assert_null(nameservers_follow(source));
	now += 1;
	follow();
	expect_server(0, "192.0.2.22:53");
	read_lists("192.0.2.3", "");
	expect_server(0, "192.0.2.3:53");
}

static void what_was_known_stays_while_the_file_cannot_be_read(void **state)
{
	(void)state;
	read_file("nameserver 192.0.2.1\nsearch lan\n");
	daemon_write_file(path, "nameserver 192.0.2.22\n");
	read_fails = true;
	for (size_t i = 0; i < 3; i++) {
		now += 1000;
		assert_null(nameservers_follow(source));
	}
	assert_int_equal(times_said, 1);
	assert_non_null(strstr(said, path));
	assert_non_null(strstr(said, "Input/output error"));
	/* Other lists are taken all the same. */
	read_lists("", "example.org");
	expect_server(0, "192.0.2.1:53");
	read_fails = false;
	now += 1000;
	follow();
	expect_server(0, "192.0.2.22:53");
}

static void further_ones_than_32_are_not_asked(void **state)
{
	char list[40 * 16] = "";

	(void)state;
	for (size_t i = 0; i < 40; i++)
		strcat(list, "192.0.2.1 ");
	read_lists(list, "");
	assert_int_equal(nameservers_count(n), NAMESERVERS_MAX);
	assert_int_equal(nameservers_pick(n, 0x7fffffff, 0, 0), 31);
	assert_int_equal(nameservers_pick(n, 0xffffffff, 0, 0), 32);
}

static void they_are_asked_in_their_order(void **state)
{
	(void)state;
	read_lists("192.0.2.1 192.0.2.2 192.0.2.3", "");
	assert_int_equal(nameservers_pick(n, 0, nameservers_turn(n), 1000), 0);
	assert_int_equal(nameservers_pick(n, 1, nameservers_turn(n), 1000), 1);
	assert_int_equal(nameservers_pick(n, 3, nameservers_turn(n), 1000), 2);
	assert_int_equal(nameservers_pick(n, 7, nameservers_turn(n), 1000), 3);
}

static void a_silent_one_is_asked_last_for_30_s(void **state)
{
	(void)state;
	read_lists("192.0.2.1 192.0.2.2 192.0.2.3", "");
	nameservers_note_silence(n, 0, 1000, 1400);
	assert_int_equal(nameservers_pick(n, 0, 0, 1400), 1);
	assert_int_equal(nameservers_pick(n, 2, 0, 1400), 2);
	assert_int_equal(nameservers_pick(n, 6, 0, 1400), 0);
	assert_int_equal(nameservers_pick(n, 0, 0, 31399), 1);
	assert_int_equal(nameservers_pick(n, 0, 0, 31400), 0);
}

static void silent_ones_among_themselves_keep_their_order(void **state)
{
	(void)state;
	read_lists("192.0.2.1 192.0.2.2", "");
	nameservers_note_silence(n, 1, 1000, 1400);
	nameservers_note_silence(n, 0, 1000, 1500);
	assert_int_equal(nameservers_pick(n, 0, 0, 1500), 0);
}

static void one_that_answers_is_not_silent(void **state)
{
	(void)state;
	read_lists("192.0.2.1 192.0.2.2", "");
	nameservers_note_silence(n, 0, 1000, 1400);
	nameservers_note_answer(n, 0, 1500);
	assert_int_equal(nameservers_pick(n, 0, 0, 1500), 0);
	/* It has answered since that was asked. */
	nameservers_note_silence(n, 0, 1450, 3450);
	assert_int_equal(nameservers_pick(n, 0, 0, 3450), 0);
	nameservers_note_silence(n, 0, 1501, 3501);
	assert_int_equal(nameservers_pick(n, 0, 0, 3501), 1);
}

static void they_take_turns_when_the_system_says_so(void **state)
{
	(void)state;
	read_file("nameserver 192.0.2.1\nnameserver 192.0.2.2\noptions timeout:1 rotate\n");
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(nameservers_pick(n, 0, nameservers_turn(n), 0), i % 2);
}

/* Compares the names of the search for `name` with `expected`, which have blanks between them. */
static void expect_names(const char *name, const char *expected)
{
	char all[2048] = "", one[NAMESERVERS_NAME_MAX];

	for (size_t step = 0; nameservers_name(n, name, step, one); step++) {
		strcat(all, step > 0 ? " " : "");
		strcat(all, one);
	}
	assert_string_equal(all, expected);
}

static void a_short_name_is_asked_for_within_the_domains_first(void **state)
{
	(void)state;
	read_lists("192.0.2.1", "lan, example.org");
	expect_names("host", "host.lan host.example.org host");
	expect_names("www.host", "www.host www.host.lan www.host.example.org");
	expect_names("host.", "host.");
	setenv("RES_OPTIONS", "ndots:2", 1);
	now += 1000;
	chmod(path, 0600);
	read_lists("192.0.2.1", "lan");
	expect_names("www.host", "www.host.lan www.host");
}

static void the_file_says_which_domains(void **state)
{
	(void)state;
	read_file("domain old\nsearch lan . example.org\noptions ndots:3 edns0\n");
	expect_names("a.b.c", "a.b.c.lan a.b.c.example.org a.b.c");
	expect_names("a.b.c.d", "a.b.c.d a.b.c.d.lan a.b.c.d.example.org");
	/* The environment goes before it, and our own list before that. */
	setenv("LOCALDOMAIN", "home", 1);
	read_lists("", "");
	expect_names("a", "a.home a");
	read_lists("", "mine");
	expect_names("a", "a.mine a");
}

static void a_name_that_gets_too_long_is_cut(void **state)
{
	char name[256], one[NAMESERVERS_NAME_MAX];

	(void)state;
	memset(name, 'x', 255);
	name[255] = '\0';
	memset(one, 'y', 255);
	one[255] = '\0';
	read_lists("192.0.2.1", one);
	assert_true(nameservers_name(n, name, 0, one));
	assert_int_equal(strlen(one), NAMESERVERS_NAME_MAX - 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(the_list_says_where_they_are),
		TEST(without_a_list_the_file_says_it),
		TEST(without_any_it_is_this_host),
		TEST(they_are_read_again_only_when_they_may_be_others),
		TEST(what_was_known_stays_while_the_file_cannot_be_read),
		TEST(further_ones_than_32_are_not_asked),
		TEST(they_are_asked_in_their_order),
		TEST(a_silent_one_is_asked_last_for_30_s),
		TEST(silent_ones_among_themselves_keep_their_order),
		TEST(one_that_answers_is_not_silent),
		TEST(they_take_turns_when_the_system_says_so),
		TEST(a_short_name_is_asked_for_within_the_domains_first),
		TEST(the_file_says_which_domains),
		TEST(a_name_that_gets_too_long_is_cut),
	};

	return cmocka_run_group_tests_name("net/nameservers", tests, NULL, NULL);
}
