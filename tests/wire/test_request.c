/* request: destinations of each kind, what is made of names, and the texts for the logs. */
#include "wire/request.h"

#include <stdio.h>

#include "../base/check.h"
#include "net.h"

#define TEXT_SIZE 262 /* a name of 255 bytes, ":65535" and NUL */

static struct destination destination_of(const char *name)
{
	return destination_of_name(name, strlen(name), 80);
}

static void literals_are_addresses(void **state)
{
	static const struct {
		const char *name, *addr;
	} rows[] = {{"10.0.0.1", "10.0.0.1:80"}, {"::1", "[::1]:80"}, {"[::1]", "[::1]:80"},
		{"0.0.0.0", "0.0.0.0:80"}, {"::ffff:10.0.0.1", "10.0.0.1:80"}};
	char text[TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct destination d = destination_of(rows[i].name);

		assert_int_equal(d.kind, DESTINATION_ADDR);
		assert_int_equal(d.port, 80);
		assert_int_equal(addr_port(&d.addr), 80);
		assert_string_equal(destination_format(&d, text, sizeof(text)), rows[i].addr);
	}
}

static void all_else_are_names(void **state)
{
	static const char *const names[] = {
		"example.org", "localhost", "10.0.0", "10.0.0.1:80", "[10.0.0.1]", " ::1", ""};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct destination d = destination_of(names[i]);

		assert_int_equal(d.kind, DESTINATION_NAME);
		assert_int_equal(d.port, 80);
		assert_int_equal(d.name_len, strlen(names[i]));
		assert_ptr_equal(d.name, names[i]);
		assert_int_equal(d.addr.sa.sa_family, AF_UNSPEC);
	}
}

static void equal_are_those_to_one_place(void **state)
{
	struct addr a = net_addr("192.0.2.1", 80), b = net_addr("192.0.2.1", 81),
		    c = net_addr("192.0.2.2", 80);
	struct destination all[] = {{.kind = DESTINATION_NONE}, destination_of_addr(&a),
		destination_of_addr(&b), destination_of_addr(&c), destination_of("a"),
		destination_of("b"), destination_of("ab"), destination_of_name("a", 1, 81)};
	char name[] = "a";
	struct destination again = destination_of(name);

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		for (size_t j = 0; j < COUNT(all); j++)
			assert_int_equal(destination_equal(&all[i], &all[j]), i == j);
	}
	assert_true(destination_equal(&all[4], &again));
}

static void sane_names_have_no_blanks_and_control_bytes(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		bool sane;
	} rows[] = {{"", 0, false}, {"a", 1, true}, {"example.org.", 12, true},
		{"_sip.example.org", 16, true}, {"b\xc3\xbc\x63her", 7, true}, {"\xff", 1, true},
		{"!~", 2, true}, {" a", 2, false}, {"a ", 2, false}, {"a b", 3, false},
		{"a\tb", 3, false}, {"exam\\ple", 8, false}, {"a\n", 2, false}, {"\r\na", 3, false},
		{"a\0", 2, false}, {"a\0b", 3, false}, {"\x01", 1, false}, {"a\x1f", 2, false},
		{"a\x7f", 2, false}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct destination d = destination_of_name(rows[i].name, rows[i].len, 80);

		if (destination_is_sane(&d) != rows[i].sane)
			fail_msg("\"%s\" is judged wrongly", rows[i].name);
	}
}

/* Resolvers read them as addresses, each in a way of its own: 0177.0.0.1 is 127.0.0.1 to one and
 * 177.0.0.1 to another. */
static void what_ends_in_a_number_and_is_no_address_is_no_name(void **state)
{
	static const struct {
		const char *name;
		bool sane;
	} rows[] = {{"0177.0.0.1", false}, {"127.1", false}, {"2130706433", false},
		{"0x7f.1", false}, {"0x7F000001", false}, {"127.0.0.0x1", false}, {"0x", false},
		{"1.2.3.4.", false}, {"1.2.3.4.5", false}, {"256.1.1.1", false}, {"7.", false},
		{"example.org.7", false}, {"127.0.0.1", true}, {"7.example.org", true},
		{"1.2.3.4x", true}, {"0x7g", true}, {"x7", true}, {"0xample", true}, {"7-7", true},
		{"4.3.2.1.in-addr.arpa", true}, {"abc", true}, {"de.ad", true}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct destination d = destination_of_name(rows[i].name, strlen(rows[i].name), 80);

		if (destination_is_sane(&d) != rows[i].sane)
			fail_msg("\"%s\" is judged wrongly", rows[i].name);
	}
}

static void looks_at_all_of_a_long_name(void **state)
{
	char name[DESTINATION_NAME_MAX];
	struct destination d;

	(void)state;
	memset(name, 'a', sizeof(name));
	d = destination_of_name(name, sizeof(name), 80);
	assert_true(destination_is_sane(&d));
	name[sizeof(name) - 1] = ' ';
	assert_false(destination_is_sane(&d));
}

static void addresses_are_sane_and_nothing_is_not(void **state)
{
	struct destination literal = destination_of("0.0.0.0"), none = {.kind = DESTINATION_NONE};

	(void)state;
	assert_true(destination_is_sane(&literal));
	assert_false(destination_is_sane(&none));
}

static void texts_are_one_word(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		const char *text;
	} rows[] = {{"example.org", 11, "example.org:80"}, {"", 0, ":80"}, {"a b", 3, "a\\x20b:80"},
		{"a\0b\\", 4, "a\\x00b\\x5c:80"}, {"\xc3\xbc", 2, "\\xc3\\xbc:80"}};
	struct destination none = {.kind = DESTINATION_NONE};
	char text[TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct destination d = destination_of_name(rows[i].name, rows[i].len, 80);

		assert_string_equal(destination_format(&d, text, sizeof(text)), rows[i].text);
	}
	assert_string_equal(destination_format(&none, text, sizeof(text)), "-");
}

static void texts_keep_their_port_however_long_the_name(void **state)
{
	char name[DESTINATION_NAME_MAX], text[TEXT_SIZE + 1];
	struct destination d;

	(void)state;
	memset(name, 'a', sizeof(name));
	d = destination_of_name(name, sizeof(name), 65535);
	text[TEXT_SIZE] = '!';
	destination_format(&d, text, TEXT_SIZE);
	assert_int_equal(strlen(text), 255 + 6);
	assert_string_equal(text + 255, ":65535");
	memset(name, ' ', sizeof(name));
	destination_format(&d, text, TEXT_SIZE);
	assert_in_range(strlen(text), 250, TEXT_SIZE - 1);
	assert_string_equal(strrchr(text, ':'), ":65535");
	assert_int_equal(text[TEXT_SIZE], '!');
}

static void a_request_has_a_name_of_its_own(void **state)
{
	char message[] = "example.org";
	struct destination d = destination_of(message), copy;
	struct request r = {.code = 1};

	(void)state;
	request_set(&r, REQUEST_BIND, &d);
	memset(message, 'x', sizeof(message) - 1);
	copy = destination_of("example.org");
	assert_int_equal(r.command, REQUEST_BIND);
	assert_true(destination_equal(&r.dst, &copy));
	/* What has no name takes none. */
	d = destination_of("192.0.2.1");
	request_set(&r, REQUEST_CONNECT, &d);
	assert_true(destination_equal(&r.dst, &d));
	d = (struct destination){.kind = DESTINATION_NONE};
	request_set(&r, REQUEST_CONNECT, &d);
	assert_int_equal(r.dst.kind, DESTINATION_NONE);
}

static void commands_have_words(void **state)
{
	static const struct {
		struct request request;
		const char *word;
	} rows[] = {{{.command = REQUEST_CONNECT}, "CONNECT"}, {{.command = REQUEST_BIND}, "BIND"},
		{{.command = REQUEST_UDP_ASSOCIATE}, "UDP_ASSOCIATE"},
		{{.command = REQUEST_UNKNOWN, .code = 0}, "CMD-0"},
		{{.command = REQUEST_UNKNOWN, .code = 255}, "CMD-255"}};
	char text[16];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(request_command_word(&rows[i].request, text), rows[i].word);
}

/* What destination_format() has written, of addresses and of names with any bytes. */
static void what_was_written_is_read_back(void **state)
{
	static const char *const names[] = {"www.example.org", "a", "with blank",
		"b\xc3\xa4r.example", "back\\slash", "co:lon"};
	static const char *const addrs[] = {"192.0.2.7:80", "[2001:db8::7]:443", "0.0.0.0:0"};
	static const char *const wrong[] = {"", "-", "www.example.org", ":80", "a:65536", "a:b"};
	char text[1100], name[DESTINATION_NAME_MAX];
	struct destination dst, back;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		dst = destination_of_name(names[i], strlen(names[i]), 443);
		destination_format(&dst, text, sizeof(text));
		assert_true(destination_parse(text, name, &back));
		assert_true(destination_equal(&dst, &back));
	}
	for (size_t i = 0; i < COUNT(addrs); i++) {
		assert_true(destination_parse(addrs[i], name, &back));
		assert_string_equal(destination_format(&back, text, sizeof(text)), addrs[i]);
	}
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(destination_parse(wrong[i], name, &back));
}

static void words_of_commands_are_read_back(void **state)
{
	struct request r = {.command = REQUEST_CONNECT};
	char out[16];

	(void)state;
	for (; r.command < REQUEST_UNKNOWN; r.command++)
		assert_int_equal(request_command_parse(request_command_word(&r, out)), r.command);
	assert_int_equal(request_command_parse("CMD-9"), REQUEST_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read_back),
		cmocka_unit_test(words_of_commands_are_read_back),
		cmocka_unit_test(literals_are_addresses),
		cmocka_unit_test(all_else_are_names),
		cmocka_unit_test(equal_are_those_to_one_place),
		cmocka_unit_test(sane_names_have_no_blanks_and_control_bytes),
		cmocka_unit_test(what_ends_in_a_number_and_is_no_address_is_no_name),
		cmocka_unit_test(looks_at_all_of_a_long_name),
		cmocka_unit_test(addresses_are_sane_and_nothing_is_not),
		cmocka_unit_test(texts_are_one_word),
		cmocka_unit_test(texts_keep_their_port_however_long_the_name),
		cmocka_unit_test(a_request_has_a_name_of_its_own),
		cmocka_unit_test(commands_have_words),
	};

	return cmocka_run_group_tests_name("wire/request", tests, NULL, NULL);
}
