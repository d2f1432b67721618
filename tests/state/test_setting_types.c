/* setting_types: a table and types of the test's own: values that have words, values that own
 * memory, and what counts as equal. */
#include "state/setting_addresses.h"
#include "state/setting_networks.h"
#include "state/setting_scalars.h"

#include "../base/check.h"
#include "net.h"

/* ---- a type of the test's own, which counts the values that own memory ---- */

static size_t counted;

static int copy_counted(void *to, const void *from)
{
	char **place = to, *const *text = from;
	char *copy = *text == NULL ? NULL : strdup(*text);

	counted += copy != NULL;
	counted -= *place != NULL;
	free(*place);
	*place = copy;
	return 0;
}

static bool read_counted(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	const char *text = in->text;

	(void)setting;
	if (strchr(text, '!') != NULL) {
		snprintf(why, SETTING_ERROR_MAX, "no need to shout");
		return false;
	}
	return *text != '\0' && copy_counted(value, &text) == 0;
}

static void put_counted(const struct setting *setting, const void *value, FILE *out)
{
	(void)setting;
	fputs(*(char *const *)value, out);
}

static bool equal_counted(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b) == 0;
}

static void free_counted(void *value)
{
	counted -= *(char **)value != NULL;
	free(*(char **)value);
}

static void put_legal_counted(const struct setting *setting, FILE *out)
{
	(void)setting;
	fputs("what is not empty", out);
}

static const struct setting_type counted_type = {
	.size = sizeof(char *),
	.parse = read_counted,
	.format = put_counted,
	.equal = equal_counted,
	.copy = copy_counted,
	.free = free_counted,
	.legal = put_legal_counted,
};

/* ---- a table of the test's own ---- */

struct house {
	char *owner;
	int64_t rooms; /* -1: none, 0: auto */
	int64_t lease;
	struct listen_list doors;
	struct client_rule guests;
	struct network_list gardens;
	struct host_pair numbers;
	struct port_range bells;
};

static const struct setting_word rooms_words[] = {{"none", -1}, {"auto", 0}, {NULL, 0}};
static const struct setting_word lease_words[] = {{"forever", -1}, {NULL, 0}};

static const struct setting table[] = {
	{.name = "owner", SETTING_AT(counted_type, char *, struct house, owner)},
	{.name = "rooms",
		SETTING_NUMBER(struct house, rooms),
		.least = 1,
		.most = 9,
		.words = rooms_words},
	{.name = "lease",
		SETTING_DURATION(struct house, lease),
		.least = 1000,
		.most = 60000,
		.words = lease_words},
	{.name = "doors", SETTING_ADDRESSES(struct house, doors), .most = 4},
	{.name = "guests", SETTING_CLIENTS(struct house, guests)},
	{.name = "gardens", SETTING_NETWORKS(struct house, gardens)},
	{.name = "numbers", SETTING_HOSTS(struct house, numbers)},
	{.name = "bells", SETTING_PORTS(struct house, bells)},
};

static char why[SETTING_ERROR_MAX];

static const struct setting *named(const char *name)
{
	const struct setting *setting = setting_find(table, COUNT(table), name);

	assert_non_null(setting);
	return setting;
}

static bool set(struct house *h, const char *name, const char *text)
{
	return setting_set(named(name), h, &(struct setting_input){.text = text}, why);
}

static void assert_value(const struct house *h, const char *name, const char *expected)
{
	char *text = setting_format(named(name), h);

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

/* `question` is the end of the complaint about `text`; "": there is none. */
static void assert_asks(const char *name, const char *text, const char *question)
{
	struct house h = {.rooms = 1};
	const char *end;

	assert_false(set(&h, name, text));
	end = strstr(why, "; did you mean ");
	assert_string_equal(end == NULL ? "" : end, question);
}

static void assert_legal(const char *name, const char *expected)
{
	char *legal = setting_legal(named(name));

	assert_non_null(legal);
	assert_string_equal(legal, expected);
	free(legal);
}

/* ---- words ---- */

static void a_number_may_have_several_words(void **state)
{
	struct house h = {0};

	(void)state;
	assert_true(set(&h, "rooms", "none"));
	assert_int_equal(h.rooms, -1);
	assert_value(&h, "rooms", "none");
	assert_true(set(&h, "rooms", "auto"));
	assert_int_equal(h.rooms, 0);
	assert_value(&h, "rooms", "auto");
	assert_true(set(&h, "rooms", "7"));
	assert_value(&h, "rooms", "7");
	assert_false(set(&h, "rooms", "0"));
	assert_string_equal(why, "\"0\": legal is none, auto or a number from 1 to 9");
	assert_false(set(&h, "rooms", "-1"));
	assert_false(set(&h, "rooms", "some"));
	assert_int_equal(h.rooms, 7);
	assert_legal("rooms", "none, auto or a number from 1 to 9");
}

static void a_duration_may_have_words(void **state)
{
	struct house h = {0};

	(void)state;
	assert_true(set(&h, "lease", "forever"));
	assert_int_equal(h.lease, -1);
	assert_value(&h, "lease", "forever");
	assert_true(set(&h, "lease", "30"));
	assert_value(&h, "lease", "30s");
	assert_false(set(&h, "lease", "2m"));
	assert_begins(why, "\"2m\": legal is forever or a time from 1s to 1m (");
}

/* ---- what is wrong ---- */

static void a_type_may_say_itself_what_is_wrong(void **state)
{
	struct house h = {0};

	(void)state;
	assert_false(set(&h, "owner", ""));
	assert_string_equal(why, "\"\": legal is what is not empty");
	assert_false(set(&h, "owner", "me!"));
	assert_string_equal(why, "\"me!\": no need to shout");
}

static void long_values_are_cut_in_complaints(void **state)
{
	struct house h = {0};
	static char text[4000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	assert_false(set(&h, "rooms", text));
	assert_contains(why, "xxx\": legal is none, auto or a number from 1 to 9");
}

/* ---- networks ---- */

static void networks_are_a_list_that_may_be_empty(void **state)
{
	struct house h = {0};
	struct addr inside = net_addr("192.0.2.200", 7), v6 = net_addr("2001:db8::1", 7),
		    outside = net_addr("192.0.3.1", 7);

	(void)state;
	assert_true(set(&h, "gardens", "192.0.2.0/24, 2001:db8::/32"));
	assert_value(&h, "gardens", "192.0.2.0/24, 2001:db8::/32");
	assert_true(network_list_contains(&h.gardens, &inside));
	assert_true(network_list_contains(&h.gardens, &v6));
	assert_false(network_list_contains(&h.gardens, &outside));
	assert_true(setting_set(named("gardens"), &h,
		&(struct setting_input){.text = "192.0.3.1", .adds = true}, why));
	assert_value(&h, "gardens", "192.0.2.0/24, 2001:db8::/32, 192.0.3.1/32");
	assert_true(network_list_contains(&h.gardens, &outside));
	assert_true(set(&h, "gardens", ""));
	assert_value(&h, "gardens", "");
	assert_false(network_list_contains(&h.gardens, &inside));
}

static void what_is_no_network_is_refused(void **state)
{
	static const char *const rows[] = {"any", "private", "192.0.2.1/24", "192.0.2.0/33",
		"192.0.2.1:80", "host", "::1/129"};
	struct house h = {0};
	char many[SETTINGS_MAX_NETWORKS * 10 + 20] = "";

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (set(&h, "gardens", rows[i]))
			fail_msg("%s was accepted", rows[i]);
	}
	assert_string_equal(why,
		"\"::1/129\": legal is networks such as 203.0.113.0/24 (no bits set behind the "
		"prefix; at most 64), or nothing");
	for (size_t i = 0; i < SETTINGS_MAX_NETWORKS; i++)
		strcat(many, "10.0.0.1 ");
	assert_true(set(&h, "gardens", many));
	strcat(many, "10.0.0.1");
	assert_false(set(&h, "gardens", many));
	assert_int_equal(h.gardens.count, SETTINGS_MAX_NETWORKS);
}

/* ---- memory ---- */

static void a_value_that_owns_memory_is_never_shared(void **state)
{
	struct house a = {0}, b = {0};
	const struct setting *owner = named("owner");

	(void)state;
	assert_true(set(&a, "owner", "alice"));
	assert_int_equal(counted, 1);
	assert_int_equal(setting_copy(owner, &b, &a), 0);
	assert_int_equal(counted, 2);
	assert_ptr_not_equal(a.owner, b.owner);
	assert_true(setting_equal(owner, &a, &b));
	assert_true(set(&a, "owner", "bob"));
	assert_string_equal(b.owner, "alice");
	assert_int_equal(setting_copy(owner, &b, &b), 0);
	assert_string_equal(b.owner, "alice");
	setting_free(owner, &a);
	assert_null(a.owner);
	assert_string_equal(b.owner, "alice");
	setting_free(owner, &b);
	assert_int_equal(counted, 0);
	setting_free(owner, &b);
	assert_int_equal(counted, 0);
}

static void nothing_can_be_copied_too(void **state)
{
	struct house a = {0}, b = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		assert_int_equal(setting_copy(&table[i], &b, &a), 0);
		setting_free(&table[i], &b);
	}
	assert_int_equal(counted, 0);
}

/* ---- what is equal ---- */

static void values_that_are_written_alike_are_equal(void **state)
{
	static const struct {
		const char *name, *a, *b;
		bool equal;
	} rows[] = {{"owner", "alice", "alice", true}, {"owner", "alice", "bob", false},
		{"rooms", "7", "007", true}, {"rooms", "7", "auto", false},
		{"lease", "60", "1m", true}, {"lease", "forever", "1m", false},
		{"doors", "192.0.2.1,::1", "192.0.2.1 ::1", true},
		{"doors", "192.0.2.1", "192.0.2.1, ::1", false},
		{"doors", "192.0.2.1", "192.0.2.1:0", false},
		{"doors", "192.0.2.1:1", "192.0.2.1:2", false}, {"doors", "::1", "::2", false},
		{"doors", "fe80::1%1", "fe80::1%2", false},
		{"guests", "private any", "any, private", true}, {"guests", "any", "auto", false},
		{"guests", "private", "any", false}, {"guests", "10.0.0.0/8", "10.0.0.0/9", false},
		{"guests", "10.0.0.1", "10.0.0.2", false},
		{"guests", "10.0.0.1", "10.0.0.1 10.0.0.1", false},
		{"guests", "10.0.0.1", "10.0.0.1/32", true}, {"gardens", "", " ", true},
		{"gardens", "10.0.0.1 ::/0", "10.0.0.1/32, ::/0", true},
		{"gardens", "10.0.0.0/8", "10.0.0.0/9", false},
		{"gardens", "10.0.0.0/8", "", false}, {"numbers", "", " ", true},
		{"numbers", "::1 127.0.0.1", "127.0.0.1, ::1", true},
		{"numbers", "127.0.0.1", "", false}, {"numbers", "127.0.0.1", "127.0.0.2", false},
		{"numbers", "127.0.0.1 ::1", "127.0.0.1 ::2", false}, {"bells", "7", "7-7", true},
		{"bells", "any", "1-65535", false}, {"bells", "1-3", "1-2", false}};
	struct house a = {0}, b = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(set(&a, rows[i].name, rows[i].a));
		assert_true(set(&b, rows[i].name, rows[i].b));
		if (setting_equal(named(rows[i].name), &a, &b) != rows[i].equal ||
			setting_equal(named(rows[i].name), &b, &a) != rows[i].equal)
			fail_msg("%s: %s and %s", rows[i].name, rows[i].a, rows[i].b);
	}
	setting_free(named("owner"), &a);
	setting_free(named("owner"), &b);
}

/* It is filled in from another setting, whose change is not a change of the addresses. */
static void a_port_that_was_not_written_makes_no_difference(void **state)
{
	struct house a = {0}, b = {0};

	(void)state;
	assert_true(set(&a, "doors", "192.0.2.1, ::1"));
	assert_true(set(&b, "doors", "192.0.2.1, ::1"));
	addr_set_port(&a.doors.addrs[1], 1080);
	assert_true(setting_equal(named("doors"), &a, &b));
}

static void a_complaint_asks_what_was_meant(void **state)
{
	(void)state;
	assert_asks("rooms", "atuo", "; did you mean auto?");
	assert_asks("rooms", "NONE", "; did you mean none?");
	assert_asks("rooms", "10", "");
	assert_asks("lease", "for", "; did you mean forever?");
	assert_asks("guests", "192.168.5.7/24", "; did you mean 192.168.5.0/24?");
	assert_asks("guests", "any, 2001:db8::1/32 10.0.0.0/8", "; did you mean 2001:db8::/32?");
	assert_asks("guests", "10.0.0.0/8, privat", "; did you mean private?");
	assert_asks("guests", "10.0.0.0/33", "");
	assert_asks("guests", "everybody", "");
	assert_asks("guests", "", "");
	assert_asks("bells", "some", "");
	assert_asks("owner", "", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_may_have_several_words),
		cmocka_unit_test(a_duration_may_have_words),
		cmocka_unit_test(a_type_may_say_itself_what_is_wrong),
		cmocka_unit_test(long_values_are_cut_in_complaints),
		cmocka_unit_test(networks_are_a_list_that_may_be_empty),
		cmocka_unit_test(what_is_no_network_is_refused),
		cmocka_unit_test(a_value_that_owns_memory_is_never_shared),
		cmocka_unit_test(nothing_can_be_copied_too),
		cmocka_unit_test(values_that_are_written_alike_are_equal),
		cmocka_unit_test(a_port_that_was_not_written_makes_no_difference),
		cmocka_unit_test(a_complaint_asks_what_was_meant),
	};

	return cmocka_run_group_tests_name("state/setting_types", tests, NULL, NULL);
}
