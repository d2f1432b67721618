/* exposition: heads, labels, numbers and histograms in both syntaxes, to the byte. */
#include "web/exposition.h"

#include "../base/check.h"

static struct reply r;

static int forget(void **state)
{
	(void)state;
	reply_free(&r);
	return 0;
}

static void assert_written(const char *expected)
{
	assert_false(r.failed);
	assert_non_null(r.text);
	assert_string_equal(r.text, expected);
	reply_reset(&r);
}

static void heads_name_the_family_as_the_syntax_does(void **state)
{
	static const struct {
		struct metric metric;
		const char *text, *open;
	} rows[] = {
		{{.name = "a_bytes_total", .type = METRIC_COUNTER, .unit = "bytes", .help = "A."},
			"# HELP a_bytes_total A.\n# TYPE a_bytes_total counter\n",
			"# HELP a_bytes A.\n# TYPE a_bytes counter\n# UNIT a_bytes bytes\n"},
		{{.name = "a_info", .type = METRIC_INFO, .help = "A."},
			"# HELP a_info A.\n# TYPE a_info gauge\n", "# HELP a A.\n# TYPE a info\n"},
		{{.name = "a_seconds", .type = METRIC_HISTOGRAM, .unit = "seconds", .help = "A."},
			"# HELP a_seconds A.\n# TYPE a_seconds histogram\n",
			"# HELP a_seconds A.\n# TYPE a_seconds histogram\n"
			"# UNIT a_seconds seconds\n"},
		{{.name = "a", .type = METRIC_GAUGE, .help = "A \"b\\c\"\nd."},
			"# HELP a A \"b\\\\c\"\\nd.\n# TYPE a gauge\n",
			"# HELP a A \\\"b\\\\c\\\"\\nd.\n# TYPE a gauge\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		exposition_begin(&r, EXPOSITION_TEXT, &rows[i].metric);
		assert_written(rows[i].text);
		exposition_begin(&r, EXPOSITION_OPENMETRICS, &rows[i].metric);
		assert_written(rows[i].open);
	}
}

static void only_openmetrics_has_an_end(void **state)
{
	(void)state;
	exposition_end(&r, EXPOSITION_TEXT);
	assert_int_equal(r.len, 0);
	exposition_end(&r, EXPOSITION_OPENMETRICS);
	assert_written("# EOF\n");
}

static void labels_are_escaped(void **state)
{
	static const struct metric two = {.name = "a", .labels = {"b", "c"}};
	static const struct metric none = {.name = "a"};

	(void)state;
	exposition_number(&r, &two, (const char *const[]){"x", ""}, 7);
	assert_written("a{b=\"x\",c=\"\"} 7\n");
	exposition_number(&r, &two, (const char *const[]){"\"\\\n\"", "caf\xc3\xa9 {},="}, 0);
	assert_written("a{b=\"\\\"\\\\\\n\\\"\",c=\"caf\xc3\xa9 {},=\"} 0\n");
	exposition_number(&r, &none, NULL, UINT64_MAX);
	assert_written("a 18446744073709551615\n");
}

static void times_are_seconds_with_a_fraction(void **state)
{
	static const struct metric metric = {.name = "a_seconds"};
	static const struct {
		uint64_t ms;
		const char *text;
	} rows[] = {{0, "a_seconds 0.0\n"}, {1, "a_seconds 0.001\n"}, {10, "a_seconds 0.01\n"},
		{100, "a_seconds 0.1\n"}, {1000, "a_seconds 1.0\n"}, {1050, "a_seconds 1.05\n"},
		{86400000, "a_seconds 86400.0\n"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		exposition_time(&r, &metric, NULL, rows[i].ms);
		assert_written(rows[i].text);
	}
}

static void a_histogram_is_cumulative(void **state)
{
	static const struct histogram_scale scale = {.count = 3, .bounds = {5, 1000, 2500}};
	static const struct metric metric = {.name = "a_seconds"};
	struct histogram h;

	(void)state;
	histogram_init(&h, &scale);
	histogram_add(&h, 0);
	histogram_add(&h, 4);
	histogram_add(&h, 1000);
	histogram_add(&h, 7000);
	exposition_histogram(&r, &metric, &h);
	assert_written("a_seconds_bucket{le=\"0.005\"} 2\n"
		       "a_seconds_bucket{le=\"1.0\"} 2\n"
		       "a_seconds_bucket{le=\"2.5\"} 3\n"
		       "a_seconds_bucket{le=\"+Inf\"} 4\n"
		       "a_seconds_sum 8.004\n"
		       "a_seconds_count 4\n");
}

#define TEST(name) cmocka_unit_test_teardown(name, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(heads_name_the_family_as_the_syntax_does),
		TEST(only_openmetrics_has_an_end),
		TEST(labels_are_escaped),
		TEST(times_are_seconds_with_a_fraction),
		TEST(a_histogram_is_cumulative),
	};

	return cmocka_run_group_tests_name("web/exposition", tests, NULL, NULL);
}
