/* standing: facts that come, change and go, what is told to whoever keeps them, and what happens
 * without memory. */
#include "state/standing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/faults.h"

static struct standing *s;

static int make_it(void **state)
{
	(void)state;
	s = standing_new();
	return s == NULL ? -1 : 0;
}

static int free_it(void **state)
{
	(void)state;
	standing_free(s);
	return 0;
}

static void put(enum standing_kind kind, const char *key, const char *value)
{
	assert_int_equal(standing_put(s, kind, key, value), 0);
}

static void copy_value(void *context, const char *value)
{
	snprintf(context, 512, "%s", value);
}

static void assert_stands(enum standing_kind kind, const char *key, const char *expected)
{
	char value[512] = "(nothing)";

	assert_int_equal(standing_read(s, kind, key, copy_value, value), expected != NULL);
	assert_string_equal(value, expected != NULL ? expected : "(nothing)");
}

/* As "kind key=value, ..."; a fact that is gone as "kind key gone". */
static void assert_changes(const char *expected)
{
	char text[512] = "";
	size_t count;
	struct standing_fact *facts = standing_changes(s, &count);

	assert_non_null(facts);
	standing_told(s, facts, count);
	for (size_t i = 0; i < count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s %s%s%s",
			i == 0 ? "" : ", ", standing_kind_word(facts[i].kind), facts[i].key,
			facts[i].value != NULL ? "=" : " gone",
			facts[i].value != NULL ? facts[i].value : "");
	assert_string_equal(text, expected);
	free(facts);
}

static void each_kind_has_keys_of_its_own(void **state)
{
	(void)state;
	put(STANDING_BAN, "192.0.2.1", "1m");
	put(STANDING_LIMITS, "192.0.2.1", "rate=2Mbit");
	put(STANDING_BAN, "192.0.2.1", "2m");
	assert_stands(STANDING_BAN, "192.0.2.1", "2m");
	assert_stands(STANDING_LIMITS, "192.0.2.1", "rate=2Mbit");
	assert_stands(STANDING_RULE, "192.0.2.1", NULL);
	put(STANDING_BAN, "192.0.2.1", NULL);
	put(STANDING_BAN, "192.0.2.2", NULL);
	assert_stands(STANDING_BAN, "192.0.2.1", NULL);
	assert_stands(STANDING_LIMITS, "192.0.2.1", "rate=2Mbit");
}

/* Sees what is there, and agrees where that is `wanted`. */
struct asked {
	const char *wanted;
	char seen[64];
};

static bool is_wanted(void *context, const char *there)
{
	struct asked *a = context;

	snprintf(a->seen, sizeof(a->seen), "%s", there == NULL ? "(nothing)" : there);
	return strcmp(a->seen, a->wanted) == 0;
}

static void is_put_only_where_what_stands_is_agreed_to(void **state)
{
	struct asked a = {.wanted = "1"};

	(void)state;
	assert_int_equal(standing_put_if(s, STANDING_USER, "alice", "2", is_wanted, &a), 0);
	assert_string_equal(a.seen, "(nothing)");
	assert_stands(STANDING_USER, "alice", NULL);
	a.wanted = "(nothing)";
	assert_int_equal(standing_put_if(s, STANDING_USER, "alice", "1", is_wanted, &a), 1);
	assert_int_equal(standing_put_if(s, STANDING_USER, "alice", "2", is_wanted, &a), 0);
	a.wanted = "1";
	assert_int_equal(standing_put_if(s, STANDING_USER, "alice", "2", is_wanted, &a), 1);
	assert_stands(STANDING_USER, "alice", "2");
	faults_fail(1);
	assert_int_equal(standing_put_if(s, STANDING_USER, "alice", "3", is_wanted, &a), -1);
	assert_true(faults_struck());
}

static void lists_are_by_the_alphabet(void **state)
{
	size_t count;
	struct standing_fact *facts;

	(void)state;
	put(STANDING_LIMITS, "@b", "2");
	put(STANDING_LIMITS, "@c", "3");
	put(STANDING_QUOTA, "alice", "x");
	put(STANDING_LIMITS, "@a", "1");
	put(STANDING_LIMITS, "@c", NULL);
	facts = standing_list(s, STANDING_LIMITS, &count);
	assert_int_equal(count, 2);
	assert_string_equal(facts[0].key, "@a");
	assert_string_equal(facts[0].value, "1");
	assert_string_equal(facts[1].key, "@b");
	free(facts);
}

static void whoever_keeps_it_is_told_each_change_once(void **state)
{
	(void)state;
	put(STANDING_BAN, "before", "1");
	assert_string_equal(standing_term(s), " (until the next start)");
	standing_set_kept(s, true);
	assert_string_equal(standing_term(s), "");
	assert_changes("");
	put(STANDING_BAN, "b", "1");
	put(STANDING_BAN, "b", "2");
	put(STANDING_LIMITS, "a", "");
	put(STANDING_BAN, "before", NULL);
	assert_stands(STANDING_BAN, "before", NULL);
	assert_changes("limits a=, ban b=2, ban before gone");
	assert_changes("");
	put(STANDING_BAN, "b", NULL);
	put(STANDING_BAN, "b", "3");
	assert_changes("ban b=3");
}

static void what_changes_while_it_is_written_is_told_again(void **state)
{
	size_t count;
	struct standing_fact *facts;

	(void)state;
	standing_set_kept(s, true);
	put(STANDING_BAN, "a", "1");
	put(STANDING_BAN, "b", "1");
	put(STANDING_BAN, "c", "1");
	put(STANDING_BAN, "d", NULL);
	facts = standing_changes(s, &count);
	put(STANDING_BAN, "a", "2");
	put(STANDING_BAN, "b", NULL);
	standing_told(s, facts, count);
	free(facts);
	assert_changes("ban a=2, ban b gone");
}

static void what_stands_already_is_no_change(void **state)
{
	(void)state;
	standing_set_kept(s, true);
	put(STANDING_BAN, "a", "1");
	put(STANDING_BAN, "a", "1");
	assert_changes("ban a=1");
	put(STANDING_BAN, "a", "1");
	put(STANDING_BAN, "b", NULL);
	assert_changes("");
}

/* Whichever of those that have changed is told first. */
static void changes_are_told_in_any_order(void **state)
{
	static const struct standing_fact told[] = {
		{STANDING_BAN, "b", "1"}, {STANDING_BAN, "d", "1"}, {STANDING_BAN, "a", "1"}};

	(void)state;
	standing_set_kept(s, true);
	for (char key[] = "a"; key[0] <= 'd'; key[0]++)
		put(STANDING_BAN, key, "1");
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		standing_told(s, &told[i], 1);
	assert_changes("ban c=1");
	put(STANDING_BAN, "a", NULL);
	put(STANDING_BAN, "d", "2");
	assert_changes("ban a gone, ban d=2");
}

static void what_could_not_be_written_is_told_again(void **state)
{
	size_t count;

	(void)state;
	standing_set_kept(s, true);
	put(STANDING_BAN, "a", "1");
	put(STANDING_BAN, "a", NULL);
	free(standing_changes(s, &count));
	assert_changes("ban a gone");
	put(STANDING_BAN, "b", "1");
	assert_changes("ban b=1");
	standing_tell_all(s);
	assert_changes("ban b=1");
}

static void without_memory_nothing_changes(void **state)
{
	size_t count;

	(void)state;
	standing_set_kept(s, true);
	put(STANDING_BAN, "a", "1");
	faults_fail(1);
	assert_int_equal(standing_put(s, STANDING_BAN, "a", "2"), -1);
	assert_true(faults_struck());
	assert_stands(STANDING_BAN, "a", "1");
	faults_fail(1);
	assert_null(standing_changes(s, &count));
	assert_true(faults_struck());
	assert_changes("ban a=1");
}

/* As "key=value, ..."; a fact that is gone as "key gone". */
static void assert_news(const char *expected)
{
	char text[512] = "";
	size_t count;
	struct standing_fact *facts = standing_news(s, &count);

	assert_non_null(facts);
	for (size_t i = 0; i < count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s%s%s",
			i == 0 ? "" : ", ", facts[i].key, facts[i].value != NULL ? "=" : " gone",
			facts[i].value != NULL ? facts[i].value : "");
	assert_string_equal(text, expected);
	free(facts);
}

static void watch(enum standing_kind kind, size_t expected)
{
	size_t count;

	free(standing_list_watched(s, kind, &count));
	assert_int_equal(count, expected);
}

static void who_watches_a_kind_is_told_what_has_changed(void **state)
{
	(void)state;
	put(STANDING_QUOTA, "a", "1");
	watch(STANDING_QUOTA, 1);
	assert_news("");
	put(STANDING_QUOTA, "c", "3");
	put(STANDING_QUOTA, "a", "2");
	put(STANDING_QUOTA, "c", "4");
	put(STANDING_BAN, "b", "1");
	assert_news("a=2, c=4");
	assert_news("");
	put(STANDING_QUOTA, "a", NULL);
	assert_news("a gone");
	put(STANDING_QUOTA, "c", "5");
	watch(STANDING_QUOTA, 1);
	assert_news("");
}

static void nobody_watches_at_first(void **state)
{
	size_t count;

	(void)state;
	put(STANDING_QUOTA, "a", "1");
	assert_null(standing_news(s, &count));
}

static void news_that_were_lost_are_said_to_be(void **state)
{
	size_t count;

	(void)state;
	put(STANDING_QUOTA, "a", "1");
	watch(STANDING_QUOTA, 1);
	faults_fail(2); /* of its name, behind its fact */
	put(STANDING_QUOTA, "a", "2");
	assert_true(faults_struck());
	assert_null(standing_news(s, &count));
	watch(STANDING_QUOTA, 1);
	put(STANDING_QUOTA, "a", "3");
	for (int nth = 1; nth <= 3; nth++) {
		faults_fail(nth);
		assert_null(standing_news(s, &count));
		assert_true(faults_struck());
	}
	assert_news("a=3");
	faults_fail(1);
	assert_null(standing_list_watched(s, STANDING_QUOTA, &count));
	assert_true(faults_struck());
}

static void words_name_kinds(void **state)
{
	enum standing_kind kind;

	(void)state;
	for (enum standing_kind k = 0; k < STANDING_KINDS; k++) {
		assert_true(standing_kind_parse(standing_kind_word(k), &kind));
		assert_int_equal(kind, k);
	}
	assert_false(standing_kind_parse("", &kind));
	assert_false(standing_kind_parse("bans", &kind));
}

#define standing_test(name) cmocka_unit_test_setup_teardown(name, make_it, free_it)

int main(void)
{
	const struct CMUnitTest tests[] = {
		standing_test(each_kind_has_keys_of_its_own),
		standing_test(is_put_only_where_what_stands_is_agreed_to),
		standing_test(lists_are_by_the_alphabet),
		standing_test(whoever_keeps_it_is_told_each_change_once),
		standing_test(what_changes_while_it_is_written_is_told_again),
		standing_test(what_stands_already_is_no_change),
		standing_test(changes_are_told_in_any_order),
		standing_test(what_could_not_be_written_is_told_again),
		standing_test(without_memory_nothing_changes),
		standing_test(who_watches_a_kind_is_told_what_has_changed),
		standing_test(nobody_watches_at_first),
		standing_test(news_that_were_lost_are_said_to_be),
		cmocka_unit_test(words_name_kinds),
	};

	return cmocka_run_group_tests_name("state/standing", tests, NULL, NULL);
}
