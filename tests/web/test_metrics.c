/* metrics: who gets the figures, in which form, and that they are what happened. */
#include "browser.h"

#include "server/statistics.h"
#include "state/cluster.h"
#include "state/rules.h"
#include "state/upstreams.h"
#include "web/metric_families.h"

void __wrap_resolver_counts(struct resolver *r, uint64_t *hits, uint64_t *misses);
size_t __wrap_resolver_cached(const struct resolver *r);

void __wrap_resolver_counts(struct resolver *r, uint64_t *hits, uint64_t *misses)
{
	(void)r;
	*hits = 70;
	*misses = 30;
}

size_t __wrap_resolver_cached(const struct resolver *r)
{
	(void)r;
	return 20;
}

#define ROOT "Authorization: Basic cm9vdDpzZWNyZXQ=\r\n" /* root:secret */
#define ALICE "Authorization: Basic YWxpY2U6c2VjcmV0\r\n"
#define WRONG "Authorization: Basic cm9vdDp3cm9uZw==\r\n"
#define GARBLED "Authorization: Basic !\r\n"
#define OPEN "Accept: application/openmetrics-text;version=1.0.0\r\n"

static const char *ask_from(const char *host, const char *method, const char *fields)
{
	char request[1024];

	open_from(host);
	snprintf(request, sizeof(request), "%s /metrics HTTP/1.1\r\nHost: localhost\r\n%s\r\n",
		method, fields);
	say(request);
	return hear();
}

static const char *ask_here(const char *fields)
{
	const char *answer = ask_from("127.0.0.1", "GET", fields);

	assert_status(answer, 200);
	return body_of(answer);
}

/* ---- who ---- */

static void loopback_needs_no_login_and_others_do(void **state)
{
	(void)state;
	assert_status(ask_from("127.0.0.1", "GET", ""), 200);
	assert_status(ask_from("::1", "GET", ""), 200);
	assert_status(ask_from("192.0.2.7", "GET", ""), 401);
	assert_contains(heard, "WWW-Authenticate: Basic realm=\"socks5d\"\r\n");
	parts_set("metrics_from", "192.0.2.0/24");
	assert_status(ask_from("192.0.2.7", "GET", ""), 200);
	assert_status(ask_from("127.0.0.1", "GET", ""), 401);
	parts_set("metrics_from", "none");
	assert_status(ask_from("192.0.2.7", "GET", ""), 401);
}

static void administrators_log_in(void **state)
{
	static const struct {
		const char *fields;
		unsigned status;
	} rows[] = {{ROOT, 200}, {ALICE, 403}, {WRONG, 401}, {GARBLED, 401}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_status(ask_from("192.0.2.7", "GET", rows[i].fields), rows[i].status);
	assert_contains(ask_here(""), "\nsocks5d_logins_total{door=\"web\",result=\"ok\"} 2\n");
	assert_contains(heard, "\nsocks5d_logins_total{door=\"web\",result=\"wrong\"} 1\n");
	log_in_as("root");
	assert_status(ask_logged_in("GET /metrics", "", ""), 200);
	log_in_as("alice");
	assert_status(ask_logged_in("GET /metrics", "", ""), 403);
}

/* A web server on this host passes on whomever it likes. */
static void what_was_passed_on_is_its_senders(void **state)
{
	static const char *const signs[] = {"X-Forwarded-For: 127.0.0.1\r\n",
		"X-Real-IP: 127.0.0.1\r\n", "Forwarded: for=127.0.0.1\r\n", "Via: 1.1 a\r\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(signs); i++)
		assert_status(ask_from("127.0.0.1", "GET", signs[i]), 401);
	parts_set("web_trusted", "127.0.0.1/32");
	assert_status(ask_from("127.0.0.1", "GET", ""), 200);
	assert_status(ask_from("127.0.0.1", "GET", "X-Forwarded-For: 127.0.0.1\r\n"), 200);
	assert_status(ask_from("127.0.0.1", "GET", "X-Forwarded-For: 192.0.2.7\r\n"), 401);
	assert_status(ask_from("127.0.0.1", "GET", "X-Forwarded-For: unknown\r\n"), 401);
	assert_status(ask_from("127.0.0.1", "GET", "Via: 1.1 a\r\n"), 401);
	parts_set("metrics_from", "192.0.2.0/24");
	assert_status(ask_from("127.0.0.1", "GET", "X-Forwarded-For: 192.0.2.7\r\n"), 200);
}

static void it_is_got_and_only_by_a_name_of_ours(void **state)
{
	(void)state;
	assert_status(ask_from("127.0.0.1", "POST", "Content-Length: 0\r\n"), 405);
	assert_contains(heard, "Allow: GET, HEAD\r\n");
	assert_status(ask_from("127.0.0.1", "HEAD", ""), 200);
	assert_string_equal(body_of(heard), "");
	assert_status(ask_raw("GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 421);
}

/* ---- the form ---- */

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && strcmp(text + len - n, end) == 0;
}

static void the_form_is_what_the_client_likes_better(void **state)
{
	static const struct {
		const char *fields;
		bool is_open;
	} rows[] = {{"", false}, {"Accept: */*\r\n", false}, {OPEN, true},
		{"Accept: application/openmetrics-text;version=1.0.0,"
		 "application/openmetrics-text;version=0.0.1;q=0.75,"
		 "text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n",
			true},
		{"Accept: text/plain, application/openmetrics-text;q=0.9\r\n", false},
		{"Accept: text/html\r\n", false},
		{"Accept: application/openmetrics-text;version=2.0.0,*/*;q=0.1\r\n", false}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *body = ask_here(rows[i].fields);

		assert_contains(heard,
			rows[i].is_open
				? "Content-Type: application/openmetrics-text; version=1.0.0; "
				  "charset=utf-8\r\n"
				: "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
		assert_contains(heard, "Vary: Accept\r\n");
		assert_int_equal(ends_with(body, "\n# EOF\n"), rows[i].is_open);
		assert_true(ends_with(body, "\n"));
	}
}

static void join_cluster(void)
{
	parts.cluster = cluster_new();
	assert_non_null(parts.cluster);
	cluster_introduce(parts.cluster, "a", "redis://10.0.0.1:6379/0");
}

static void leave_cluster(void)
{
	cluster_free(parts.cluster);
	parts.cluster = NULL;
}

static bool is_family_of(const struct metric *m, const char *line)
{
	static const char *const suffixes[] = {"", "_bucket", "_sum", "_count"};
	size_t len = strcspn(line, "{ ");

	for (size_t i = 0; i < (m->type == METRIC_HISTOGRAM ? COUNT(suffixes) : 1); i++) {
		if (strlen(m->name) + strlen(suffixes[i]) == len &&
			strncmp(line, m->name, strlen(m->name)) == 0 &&
			strncmp(line + strlen(m->name), suffixes[i], strlen(suffixes[i])) == 0)
			return true;
	}
	return false;
}

/* No two samples are of the same series. */
static void assert_unique(const char *body, const char *sample)
{
	size_t len = (size_t)(strrchr(sample, ' ') - sample) + 1;
	char series[512];
	const char *found;

	snprintf(series, sizeof(series), "\n%.*s", (int)len, sample);
	found = strstr(body, series);
	assert_non_null(found);
	if (strstr(found + 1, series) != NULL)
		fail_msg("twice: %s", series);
}

/* Each sample stands below the head of its family, whose order is the table's. */
static void families_stand_together_and_no_series_twice(void **state)
{
	static char body[sizeof(heard)];
	const struct metric_family *next = metric_families;
	char *rest = NULL;

	(void)state;
	parts_set("metrics_accounts", "yes");
	join_cluster();
	parts_begin_session(1);
	strcpy(body, ask_here(""));
	for (char *line = strtok_r(body, "\n", &rest); line != NULL;
		line = strtok_r(NULL, "\n", &rest)) {
		if (strncmp(line, "# HELP ", 7) == 0) {
			assert_int_equal(strcspn(line + 7, " "), strlen(next->metric.name));
			assert_memory_equal(line + 7, next->metric.name, strlen(next->metric.name));
			next++;
		} else if (line[0] != '#') {
			assert_true(is_family_of(&next[-1].metric, line));
			assert_unique(body_of(heard), line);
		}
	}
	assert_ptr_equal(next, metric_families + metric_families_count);
	leave_cluster();
}

static void rows_of_the_table_are_as_they_should_be(void **state)
{
	(void)state;
	for (size_t i = 0; i < metric_families_count; i++) {
		const struct metric *m = &metric_families[i].metric;
		char unit[32] = "";

		assert_true(ends_with(m->help, "."));
		assert_int_equal(ends_with(m->name, "_total"), m->type == METRIC_COUNTER);
		assert_int_equal(ends_with(m->name, "_info"), m->type == METRIC_INFO);
		if (m->unit != NULL)
			snprintf(unit, sizeof(unit), "_%s%s", m->unit,
				m->type == METRIC_COUNTER ? "_total" : "");
		assert_true(ends_with(m->name, unit));
	}
}

/* ---- the figures ---- */

static void figures_are_what_happened(void **state)
{
	static const char *const samples[] = {
		"socks5d_build_info{version=\"",
		"socks5d_sessions_active{command=\"CONNECT\"} 1\n",
		"socks5d_sessions_active{command=\"none\"} 1\n",
		"socks5d_sessions_total{outcome=\"success\",reason=\"idle\"} 1\n",
		"socks5d_sessions_total{outcome=\"fail\",reason=\"idle\"} 0\n",
		"socks5d_session_duration_seconds_bucket{le=\"0.01\"} 0\n",
		"socks5d_session_duration_seconds_bucket{le=\"5.0\"} 1\n",
		"socks5d_session_duration_seconds_sum 1.25\n",
		"socks5d_connect_duration_seconds_count 1\n",
		"socks5d_lookup_duration_seconds_bucket{le=\"+Inf\"} 0\n",
		"socks5d_refused_total{reason=\"banned\"} 4\n",
		"socks5d_bytes_total{direction=\"sent\"} 11\n",
		"socks5d_bytes_total{direction=\"received\"} 22\n",
		"socks5d_datagrams_dropped_total{reason=\"queue_full\"} 5\n",
		"socks5d_workers{state=\"busy\"} 2\n",
		"socks5d_workers{state=\"idle\"} 398\n",
		"socks5d_fd_budget{state=\"used\"} 14\n",
		"socks5d_fd_budget{state=\"free\"} 986\n",
		"socks5d_dns_cache_hits_total 70\n",
		"socks5d_dns_cache_misses_total 30\n",
		"socks5d_dns_cache_entries 20\n",
		"socks5d_bans 1\n",
		"socks5d_rule_hits_total{rule=\"otherwise\"} 0\n",
		"socks5d_users{state=\"idle\"} 2\n",
		"process_start_time_seconds 1752576039\n",
		"process_threads 1\n",
	};
	struct network banned = {.prefix = 32};
	struct ban_info ban;

	(void)state;
	stats_session_begins(&parts.stats);
	stats_session_begins(&parts.stats);
	stats_session_begins(&parts.stats);
	stats_session_ends(&parts.stats,
		&(struct stats_outcome){.reason = END_IDLE,
			.outcome = SESSION_SUCCEEDED,
			.total_ms = 1250,
			.lookup_ms = -1,
			.connect_ms = 3});
	parts_begin_session(1);
	parts_begin_session(2);
	registry_set_request(parts_slot(2), "CONNECT", "a:80");
	parts_move(2, 11, 22);
	stats_add(&parts.stats.clients_banned, 4);
	stats_add(&parts.stats.datagrams_dropped[DROP_QUEUE_FULL], 5);
	fdbudget_plan(&parts.budget, 1000, 10, 400);
	banned.base = parts_addr("192.0.2.9", 0);
	assert_int_equal(bans_put(parts.bans, &banned, 60000, bans_now(), &ban), 0);
	(void)ask_here("");
	for (size_t i = 0; i < COUNT(samples); i++) {
		if (strstr(heard, samples[i]) == NULL)
			fail_msg("%s is not in %s", samples[i], heard);
	}
}

static void assert_told(const char *const *samples)
{
	(void)ask_here("");
	for (; *samples != NULL; samples++) {
		if (strstr(heard, *samples) == NULL)
			fail_msg("%s is not in %s", *samples, heard);
	}
}

struct heard_figures {
	char text[512];
	size_t len;
};

static void note_figure(void *context, const char *name, uint64_t value, const char *unit)
{
	struct heard_figures *f = context;

	if (strncmp(name, "shared ", 7) == 0 || strcmp(name, "nodes online") == 0)
		f->len += (size_t)snprintf(f->text + f->len, sizeof(f->text) - f->len,
			"%s:%llu%s\n", name, (unsigned long long)value, unit);
}

static void assert_figures(const char *expected)
{
	struct heard_figures f = {.text = ""};

	statistics_each(&parts, note_figure, &f);
	assert_string_equal(f.text, expected);
}

/* Who shares nothing has no figures of that. */
static void how_the_engine_does_is_told_where_there_is_one(void **state)
{
	static const char *const at_first[] = {"\nsocks5d_shared_up 0\n",
		"# TYPE socks5d_shared_lag_seconds gauge\n# HELP socks5d_shared_commands_total ",
		"\nsocks5d_nodes 1\n", NULL};
	static const char *const up[] = {"\nsocks5d_shared_up 1\n",
		"\nsocks5d_shared_lag_seconds 1.25\n", "\nsocks5d_shared_commands_total 7\n",
		"\nsocks5d_shared_failures_total 0\n", "\nsocks5d_nodes 2\n", NULL};
	static const char *const down[] = {"\nsocks5d_shared_up 0\n",
		"\nsocks5d_shared_lag_seconds 1.25\n", "\nsocks5d_shared_failures_total 1\n", NULL};
	const struct cluster_beat other = {.node = "b", .instance = "x", .beat = 1};

	(void)state;
	assert_null(strstr(ask_here(""), "socks5d_shared"));
	assert_null(strstr(heard, "socks5d_nodes"));
	assert_figures("");
	join_cluster();
	assert_told(at_first);
	assert_figures("nodes online:1\nshared up:0\nshared commands:0\nshared failures:0\n");
	(void)cluster_note_up(parts.cluster, parts_now - 1250, 7);
	assert_int_equal(cluster_note_beat(parts.cluster, &other, parts_now), 0);
	assert_told(up);
	assert_figures("nodes online:2\nshared up:1\nshared commands:7\nshared failures:0\n"
		       "shared lag:1250ms\n");
	(void)cluster_note_down(parts.cluster, parts_now, "Connection refused");
	assert_told(down);
	leave_cluster();
}

/* Two lines of one name and place share their figures, and a series is told once. */
static void upstreams_are_told_by_name_and_place(void **state)
{
	static const char *const samples[] = {
		"socks5d_upstream_up{upstream=\"a\",url=\"socks5://192.0.2.9:1080\"} 0\n",
		"socks5d_upstream_up{upstream=\"b\",url=\"http://192.0.2.8:3128\"} 1\n",
		"socks5d_upstream_sessions{upstream=\"b\",url=\"http://192.0.2.8:3128\"} 0\n",
		"socks5d_upstream_failures_total{upstream=\"a\",url=\"socks5://192.0.2.9:1080\"} 1\n",
	};
	struct config *config = config_get(parts.config);
	char error[CONFIG_ERROR_MAX];

	(void)state;
	parts_set("upstream",
		"a socks5://192.0.2.9:1080, socks5://192.0.2.9:1080; b http://192.0.2.8:3128");
	config->upstreams = upstreams_compile(&config->settings, NULL, error);
	if (config->upstreams == NULL)
		fail_msg("%s", error);
	upstream_failed(&config->upstreams->servers[0], UPSTREAM_SILENT, parts_now);
	config_release(config);
	(void)ask_here("");
	for (size_t i = 0; i < COUNT(samples); i++) {
		if (strstr(heard, samples[i]) == NULL)
			fail_msg("%s is not in %s", samples[i], heard);
		assert_unique(body_of(heard), samples[i]);
	}
}

/* ---- much of it ---- */

#define RULES 20000

static void thousands_of_rules_come_whole_and_in_turns(void **state)
{
	struct config *config = config_get(parts.config);
	char error[RULES_ERROR_MAX], text[64];
	struct setting_input in = {.text = text, .adds = true};
	struct rules *rules;
	char why[SETTING_ERROR_MAX];

	(void)state;
	for (unsigned i = 0; i < RULES; i++) {
		snprintf(text, sizeof(text), "deny to host%u.example.org", i);
		assert_true(setting_set(settings_find("rule"), &config->settings, &in, why));
	}
	rules = rules_compile(&config->settings, NULL, false, error);
	assert_non_null(rules);
	config_set_rules(config, rules);
	config_release(config);
	open_from("127.0.0.1");
	say("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
	assert_true(serve_connection());
	assert_true(connection_is_busy(&c)); /* others would have their turn now */
	assert_status(hear(), 200);
	assert_contains(heard, "\nsocks5d_rule_hits_total{rule=\"1\"} 0\n");
	assert_contains(heard, "\nsocks5d_rule_hits_total{rule=\"20000\"} 0\n");
	assert_contains(heard, "\nsocks5d_rule_hits_total{rule=\"protect:multicast\"} 0\n");
	assert_contains(heard, "\nprocess_threads 1\n");
	assert_false(connection_is_busy(&c));
}

static size_t count_parts(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
		n++;
	return n;
}

static void use_bytes(const char *user, uint64_t sent)
{
	struct ledger_entry *entry = NULL;
	struct login login = {.name = user,
		.name_len = strlen(user),
		.password = "secret",
		.password_len = strlen("secret")};

	assert_int_equal(users_login(parts.users, &login, CLOCK_NEVER, NULL, &entry), LOGIN_OK);
	ledger_tally(entry)->sent += sent;
	ledger_leave(entry, parts_now);
}

static void of_accounts_the_largest_are_told_if_any(void **state)
{
	char name[32];

	(void)state;
	assert_null(strstr(ask_here(""), "socks5d_account_"));
	for (unsigned i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "user%03u", i);
		parts_add_user(name, USER_ROLE_USER);
	}
	parts_add_user("a\\b c", USER_ROLE_USER);
	use_bytes("alice", 5);
	use_bytes("a\\b c", 3);
	parts_set("metrics_accounts", "yes");
	(void)ask_here("");
	assert_contains(heard,
		"\nsocks5d_account_bytes_total{account=\"alice\",direction=\"sent\"} 5\n"
		"socks5d_account_bytes_total{account=\"alice\",direction=\"received\"} 0\n"
		"socks5d_account_bytes_total{account=\"a\\\\x5cb\\\\x20c\",direction=\"sent\"} "
		"3\n");
	assert_contains(heard, "\nsocks5d_account_sessions{account=\"user329\"} 0\n");
	assert_null(strstr(heard, "\"user399\""));
	assert_int_equal(count_parts(heard, "\nsocks5d_account_"), 999);
}

static void without_memory_that_is_said(void **state)
{
	bool struck;
	int n = 0;

	(void)state;
	parts_set("metrics_accounts", "yes");
	parts_begin_session(1);
	do {
		open_from("127.0.0.1");
		say("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
		faults_fail(++n);
		serve();
		struck = faults_struck();
		(void)hear();
		/* A connection without memory for the request ends. */
		if (*heard != '\0' && status_of(heard) != 503)
			assert_contains(heard, "\nprocess_threads 1\n");
	} while (struck);
	assert_true(n > 4);
	assert_status(heard, 200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(loopback_needs_no_login_and_others_do),
		TEST(administrators_log_in),
		TEST(what_was_passed_on_is_its_senders),
		TEST(it_is_got_and_only_by_a_name_of_ours),
		TEST(the_form_is_what_the_client_likes_better),
		TEST(families_stand_together_and_no_series_twice),
		TEST(rows_of_the_table_are_as_they_should_be),
		TEST(figures_are_what_happened),
		TEST(how_the_engine_does_is_told_where_there_is_one),
		TEST(upstreams_are_told_by_name_and_place),
		TEST(thousands_of_rules_come_whole_and_in_turns),
		TEST(of_accounts_the_largest_are_told_if_any),
		TEST(without_memory_that_is_said),
	};

	return cmocka_run_group_tests_name("web/metrics", tests, NULL, NULL);
}
