/* upstreams: how a server fares, what of that outlives a reload, the way that a verdict says, and
 * what an administrator is warned of. */
#include "state/upstreams.h"

#include "../base/check.h"
#include "../base/scratch.h"
#include "state/upstream_review.h"

static struct config_source source = {.path = "conf", .is_reload = true};
static char error[CONFIG_ERROR_MAX], said[4096];

static struct config *compile(const char *text, const struct config *before)
{
	struct config *c;

	scratch_write("conf", text);
	c = config_read(&source, error);
	if (c == NULL)
		fail_msg("%s", error);
	config_set_upstreams(c,
		upstreams_compile(&c->settings, before == NULL ? NULL : before->upstreams, error));
	if (c->upstreams == NULL)
		fail_msg("%s", error);
	config_set_rules(c, rules_compile(&c->settings, NULL, false, error));
	if (c->rules == NULL)
		fail_msg("%s", error);
	return c;
}

static void one_that_failed_rests_and_the_next_session_is_its_probe(void **state)
{
	struct config *c = compile("upstream = a socks5://192.0.2.1\n", NULL);
	const struct upstream *u = &c->upstreams->servers[0];

	(void)state;
	assert_int_equal(upstream_take_turn(u, 1000), UPSTREAM_MAY_TRY);
	assert_true(upstream_failed(u, UPSTREAM_SILENT, 1000));
	assert_false(upstream_failed(u, UPSTREAM_GARBLED, 1000));
	assert_int_equal(upstream_take_turn(u, 1000 + UPSTREAM_REST_MS - 1), UPSTREAM_RESTS);
	assert_true(upstream_rests(u, 1000 + UPSTREAM_REST_MS - 1));
	assert_string_equal(upstream_figures(u, 1000).state, "resting");
	assert_string_equal(upstream_figures(u, 1000).fault, "garbled");
	assert_int_equal(upstream_figures(u, 2000).rest_ms, UPSTREAM_REST_MS - 1000);
	assert_false(upstream_rests(u, 1000 + UPSTREAM_REST_MS));
	assert_int_equal(upstream_take_turn(u, 1000 + UPSTREAM_REST_MS), UPSTREAM_MAY_PROBE);
	assert_int_equal(upstream_take_turn(u, 1000 + UPSTREAM_REST_MS), UPSTREAM_RESTS);
	assert_string_equal(upstream_figures(u, 1000 + UPSTREAM_REST_MS).state, "probing");
	upstream_undecided(u, UPSTREAM_MAY_PROBE);
	assert_int_equal(upstream_take_turn(u, 1000 + UPSTREAM_REST_MS), UPSTREAM_MAY_PROBE);
	assert_false(upstream_failed(u, UPSTREAM_SILENT, 50000));
	assert_int_equal(upstream_take_turn(u, 50000 + UPSTREAM_REST_MS), UPSTREAM_MAY_PROBE);
	/* A probe of which nothing is heard is not waited for. */
	assert_int_equal(upstream_take_turn(u, 50000 + 2 * UPSTREAM_REST_MS - 1), UPSTREAM_RESTS);
	assert_int_equal(upstream_take_turn(u, 50000 + 2 * UPSTREAM_REST_MS), UPSTREAM_MAY_PROBE);
	assert_false(upstream_has_worked_since(u, 50000));
	assert_true(upstream_worked(u, 90000));
	assert_true(upstream_has_worked_since(u, 90000));
	assert_false(upstream_has_worked_since(u, 90001));
	assert_false(upstream_worked(u, 90000));
	assert_string_equal(upstream_figures(u, 90000).state, "up");
	assert_int_equal(upstream_figures(u, 90000).failures, 3);
	config_release(c);
}

static void how_it_fares_outlives_a_reload_in_the_same_words(void **state)
{
	struct config *first = compile("upstream = a socks5://u:p@192.0.2.1, http://h:1\n", NULL);
	struct config *next;

	(void)state;
	(void)upstream_failed(&first->upstreams->servers[0], UPSTREAM_SILENT, 1000);
	upstream_session_begins(&first->upstreams->servers[0]);
	next = compile("upstream = b socks5://192.0.2.1\n"
		       "upstream = a http://h:1, socks5://u:q@192.0.2.1\n",
		first);
	config_release(first);
	assert_false(upstream_rests(&next->upstreams->servers[0], 2000));
	assert_false(upstream_rests(&next->upstreams->servers[1], 2000));
	assert_true(upstream_rests(&next->upstreams->servers[2], 2000));
	assert_int_equal(upstream_figures(&next->upstreams->servers[2], 0).sessions, 1);
	upstream_session_ends(&next->upstreams->servers[2]);
	assert_int_equal(upstream_figures(&next->upstreams->servers[2], 0).sessions, 0);
	assert_int_equal(upstream_figures(&next->upstreams->servers[2], 0).total, 1);
	config_release(next);
}

static void a_verdict_tells_the_way(void **state)
{
	struct config *c = compile("upstream = a socks5://192.0.2.1, http://h:1\n"
				   "upstream = b socks4a://192.0.2.2\n"
				   "rule = via b, a, direct port 80\n",
		NULL);
	struct addr client, target;
	struct subject s = {.user = "", .command = REQUEST_CONNECT, .client = &client};
	struct destination dst;
	struct upstream_way way;
	struct verdict v;

	(void)state;
	assert_true(addr_parse("192.0.2.9", 9, &client));
	assert_true(addr_parse("198.51.100.1", 12, &target));
	addr_set_port(&target, 80);
	dst = destination_of_addr(&target);
	s.dst = &dst;
	s.addr = &target;
	v = rules_judge(c, &s);
	upstreams_way(c, &v, &way);
	assert_int_equal(way.count, 3);
	assert_string_equal(way.servers[0]->shown, "socks4a://192.0.2.2:1080");
	assert_string_equal(way.servers[1]->shown, "socks5://192.0.2.1:1080");
	assert_string_equal(way.servers[2]->shown, "http://h:1");
	assert_true(way.goes_straight);
	upstream_way_end(&way);
	addr_set_port(&target, 81);
	v = rules_judge(c, &s);
	upstreams_way(c, &v, &way);
	assert_int_equal(way.count, 0);
	assert_false(way.goes_straight);
	upstream_way_end(&way);
	config_release(c);
}

static void what_cannot_be_read_is_told_with_its_line(void **state)
{
	struct config *c;

	(void)state;
	scratch_write("conf", "\nupstream = a http://h:1 password_file=missing\n");
	c = config_read(&source, error);
	assert_non_null(c);
	assert_null(upstreams_compile(&c->settings, NULL, error));
	assert_string_equal(error,
		"conf:2: upstream: password_file: \"missing\": cannot be read: No such file or "
		"directory");
	config_release(c);
}

static void hear(void *context, const char *warning)
{
	(void)context;
	strcat(said, warning);
	strcat(said, "\n");
}

static const char *review(const char *text)
{
	struct config *c = compile(text, NULL);

	said[0] = '\0';
	upstream_review(c, hear, NULL);
	config_release(c);
	return said;
}

static void an_administrator_is_warned(void **state)
{
	(void)state;
	assert_string_equal(review("upstream = a socks5://h\nrule = via a\n"), "");
	assert_string_equal(review("upstream = a socks5://h\n"),
		"conf:1: upstream: \"a\": nothing goes through it: no rule says via a\n");
	assert_string_equal(
		review("upstream = a socks5://h\nrule = deny to 10.0.0.0/8\nrule = via a\n"),
		"conf:3: rule 2: \"via a\": it sends names on, whatever addresses they have, and "
		"so passes rule 1 (\"deny to 10.0.0.0/8\") by; with resolve=here they are looked up "
		"here\n");
	assert_string_equal(review("upstream = a socks5://h\nrule = deny to 10.0.0.0/8\n"
				   "rule = via a resolve=here\n"),
		"");
	assert_string_equal(review("upstream = a socks5://h\nrule = deny to 10.0.0.0/8\n"
				   "rule = via a to literal\n"),
		"");
	assert_string_equal(review("upstream = a http://h:1\nrule = via a command udp\n"),
		"conf:2: rule 1: \"via a command udp\": only socks5 upstreams can do bind and udp, "
		"and it names none\n");
	assert_string_equal(
		review("upstream = a http://h:1\nrule = via a, direct command udp\n"), "");
}

static bool is_loop(const char *url)
{
	char text[128];
	struct own *own = own_new(); /* which knows loopback */
	struct config *c;
	bool result;

	snprintf(text, sizeof(text), "upstream = a %s\n", url);
	c = compile(text, NULL);
	c->own_count = 2;
	assert_true(addr_parse("0.0.0.0", 7, &c->own[0]));
	assert_true(addr_parse("192.0.2.5", 9, &c->own[1]));
	addr_set_port(&c->own[0], 1080);
	addr_set_port(&c->own[1], 8080);
	result = upstream_review_finds_loop(c, own, error);
	config_release(c);
	own_free(own);
	return result;
}

static void the_proxy_is_no_upstream_of_itself(void **state)
{
	(void)state;
	assert_true(is_loop("http://192.0.2.5:8080"));
	assert_string_equal(error,
		"conf:1: upstream: \"a http://192.0.2.5:8080\": that is this very proxy: legal is "
		"another one");
	assert_false(is_loop("http://192.0.2.5:8081"));
	assert_false(is_loop("socks5://h"));
	assert_true(is_loop("socks5://127.0.0.1"));
	assert_true(is_loop("socks5://LocalHost"));
	assert_false(is_loop("socks5://localhost:1081"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(one_that_failed_rests_and_the_next_session_is_its_probe),
		scratch_test(how_it_fares_outlives_a_reload_in_the_same_words),
		scratch_test(a_verdict_tells_the_way),
		scratch_test(what_cannot_be_read_is_told_with_its_line),
		scratch_test(an_administrator_is_warned),
		scratch_test(the_proxy_is_no_upstream_of_itself),
	};

	return cmocka_run_group_tests_name("state/upstreams", tests, NULL, NULL);
}
