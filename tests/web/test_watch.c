/* watch: what has happened since the page asked last, and that it is told what was lost. */
#include "browser.h"

static char cursor[WATCH_CURSOR_MAX];

static void happen(const char *user, uint64_t id)
{
	struct event e = {.kind = EVENT_REQUEST,
		.id = id,
		.time = PARTS_TIME,
		.client = parts_addr("192.0.2.9", 5),
		.user = user,
		.user_len = strlen(user),
		.command = "CONNECT",
		.target = "www.example.org:443",
		.reason = END_REASONS};

	if (watching_is_on(&parts.watching))
		watching_tell(&parts.watching, &e);
}

/* What is answered; takes the cursor out of it. */
static const char *look(const char *query)
{
	char line[256];
	const char *at;

	snprintf(line, sizeof(line), "GET /api/watch?after=%s%s", cursor, query);
	assert_status(ask_logged_in(line, "", ""), 200);
	at = strstr(body_of(heard), "\"cursor\":\"");
	assert_non_null(at);
	snprintf(cursor, sizeof(cursor), "%.*s", (int)strcspn(at + 10, "\""), at + 10);
	return body_of(heard);
}

static size_t count_of(const char *part)
{
	size_t n = 0;

	for (const char *at = heard; (at = strstr(at, part)) != NULL; at++)
		n++;
	return n;
}

static void what_has_happened_since_is_told_once(void **state)
{
	(void)state;
	happen("early", 1);
	assert_contains(look(""), "\"events\":[]}");
	happen("alice", 2);
	happen("bob", 3);
	look("");
	assert_contains(heard, "{\"event\":\"request\",\"time\":\"");
	assert_contains(heard, "\"id\":2,\"client\":\"192.0.2.9:5\",\"user\":\"alice\"");
	assert_int_equal(count_of("\"event\":"), 2);
	assert_contains(look(""), "\"events\":[]}");
	assert_null(strstr(heard, "lost"));
}

static void filters_are_those_of_the_monitor(void **state)
{
	(void)state;
	look("");
	happen("alice", 2);
	happen("bob", 3);
	look("&arg=user%3Dbob");
	assert_int_equal(count_of("\"event\":"), 1);
	assert_contains(heard, "\"user\":\"bob\"");
	happen("carl", 4);
	assert_contains(look("&arg=to%3D.example.net"), "\"events\":[]}");
}

static void what_was_too_much_is_told_as_lost(void **state)
{
	(void)state;
	look("");
	for (uint64_t i = 0; i < WATCHING_MOST + 7; i++)
		happen("alice", i);
	look("");
	assert_contains(heard, "\"events\":[{\"event\":\"lost\",\"count\":7},");
	assert_int_equal(count_of("\"event\":\"request\""), WATCH_MOST);
	look("");
	assert_null(strstr(heard, "lost"));
	assert_int_equal(count_of("\"event\":\"request\""), WATCH_MOST);
}

static void nobody_watches_when_nobody_asks(void **state)
{
	(void)state;
	look("");
	parts_now += WATCH_REST_MS - 1;
	assert_true(watch_rest(&desk) > parts_now);
	assert_true(watching_is_on(&parts.watching));
	look("");
	parts_now += WATCH_REST_MS;
	(void)watch_rest(&desk);
	assert_false(watching_is_on(&parts.watching));
	happen("alice", 1);
	look("");
	assert_contains(heard, "\"events\":[{\"event\":\"lost\",\"count\":null}]}");
	happen("alice", 2);
	look("");
	assert_int_equal(count_of("\"event\":"), 1);
}

/* Those of a server before this one, too. */
static void cursors_that_are_none_start_anew(void **state)
{
	static const char *const cursors[] = {"0", "-1", "deadbeefdeadbeef-0", "x", "%22",
		"deadbeefdeadbeef-99999999999999999999"};

	(void)state;
	for (size_t i = 0; i < COUNT(cursors); i++) {
		strcpy(cursor, cursors[i]);
		assert_contains(look(""), "{\"event\":\"lost\",\"count\":null}");
	}
	happen("alice", 2);
	cursor[strlen(cursor) - 1] = '9'; /* ahead of what there is */
	assert_contains(look(""), "{\"event\":\"lost\",\"count\":null}");
	assert_int_equal(count_of("\"event\":\"request\""), 1);
}

static void hostile_names_are_strings(void **state)
{
	(void)state;
	look("");
	happen("<b>\"\\\n=1", 2);
	assert_contains(look(""), "\"user\":\"<b>\\\"\\\\\\u000a=1\"");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

static int begin(void **state)
{
	int status = setup(state);

	cursor[0] = '\0';
	log_in_as("root");
	return status;
}

static int end(void **state)
{
	watch_end(&desk);
	assert_false(watching_is_on(&parts.watching));
	return teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_has_happened_since_is_told_once),
		TEST(filters_are_those_of_the_monitor),
		TEST(what_was_too_much_is_told_as_lost),
		TEST(nobody_watches_when_nobody_asks),
		TEST(cursors_that_are_none_start_anew),
		TEST(hostile_names_are_strings),
	};

	return cmocka_run_group_tests_name("web/watch", tests, NULL, NULL);
}
