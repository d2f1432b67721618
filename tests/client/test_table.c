/* table and columns: records as tables, at every width, whatever their keys; and how columns share
 * the width there is. */
#include "client/table.h"

#include <locale.h>
#include <stdlib.h>

#include "../wire/answers.h"
#include "client/columns.h"
#include "client/text.h"

/* What is printed; until the next call. */
static const char *print(const char *reply, int width)
{
	static char *text;
	struct answer r = answer_of(reply);
	size_t size;
	FILE *out;

	free(text);
	out = open_memstream(&text, &size);
	assert_non_null(out);
	assert_true(table_print(out, &r, width));
	assert_int_equal(fclose(out), 0);
	answer_free(&r);
	return text;
}

static bool fits(const char *reply)
{
	struct answer r = answer_of(reply);
	bool result = table_fits(&r);

	answer_free(&r);
	return result;
}

static void assert_no_wider(const char *text, int width)
{
	char line[4096];

	for (const char *end; *text != '\0'; text = end + 1) {
		end = strchr(text, '\n');
		snprintf(line, sizeof(line), "%.*s", (int)(end - text), text);
		/* The list of what is left out may be as long as it is. */
		if (line[0] != '(' && text_width(line) > width)
			fail_msg("wider than %d: %s", width, line);
	}
}

static const char sessions[] =
	"OK\ncurrent connections:2\nmax concurrent connections:9\n"
	"id:1 user:bob client:192.168.1.20:51514 command:CONNECT target:www.example.org:443 "
	"state:RELAY age:7200 idle:4 sent:100 received:2000000 address:192.0.2.1:443 sent_rate:0 "
	"received_rate:8192\n"
	"id:12 user:alice client:[2001:db8::1]:6 command:CONNECT target:- state:CONNECT age:20 "
	"idle:9 sent:0 received:0 address:- sent_rate:0 received_rate:0\n\n";

static void only_lines_of_several_pairs_are_records(void **state)
{
	(void)state;
	assert_true(fits(sessions));
	assert_true(fits("OK\nname:timeout value:2s\n\n"));
	assert_false(fits("OK\n\n"));
	assert_false(fits("OK\ntimeout:2s\n\n"));
	assert_false(fits("OK\nall time connections:2\nbytes transferred:3\n\n"));
	assert_false(fits("OK\nalice: www.example.org:443 [2025-07-15 12:40:39] SUCCESS\n\n"));
	assert_false(fits("OK\nSTATS - what was counted: all:of it\n\n"));
}

static void all_of_it_is_shown_where_there_is_room(void **state)
{
	(void)state;
	/* clang-format off */
	assert_string_equal(print(sessions, 160),
		"OK\ncurrent connections:2\nmax concurrent connections:9\n"
		"ID USER  CLIENT             COMMAND TARGET              STATE     AGE IDLE SENT RECEIVED ADDRESS       SENT/s RECEIVED/s\n"
		" 1 bob   192.168.1.20:51514 CONNECT www.example.org:443 RELAY   2h00m   4s  100     2.0M 192.0.2.1:443      0       8.2k\n"
		"12 alice [2001:db8::1]:6    CONNECT -                   CONNECT   20s   9s    0        0 -                  0          0\n");
	/* clang-format on */
}

static void what_has_no_room_is_left_out_and_named(void **state)
{
	(void)state;
	assert_string_equal(print(sessions, 80),
		"OK\ncurrent connections:2\nmax concurrent connections:9\n"
		"ID USER  CLIENT             TARGET              STATE     AGE IDLE SENT RECEIVED\n"
		" 1 bob   192.168.1.20:51514 www.example.org:443 RELAY   2h00m   4s  100     2.0M\n"
		"12 alice [2001:db8::1]:6    -                   CONNECT   20s   9s    0        0\n"
		"(no room for: COMMAND, ADDRESS, SENT/s, RECEIVED/s)\n");
	assert_contains(print(sessions, 77),
		"ID USER  CLIENT            TARGET            STATE     AGE IDLE SENT RECEIVED\n"
		" 1 bob   192.168.1.20:515~ www.example.org:~ RELAY   2h00m   4s  100     2.0M\n");
}

static void no_line_is_wider_than_the_terminal(void **state)
{
	(void)state;
	for (int width = 30; width <= 200; width++)
		assert_no_wider(print(sessions, width), width);
	for (int width = 0; width < 30; width++) /* two columns stay whatever happens */
		assert_contains(print(sessions, width), "ID ");
}

static void unknown_keys_are_columns_too(void **state)
{
	(void)state;
	assert_string_equal(print("OK\nclient:192.0.2.1 sessions:2 new_thing:a last:90\n"
				  "client:10.0.0.1 sessions:10 last:5 more:1\n\n",
				    80),
		"OK\nCLIENT    SESSIONS NEW THING  LAST MORE\n"
		"192.0.2.1        2 a         1m30s\n"
		"10.0.0.1        10              5s    1\n");
}

static void values_are_shown_without_escapes_where_they_can_be(void **state)
{
	(void)state;
	setlocale(LC_ALL, "C.UTF-8");
	assert_string_equal(print("OK\nname:a\\x20b value:\\x1b[2J from:x:3\n"
				  "name:\xe5\x90\x8d value:\\x5cx from:\\xe5\\x90\\x8d\n\n",
				    80),
		"OK\nNAME VALUE   FROM\n"
		"a b  \\x1b[2J x:3\n"
		"\xe5\x90\x8d   \\x      \xe5\x90\x8d\n");
}

/* Advice stands in whole sentences beneath its record, and is no column. */
static void advice_stands_beneath_its_record(void **state)
{
	static const char failures[] =
		"OK\nuser:alice reason:no_method advice:one two: three four five six\n"
		"user:bob reason:killed advice:-\n\n";

	(void)state;
	assert_true(fits(failures));
	assert_string_equal(print(failures, 24),
		"OK\nUSER  REASON\nalice no_method\n"
		"    one two: three four\n    five six\n"
		"bob   killed\n    -\n");
}

static void wide_texts_are_cut_to_their_columns(void **state)
{
	(void)state;
	setlocale(LC_ALL, "C.UTF-8");
	assert_string_equal(print("OK\nname:名前名前名前名前名前 value:abcdefghijklmnop\n\n", 20),
		"OK\nNAME       VALUE\n名前名前~  abcdefgh~\n");
	for (int width = 3; width < 40; width++)
		assert_no_wider(
			print("OK\nname:名前名前名前名前名前 value:abcdefghijklmnop\n\n", width),
			width);
}

static void the_name_of_a_line_stays_whole_before_others_are_left_out(void **state)
{
	(void)state;
	assert_string_equal(print("OK\nname:max_sessions_per_client value:auto "
				  "from:/etc/socks5d/socks5d.conf:12 takes_effect:at_once\n\n",
				    58),
		"OK\nNAME                    VALUE FROM\n"
		"max_sessions_per_client auto  /etc/socks5d/socks5d.conf:12\n"
		"(no room for: TAKES EFFECT)\n");
}

/* At 80 columns an administrator still sees what of a quota is left, and when a setting takes
 * effect.
 */
static void what_is_missed_least_goes_first(void **state)
{
	(void)state;
	assert_string_equal(print("OK\nuser:bob rate:20Mbit rate_by:users_file quota:1GB/day "
				  "quota_by:group_defaults:/etc/socks5d/socks5d.conf:25 running:2 "
				  "used:12 left:999999988\n\n",
				    50),
		"OK\nUSER RATE   QUOTA   RUNNING USED      LEFT\n"
		"bob  20Mbit 1GB/day       2   12 999999988\n"
		"(no room for: RATE BY, QUOTA BY)\n");
	assert_string_equal(print("OK\nname:ban value:off from:default file:- default:off "
				  "takes_effect:at_once\n\n",
				    32),
		"OK\nNAME VALUE FROM    TAKES EFFECT\n"
		"ban  off   default at_once\n"
		"(no room for: FILE, DEFAULT)\n");
}

/* At 80 columns there is room for what is wrong with one. */
static void upstreams_keep_their_fault(void **state)
{
	(void)state;
	assert_string_equal(
		print("OK\nupstream:paris-and-london url:http://proxy.example.org:3128 state:resting "
		      "rest:21 sessions:0 total:7 failures:1 fault:unreachable\n\n",
			80),
		"OK\n"
		"UPSTREAM         URL                  STATE   REST SESSIONS FAILURES FAULT\n"
		"paris-and-london http://proxy.exampl~ resting  21s        0        1 unreachable\n"
		"(no room for: TOTAL)\n");
}

static void more_keys_than_there_is_room_for_do_no_harm(void **state)
{
	char reply[4096] = "OK\n";

	(void)state;
	for (int a = 'a'; a <= 'c'; a++) {
		for (int b = 'a'; b <= 'z'; b++)
			sprintf(reply + strlen(reply), "%c%c:1 ", a, b);
	}
	strcat(reply, "\n\n");
	assert_contains(print(reply, 1000), "AA AB AC");
	assert_contains(print(reply, 10), "AA AB AC\n");
}

static void columns_that_fit_get_what_they_like(void **state)
{
	struct column c[] = {{5, 5, 0}, {20, 8, 0}, {3, 1, 0}};

	(void)state;
	assert_true(columns_share(c, COUNT(c), 30));
	assert_int_equal(c[0].width + c[1].width + c[2].width, 28);
	assert_true(columns_share(c, 0, 0));
}

static void the_widest_gives_way_first(void **state)
{
	struct column c[] = {{30, 8, 0}, {20, 8, 0}, {10, 10, 0}};

	(void)state;
	assert_true(columns_share(c, COUNT(c), 62 - 10));
	assert_int_equal(c[0].width, 20);
	assert_int_equal(c[1].width, 20);
	assert_true(columns_share(c, COUNT(c), 40));
	assert_int_equal(c[0].width, 14);
	assert_int_equal(c[1].width, 14);
	assert_int_equal(c[2].width, 10);
	assert_false(columns_share(c, COUNT(c), 27));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_lines_of_several_pairs_are_records),
		cmocka_unit_test(all_of_it_is_shown_where_there_is_room),
		cmocka_unit_test(what_has_no_room_is_left_out_and_named),
		cmocka_unit_test(no_line_is_wider_than_the_terminal),
		cmocka_unit_test(unknown_keys_are_columns_too),
		cmocka_unit_test(values_are_shown_without_escapes_where_they_can_be),
		cmocka_unit_test(advice_stands_beneath_its_record),
		cmocka_unit_test(wide_texts_are_cut_to_their_columns),
		cmocka_unit_test(the_name_of_a_line_stays_whole_before_others_are_left_out),
		cmocka_unit_test(what_is_missed_least_goes_first),
		cmocka_unit_test(upstreams_keep_their_fault),
		cmocka_unit_test(more_keys_than_there_is_room_for_do_no_harm),
		cmocka_unit_test(columns_that_fit_get_what_they_like),
		cmocka_unit_test(the_widest_gives_way_first),
	};

	return cmocka_run_group_tests_name("client/table", tests, NULL, NULL);
}
