/* node_list: which nodes NODES lists, and which of them are not asked. */
#include "client/node_list.h"

#include "../wire/answers.h"

static struct answer reply;
static struct node_list list;
static const char *problem;
static struct addr reached_at; /* the server that answers; AF_UNSPEC: its unix socket */

static int drop_list(void **state)
{
	(void)state;
	node_list_free(&list);
	answer_free(&reply);
	return 0;
}

static int parse(const char *text)
{
	drop_list(NULL);
	reply = answer_of(text);
	return node_list_parse(&reply, &reached_at, &list, &problem);
}

#define OWN "OK\nnode:a state:here version:1 lag:0 monitor:127.0.0.1:8080\n"
#define APART "OK\nnode:a state:apart version:1 lag:70 monitor:127.0.0.1:8080\n"

/* Fails unless the second node has a problem with these words; NULL: it is to have none. */
static void check_second(const char *text, const char *words)
{
	assert_int_equal(parse(text), 0);
	assert_int_equal(list.count, 2);
	assert_line(list.nodes[1].name, "b");
	if (words == NULL) {
		assert_null(list.nodes[1].problem);
		return;
	}
	assert_non_null(list.nodes[1].problem);
	assert_contains(list.nodes[1].problem, words);
}

static void lists_nodes_in_their_order(void **state)
{
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_int_equal(parse(OWN "node:c state:online lag:3 monitor:10.0.0.3:81\n"
				   "node:b state:online lag:1 monitor:[2001:db8::2]:8080\n"),
		0);
	assert_int_equal(list.count, 3);
	assert_line(list.nodes[0].name, "a");
	assert_line(list.nodes[1].name, "c");
	assert_line(list.nodes[2].name, "b");
	assert_null(list.nodes[0].problem);
	assert_null(list.nodes[1].problem);
	assert_string_equal(addr_format(&list.nodes[1].address, text), "10.0.0.3:81");
	assert_null(list.nodes[2].problem);
	assert_string_equal(addr_format(&list.nodes[2].address, text), "[2001:db8::2]:8080");
}

static void words_of_later_versions_are_passed_over(void **state)
{
	(void)state;
	check_second(OWN "node:b state:online lag:1 monitor:10.0.0.2:81 load:7\n", NULL);
	assert_int_equal(parse(OWN "engine:redis up:yes\nin words\n"), 0);
	assert_int_equal(list.count, 1);
}

static void one_that_is_offline_is_not_asked(void **state)
{
	(void)state;
	check_second(OWN "node:b state:offline lag:70 monitor:10.0.0.2:81\n", "offline");
	check_second(OWN "node:b state:leaving lag:70 monitor:10.0.0.2:81\n", "offline");
}

static void all_are_asked_where_the_first_knows_of_none(void **state)
{
	(void)state;
	check_second(APART "node:b state:offline lag:70 monitor:10.0.0.2:81\n", NULL);
	check_second(APART "node:b state:offline lag:70 monitor:-\n", "no address");
}

static void an_address_is_one_or_is_not_used(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{OWN "node:b state:online lag:1\n", "monitor_listen"},
		{OWN "node:b state:online lag:1 monitor:-\n", "monitor_listen"},
		{OWN "node:b state:online lag:1 monitor:\n", "none"},
		{OWN "node:b state:online lag:1 monitor:10.0.0.2\n", "none"},
		{OWN "node:b state:online lag:1 monitor:10.0.0.2:0\n", "none"},
		{OWN "node:b state:online lag:1 monitor:10.0.0.2:65616\n", "none"},
		{OWN "node:b state:online lag:1 monitor:10.0.0.2:81x\n", "none"},
		{OWN "node:b state:online lag:1 monitor:0.0.0.0:81\n", "none"},
		{OWN "node:b state:online lag:1 monitor:[::]:81\n", "none"},
		{OWN "node:b state:online lag:1 monitor:proxy.example.org:81\n", "none"},
		{OWN "node:b state:online lag:1 monitor:/run/monitor.sock\n", "none"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_second(rows[i].text, rows[i].words);
}

/* Where it is not this host's, anybody may listen there, and would be sent the login. */
static void loopback_is_asked_only_where_the_first_server_is_there_itself(void **state)
{
#define FIRST(monitor) "OK\nnode:a state:here version:1 lag:0 monitor:" monitor "\n"
	static const struct {
		const char *reached_at, *first, *second, *words;
	} rows[] = {
		{"127.0.0.1:8080", FIRST("127.0.0.1:8080"), "127.0.0.2:81", NULL},
		{"127.0.0.3:8080", FIRST("127.0.0.1:8080"), "[::1]:81", NULL},
		{"[::1]:8080", FIRST("127.0.0.1:8080"), "127.0.0.1:81", NULL},
		{"0.0.0.0:8080", FIRST("127.0.0.1:8080"), "127.0.0.1:81", NULL},
		{"", FIRST("127.0.0.1:8080"), "127.0.0.1:81", NULL},
		{"", FIRST("-"), "127.0.0.1:81", NULL},
		{"", FIRST("10.0.0.1:8080"), "127.0.0.1:81", "own host"},
		{"10.0.0.1:8080", FIRST("10.0.0.1:8080"), "127.0.0.1:81", "own host"},
		{"10.0.0.1:8080", FIRST("127.0.0.1:8080"), "127.0.0.1:81", "own host"},
		{"10.0.0.1:8080", FIRST("10.0.0.1:8080"), "127.9.9.9:81", "own host"},
		{"10.0.0.1:8080", FIRST("10.0.0.1:8080"), "[::1]:81", "own host"},
		{"10.0.0.1:8080", FIRST("10.0.0.1:8080"), "[::ffff:127.0.0.1]:81", "own host"},
		{"10.0.0.1:8080", FIRST("10.0.0.1:8080"), "10.0.0.2:81", NULL},
		{"127.0.0.1:8080", FIRST("10.0.0.1:8080"), "127.0.0.1:81", "own host"},
		{"127.0.0.1:8080", FIRST("10.0.0.1:8080"), "10.0.0.2:81", NULL},
		{"127.0.0.1:8080", FIRST("-"), "127.0.0.1:81", "own host"},
		{"127.0.0.1:9000", FIRST("127.0.0.1:8080"), "127.0.0.1:81", "own host"},
	};
#undef FIRST
	char text[300];
	bool has_port;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		reached_at = (struct addr){.sa.sa_family = AF_UNSPEC};
		assert_true(rows[i].reached_at[0] == '\0' ||
			addr_parse_port(rows[i].reached_at, strlen(rows[i].reached_at), &reached_at,
				&has_port));
		snprintf(text, sizeof(text), "%snode:b state:online lag:1 monitor:%s\n",
			rows[i].first, rows[i].second);
		check_second(text, rows[i].words);
	}
	reached_at = (struct addr){.sa.sa_family = AF_UNSPEC};
}

static void a_name_that_stands_there_twice_is_asked_once(void **state)
{
	(void)state;
	assert_int_equal(parse(OWN "node:b state:online lag:1 monitor:10.0.0.2:81\n"
				   "node:a state:online lag:1 monitor:10.0.0.3:81\n"
				   "node:b state:online lag:1 monitor:10.0.0.4:81\n"),
		0);
	assert_int_equal(list.count, 4);
	assert_null(list.nodes[1].problem);
	assert_contains(list.nodes[2].problem, "node_name");
	assert_contains(list.nodes[3].problem, "node_name");
}

static void refuses_what_does_not_begin_with_the_node_itself(void **state)
{
	static const char *const rows[] = {
		"OK\n",
		"OK welcome\nhello\n",
		"OK\nnode:a state:online lag:0 monitor:127.0.0.1:8080\n",
		"OK\nnode: state:here lag:0\n",
		"OK\nstate:here lag:0\n",
		"OK\nnode:a lag:0\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(parse(rows[i]), -1);
		assert_contains(problem, "which node it is");
		assert_null(list.nodes);
	}
}

static void has_a_bound(void **state)
{
	static char text[64 * (NODE_LIST_MAX + 2)];
	char *end = stpcpy(text, OWN);

	(void)state;
	for (int i = 1; i < NODE_LIST_MAX; i++)
		end += sprintf(end, "node:n%d state:online monitor:10.0.0.2:81\n", i);
	assert_int_equal(parse(text), 0);
	assert_int_equal(list.count, NODE_LIST_MAX);
	sprintf(end, "node:last state:online monitor:10.0.0.2:81\n");
	assert_int_equal(parse(text), -1);
	assert_contains(problem, "1000");
}

static void the_node_that_answers_has_a_name(void **state)
{
	struct monitor_line name;

	(void)state;
	assert_int_equal(parse(APART), 0);
	assert_true(node_list_own_name(&reply, &name));
	assert_line(name, "a");
	answer_free(&reply);
	reply = answer_of("ERR This server shares nothing with others\n");
	assert_false(node_list_own_name(&reply, &name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_nodes_in_their_order),
		cmocka_unit_test(words_of_later_versions_are_passed_over),
		cmocka_unit_test(one_that_is_offline_is_not_asked),
		cmocka_unit_test(all_are_asked_where_the_first_knows_of_none),
		cmocka_unit_test(an_address_is_one_or_is_not_used),
		cmocka_unit_test(loopback_is_asked_only_where_the_first_server_is_there_itself),
		cmocka_unit_test(a_name_that_stands_there_twice_is_asked_once),
		cmocka_unit_test(refuses_what_does_not_begin_with_the_node_itself),
		cmocka_unit_test(has_a_bound),
		cmocka_unit_test(the_node_that_answers_has_a_name),
	};

	return cmocka_run_group_tests_name("client/node_list", tests, NULL, drop_list);
}
