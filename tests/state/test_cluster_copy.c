/* cluster_copy: what a cluster knows stands beyond the process, and another process knows it; what
 * the engine has lost stays, what has gone goes. */
#include "state/cluster_copy.h"

#include <stdio.h>
#include <stdlib.h>

#include "../base/check.h"
#include "../base/faults.h"

#define MAY INT64_C(1777000000)
#define DAY INT64_C(86400)

static struct standing *standing;
static struct cluster *c;

static void start(void)
{
	c = cluster_new();
	assert_non_null(c);
	assert_int_equal(cluster_keep(c, standing), 0);
}

/* As by kill -9, behind a batch of the keeper's. */
static void restart(void)
{
	cluster_free(c);
	start();
}

static int make_it(void **state)
{
	(void)state;
	standing = standing_new();
	assert_non_null(standing);
	standing_set_kept(standing, true);
	start();
	return 0;
}

static int free_it(void **state)
{
	(void)state;
	cluster_free(c);
	standing_free(standing);
	return 0;
}

static void uses(const char *node, const char *account, uint64_t used)
{
	struct quota_use use = {.begun = MAY, .used = used};

	assert_int_equal(cluster_note_use(c, node, account, &use, cluster_resets(c, account)), 0);
}

static void assert_used(const char *account, uint64_t used)
{
	assert_int_equal(cluster_sum(c, account, MAY).used, used);
}

/* Each as "kind key=value", by the alphabet; how many have changed since this was asked last. */
static void assert_changes(const char *expected)
{
	char text[512] = "";
	size_t count;
	struct standing_fact *facts = standing_changes(standing, &count);

	assert_non_null(facts);
	standing_told(standing, facts, count);
	for (size_t i = 0; i < count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s %s=%s",
			i == 0 ? "" : ", ", standing_kind_word(facts[i].kind), facts[i].key,
			facts[i].value == NULL ? "-" : facts[i].value);
	free(facts);
	assert_string_equal(text, expected);
}

static void read_all(const char *epoch, const char *node)
{
	assert_int_equal(cluster_begin_reading(c, epoch), 0);
	if (node != NULL)
		assert_int_equal(cluster_note_part(c, node), 0);
}

static void end_reading(void)
{
	cluster_end_reading(c, true);
	cluster_copy_sweep(standing, c, MAY + DAY);
}

static void what_others_have_used_is_known_after_a_restart(void **state)
{
	(void)state;
	uses("b", "alice", 1000);
	uses("c/17", "alice", 20);
	uses("b", "2001:db8::/64", 7);
	restart();
	assert_used("alice", 1020);
	assert_used("2001:db8::/64", 7);
	assert_int_equal(cluster_sum(c, "alice", MAY + DAY).used, 0);
}

static void only_what_has_changed_is_written(void **state)
{
	(void)state;
	uses("b", "alice", 1000);
	uses("b", "bob", 1);
	assert_changes("elsewhere b alice=1777000000 1000 0 0, elsewhere b bob=1777000000 1 0 0");
	uses("b", "alice", 1000);
	uses("b", "bob", 2);
	restart();
	assert_changes("elsewhere b bob=1777000000 2 0 0");
	uses("b", "bob", 0);
	assert_changes("elsewhere b bob=-");
	restart();
	assert_used("bob", 0);
}

/* Also that others were not told of it yet. */
static void how_often_a_quota_has_begun_anew_is_known_after_a_restart(void **state)
{
	uint64_t resets;
	char *account;

	(void)state;
	uses("b", "alice", 1000);
	assert_int_equal(cluster_note_resets(c, "bob", 3), 0);
	assert_int_equal(cluster_begin_anew(c, "alice"), 0);
	restart();
	assert_used("alice", 0);
	assert_int_equal(cluster_resets(c, "bob"), 3);
	account = cluster_next_anew(c, &resets);
	assert_string_equal(account, "alice");
	assert_int_equal(resets, 1);
	cluster_told_anew(c, account, resets);
	free(account);
	restart();
	assert_null(cluster_next_anew(c, &resets));
	assert_int_equal(cluster_resets(c, "alice"), 1);
}

static void resets_never_go_back(void **state)
{
	(void)state;
	assert_int_equal(cluster_note_resets(c, "alice", 2), 0);
	read_all("e2", NULL);
	assert_int_equal(cluster_note_resets(c, "alice", 1), 0);
	end_reading();
	assert_int_equal(cluster_resets(c, "alice"), 2);
	restart();
	assert_int_equal(cluster_resets(c, "alice"), 2);
}

static void what_the_engine_knows_no_more_goes(void **state)
{
	(void)state;
	read_all("e1", "b");
	uses("b", "alice", 1000);
	uses("b", "bob", 1);
	end_reading();
	uses("c", "alice", 5);
	read_all("e1", "b");
	uses("b", "alice", 1001);
	end_reading();
	assert_used("alice", 1001);
	assert_used("bob", 0);
	restart();
	assert_used("alice", 1001);
	assert_used("bob", 0);
}

/* It comes back empty while another node is away: until that has told it again, or another one is
 * told of as it was, what it has used stays. */
static void what_the_engine_has_lost_stays(void **state)
{
	(void)state;
	read_all("e1", "b");
	uses("b", "alice", 1000);
	end_reading();
	restart();
	for (int i = 0; i < 2; i++) {
		read_all("e2", "c");
		uses("c", "alice", 20);
		end_reading();
		assert_used("alice", 1020);
		restart();
	}
	read_all("e2", "b");
	uses("b", "alice", 1);
	end_reading();
	assert_used("alice", 1);
	read_all("e2", NULL);
	end_reading();
	assert_used("alice", 0);
}

static void what_is_of_a_period_that_is_over_goes(void **state)
{
	(void)state;
	uses("b", "alice", 1000);
	assert_changes("elsewhere b alice=1777000000 1000 0 0");
	cluster_copy_sweep(standing, c, MAY + 31 * DAY);
	assert_changes("");
	cluster_copy_sweep(standing, c, MAY + 32 * DAY);
	assert_changes("elsewhere b alice=-");
}

static void names_that_are_none_are_not_kept(void **state)
{
	char longest[300];

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	uses("b", "", 1);
	uses("b c", "alice", 1);
	uses("b", longest, 1);
	assert_int_equal(cluster_note_resets(c, longest, 1), 0);
	assert_changes("");
	longest[70] = '\0';
	uses(longest, "alice", 1);
	assert_changes("");
}

/* Of a later version, say. */
static void what_cannot_be_read_stays(void **state)
{
	static const struct standing_fact facts[] = {
		{STANDING_ELSEWHERE, "alice", "1777000000 1 0 0"},
		{STANDING_ELSEWHERE, "b alice", "soon"}, {STANDING_ELSEWHERE, "b bob", "1 2 3"},
		{STANDING_RESETS, "alice", "many"}, {STANDING_RESETS, "bob", "x 1"},
		{STANDING_SHARED, "another", "1"}};
	const size_t count = sizeof(facts) / sizeof(facts[0]);

	(void)state;
	for (size_t i = 0; i < count; i++)
		assert_int_equal(
			standing_put(standing, facts[i].kind, facts[i].key, facts[i].value), 0);
	restart();
	assert_used("alice", 0);
	assert_int_equal(cluster_resets(c, "alice"), 0);
	cluster_copy_sweep(standing, c, MAY + 99 * DAY);
	for (size_t i = 0; i < count; i++)
		assert_true(standing_read(standing, facts[i].kind, facts[i].key, NULL, NULL));
}

static void without_memory_it_is_said(void **state)
{
	int n = 1;

	(void)state;
	read_all("e1", "b");
	uses("b", "alice", 1000);
	end_reading();
	assert_int_equal(cluster_note_resets(c, "bob", 1), 0);
	cluster_free(c);
	for (;; n++) {
		c = cluster_new();
		assert_non_null(c);
		faults_fail(n);
		if (cluster_keep(c, standing) == 0)
			break;
		cluster_free(c);
	}
	assert_true(n > 3);
	faults_fail(0);
	assert_used("alice", 1000);
	/* What was known serves on. */
	for (n = 1; n < 20; n++) {
		read_all("e2", NULL);
		faults_fail(n);
		cluster_end_reading(c, true);
		(void)faults_struck();
		assert_used("alice", 1000);
		assert_int_equal(cluster_resets(c, "bob"), 1);
	}
}

#define copy_test(name) cmocka_unit_test_setup_teardown(name, make_it, free_it)

int main(void)
{
	const struct CMUnitTest tests[] = {
		copy_test(what_others_have_used_is_known_after_a_restart),
		copy_test(only_what_has_changed_is_written),
		copy_test(how_often_a_quota_has_begun_anew_is_known_after_a_restart),
		copy_test(resets_never_go_back),
		copy_test(what_the_engine_knows_no_more_goes),
		copy_test(what_the_engine_has_lost_stays),
		copy_test(what_is_of_a_period_that_is_over_goes),
		copy_test(names_that_are_none_are_not_kept),
		copy_test(what_cannot_be_read_stays),
		copy_test(without_memory_it_is_said),
	};

	return cmocka_run_group_tests_name("state/cluster_copy", tests, NULL, NULL);
}
