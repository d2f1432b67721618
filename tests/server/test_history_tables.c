/* history_tables: sums by account, day and site, names that are somebody else's by now, and what is
 * forgotten. */
#include "server/history_tables.h"

#include <stdio.h>
#include <string.h>

#include "../base/scratch.h"

static struct database *d;
static struct history_batch *batch;
static char error[DATABASE_ERROR_MAX];

static int setup(void **state)
{
	if (scratch_enter(state) != 0)
		return -1;
	d = database_open(".", error);
	batch = history_batch_new();
	return d == NULL || batch == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	history_batch_free(batch);
	database_close(d);
	return scratch_leave(state);
}

static void add(const char *name, uint64_t serial, int32_t day, const char *site, int64_t sent)
{
	struct history_row row = {
		.is_user = serial != 0, .serial = serial, .name = name, .day = day, .site = site};

	row.counts.of[LEDGER_SESSIONS] = 1;
	row.counts.of[LEDGER_SENT] = sent;
	row.counts.of[LEDGER_KNOWN_MS] = 5;
	history_batch_add(batch, &row);
}

static const struct history_wanted all_wanted = {.accounts = true, .sites = true};

static void write_as_wanted(
	struct history_wanted wanted, const struct history_former *former, size_t former_count)
{
	if (database_begin(d) < 0 ||
		history_tables_add(d, batch, wanted, former, former_count) < 0 ||
		database_commit(d) < 0)
		fail_msg("%s", database_error(d));
	history_batch_clear(batch);
}

static void write_all(void)
{
	write_as_wanted(all_wanted, NULL, 0);
}

static void note_sum(void *context, const struct history_sum *sum)
{
	char *text = context;

	sprintf(text + strlen(text), "%s%s%s:%lld/%lld ", sum->is_user ? "user " : "", sum->name,
		sum->deleted != 0 ? " deleted" : "", (long long)sum->counts.of[LEDGER_SESSIONS],
		(long long)sum->counts.of[LEDGER_SENT]);
}

typedef int reading(struct database *database, const struct history_who *who, int32_t from,
	int32_t to, history_sum_taker *take, void *context);

static void assert_read(reading *read, const char *user, const char *clients, int32_t from,
	int32_t to, const char *expected)
{
	struct history_who who = {.user = user};
	struct network network;
	char text[2048] = "";

	if (clients != NULL) {
		assert_true(network_parse(clients, strlen(clients), &network));
		who.clients = &network;
	}
	if (read(d, &who, from, to, note_sum, text) < 0)
		fail_msg("%s", database_error(d));
	assert_string_equal(text, expected);
}

#define USAGE history_tables_usage
#define SITES history_tables_sites
#define ALWAYS 0, 99999999

static void days_are_summed_up_by_account_who_has_most_first(void **state)
{
	(void)state;
	add("192.0.2.1", 0, 20261125, "", 1);
	add("192.0.2.1", 0, 20261126, "", 2);
	add("alice", 1, 20261126, "", 10);
	write_all();
	add("192.0.2.1", 0, 20261126, "", 4);
	write_all();
	assert_read(USAGE, NULL, NULL, ALWAYS, "user alice:1/10 192.0.2.1:3/7 ");
	assert_read(USAGE, NULL, NULL, 20261125, 20261125, "192.0.2.1:1/1 ");
	assert_read(USAGE, NULL, NULL, 20261126, 20261201, "user alice:1/10 192.0.2.1:2/6 ");
	assert_read(USAGE, NULL, NULL, 20261127, 20261201, "");
	assert_read(USAGE, "alice", NULL, ALWAYS, "user alice:1/10 ");
	assert_read(USAGE, "bob", NULL, ALWAYS, "");
	assert_read(USAGE, "192.0.2.1", NULL, ALWAYS, "");
}

static void clients_are_meant_by_address_and_by_network(void **state)
{
	(void)state;
	add("192.0.2.1", 0, 20261126, "", 1);
	add("192.0.2.200", 0, 20261126, "", 2);
	add("[2001:db8:0:7::]/64", 0, 20261126, "", 3);
	add("[fe80::1%lo]", 0, 20261126, "", 4);
	add(HISTORY_OTHER, 0, 20261126, "", 5);
	write_all();
	assert_read(USAGE, NULL, "192.0.2.1", ALWAYS, "192.0.2.1:1/1 ");
	assert_read(USAGE, NULL, "192.0.2.0/24", ALWAYS, "192.0.2.200:1/2 192.0.2.1:1/1 ");
	assert_read(USAGE, NULL, "192.0.2.0/25", ALWAYS, "192.0.2.1:1/1 ");
	assert_read(USAGE, NULL, "2001:db8:0:7::5", ALWAYS, "[2001:db8:0:7::]/64:1/3 ");
	assert_read(USAGE, NULL, "2001:db8::/32", ALWAYS, "[2001:db8:0:7::]/64:1/3 ");
	assert_read(USAGE, NULL, "2001:db8:0:8::/64", ALWAYS, "");
	assert_read(USAGE, NULL, "fe80::1%lo", ALWAYS, "[fe80::1%lo]:1/4 ");
	assert_read(USAGE, NULL, "10.0.0.0/8", ALWAYS, "");
}

/* Sessions have a client and perhaps a user: of all of them the clients' count. */
static void sites_of_all_count_each_session_once(void **state)
{
	(void)state;
	add("192.0.2.1", 0, 20261126, "a.example", 10);
	add("alice", 1, 20261126, "a.example", 10);
	add("192.0.2.2", 0, 20261126, "b.example", 4);
	add("192.0.2.2", 0, 20261125, "a.example", 1);
	write_all();
	assert_read(SITES, NULL, NULL, ALWAYS, "a.example:2/11 b.example:1/4 ");
	assert_read(SITES, "alice", NULL, ALWAYS, "a.example:1/10 ");
	assert_read(SITES, NULL, "192.0.2.2", ALWAYS, "b.example:1/4 a.example:1/1 ");
	assert_read(SITES, NULL, "192.0.2.2", 20261126, 20261126, "b.example:1/4 ");
	assert_read(USAGE, NULL, NULL, ALWAYS, "");
}

static void note_day(void *context, const struct history_sum *sum)
{
	char *text = context;

	sprintf(text + strlen(text), "%d:%lld/%lld ", sum->day,
		(long long)sum->counts.of[LEDGER_SESSIONS], (long long)sum->counts.of[LEDGER_SENT]);
}

static void assert_days(const char *user, int32_t from, int32_t to, const char *expected)
{
	char text[2048] = "";

	if (history_tables_by_day(
		    d, &(struct history_who){.user = user}, from, to, note_day, text) < 0)
		fail_msg("%s", database_error(d));
	assert_string_equal(text, expected);
}

/* A session with a login is a client's and a user's. */
static void days_of_all_count_each_session_once(void **state)
{
	(void)state;
	add("192.0.2.1", 0, 20261126, "", 4);
	add("192.0.2.2", 0, 20261125, "", 2);
	add("192.0.2.1", 0, 20261125, "", 1);
	add("alice", 1, 20261125, "", 1);
	write_all();
	assert_days(NULL, ALWAYS, "20261125:2/3 20261126:1/4 ");
	assert_days(NULL, 20261126, 20261126, "20261126:1/4 ");
	assert_days("alice", ALWAYS, "20261125:1/1 ");
	assert_days("bob", ALWAYS, "");
}

static void an_account_has_a_bound_of_sites_a_day(void **state)
{
	char site[32], text[64];
	struct history_who who = {.user = "alice"};
	char *sums = calloc(1, 65536);

	(void)state;
	assert_non_null(sums);
	for (int i = 0; i < HISTORY_SITES_A_DAY; i++) {
		snprintf(site, sizeof(site), "%d.example", i);
		add("alice", 1, 20261126, site, 1);
	}
	write_all();
	add("alice", 1, 20261126, "one.more.example", 1000);
	add("alice", 1, 20261126, "and.more.example", 1000);
	add("alice", 1, 20261126, "7.example", 500);
	add("alice", 1, 20261127, "next.day.example", 100);
	add("192.0.2.1", 0, 20261126, "one.more.example", 1);
	write_all();
	assert_int_equal(history_tables_sites(d, &who, 20261126, 20261126, note_sum, sums), 0);
	snprintf(text, sizeof(text), "%s:2/2000 7.example:2/501 ", HISTORY_OTHER);
	assert_memory_equal(sums, text, strlen(text));
	assert_null(strstr(sums, "one.more"));
	assert_read(SITES, "alice", NULL, 20261127, 20261127, "next.day.example:1/100 ");
	assert_read(SITES, NULL, "192.0.2.1", ALWAYS, "one.more.example:1/1 ");
	free(sums);
}

static void add_clients(unsigned from, unsigned to, int32_t day, int64_t sent)
{
	char name[32];

	for (unsigned i = from; i < to; i++) {
		snprintf(name, sizeof(name), "10.0.%u.%u", i / 256, i % 256);
		add(name, 0, day, "", sent);
	}
}

static void note_whole(void *context, const struct history_sum *sum)
{
	struct history_sum *whole = context;

	whole->counts.of[LEDGER_SENT] += sum->counts.of[LEDGER_SENT];
	whole->counts.of[LEDGER_SESSIONS]++; /* accounts */
}

static void assert_whole(int32_t day, int64_t accounts, int64_t sent)
{
	const struct history_who who = {.user = NULL};
	struct history_sum whole = {.name = ""};

	assert_int_equal(history_tables_usage(d, &who, day, day, note_whole, &whole), 0);
	assert_int_equal(whole.counts.of[LEDGER_SESSIONS], accounts);
	assert_int_equal(whole.counts.of[LEDGER_SENT], sent);
}

#define CLIENTS_MOST (HISTORY_CLIENTS_A_DAY + HISTORY_CLIENTS_SPARE)

static void a_day_has_a_bound_of_clients(void **state)
{
	(void)state;
	add_clients(0, CLIENTS_MOST, 20261126, 100);
	add_clients(0, 10, 20261125, 1);
	add("alice", 1, 20261126, "", 1);
	write_all();
	assert_whole(20261126, CLIENTS_MOST + 1, CLIENTS_MOST * 100 + 1);
	/* One more, which is the busiest. */
	add_clients(CLIENTS_MOST, CLIENTS_MOST + 1, 20261126, 1000);
	write_all();
	assert_whole(20261126, HISTORY_CLIENTS_A_DAY + 2, CLIENTS_MOST * 100 + 1001);
	assert_read(USAGE, NULL, "10.0.20.0/32", 20261126, 20261126, "10.0.20.0:1/1000 ");
	assert_whole(20261125, 10, 10);
	/* And it goes on. */
	add_clients(10000, 10000 + HISTORY_CLIENTS_SPARE + 1, 20261126, 1);
	write_all();
	assert_whole(20261126, HISTORY_CLIENTS_A_DAY + 2,
		CLIENTS_MOST * 100 + 1001 + HISTORY_CLIENTS_SPARE + 1);
	assert_read(USAGE, NULL, "10.0.39.16", ALWAYS, "");
	assert_read(USAGE, "alice", NULL, ALWAYS, "user alice:1/1 ");
}

/* The sites of those who make room are known as long as they are few. */
static void what_makes_room_leaves_its_sites(void **state)
{
	char site[32], text[64];
	char *sums = calloc(1, 65536);
	struct history_who who = {.user = NULL};

	(void)state;
	assert_non_null(sums);
	add_clients(0, CLIENTS_MOST, 20261126, 100);
	add("10.1.0.1", 0, 20261126, "", 1);
	add("10.1.0.1", 0, 20261126, "a.example", 50);
	add("10.1.0.1", 0, 20261126, "7.example", 40);
	add("10.1.0.2", 0, 20261126, "", 2);
	for (int i = 0; i < HISTORY_SITES_A_DAY; i++) {
		snprintf(site, sizeof(site), "%d.example", i);
		add("10.1.0.2", 0, 20261126, site, 1);
	}
	write_all();
	assert_read(SITES, NULL, "10.1.0.0/16", ALWAYS, "");
	assert_int_equal(history_tables_sites(d, &who, ALWAYS, note_sum, sums), 0);
	snprintf(text, sizeof(text), "a.example:1/50 7.example:2/41 %s:1/1 ", HISTORY_OTHER);
	assert_memory_equal(sums, text, strlen(text));
	free(sums);
}

static void where_only_sites_are_kept_they_tell_who_there_is(void **state)
{
	char name[32];

	(void)state;
	for (unsigned i = 0; i <= CLIENTS_MOST; i++) {
		snprintf(name, sizeof(name), "10.0.%u.%u", i / 256, i % 256);
		add(name, 0, 20261126, "a.example", i == 0 ? 1 : 2);
	}
	write_as_wanted((struct history_wanted){.sites = true}, NULL, 0);
	assert_read(SITES, NULL, "10.0.0.0/32", ALWAYS, "");
	snprintf(name, sizeof(name), "a.example:%d/%d ", CLIENTS_MOST + 1, CLIENTS_MOST * 2 + 1);
	assert_read(SITES, NULL, NULL, ALWAYS, name);
}

static void what_is_not_wanted_is_not_kept(void **state)
{
	(void)state;
	add("alice", 1, 20261126, "", 1);
	add("alice", 1, 20261126, "a.example", 1);
	write_as_wanted((struct history_wanted){.accounts = true}, NULL, 0);
	assert_read(USAGE, NULL, NULL, ALWAYS, "user alice:1/1 ");
	assert_read(SITES, "alice", NULL, ALWAYS, "");
	add("bob", 1, 20261126, "", 1);
	add("alice", 1, 20261126, "a.example", 1);
	write_as_wanted((struct history_wanted){.sites = true}, NULL, 0);
	assert_read(USAGE, NULL, NULL, ALWAYS, "user alice:1/1 ");
	assert_read(SITES, "alice", NULL, ALWAYS, "a.example:1/1 ");
}

static void end_user(const char *name, uint64_t last, struct history_former *former)
{
	if (database_begin(d) < 0 || history_tables_end_user(d, name, last, 20261126, former) < 0 ||
		database_commit(d) < 0)
		fail_msg("%s", database_error(d));
}

static void who_comes_under_a_name_that_was_deleted_begins_anew(void **state)
{
	struct history_former former[3];

	(void)state;
	add("alice", 1, 20261126, "", 100);
	write_all();
	end_user("alice", 4, &former[0]);
	add("alice", 1, 20261126, "", 10); /* a session of the old one ends late */
	add("alice", 5, 20261126, "", 1);
	write_as_wanted(all_wanted, former, 1);
	assert_read(USAGE, "alice", NULL, ALWAYS, "user alice deleted:2/110 user alice:1/1 ");
	end_user("alice", 6, &former[1]);
	end_user("carol", 9, &former[2]);
	add("alice", 2, 20261126, "", 1000); /* the first's, too */
	add("alice", 6, 20261126, "", 2);
	add("alice", 7, 20261126, "", 5000);
	write_as_wanted(all_wanted, former, 3);
	assert_read(USAGE, "alice", NULL, ALWAYS,
		"user alice:1/5000 user alice deleted:3/1110 user alice deleted:2/3 ");
}

static void forget(const char *user, const char *clients, size_t expected)
{
	struct history_who who = {.user = user};
	struct network network;
	size_t count = 0;

	if (clients != NULL) {
		assert_true(network_parse(clients, strlen(clients), &network));
		who.clients = &network;
	}
	if (database_begin(d) < 0 || history_tables_forget(d, &who, &count) < 0 ||
		database_commit(d) < 0)
		fail_msg("%s", database_error(d));
	assert_int_equal(count, expected);
}

static void who_is_forgotten_is_gone_with_all_sites(void **state)
{
	struct history_former former;

	(void)state;
	add("alice", 1, 20261126, "", 1);
	add("alice", 1, 20261126, "a.example", 1);
	add("bob", 2, 20261126, "", 2);
	add("192.0.2.1", 0, 20261126, "", 3);
	add("192.0.2.1", 0, 20261126, "a.example", 3);
	add("192.0.2.2", 0, 20261126, "", 4);
	write_all();
	end_user("alice", 3, &former);
	add("alice", 4, 20261126, "", 9);
	write_as_wanted(all_wanted, &former, 1);
	forget("alice", NULL, 2);
	assert_read(USAGE, NULL, NULL, ALWAYS, "192.0.2.2:1/4 192.0.2.1:1/3 user bob:1/2 ");
	assert_read(SITES, "alice", NULL, ALWAYS, "");
	forget("alice", NULL, 0);
	forget(NULL, "192.0.2.1", 1);
	assert_read(USAGE, NULL, NULL, ALWAYS, "192.0.2.2:1/4 user bob:1/2 ");
	assert_read(SITES, NULL, NULL, ALWAYS, "");
	forget(NULL, NULL, 2);
	assert_read(USAGE, NULL, NULL, ALWAYS, "");
}

static void what_is_too_old_goes(void **state)
{
	(void)state;
	add("alice", 1, 20261101, "", 1);
	add("alice", 1, 20261101, "a.example", 1);
	add("alice", 1, 20261126, "", 2);
	add("alice", 1, 20261126, "a.example", 2);
	add("bob", 2, 20261101, "", 1);
	write_all();
	assert_int_equal(history_tables_prune(d, 20261101, 20261102), 0);
	assert_read(USAGE, NULL, NULL, ALWAYS, "user alice:2/3 user bob:1/1 ");
	assert_read(SITES, "alice", NULL, ALWAYS, "a.example:1/2 ");
	assert_int_equal(history_tables_prune(d, 20261102, 20261127), 0);
	assert_read(USAGE, NULL, NULL, ALWAYS, "user alice:1/2 ");
	assert_read(SITES, "alice", NULL, ALWAYS, "");
	forget("bob", NULL, 0);
}

#define tables_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		tables_test(days_are_summed_up_by_account_who_has_most_first),
		tables_test(clients_are_meant_by_address_and_by_network),
		tables_test(sites_of_all_count_each_session_once),
		tables_test(days_of_all_count_each_session_once),
		tables_test(an_account_has_a_bound_of_sites_a_day),
		tables_test(a_day_has_a_bound_of_clients),
		tables_test(what_makes_room_leaves_its_sites),
		tables_test(where_only_sites_are_kept_they_tell_who_there_is),
		tables_test(what_is_not_wanted_is_not_kept),
		tables_test(who_comes_under_a_name_that_was_deleted_begins_anew),
		tables_test(who_is_forgotten_is_gone_with_all_sites),
		tables_test(what_is_too_old_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
