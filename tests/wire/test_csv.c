/* csv: the fields of each reply, and that a spreadsheet takes none of them for a formula. */
#include "wire/csv.h"

#include "answers.h"

static void assert_csv(const char *request, const char *reply, const char *expected)
{
	struct answer r = answer_of(reply);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	csv_print(out, request, &r);
	fclose(out);
	answer_free(&r);
	assert_string_equal(text, expected);
	free(text);
}

static void records_are_lines_beneath_their_names(void **state)
{
	(void)state;
	assert_csv("CLIENTS",
		"OK\nclient:192.0.2.7 sent:1234567 last:-\nclient:192.0.2.8 sent:0 name:tv\n\n",
		"client,sent,last,name\r\n192.0.2.7,1234567,,\r\n192.0.2.8,0,,tv\r\n");
	assert_csv("CONNECTIONS", "OK\ncurrent connections:1\nid:7 user:alice\n\n",
		"id,user\r\n7,alice\r\n");
}

static void entries_are_lines_too(void **state)
{
	(void)state;
	assert_csv("ACCESS_LOG alice",
		"OK x\na.example:80 [2025-07-15 12:40:39] FAIL connect_refused 192.0.2.7\n\n",
		"time,user,target,outcome,reason,client\r\n"
		"2025-07-15 12:40:39,alice,a.example:80,FAIL,connect_refused,192.0.2.7\r\n");
}

static void values_are_lines_where_there_is_nothing_else(void **state)
{
	(void)state;
	assert_csv("STATS", "OK\nall time connections:2\nserver uptime:276s\n\n",
		"name,value\r\nall time connections,2\r\nserver uptime,276s\r\n");
	assert_csv("CLIENTS", "OK\n\n", "name,value\r\n");
}

static void what_divides_fields_is_quoted(void **state)
{
	(void)state;
	assert_csv("X", "OK\nid:1 user:a,b\nid:2 user:a\"b\nid:3 user:a\\x20b;c\n\n",
		"id,user\r\n1,\"a,b\"\r\n2,\"a\"\"b\"\r\n3,a b;c\r\n");
}

/* A user could be called so to have a spreadsheet of the administrator's do things. */
static void no_field_is_taken_for_a_formula(void **state)
{
	(void)state;
	assert_csv("X", "OK\nid:1 user:=1+1\nid:2 user:+1\nid:3 user:-1\nid:4 user:@SUM(A1)\n\n",
		"id,user\r\n1,'=1+1\r\n2,'+1\r\n3,'-1\r\n4,'@SUM(A1)\r\n");
	assert_csv("X", "OK\nid:1 user:=a,\"b\nid:2 user:\\x3d1\n\n",
		"id,user\r\n1,\"'=a,\"\"b\"\r\n2,'=1\r\n");
	assert_csv("X", "OK\nid:1 =user:x\n\n", "name,value\r\nid,1 =user:x\r\n");
}

static void control_bytes_stay_as_they_were_written(void **state)
{
	(void)state;
	assert_csv("X",
		"OK\nid:1 user:\\x09=1\nid:2 user:\\x0d\\x0a=1\nid:3 user:\\x00\\xff\xc3\xa9\n\n",
		"id,user\r\n1,\\x09=1\r\n2,\\x0d\\x0a=1\r\n3,\\x00\\xff\xc3\xa9\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_lines_beneath_their_names),
		cmocka_unit_test(entries_are_lines_too),
		cmocka_unit_test(values_are_lines_where_there_is_nothing_else),
		cmocka_unit_test(what_divides_fields_is_quoted),
		cmocka_unit_test(no_field_is_taken_for_a_formula),
		cmocka_unit_test(control_bytes_stay_as_they_were_written),
	};

	return cmocka_run_group_tests_name("wire/csv", tests, NULL, NULL);
}
