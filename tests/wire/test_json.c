/* json: the shape of each command's reply, and valid JSON whatever the bytes. */
#include "wire/json.h"

#include "answers.h"

static char *json_of(const char *request, const char *bytes, size_t len)
{
	struct answer r = answer_of_bytes(bytes, len);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	json_print(out, request, &r);
	fclose(out);
	answer_free(&r);
	return text;
}

static void assert_json(const char *request, const char *reply, const char *expected)
{
	char *text = json_of(request, reply, strlen(reply));

	assert_int_equal(text[strlen(text) - 1], '\n');
	text[strlen(text) - 1] = '\0';
	assert_string_equal(text, expected);
	free(text);
}

/* ---- shapes ---- */

static void stats_and_config_are_members(void **state)
{
	(void)state;
	assert_json("STATS", "OK\nall time connections:2\nserver uptime:276s\nversion:0.1.0\n\n",
		"{\"status\":\"OK\",\"all_time_connections\":2,\"server_uptime\":276,"
		"\"version\":\"0.1.0\"}");
	assert_json("config", "OK\nlisten:0.0.0.0, [::1]:80\nempty:\nno colon\n\n",
		"{\"status\":\"OK\",\"listen\":\"0.0.0.0, [::1]:80\",\"empty\":\"\"}");
	assert_json("CONFIG timeout 15", "OK timeout set to 15\n\n",
		"{\"status\":\"OK\",\"message\":\"timeout set to 15\"}");
}

/* A program had to take "45s" apart, and "1h", and "12ms". */
static void times_are_numbers_of_seconds(void **state)
{
	static const char *const rows[][2] = {
		{"45s", "45"},
		{"0ms", "0"},
		{"12ms", "0.012"},
		{"1500ms", "1.5"},
		{"90020ms", "90.02"},
		{"10m", "600"},
		{"2h", "7200"},
		{"30d", "2592000"},
		{"1.5s", "\"1.5s\""},
		{"s", "\"s\""},
		{"-5s", "\"-5s\""},
		{"5s ", "\"5s \""},
		{"192.0.2.7, 5s", "\"192.0.2.7, 5s\""},
		{"99999999999999999999s", "\"99999999999999999999s\""},
		{"1111111111111111111111111111111111s", "\"1111111111111111111111111111111111s\""},
	};
	char reply[128], expected[128];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(reply, sizeof(reply), "OK\na time:%s\n\n", rows[i][0]);
		snprintf(expected, sizeof(expected), "{\"status\":\"OK\",\"a_time\":%s}",
			rows[i][1]);
		assert_json("STATS", reply, expected);
	}
}

static void connections_are_values_and_sessions(void **state)
{
	(void)state;
	assert_json("CONNECTIONS",
		"OK\ncurrent connections:1\nid:7 user:123 client:[::1]:5 state:RELAY age:12 "
		"sent:18 sent_rate:- received_rate:1024 address:- new:5\n\n",
		"{\"status\":\"OK\",\"current_connections\":1,\"sessions\":[{\"id\":7,"
		"\"user\":\"123\",\"client\":\"[::1]:5\",\"state\":\"RELAY\",\"age\":12,"
		"\"sent\":18,\"sent_rate\":null,\"received_rate\":1024,\"address\":null,"
		"\"new\":5}]}");
	assert_json("CONNECTIONS", "OK\n\n", "{\"status\":\"OK\",\"sessions\":[]}");
}

static void traffic_is_steps(void **state)
{
	(void)state;
	assert_json("TRAFFIC 2",
		"OK\nago:0 sent:1 received:2 sessions:3\nago:1 sent:0 received:0 sessions:0\n\n",
		"{\"status\":\"OK\",\"traffic\":[{\"ago\":0,\"sent\":1,\"received\":2,"
		"\"sessions\":3},{\"ago\":1,\"sent\":0,\"received\":0,\"sessions\":0}]}");
}

/* A name is text, even one that looks like a number or a time. */
static void accounts_are_records(void **state)
{
	(void)state;
	assert_json("ACCOUNTS",
		"OK\nname:1 role:admin sessions:1 total:17 last_seen:never limits:none\nname:5m\n\n",
		"{\"status\":\"OK\",\"accounts\":[{\"name\":\"1\",\"role\":\"admin\","
		"\"sessions\":1,\"total\":17,\"last_seen\":\"never\",\"limits\":\"none\"},"
		"{\"name\":\"5m\"}]}");
}

static void clients_are_records(void **state)
{
	(void)state;
	assert_json("CLIENTS",
		"OK\nclient:192.0.2.7 sessions:2 sent:1830 received:90211 refused:0 last:12\n\n",
		"{\"status\":\"OK\",\"clients\":[{\"client\":\"192.0.2.7\",\"sessions\":2,"
		"\"sent\":1830,\"received\":90211,\"refused\":0,\"last\":12}]}");
	assert_json("CLIENTS", "OK\n\n", "{\"status\":\"OK\",\"clients\":[]}");
}

static void usage_says_of_which_days(void **state)
{
	(void)state;
	assert_json("USAGE",
		"OK 2026-11-01 to 2026-11-26\nuser:123 sessions:2 refused:0 sent:5 received:6 "
		"seconds:7 deleted:2026-11-20\n\n",
		"{\"status\":\"OK\",\"message\":\"2026-11-01 to 2026-11-26\",\"usage\":[{"
		"\"user\":\"123\",\"sessions\":2,\"refused\":0,\"sent\":5,\"received\":6,"
		"\"seconds\":7,\"deleted\":\"2026-11-20\"}]}");
	assert_json("DAYS", "OK 2026-11-01 to 2026-11-26\nday:2026-11-02 sessions:1\n\n",
		"{\"status\":\"OK\",\"message\":\"2026-11-01 to 2026-11-26\",\"days\":[{"
		"\"day\":\"2026-11-02\",\"sessions\":1}]}");
	assert_json("SITES", "OK 2026-11-01 to 2026-11-26\nsite:5m sessions:1\n\n",
		"{\"status\":\"OK\",\"message\":\"2026-11-01 to 2026-11-26\",\"sites\":[{"
		"\"site\":\"5m\",\"sessions\":1}]}");
}

static void alarms_are_told_in_sentences(void **state)
{
	(void)state;
	assert_json("ALARMS", "OK\nalarm:bans level:warning text:3 clients: all day\n\n",
		"{\"status\":\"OK\",\"alarms\":[{\"alarm\":\"bans\",\"level\":\"warning\","
		"\"text\":\"3 clients: all day\"}]}");
	assert_json("ALARMS", "OK\n\n", "{\"status\":\"OK\",\"alarms\":[]}");
}

/* The last of a failure's runs to the end of the line, whatever stands in it. */
static void failures_have_their_advice_whole(void **state)
{
	(void)state;
	assert_json("WHY * 5",
		"OK The newest failures:\ntime:2025-07-15T12:42:10 user:- client:192.0.2.7 "
		"reason:target_denied rule:3 error:- name:tv advice:set a:b, then c:d\n\n",
		"{\"status\":\"OK\",\"failures\":[{\"time\":\"2025-07-15T12:42:10\",\"user\":"
		"null,\"client\":\"192.0.2.7\",\"reason\":\"target_denied\",\"rule\":\"3\","
		"\"error\":null,\"name\":\"tv\",\"advice\":\"set a:b, then c:d\"}]}");
}

static void bans_are_records(void **state)
{
	(void)state;
	assert_json("BANS",
		"OK\nclient:192.0.2.7 by:failures failures:10 refused:17 begun:2025-07-15T12:40:39 "
		"until:2025-07-15T12:41:39 left:59\nclient:10.0.0.0/8 by:command failures:0 "
		"refused:0 begun:2025-07-15T12:40:39 until:- left:-\n\n",
		"{\"status\":\"OK\",\"bans\":[{\"client\":\"192.0.2.7\",\"by\":\"failures\","
		"\"failures\":10,\"refused\":17,\"begun\":\"2025-07-15T12:40:39\","
		"\"until\":\"2025-07-15T12:41:39\",\"left\":59},{\"client\":\"10.0.0.0/8\","
		"\"by\":\"command\",\"failures\":0,\"refused\":0,"
		"\"begun\":\"2025-07-15T12:40:39\",\"until\":null,\"left\":null}]}");
	assert_json("BANS", "OK\n\n", "{\"status\":\"OK\",\"bans\":[]}");
}

static void upstreams_are_records(void **state)
{
	(void)state;
	assert_json("UPSTREAMS",
		"OK\nupstream:1 url:socks5://[::1]:1080 state:resting rest:21 sessions:0 total:17 "
		"failures:2 fault:silent\n\n",
		"{\"status\":\"OK\",\"upstreams\":[{\"upstream\":\"1\","
		"\"url\":\"socks5://[::1]:1080\",\"state\":\"resting\",\"rest\":21,\"sessions\":0,"
		"\"total\":17,\"failures\":2,\"fault\":\"silent\"}]}");
	assert_json("UPSTREAMS", "OK\n\n", "{\"status\":\"OK\",\"upstreams\":[]}");
}

/* A rule's word is text, also where it is a number; so is what it says. */
static void rules_and_explanations_are_lists(void **state)
{
	(void)state;
	assert_json("RULES",
		"OK\n"
		"rule:t1 hits:4 left:3412 from:temporary text:deny user alice to .example.org\n"
		"rule:1 hits:12 left:- from:/etc/s.conf:14 text:allow\n\n",
		"{\"status\":\"OK\",\"rules\":[{\"rule\":\"t1\",\"hits\":4,\"left\":3412,"
		"\"from\":\"temporary\",\"text\":\"deny user alice to .example.org\"},"
		"{\"rule\":\"1\",\"hits\":12,\"left\":null,\"from\":\"/etc/s.conf:14\","
		"\"text\":\"allow\"}]}");
	assert_json("EXPLAIN from=192.0.2.7 to=192.0.2.9:80",
		"OK\n"
		"gate:ban result:pass\n"
		"gate:rules about:192.0.2.9:80 rule:1 result:decides by:- text:deny port 80\n"
		"verdict:deny rule:1 reason:target_denied changes:2025-07-15T13:00:00\n\n",
		"{\"status\":\"OK\",\"explanation\":[{\"gate\":\"ban\",\"result\":\"pass\"},"
		"{\"gate\":\"rules\",\"about\":\"192.0.2.9:80\",\"rule\":\"1\","
		"\"result\":\"decides\",\"by\":null,\"text\":\"deny port 80\"},"
		"{\"verdict\":\"deny\",\"rule\":\"1\",\"reason\":\"target_denied\","
		"\"changes\":\"2025-07-15T13:00:00\"}]}");
}

static void settings_are_records(void **state)
{
	(void)state;
	assert_json("SETTINGS timeout",
		"OK\nname:timeout value:2s from:command file:30m default:10m takes_effect:at_once\n"
		"name:log_file value:/var/log/my\\x20proxy from:/etc/conf:7 file:- default: "
		"takes_effect:at_reload\n\n",
		"{\"status\":\"OK\",\"settings\":[{\"name\":\"timeout\",\"value\":2,"
		"\"from\":\"command\",\"file\":1800,\"default\":600,"
		"\"takes_effect\":\"at_once\"},{\"name\":\"log_file\","
		"\"value\":\"/var/log/my proxy\",\"from\":\"/etc/conf:7\",\"file\":null,"
		"\"default\":\"\",\"takes_effect\":\"at_reload\"}]}");
}

static void users_are_names(void **state)
{
	(void)state;
	assert_json(
		"USERS", "OK alice 123\n\n", "{\"status\":\"OK\",\"users\":[\"alice\",\"123\"]}");
	assert_json("USERS", "OK No active users\n\n", "{\"status\":\"OK\",\"users\":[]}");
}

static void the_access_log_is_entries(void **state)
{
	(void)state;
	assert_json("ACCESS_LOG",
		"OK Access log for all users:\nalice: www.example.org:443 [2025-07-15 12:40:39] "
		"SUCCESS\nstrange\n\n",
		"{\"status\":\"OK\",\"entries\":[{\"user\":\"alice\",\"target\":"
		"\"www.example.org:443\",\"time\":\"2025-07-15 12:40:39\",\"outcome\":\"SUCCESS\"},"
		"{\"line\":\"strange\"}]}");
	assert_json("ACCESS_LOG * 5",
		"OK Access log for all users:\nalice: a:1 [2025-07-15 12:40:39] FAIL "
		"connect_refused 192.0.2.7\nbob: - [2025-07-15 12:40:39] FAIL - ::1\n\n",
		"{\"status\":\"OK\",\"entries\":[{\"user\":\"alice\",\"target\":\"a:1\","
		"\"time\":\"2025-07-15 12:40:39\",\"outcome\":\"FAIL\",\"reason\":\"connect_refused\","
		"\"client\":\"192.0.2.7\"},{\"user\":\"bob\",\"target\":null,"
		"\"time\":\"2025-07-15 12:40:39\",\"outcome\":\"FAIL\",\"reason\":null,"
		"\"client\":\"::1\"}]}");
	assert_json("access_log alice",
		"OK Access log for user alice:\n[::1]:443 [2025-07-15 12:40:39] SUCCESS\n\n",
		"{\"status\":\"OK\",\"entries\":[{\"user\":\"alice\",\"target\":\"[::1]:443\","
		"\"time\":\"2025-07-15 12:40:39\",\"outcome\":\"SUCCESS\"}]}");
	assert_json("ACCESS_LOG [2001:db8::]/64 5",
		"OK Access log for client [2001:db8::]/64:\nalice: a:1 [2025-07-15 12:40:39] FAIL\n\n",
		"{\"status\":\"OK\",\"entries\":[{\"user\":\"alice\",\"target\":\"a:1\","
		"\"time\":\"2025-07-15 12:40:39\",\"outcome\":\"FAIL\"}]}");
	assert_json(
		"ACCESS_LOG", "OK No access log entries\n\n", "{\"status\":\"OK\",\"entries\":[]}");
}

static void all_others_are_a_message_and_lines(void **state)
{
	(void)state;
	assert_json("KILL 7", "OK session 7 ended\n\n",
		"{\"status\":\"OK\",\"message\":\"session 7 ended\",\"lines\":[]}");
	assert_json("HELP", "OK\nSTATS - x\nUSERS - y\n\n",
		"{\"status\":\"OK\",\"message\":\"\",\"lines\":[\"STATS - x\",\"USERS - y\"]}");
	assert_json("", "OK Welcome\n", "{\"status\":\"OK\",\"message\":\"Welcome\",\"lines\":[]}");
}

static void refusals_are_a_message(void **state)
{
	(void)state;
	assert_json("STATS", "ERR \"no\"\n\n", "{\"status\":\"ERR\",\"message\":\"\\\"no\\\"\"}");
}

/* ---- bytes ---- */

static void strings_hold_any_byte(void **state)
{
	static const struct {
		const char *bytes, *json;
	} rows[] = {
		{"a\\x20b", "a b"},
		{"a\\x5cb", "a\\\\b"},
		{"\\x22\\x0a\\x00\\x7f", "\\\"\\u000a\\u0000\\u007f"},
		{"\x01\x1f", "\\u0001\\u001f"},
		{"ä€😀", "ä€😀"},
		{"\xc2\x9b\xc2\xa0", "\\u009b\xc2\xa0"}, /* a C1 control, and what is none */
		{"\xff\x80", "\\u00ff\\u0080"},
		{"\xc3", "\\u00c3"}, /* cut off */
		{"\xc0\xaf", "\\u00c0\\u00af"}, /* overlong */
		{"\xe0\x80\xaf", "\\u00e0\\u0080\\u00af"},
		{"\xed\xa0\x80", "\\u00ed\\u00a0\\u0080"}, /* a surrogate */
		{"\xf4\x90\x80\x80", "\\u00f4\\u0090\\u0080\\u0080"}, /* beyond U+10FFFF */
		{"\xe2\x82x", "\\u00e2\\u0082x"},
		{"\\xe2\\x82\\xac", "€"},
	};
	char reply[64], expected[128];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(reply, sizeof(reply), "OK\n%s\n\n", rows[i].bytes);
		snprintf(expected, sizeof(expected),
			"{\"status\":\"OK\",\"message\":\"\",\"lines\":[\"%s\"]}", rows[i].json);
		assert_json("HELP", reply, expected);
	}
}

/* No byte below 0x20 gets out, quotes pair up, and so do brackets: for every command. */
static void assert_balanced(const char *text)
{
	int depth = 0;
	bool quoted = false;

	for (const char *p = text; p[1] != '\0'; p++) {
		assert_true((unsigned char)*p >= ' ');
		if (quoted && *p == '\\')
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (!quoted)
			depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
	}
	assert_int_equal(depth, 0);
	assert_false(quoted);
}

static void random_replies_are_balanced(void **state)
{
	static const char *const requests[] = {"STATS", "CONNECTIONS", "ACCOUNTS", "SETTINGS",
		"ACCESS_LOG", "ACCESS_LOG x", "USERS", "HELP"};
	static const char alphabet[] = "ab:: []{}\"\\x2\n\r\t\x01\xc3\xa4\xff"
				       "id:1";
	char reply[200];
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t len = 4 + check_random(&seed, 190);
		char *text;

		memcpy(reply, "OK \n", 4);
		for (size_t i = 4; i < len; i++)
			reply[i] = alphabet[check_random(&seed, sizeof(alphabet))];
		text = json_of(requests[check_random(&seed, COUNT(requests))], reply, len);
		assert_balanced(text);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stats_and_config_are_members),
		cmocka_unit_test(times_are_numbers_of_seconds),
		cmocka_unit_test(connections_are_values_and_sessions),
		cmocka_unit_test(traffic_is_steps),
		cmocka_unit_test(accounts_are_records),
		cmocka_unit_test(clients_are_records),
		cmocka_unit_test(usage_says_of_which_days),
		cmocka_unit_test(alarms_are_told_in_sentences),
		cmocka_unit_test(failures_have_their_advice_whole),
		cmocka_unit_test(bans_are_records),
		cmocka_unit_test(upstreams_are_records),
		cmocka_unit_test(rules_and_explanations_are_lists),
		cmocka_unit_test(settings_are_records),
		cmocka_unit_test(users_are_names),
		cmocka_unit_test(the_access_log_is_entries),
		cmocka_unit_test(all_others_are_a_message_and_lines),
		cmocka_unit_test(refusals_are_a_message),
		cmocka_unit_test(strings_hold_any_byte),
		cmocka_unit_test(random_replies_are_balanced),
	};

	return cmocka_run_group_tests_name("wire/json", tests, NULL, NULL);
}
