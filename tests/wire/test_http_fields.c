/* http_fields: lists, fields of one hop, and heads that are written. */
#include "wire/http_fields.h"

#include "http_text.h"
#include "net.h"
#include "wire/http_write.h"

static void steps_through_lists(void **state)
{
	struct http_slice list = slice_of(" a,, b ; q=1 ,\tc,"), member;

	(void)state;
	assert_true(http_next_member(&list, &member));
	assert_slice(member, "a");
	assert_true(http_next_member(&list, &member));
	assert_slice(member, "b ; q=1");
	assert_true(http_next_member(&list, &member));
	assert_slice(member, "c");
	assert_false(http_next_member(&list, &member));
}

/* Pitfall 39: what Connection names is for the next hop only, in whichever of its fields. */
static void knows_what_is_for_one_hop(void **state)
{
	struct http_slice lists[] = {slice_of("close, X-One"), slice_of("x-two ,,Cookie")};
	struct http_connection connection = {0};
	static const char *const hop[] = {"Connection", "keep-alive", "Proxy-Connection", "TE",
		"Transfer-Encoding", "upgrade", "Proxy-Authorization", "Proxy-Authenticate",
		"X-One", "x-one", "X-Two", "cookie"};
	static const char *const others[] = {"A", "X", "X-On", "X-One-", "Set-Cookie", "Trailer",
		"Via", "Authorization", "Accept-Encoding"};

	(void)state;
	assert_true(http_connection_add(&connection, &lists[0]));
	assert_true(http_connection_add(&connection, &lists[1]));
	for (size_t i = 0; i < COUNT(hop); i++) {
		struct http_slice name = slice_of(hop[i]);

		assert_true(http_is_hop_by_hop(&connection, &name));
	}
	for (size_t i = 0; i < COUNT(others); i++) {
		struct http_slice name = slice_of(others[i]);

		assert_false(http_is_hop_by_hop(&connection, &name));
	}
}

/* Each field of a head is looked for among them. */
static void connection_names_few(void **state)
{
	struct http_connection connection = {0};
	struct http_slice one = slice_of("a"), many;
	char text[2 * HTTP_CONNECTION_MEMBERS + 1] = "";

	(void)state;
	for (int i = 0; i < HTTP_CONNECTION_FIELDS; i++)
		assert_true(http_connection_add(&connection, &one));
	assert_false(http_connection_add(&connection, &one));
	for (int i = 0; i < HTTP_CONNECTION_MEMBERS; i++)
		strcat(text, "a,");
	many = slice_of(text);
	connection = (struct http_connection){0};
	assert_true(http_connection_add(&connection, &many));
	assert_false(http_connection_add(&connection, &one));
}

static void finds_fields_by_name(void **state)
{
	struct http_slice fields = slice_of("A: 1\r\nbb:  two words \r\nBB: 3\r\n\r\n"), value;

	(void)state;
	assert_true(http_find_field(&fields, "BB", &value));
	assert_slice(value, "two words");
	assert_false(http_find_field(&fields, "B", &value));
}

/* Pitfall 39 likewise: what stays does so to the byte. */
static void puts_fields_as_they_came(void **state)
{
	struct http_slice fields = slice_of("A:1\r\nB : \t2 \r\nC: 3\r\n\t4\n\r\n");
	char out[128];
	struct http_writer w = {out, out + sizeof(out), false};
	struct http_field field;
	static const char wanted[] = "A:1\r\nB: \t2 \r\nC: 3  \t4\r\n";

	(void)state;
	while (http_next_field(&fields, &field))
		http_put_field(&w, &field);
	assert_int_equal(w.at - out, sizeof(wanted) - 1);
	assert_memory_equal(out, wanted, sizeof(wanted) - 1);
}

static void says_when_it_is_full(void **state)
{
	char out[4];
	struct http_writer w = {out, out + sizeof(out), false};

	(void)state;
	http_put_text(&w, "abc");
	assert_false(w.is_full);
	http_put_text(&w, "de");
	assert_true(w.is_full);
	assert_int_equal(w.at - out, 3);
}

static void puts_pages(void **state)
{
	char out[512] = "";

	(void)state;
	for (int is_head = 0; is_head <= 1; is_head++) {
		struct http_writer w = {out, out + sizeof(out) - 1, false};

		http_put_page(&w, 407, "X: y\r\n", "text\n", is_head);
		*w.at = '\0';
		assert_begins(out,
			"HTTP/1.1 407 Proxy Authentication Required\r\nConnection: close\r\nX: "
			"y\r\n");
		assert_contains(out, "Content-Length: 5\r\n");
		assert_string_equal(strstr(out, "\r\n\r\n") + 4, is_head ? "" : "text\n");
	}
}

static void each_fault_has_words_and_a_status(void **state)
{
	(void)state;
	for (int fault = HTTP_BAD_LINE; fault >= HTTP_TOO_LARGE; fault--) {
		assert_non_null(http_fault_text(fault));
		assert_true(*http_reason_phrase(http_fault_status(fault)) != '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_through_lists),
		cmocka_unit_test(knows_what_is_for_one_hop),
		cmocka_unit_test(connection_names_few),
		cmocka_unit_test(finds_fields_by_name),
		cmocka_unit_test(puts_fields_as_they_came),
		cmocka_unit_test(says_when_it_is_full),
		cmocka_unit_test(puts_pages),
		cmocka_unit_test(each_fault_has_words_and_a_status),
	};

	return cmocka_run_group_tests_name("wire/http_fields", tests, NULL, NULL);
}
