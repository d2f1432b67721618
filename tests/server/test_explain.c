/* explain, explain_gates: each gate that may deny, with the word and the time that belong to it,
 * and how the rules are told that decide, without a server. Names are looked up in
 * daemon/test_explain.c. */
#include "server/explain.h"

#include <sodium.h>
#include <time.h>

#include "../base/scratch.h"
#include "../state/backend.h"
#include "server/effects.h"
#include "server/limiting.h"
#include "base/clock.h"
#include "state/cluster.h"
#include "state/admission.h"
#include "state/ledger_limits.h"

static const struct user_record known[] = {
	{"alice", 5, "$2b$04$a", USER_ROLE_USER, "groups=staff", false},
	{"gone", 4, "$2b$04$a", USER_ROLE_USER, "expires=2020-02-02", false},
	{"guest", 5, "$2b$04$a", USER_ROLE_USER, "expires=2099-01-01", false},
	{"locked", 6, "$2b$04$a", USER_ROLE_USER, "disabled=yes", false},
	{"near", 4, "$2b$04$a", USER_ROLE_USER, "from=10.1.0.0/16", false}};

static struct fake_backend backend;
static struct services services;
static char *said;
static size_t said_size;

/* ---- a server that does not run ---- */

/* In force, as it stands in a file. */
static void put_into_force(const char *settings)
{
	static struct config_source source = {.path = "conf", .is_reload = true};
	char error[CONFIG_ERROR_MAX];
	struct config *c;

	scratch_write("conf", settings);
	c = config_read(&source, error);
	if (c == NULL)
		fail_msg("%s", error);
	admission_decide_auto(c, false);
	if (effects_compile_rules(c, NULL, false, error) < 0)
		fail_msg("%s", error);
	assert_int_equal(limiting_apply(&services, c), 0);
	config_store_free(services.config);
	services.config = config_store_new(c);
	assert_non_null(services.config);
}

static int begin(void **state)
{
	struct users_backend users = fake_backend(&backend);
	char error[USERS_ERROR_MAX];

	if (scratch_enter(state) != 0)
		return -1;
	backend.users = known;
	backend.count = COUNT(known);
	services = (struct services){.hashing = hashing_new(1),
		.own = own_new(),
		.ledger = ledger_new(4, NULL),
		.limits = limit_book_new(),
		.standing = standing_new(),
		.registry = registry_new(1)};
	services.bans = bans_new(NULL, services.standing);
	ledger_follow(services.ledger, services.limits, services.standing);
	services.users = users_new(services.hashing, services.ledger, &users);
	return services.users != NULL && users_load(services.users, error) == 0 ? 0 : -1;
}

static int end(void **state)
{
	free(said);
	said = NULL;
	users_free(services.users);
	config_store_free(services.config);
	bans_free(services.bans);
	registry_free(services.registry);
	ledger_free(services.ledger);
	limit_book_free(services.limits);
	standing_free(services.standing);
	own_free(services.own);
	hashing_free(services.hashing);
	return scratch_leave(state);
}

static enum explain_verdict ask(const char *text)
{
	enum explain_verdict verdict;
	char why[QUESTION_ERROR_MAX];
	struct question q;
	FILE *out;

	free(said);
	out = open_memstream(&said, &said_size);
	assert_non_null(out);
	if (!question_parse(text, strlen(text), &q, why))
		fail_msg("%s", why);
	verdict = explain(&services, &q, false, out);
	assert_int_equal(fclose(out), 0);
	return verdict;
}

static void assert_says(const char *question, enum explain_verdict verdict, const char *line)
{
	if (ask(question) != verdict || strstr(said, line) == NULL)
		fail_msg("%s: \"%s\" is not in:\n%s", question, line, said);
}

#define explain_test(f) cmocka_unit_test_setup_teardown(f, begin, end)

/* ---- gates ---- */

static void each_gate_says_why_it_denies(void **state)
{
	static const struct {
		const char *settings, *question, *gate, *verdict;
	} rows[] = {
		{"clients = 10.0.0.0/8\n", "from=192.168.1.9 to=192.0.2.9:443",
			"gate:clients result:deny text:clients does not have this address",
			"verdict:deny rule:- reason:- changes:-\n"},
		{"auth = required\n", "from=10.0.0.7 to=192.0.2.9:443",
			"gate:login result:deny reason:no_method text:who does not log in",
			"verdict:deny rule:- reason:no_method changes:-\n"},
		{"auth = required\n", "from=10.0.0.7 user=nobody to=192.0.2.9:443",
			"gate:login result:deny reason:login_refused text:there is no such user",
			"verdict:deny rule:- reason:login_refused changes:-\n"},
		{"auth = required\n", "from=10.0.0.7 user=locked to=192.0.2.9:443",
			"gate:login result:deny reason:disabled text:the user is disabled",
			"verdict:deny rule:- reason:disabled changes:-\n"},
		{"auth = required\n", "from=10.0.0.7 user=gone to=192.0.2.9:443",
			"gate:login result:deny reason:expired text:the user has expired",
			"verdict:deny rule:- reason:expired changes:-\n"},
		{"auth = required\n", "from=10.2.0.7 user=near to=192.0.2.9:443",
			"gate:login result:deny reason:client_not_allowed_for_user",
			"verdict:deny rule:- reason:client_not_allowed_for_user changes:-\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		put_into_force(rows[i].settings);
		assert_says(rows[i].question, EXPLAIN_DENY, rows[i].gate);
		assert_says(rows[i].question, EXPLAIN_DENY, rows[i].verdict);
	}
}

static void who_may_come_passes_each_gate(void **state)
{
	(void)state;
	put_into_force("auth = required\n");
	assert_int_equal(ask("from=10.1.0.7 user=near to=192.0.2.9:443"), EXPLAIN_ALLOW);
	assert_string_equal(said,
		"gate:ban result:pass\n"
		"gate:clients result:pass\n"
		"gate:login result:pass text:with the right password\n"
		"gate:limits result:pass\n"
		"gate:rules about:192.0.2.9:443 result:allow rule:otherwise text:otherwise = allow\n"
		"verdict:allow rule:otherwise changes:-\n");
	assert_says("from=10.0.0.7 user=guest to=192.0.2.9:443", EXPLAIN_ALLOW,
		"gate:login result:pass until:2099-01-02T00:00:00");
}

/* The first gate that denies is the one that a session would meet; the others speak all the same.
 */
static void the_first_gate_that_denies_decides(void **state)
{
	(void)state;
	put_into_force("auth = required\nclients = 10.0.0.0/8\nrule = deny to 192.0.2.9\n");
	assert_says("from=192.168.1.9 user=gone to=192.0.2.9:443", EXPLAIN_DENY,
		"verdict:deny rule:- reason:- ");
	assert_contains(said, "gate:login result:deny reason:expired");
	assert_contains(said, "gate:rules about:192.0.2.9:443 result:deny rule:1");
}

static void a_ban_is_said_with_its_end(void **state)
{
	struct network who;
	struct ban_info ban;

	(void)state;
	put_into_force("");
	assert_true(network_parse("10.9.0.0/16", 11, &who));
	assert_int_equal(bans_put(services.bans, &who, 3600000, bans_now(), &ban), 0);
	assert_says("from=10.9.1.1 to=192.0.2.9:443", EXPLAIN_DENY,
		"gate:ban result:deny reason:banned until:2");
	assert_contains(said, "text:it is closed at once: banned by command\n");
	assert_says("from=10.8.1.1 to=192.0.2.9:443", EXPLAIN_ALLOW, "gate:ban result:pass\n");
}

static void who_is_not_let_in_as_user_is_anonymous(void **state)
{
	(void)state;
	put_into_force("auth = none\nrule = deny user alice\n");
	assert_says("from=10.0.0.7 user=alice to=192.0.2.9:443", EXPLAIN_ALLOW,
		"gate:login result:anonymous text:auth = none");
	put_into_force("auth = optional\nrule = deny user anonymous\n");
	assert_says("from=10.0.0.7 user=nobody to=192.0.2.9:443", EXPLAIN_DENY,
		"gate:login result:anonymous text:there is no such user");
	assert_contains(said, "verdict:deny rule:1 reason:target_denied");
}

static void limits_that_are_reached_deny(void **state)
{
	struct addr from;
	const struct cluster_beat other = {.node = "b", .instance = "x", .beat = 1};
	struct ledger_entry *client;
	size_t running;

	(void)state;
	put_into_force("client_limits = 10.0.0.7 sessions=1\n");
	assert_says("from=10.0.0.7 to=192.0.2.9:443", EXPLAIN_ALLOW, "gate:limits result:pass\n");
	assert_true(addr_parse("10.0.0.7", 8, &from));
	client = ledger_join_client(services.ledger, &from, 0, &running);
	assert_non_null(client);
	assert_says("from=10.0.0.7 to=192.0.2.9:443", EXPLAIN_DENY,
		"gate:limits result:deny reason:too_many_sessions text:10.0.0.7");
	assert_contains(said, "has 1 sessions now, of 1\n");
	services.cluster = cluster_new();
	assert_int_equal(cluster_note_beat(services.cluster, &other, clock_ms()), 0);
	assert_int_equal(cluster_note_sessions(services.cluster, "b", "10.0.0.7", 2), 0);
	assert_says("from=10.0.0.7 to=192.0.2.9:443", EXPLAIN_DENY,
		"gate:limits result:deny reason:too_many_sessions text:10.0.0.7");
	assert_contains(said, "has 3 sessions now, of 1, 2 of them on other nodes\n");
	cluster_free(services.cluster);
	services.cluster = NULL;
	ledger_leave(client, 0);
}

/* As with --explain. */
static void what_only_a_running_server_knows_is_unknown(void **state)
{
	(void)state;
	put_into_force("");
	bans_free(services.bans);
	services.bans = NULL;
	registry_free(services.registry);
	services.registry = NULL;
	assert_says("from=10.0.0.7 to=192.0.2.9:443", EXPLAIN_ALLOW,
		"gate:ban result:unknown text:bans are known to the server that runs\n");
	assert_contains(said, "gate:limits result:unknown text:");
}

/* ---- rules ---- */

static void each_rule_up_to_the_one_that_decides_has_its_line(void **state)
{
	(void)state;
	put_into_force("auth = required\n"
		       "rule = deny user @staff to .example.org time sun 01:00-02:00\n"
		       "rule = deny port 25\n"
		       "rule = allow user @staff\n"
		       "rule = deny to .example.org\n");
	assert_int_equal(ask("from=10.0.0.7 user=alice to=www.example.org:443 time=\"tue 09:30\""),
		EXPLAIN_UNKNOWN);
	assert_contains(said, "about:www.example.org:443 rule:1 result:misses by:time");
	assert_contains(said, "rule:2 result:misses by:port text:deny port 25\n");
	assert_contains(said, "rule:3 result:decides by:- text:allow user @staff\n");
	assert_null(strstr(said, "rule:4"));
	assert_contains(said,
		"verdict:unknown text:it depends on the addresses that www.example.org comes to\n");
}

static void the_time_of_the_next_change_is_told(void **state)
{
	(void)state;
	put_into_force("rule = deny to 192.0.2.0/24 time tue 09:00-10:00\n");
	assert_says("from=10.0.0.7 to=192.0.2.9:443 time=\"tue 09:30\"", EXPLAIN_DENY,
		"verdict:deny rule:1 reason:target_denied changes:2");
	assert_contains(said, "10:00:00");
	assert_says("from=10.0.0.7 to=192.0.2.9:443 time=\"tue 10:30\"", EXPLAIN_ALLOW,
		"verdict:allow rule:otherwise changes:2");
	assert_contains(said, "09:00:00");
	assert_says("from=10.0.0.7 to=198.51.100.9:443 time=\"tue 09:30\"", EXPLAIN_ALLOW,
		"verdict:allow rule:otherwise changes:-\n");
}

static void what_is_protected_has_the_word_of_its_place(void **state)
{
	(void)state;
	put_into_force("");
	assert_says("from=10.0.0.7 to=169.254.169.254:80", EXPLAIN_DENY,
		"verdict:deny rule:protect:metadata reason:target_denied changes:-\n");
}

static void an_association_is_judged_as_such_first(void **state)
{
	(void)state;
	put_into_force("rule = deny command udp\n");
	assert_says("from=10.0.0.7 command=udp to=192.0.2.9:53", EXPLAIN_DENY,
		"gate:rules about:udp result:deny rule:1 text:deny command udp\n");
	put_into_force("rule = deny command udp to 192.0.2.9\n");
	assert_says("from=10.0.0.7 command=udp", EXPLAIN_ALLOW, "gate:rules about:udp ");
	assert_says("from=10.0.0.7 command=udp to=192.0.2.9:53", EXPLAIN_DENY,
		"verdict:deny rule:1 reason:target_denied");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		explain_test(each_gate_says_why_it_denies),
		explain_test(who_may_come_passes_each_gate),
		explain_test(the_first_gate_that_denies_decides),
		explain_test(a_ban_is_said_with_its_end),
		explain_test(who_is_not_let_in_as_user_is_anonymous),
		explain_test(limits_that_are_reached_deny),
		explain_test(what_only_a_running_server_knows_is_unknown),
		explain_test(each_rule_up_to_the_one_that_decides_has_its_line),
		explain_test(the_time_of_the_next_change_is_told),
		explain_test(what_is_protected_has_the_word_of_its_place),
		explain_test(an_association_is_judged_as_such_first),
	};

	assert_int_not_equal(setenv("TZ", "UTC", 1), -1);
	tzset();
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("server/explain", tests, NULL, NULL);
}
