/* limits: what is read, what is refused and how, what is written back, and who wins. */
#include "state/limits.h"

#include <time.h>

#include "../base/check.h"

static struct limits limits;
static char why[LIMITS_ERROR_MAX];

static int set_zone(void **state)
{
	(void)state;
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	return 0;
}

static void assert_reads(const char *text, const char *back)
{
	char *written;

	if (!limits_parse(text, LIMITS_OF_USER, &limits, why))
		fail_msg("%s: %s", text, why);
	written = limits_format(&limits);
	assert_string_equal(written, back);
	free(written);
}

static void writes_what_it_has_read(void **state)
{
	static const struct {
		const char *text, *back;
	} rows[] = {
		{"", ""},
		{" \tsessions=5  ", "sessions=5"},
		{"rate=2Mbit/512kbit", "rate=2Mbit/512kbit"},
		{"rate=2Mbit/2Mbit", "rate=2Mbit"},
		{"rate=none/1MB", "rate=none/8Mbit"},
		{"rate=none", "rate=none"},
		{"rate=1.5Mbit", "rate=1.5Mbit"},
		{"rate=1.234kB", "rate=1.234kB"},
		{"rate=1000kB", "rate=8Mbit"},
		{"quota=50GB/month", "quota=50GB/month"},
		{"quota=50GB/month@1", "quota=50GB/month"},
		{"quota=1.5GB/month@31", "quota=1.5GB/month@31"},
		{"quota=1000MB/day over=cut", "quota=1GB/day over=cut"},
		{"quota=1234567B/week over=refuse", "quota=1234.567kB/week over=refuse"},
		{"over=slow:256kbit", "over=slow:256kbit"},
		{"over=slow:256kbit/none", "over=slow:256kbit/none"},
		{"expires=2026-12-31", "expires=2026-12-31"},
		{"expires=2026-12-31T24:00", "expires=2026-12-31"},
		{"expires=2027-01-01T00:00", "expires=2026-12-31"},
		{"expires=2026-12-31T18:00", "expires=2026-12-31T18:00"},
		/* comes twice: the first is meant */
		{"expires=2026-10-25T02:30", "expires=2026-10-25T02:30"},
		/* is left out */
		{"expires=2026-03-29T02:30", "expires=2026-03-29T03:30"},
		{"from=192.168.1.0/24,2001:db8::/32,10.0.0.7",
			"from=192.168.1.0/24,[2001:db8::]/32,10.0.0.7"},
		{"from=none expires=none quota=none sessions_client=none",
			"sessions_client=none quota=none expires=none from=none"},
		{"guest=yes disabled=no groups=b,a,b", "groups=b,a disabled=no guest=yes"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_reads(rows[i].text, rows[i].back);
		assert_reads(rows[i].back, rows[i].back);
	}
}

static void refuses_with_the_word_and_what_is_legal(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"rate=2", "rate=2: \"2\": bits or bytes? Write 2kbit or 2kB"},
		{"rate=2Mbit/5", "\"5\": bits or bytes?"},
		{"rate=2mbit", "did you mean Mbit?"},
		{"rate=2M", "a rate is a number with its unit"},
		{"rate=0kbit", "legal is a rate from 8kbit"},
		{"rate=fast", "legal is a rate such as 2Mbit or 250kB"},
		{"rate=-1kB", "legal is a rate"},
		{"rate=1e3kB", "a rate is a number with its unit"},
		{"rate=99999999999999999999GB", "legal is a rate"},
		{"rate=", "a value is missing"},
		{"quota=50GB", "legal is none or a size and its period"},
		{"quota=50/day", "a size is a number with its unit"},
		{"quota=50GB/year", "50GB/month@15"},
		{"quota=50GB/day@2", "50GB/month@15"},
		{"quota=50GB/month@0", "50GB/month@15"},
		{"quota=50GB/month@32", "50GB/month@15"},
		{"quota=0GB/day", "legal is a size from 1B"},
		{"over=none", "legal is cut, refuse or slow:RATE"},
		{"over=slow", "legal is cut, refuse or slow:RATE"},
		{"over=slow:none", "legal is cut, refuse or slow:RATE"},
		{"over=slow:2", "bits or bytes?"},
		{"expires=2026-02-29", "legal is none, a date such as 2026-12-31"},
		{"expires=2026-2-9", "legal is none, a date"},
		{"expires=2026-12-31T25:00", "legal is none, a date"},
		{"expires=2026-12-31T24:01", "legal is none, a date"},
		{"expires=31.12.2026", "legal is none, a date"},
		{"from=192.168.1.7/24",
			"\"192.168.1.7/24\": legal are none or at most 16 networks"},
		{"from=a", "\"a\": legal are none"},
		{"sessions=0", "legal is none or a number from 1 to 1000000"},
		{"sessions=1000001", "legal is none or a number from 1"},
		{"sessions=five", "sessions=five: legal is none or a number"},
		{"sesions=5", "sesions: there is no such key"},
		{"sesions=5", "did you mean sessions?"},
		{"sessions=5 sessions=6", "sessions: it was said already"},
		{"disabled=1", "legal is yes or no"},
		{"groups=a,,b", "the name of a group"},
		{"groups=a,", "legal are names of groups"},
		{"groups=@a", "the name of a group"},
		{"secret", "limits are KEY=VALUE KEY=VALUE ..."},
		{"sessions", "sessions=: a value is missing"},
		{"sessions=default", "legal is none or a number"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct limits kept = {.sessions = 77};

		if (limits_parse(rows[i].text, LIMITS_OF_USER, &kept, why))
			fail_msg("%s was taken", rows[i].text);
		assert_contains(why, rows[i].why);
		assert_int_equal(kept.sessions, 77);
	}
}

static void keys_are_legal_where_they_make_sense(void **state)
{
	(void)state;
	assert_false(limits_parse("from=10.0.0.0/8", LIMITS_OF_CLIENTS, &limits, why));
	assert_string_equal(
		why, "from: not possible here; the keys are sessions, rate, quota, over");
	assert_false(limits_parse("groups=a", LIMITS_OF_USERS, &limits, why));
	assert_true(limits_parse("expires=2030-01-01", LIMITS_OF_USERS, &limits, why));
}

static void closer_wins_key_by_key(void **state)
{
	struct limits farther;
	char *text;

	(void)state;
	assert_true(limits_parse("sessions=5 rate=none", LIMITS_OF_USER, &limits, why));
	assert_true(
		limits_parse("sessions=9 rate=1MB quota=1GB/day groups=a disabled=yes guest=yes",
			LIMITS_OF_USER, &farther, why));
	limits_inherit(&limits, &farther);
	text = limits_format(&limits);
	assert_string_equal(text, "sessions=5 rate=none quota=1GB/day");
	free(text);
}

static void of_several_groups_the_most_generous_counts(void **state)
{
	static const struct {
		const char *one, *other, *both;
	} rows[] = {
		{"sessions=5", "sessions=9", "sessions=9"},
		{"sessions=5", "", "sessions=5"},
		{"sessions=5", "sessions=none", "sessions=none"},
		{"rate=2Mbit/1Mbit", "rate=1Mbit/2Mbit", "rate=2Mbit"},
		{"rate=2Mbit/none", "rate=none/2Mbit", "rate=none"},
		{"quota=1GB/day", "quota=8GB/week", "quota=8GB/week"},
		{"quota=1GB/day", "quota=7GB/month", "quota=1GB/day"},
		{"over=cut", "over=refuse", "over=refuse"},
		{"over=slow:1MB", "over=refuse", "over=slow:8Mbit"},
		{"over=slow:1MB/2MB", "over=slow:2MB/1MB", "over=slow:16Mbit"},
		{"expires=2026-01-01", "expires=2026-01-02", "expires=2026-01-02"},
		{"from=10.0.0.0/8", "from=192.0.2.0/24", "from=10.0.0.0/8,192.0.2.0/24"},
	};

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		const char *one = i % 2 == 0 ? rows[i / 2].one : rows[i / 2].other;
		const char *other = i % 2 == 0 ? rows[i / 2].other : rows[i / 2].one;
		struct limits b, expected;

		assert_true(limits_parse(one, LIMITS_OF_USER, &limits, why));
		assert_true(limits_parse(other, LIMITS_OF_USER, &b, why));
		assert_true(limits_parse(rows[i / 2].both, LIMITS_OF_USER, &expected, why));
		limits_widen(&limits, &b);
		if (limits.from_count == 2 && i % 2 == 1)
			continue; /* in the other order */
		if (!limits_equal(&limits, &expected))
			fail_msg("%s with %s is not %s", one, other, rows[i / 2].both);
	}
}

static void a_change_can_take_back_what_was_said(void **state)
{
	char *text;

	(void)state;
	assert_true(limits_parse("sessions=5 rate=1MB", LIMITS_OF_USER, &limits, why));
	assert_true(limits_change("sessions=default quota=1GB/day", LIMITS_OF_USER, &limits, why));
	text = limits_format(&limits);
	assert_string_equal(text, "rate=8Mbit quota=1GB/day");
	free(text);
	assert_false(limits_change("rate=default over=x", LIMITS_OF_USER, &limits, why));
	assert_true(limits_have(&limits, LIMIT_RATE));
}

static void knows_who_is_in_a_group(void **state)
{
	(void)state;
	assert_true(limits_in_group("ab,c", "c", 1));
	assert_true(limits_in_group("ab,c", "ab", 2));
	assert_false(limits_in_group("ab,c", "a", 1));
	assert_false(limits_in_group("", "a", 1));
	assert_false(limits_in_group("ab", "", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_what_it_has_read),
		cmocka_unit_test(refuses_with_the_word_and_what_is_legal),
		cmocka_unit_test(keys_are_legal_where_they_make_sense),
		cmocka_unit_test(closer_wins_key_by_key),
		cmocka_unit_test(of_several_groups_the_most_generous_counts),
		cmocka_unit_test(a_change_can_take_back_what_was_said),
		cmocka_unit_test(knows_who_is_in_a_group),
	};

	return cmocka_run_group_tests(tests, set_zone, NULL);
}
