/* question: what is a question, what is said of what is none, and when it is asked for. */
#include "state/question.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../base/check.h"

static struct question q;
static char why[QUESTION_ERROR_MAX];

static bool parse_text(const char *text)
{
	why[0] = '\0';
	return question_parse(text, strlen(text), &q, why);
}

static const char *written(void)
{
	static char text[2048];
	FILE *out;

	memset(text, 0, sizeof(text));
	out = fmemopen(text, sizeof(text), "w");
	assert_non_null(out);
	question_put(&q, out);
	fclose(out);
	return text;
}

static void what_is_read_is_written_in_one_form(void **state)
{
	static const char *const rows[][2] = {
		{"from=192.0.2.7 to=198.51.100.9:80", NULL},
		{"to=[2001:db8::9]:443   from=2001:db8::7",
			"from=2001:db8::7 to=[2001:db8::9]:443"},
		{"from=192.0.2.7 user=alice to=www.example.org:443", NULL},
		{"from=192.0.2.7 user=anonymous to=a.example:1", "from=192.0.2.7 to=a.example:1"},
		{"from=192.0.2.7 to=a.example@198.51.100.9:80", NULL},
		{"from=192.0.2.7 to=a.example@[2001:db8::9]:80", NULL},
		{"from=192.0.2.7 to=a.example:53 command=udp", NULL},
		{"from=192.0.2.7 command=udp", NULL},
		{"from=192.0.2.7 to=198.51.100.9:0 command=bind", NULL},
		{"from=192.0.2.7 to=198.51.100.9:80 command=connect",
			"from=192.0.2.7 to=198.51.100.9:80"},
		{"from=192.0.2.7 to=198.51.100.9:80 time=\"tue 09:30\"", NULL},
		{"time=\"sun 00:00\" from=\"192.0.2.7\" to=\"a.example:80\"",
			"from=192.0.2.7 to=a.example:80 time=\"sun 00:00\""},
		{"from=::ffff:192.0.2.7 to=[::ffff:198.51.100.9]:80",
			"from=192.0.2.7 to=198.51.100.9:80"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!parse_text(rows[i][0]))
			fail_msg("%s: %s", rows[i][0], why);
		assert_string_equal(written(), rows[i][1] == NULL ? rows[i][0] : rows[i][1]);
	}
}

/* The word, and what is legal. */
static void what_is_wrong_is_named(void **state)
{
	static const char *const rows[][2] = {
		{"", "from= is missing"},
		{"to=a.example:80", "from= is missing"},
		{"from=192.0.2.7", "to= is missing"},
		{"from=192.0.2.7 to", "\"to\": legal is from=ADDR"},
		{"from=192.0.2.7 colour=red", "\"colour=red\": legal is from=ADDR"},
		{"from=192.0.2.7 from=192.0.2.8", "\"from=192.0.2.8\": legal is each key once"},
		{"from=192.0.2.0/24 to=a.example:80", "\"from=192.0.2.0/24\": legal is from="},
		{"from=192.0.2.7:80 to=a.example:80", "\"from=192.0.2.7:80\": legal is from="},
		{"from=192.0.2.7 user=a:b to=a.example:80", "\"user=a:b\": legal is user="},
		{"from=192.0.2.7 to=a.example",
			"\"to=a.example\": a port from 0 to 65535 is missing at its end; legal is "
			"to=HOST:PORT"},
		{"from=192.0.2.7 to=a.example:65536", "\"to=a.example:65536\": a port from 0"},
		{"from=192.0.2.7 to=a.example:80x", "\"to=a.example:80x\": a port from 0"},
		{"from=192.0.2.7 to=:80", "\"to=:80\": this is no address, and no name"},
		{"from=192.0.2.7 to=2001:db8::9:80",
			"\"to=2001:db8::9:80\": an IPv6 address stands in brackets; legal is to="},
		{"from=192.0.2.7 to=0177.0.0.1:80",
			"\"to=0177.0.0.1:80\": this is no address, and no name"},
		{"from=192.0.2.7 to=m\xc3\xbcller.example:80", "written in its xn-- form"},
		{"from=192.0.2.7 to=127.1:80", "which does not end in a number"},
		{"from=192.0.2.7 to=http://a.example/:80", "\"to=http://a.example/:80\": this is"},
		{"from=192.0.2.7 to=@192.0.2.9:80", "\"to=@192.0.2.9:80\": this is no address"},
		{"from=192.0.2.7 to=a@b:80",
			"\"to=a@b:80\": behind @ comes an address; legal is to="},
		{"from=192.0.2.7 to=192.0.2.1@192.0.2.9:80", "\"to=192.0.2.1@192.0.2.9:80\":"},
		{"from=192.0.2.7 to=a.example:80 command=ping",
			"\"command=ping\": legal is command="},
		{"from=192.0.2.7 to=a.example:80 time=\"tue\"", "\"time=\"tue\"\": legal is a day"},
		{"from=192.0.2.7 to=a.example:80 time=09:30", "\"time=09:30\": legal is a day"},
		{"from=192.0.2.7 to=a.example:80 time=\"mon-fri 09:30\"",
			"\"time=\"mon-fri 09:30\"\": legal is a day"},
		{"from=192.0.2.7 time=\"tue 24:00\" to=a.example:80",
			"\"time=\"tue 24:00\"\": legal is a day"},
		{"from=192.0.2.7 to=a.example:80 time=\"tue 09:30",
			"\"time=\"tue 09:30\": a double quote is missing; legal is a day"},
		{"from=192.0.2.7 to=\"a.example:80\"x command=udp",
			"\"to=\"a.example:80\"x\": a blank is missing behind the double quote; legal "
			"is to="},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (parse_text(rows[i][0]))
			fail_msg("%s: was taken as %s", rows[i][0], written());
		if (strstr(why, rows[i][1]) == NULL)
			fail_msg("%s: %s", rows[i][0], why);
	}
}

/* 2025-07-15 12:40:39, a Tuesday. */
static void a_time_is_the_next_such_minute(void **state)
{
	static const struct {
		const char *time;
		int64_t then;
	} rows[] = {{"tue 12:41", 1752583260}, {"tue 12:40", 1752583200}, {"tue 12:39", 1753187940},
		{"wed 00:00", 1752624000}, {"mon 23:59", 1753142340}};
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof(text), "from=192.0.2.7 to=a.example:80 time=\"%s\"",
			rows[i].time);
		assert_true(parse_text(text));
		assert_int_equal(question_time(&q, 1752583239), rows[i].then);
	}
	assert_true(parse_text("from=192.0.2.7 to=a.example:80"));
	assert_int_equal(question_time(&q, 1752583239), 1752583239);
}

static void what_a_client_would_send_comes_of_it(void **state)
{
	struct destination dst;

	(void)state;
	assert_true(parse_text("from=192.0.2.7 to=a.example@198.51.100.9:80"));
	dst = question_destination(&q);
	assert_int_equal(dst.kind, DESTINATION_NAME);
	assert_int_equal(dst.port, 80);
	assert_int_equal(addr_port(&q.addr), 80);
	assert_true(parse_text("from=192.0.2.7 command=udp"));
	assert_int_equal(question_destination(&q).kind, DESTINATION_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_is_written_in_one_form),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(a_time_is_the_next_such_minute),
		cmocka_unit_test(what_a_client_would_send_comes_of_it),
	};

	setenv("TZ", "UTC0", 1);
	tzset();
	return cmocka_run_group_tests_name("state/question", tests, NULL, NULL);
}
