/* http_accept: which range decides, by RFC 9110 section 12.5.1. */
#include "wire/http_accept.h"

#include <stdio.h>

#include "http_text.h"

static const struct http_media openmetrics = {"application", "openmetrics-text", "1.0.0"};
static const struct http_media plain = {"text", "plain", "0.0.4"};
static const struct http_media html = {"text", "html", NULL};

#define PROMETHEUS                                                                                 \
	"Accept: application/openmetrics-text;version=1.0.0,"                                      \
	"application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,"        \
	"*/*;q=0.1\r\n\r\n"

static void the_range_that_says_most_decides(void **state)
{
	static const struct {
		const char *fields;
		const struct http_media *media;
		int quality;
	} rows[] = {
		{"\r\n", &plain, 1000},
		{"Host: a\r\n\r\n", &openmetrics, 1000},
		{PROMETHEUS, &openmetrics, 1000},
		{PROMETHEUS, &plain, 500},
		{PROMETHEUS, &html, 100},
		{"Accept: */*\r\n\r\n", &plain, 1000},
		{"accept: TEXT/*;Q=0.2, text/PLAIN ; q=0.3\r\n\r\n", &plain, 300},
		{"Accept: text/plain;q=0.3, text/*;q=0.9, */*\r\n\r\n", &plain, 300},
		{"Accept: text/plain;q=0, */*\r\n\r\n", &plain, 0},
		{"Accept: text/plain;q=0, */*\r\n\r\n", &openmetrics, 1000},
		{"Accept: text/html\r\n\r\n", &plain, 0},
		{"Accept: text/html\r\nAccept: text/plain;q=0.7\r\n\r\n", &plain, 700},
		{"Accept: \r\n\r\n", &plain, 0},
		{"Accept: text/plain;version=0.0.3\r\n\r\n", &plain, 0},
		{"Accept: text/plain;version=\"0.0.4\";q=0.4, text/plain\r\n\r\n", &plain, 400},
		{"Accept: text/plain;version=1;q=0.9, text/plain;q=0.1\r\n\r\n", &plain, 100},
		{"Accept: text/html;version=1\r\n\r\n", &html, 0},
		{"Accept: text/plain;charset=utf-8;escaping=x\r\n\r\n", &plain, 1000},
		{"Accept: text/plain;q=0.1, text/plain;q=0.6\r\n\r\n", &plain, 600},
		{"Accept: */plain\r\n\r\n", &plain, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct http_slice fields = slice_of(rows[i].fields);

		if (http_accept_quality(&fields, rows[i].media) != rows[i].quality)
			fail_msg("%s: %d", rows[i].fields,
				http_accept_quality(&fields, rows[i].media));
	}
}

static void qualities_have_three_digits_at_most(void **state)
{
	static const struct {
		const char *text;
		int quality; /* 0: malformed, or that */
	} rows[] = {{"1", 1000}, {"1.", 1000}, {"1.000", 1000}, {"0", 0}, {"0.", 0}, {"0.001", 1},
		{"0.25", 250}, {"0.999", 999}, {"1.001", 0}, {"0.1234", 0}, {"2", 0}, {"-1", 0},
		{".5", 0}, {"0,5", 0}, {"0.x", 0}, {"", 0}, {"01", 0}};
	char text[64];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct http_slice fields;

		snprintf(text, sizeof(text), "Accept: text/plain;q=%s\r\n\r\n", rows[i].text);
		fields = slice_of(text);
		if (http_accept_quality(&fields, &plain) != rows[i].quality)
			fail_msg("%s", text);
	}
}

static void codings_are_taken_where_they_are_asked_for(void **state)
{
	static const struct {
		const char *fields;
		bool expected;
	} rows[] = {
		{"\r\n", false},
		{"Accept-Encoding: gzip, deflate, br\r\n\r\n", true},
		{"Accept-Encoding: br\r\nAccept-Encoding: GZip\r\n\r\n", true},
		{"Accept-Encoding: *\r\n\r\n", true},
		{"Accept-Encoding: gzip;q=0, *\r\n\r\n", false},
		{"Accept-Encoding: *;q=0, gzip\r\n\r\n", true},
		{"Accept-Encoding: *, gzip ; q=0.0\r\n\r\n", false},
		{"Accept-Encoding: gzip;q=0.001\r\n\r\n", true},
		{"Accept-Encoding: gzip;q=x\r\n\r\n", false},
		{"Accept-Encoding: identity\r\n\r\n", false},
		{"Accept-Encoding:\r\n\r\n", false},
		{"Accept-Encoding: xgzip, gzipx\r\n\r\n", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_slice fields = {rows[i].fields, strlen(rows[i].fields)};

		if (http_accepts_coding(&fields, "gzip") != rows[i].expected)
			fail_msg("%s", rows[i].fields);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codings_are_taken_where_they_are_asked_for),
		cmocka_unit_test(the_range_that_says_most_decides),
		cmocka_unit_test(qualities_have_three_digits_at_most),
	};

	return cmocka_run_group_tests_name("wire/http_accept", tests, NULL, NULL);
}
