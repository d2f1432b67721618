/* settings: the table itself, legal and illegal values of each type, and values as text. */
#include "state/settings.h"

#include "../base/check.h"
#include "state/config.h"

/* Every test has a struct of defaults. */
static struct settings values;

static int set_defaults(void **state)
{
	(void)state;
	return settings_init(&values);
}

static int free_values(void **state)
{
	(void)state;
	settings_free(&values);
	return 0;
}

#define settings_test(f) cmocka_unit_test_setup_teardown(f, set_defaults, free_values)

static const struct setting *named(const char *name)
{
	const struct setting *setting = settings_find(name);

	assert_non_null(setting);
	return setting;
}

static bool set_one(const struct setting *setting, const char *text)
{
	char why[SETTING_ERROR_MAX];

	return setting_set(setting, &values, &(struct setting_input){.text = text}, why);
}

static bool set(const char *name, const char *text)
{
	return set_one(named(name), text);
}

static bool add(const char *name, const char *text)
{
	const struct setting_input in = {.text = text, .adds = true};
	char why[SETTING_ERROR_MAX];

	return setting_set(named(name), &values, &in, why);
}

static void assert_value(const char *name, const char *expected)
{
	char *text = setting_format(named(name), &values);

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

/* ---- the table ---- */

static void every_default_is_legal_and_written_as_in_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *s = &settings_table[i];

		assert_value(s->name, s->initial);
		if (!set_one(s, s->initial))
			fail_msg("%s: the default is not legal", s->name);
	}
}

static void names_are_words_and_unique(void **state)
{
	(void)state;
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		const char *name = settings_table[i].name;

		assert_true(*name != '\0');
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
		assert_ptr_equal(settings_find(name), &settings_table[i]);
	}
}

static void short_flags_are_unique_and_not_those_of_the_program(void **state)
{
	char taken[128] = "hvcnu";

	(void)state;
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		char flag[2] = {settings_table[i].flag, '\0'};

		if (flag[0] == '\0')
			continue;
		assert_null(strchr(taken, flag[0]));
		strcat(taken, flag);
	}
}

static void every_setting_is_described(void **state)
{
	(void)state;
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *s = &settings_table[i];
		char *legal = setting_legal(s);

		assert_true(strlen(s->value_name) > 0);
		assert_true(s->help[strlen(s->help) - 1] == '.');
		assert_non_null(legal);
		assert_true(strlen(legal) > 0);
		free(legal);
	}
}

static bool has_range(const struct setting *s)
{
	return s->type == &setting_number || s->type == &setting_duration;
}

/* A word that stands for a number that could be written as well would be read back as another. */
static void words_beside_numbers_stand_for_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *s = &settings_table[i];

		for (const struct setting_word *w = s->words; w != NULL && w->word != NULL; w++)
			assert_true(!has_range(s) || w->value < s->least || w->value > s->most);
	}
}

static void the_table_fits_its_types(void **state)
{
	(void)state;
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *s = &settings_table[i];

		assert_true(s->offset + s->type->size <= sizeof(struct settings));
		assert_true(s->words != NULL || s->type != &setting_choice);
		assert_true(s->words == NULL || s->type == &setting_choice ||
			s->type == &setting_word_set || has_range(s));
		assert_true(s->valid == NULL || s->type == &setting_text);
		assert_int_equal(s->valid != NULL, s->legal != NULL);
		if (has_range(s))
			assert_true(s->least >= 0 && s->least < s->most);
	}
}

static void finds_names_with_either_dash(void **state)
{
	(void)state;
	assert_ptr_equal(settings_find("max-sessions"), named("max_sessions"));
	assert_ptr_equal(settings_find("max_password-checks"), named("max_password_checks"));
	assert_null(settings_find(""));
	assert_null(settings_find("por"));
	assert_null(settings_find("portx"));
	assert_null(settings_find("PORT"));
	assert_null(settings_find("max sessions"));
}

static void flags_have_dashes(void **state)
{
	char flag[64];

	(void)state;
	assert_string_equal(setting_flag(named("port"), flag), "--port");
	assert_string_equal(
		setting_flag(named("max_password_checks"), flag), "--max-password-checks");
}

static void only_some_settings_are_lists(void **state)
{
	(void)state;
	assert_true(named("listen")->type->is_list);
	assert_true(named("clients")->type->is_list);
	assert_false(named("monitor_listen")->type->is_list);
	assert_false(named("port")->type->is_list);
	assert_false(named("dns_servers")->type->is_list);
}

/* ---- numbers and durations ---- */

static void check_bound(const struct setting *s, int64_t n, bool legal)
{
	const char *unit = s->type == &setting_duration ? "ms" : "";
	char text[64], *before = setting_format(s, &values);

	snprintf(text, sizeof(text), "%lld%s", (long long)n, unit);
	if (set_one(s, text) != legal)
		fail_msg("%s = %s should be %s", s->name, text, legal ? "legal" : "refused");
	if (!legal)
		assert_value(s->name, before);
	free(before);
}

static void numbers_and_durations_have_their_bounds(void **state)
{
	(void)state;
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *s = &settings_table[i];

		if (!has_range(s))
			continue;
		check_bound(s, s->least, true);
		check_bound(s, s->most, true);
		check_bound(s, s->most + 1, false);
		check_bound(s, INT64_MAX, false);
		check_bound(s, s->least - 1, false);
	}
}

struct value_row {
	const char *name, *text, *expected; /* NULL: refused */
};

static void check_values(const struct value_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *before = setting_format(named(rows[i].name), &values);

		if (set(rows[i].name, rows[i].text) != (rows[i].expected != NULL))
			fail_msg("%s = %s is judged wrongly", rows[i].name, rows[i].text);
		assert_value(rows[i].name, rows[i].expected != NULL ? rows[i].expected : before);
		free(before);
	}
}

static void takes_numbers(void **state)
{
	static const struct value_row rows[] = {{"port", "0", "0"}, {"port", "65535", "65535"},
		{"port", "0080", "80"}, {"port", "65536", NULL}, {"port", "-1", NULL},
		{"port", "", NULL}, {"port", "80 ", NULL}, {"port", "0x50", NULL},
		{"port", "auto", NULL}, {"max_sessions", "auto", "auto"},
		{"max_sessions", "1", "1"}, {"max_sessions", "0", NULL},
		{"max_sessions", "AUTO", NULL}, {"max_sessions", "100001", NULL},
		{"max_sessions", "none", NULL}, {"max_sessions_per_client", "auto", "auto"},
		{"max_sessions_per_client", "none", "none"}, {"max_sessions_per_client", "1", "1"},
		{"max_sessions_per_client", "0", NULL}, {"max_sessions_per_client", "-1", NULL}};

	(void)state;
	check_values(rows, COUNT(rows));
	assert_true(set("max_sessions", "auto"));
	assert_int_equal(values.max_sessions, 0);
	assert_true(set("port", "4660"));
	assert_int_equal(values.port, 4660);
}

static void takes_durations(void **state)
{
	static const struct value_row rows[] = {{"timeout", "90", "90s"}, {"timeout", "90s", "90s"},
		{"timeout", "120s", "2m"}, {"timeout", "100ms", "100ms"}, {"timeout", "99ms", NULL},
		{"timeout", "30d", "30d"}, {"timeout", "31d", NULL}, {"timeout", "0", NULL},
		{"timeout", "1w", NULL}, {"timeout", "-1s", NULL}, {"timeout", "", NULL},
		{"timeout", "9223372036854775807s", NULL}, {"drain_timeout", "0", "0s"},
		{"dns_negative_ttl", "3601s", NULL}};

	(void)state;
	check_values(rows, COUNT(rows));
	assert_true(set("timeout", "2h"));
	assert_int_equal(values.timeout, 7200000);
}

/* ---- words and texts ---- */

static void takes_each_word_of_the_table_and_no_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *s = &settings_table[i];

		if (s->type != &setting_choice)
			continue;
		for (const struct setting_word *w = s->words; w->word != NULL; w++) {
			assert_true(set_one(s, w->word));
			assert_value(s->name, w->word);
		}
		assert_false(set_one(s, ""));
		assert_false(set_one(s, "no-such-word"));
		assert_false(set_one(s, "AUTO"));
	}
}

static void words_are_the_values_of_their_enums(void **state)
{
	(void)state;
	assert_int_equal(values.auth, AUTH_AUTO);
	assert_true(set("auth", "required"));
	assert_int_equal(values.auth, AUTH_REQUIRED);
	assert_true(set("auth", "optional"));
	assert_int_equal(values.auth, AUTH_OPTIONAL);
	assert_true(set("auth", "none"));
	assert_int_equal(values.auth, AUTH_NONE);
}

static void takes_texts(void **state)
{
	static const struct value_row rows[] = {{"users_file", "/etc/my users", "/etc/my users"},
		{"users_file", "", ""}, {"log_file", "=;#\"", "=;#\""},
		{"dns_servers", "192.0.2.1", "192.0.2.1"},
		{"dns_servers", "192.0.2.1:53, [2001:db8::1]:5353 ::1",
			"192.0.2.1:53, [2001:db8::1]:5353 ::1"},
		{"dns_servers", "", ""}, {"dns_servers", "example.org", NULL},
		{"dns_servers", "192.0.2.1, example.org", NULL},
		{"dns_servers", "192.0.2.1:99999", NULL}};

	(void)state;
	check_values(rows, COUNT(rows));
}

/* ---- lists ---- */

static void takes_listen_addresses(void **state)
{
	static const struct value_row rows[] = {{"listen", "192.0.2.1", "192.0.2.1"},
		{"listen", "192.0.2.1:80", "192.0.2.1:80"}, {"listen", "[::]:1080", "[::]:1080"},
		{"listen", "::", "::"}, {"listen", "[::1]", "::1"},
		{"listen", "192.0.2.1, [::1]:0", "192.0.2.1, [::1]:0"},
		{"listen", " 192.0.2.1,,192.0.2.2 ", "192.0.2.1, 192.0.2.2"}, {"listen", "", NULL},
		{"listen", " , ", NULL}, {"listen", "localhost", NULL},
		{"listen", "192.0.2.1, x", NULL}, {"listen", "192.0.2.1:65536", NULL},
		{"listen", "1080", NULL}, {"monitor_listen", "::1", "::1"},
		{"monitor_listen", "127.0.0.1, ::1", NULL}, {"monitor_listen", "", NULL},
		{"web_listen", " ", ""}, {"web_listen", "[::1]:8082", "[::1]:8082"},
		{"web_listen", "127.0.0.1, ::1", NULL}};

	(void)state;
	check_values(rows, COUNT(rows));
}

static void a_link_local_address_needs_its_interface(void **state)
{
	static const struct {
		const char *text, *why; /* NULL: it is taken */
	} rows[] = {{"fe80::a%lo", NULL}, {"[fe80::a%lo]:1080", NULL},
		{"fe80::a", "needs its interface, as in fe80::a%eth0"},
		{"127.0.0.1, [fe80::a]:1080", "needs its interface, as in fe80::a%eth0"},
		{"fe80::a%none0", "this host has no network interface none0"},
		{"[fe80::a%none0]:1080", "this host has no network interface none0"},
		{"localhost%none0", ""}, {"[%", ""}, {"%", ""}, {"fec0::a", NULL}};
	char why[SETTING_ERROR_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct setting_input in = {.text = rows[i].text};

		why[0] = '\0';
		assert_int_equal(
			setting_set(named("listen"), &values, &in, why), rows[i].why == NULL);
		if (rows[i].why != NULL)
			assert_contains(why, rows[i].why);
	}
}

static void lists_grow_by_repetition(void **state)
{
	(void)state;
	assert_true(set("listen", "192.0.2.1"));
	assert_true(add("listen", "192.0.2.2:80, ::1"));
	assert_value("listen", "192.0.2.1, 192.0.2.2:80, ::1");
	assert_true(set("listen", "192.0.2.9"));
	assert_value("listen", "192.0.2.9");
	assert_true(set("clients", "private"));
	assert_true(add("clients", "203.0.113.0/24"));
	assert_value("clients", "private, 203.0.113.0/24");
}

static void an_illegal_addition_changes_nothing(void **state)
{
	(void)state;
	assert_true(set("listen", "192.0.2.1"));
	assert_false(add("listen", "192.0.2.2, x"));
	assert_value("listen", "192.0.2.1");
	assert_true(set("clients", "private"));
	assert_false(add("clients", "any, x"));
	assert_value("clients", "private");
}

static void listen_takes_16_addresses(void **state)
{
	(void)state;
	assert_true(set("listen", "192.0.2.1"));
	for (int i = 1; i < SETTINGS_MAX_LISTEN; i++)
		assert_true(add("listen", "192.0.2.1"));
	assert_false(add("listen", "192.0.2.1"));
	assert_int_equal(values.listen.count, SETTINGS_MAX_LISTEN);
}

static void takes_clients(void **state)
{
	static const struct value_row rows[] = {{"clients", "auto", "auto"},
		{"clients", "any", "any"}, {"clients", "private", "private"},
		{"clients", "10.0.0.0/8", "10.0.0.0/8"}, {"clients", "10.0.0.1", "10.0.0.1/32"},
		{"clients", "0.0.0.0/0", "0.0.0.0/0"},
		{"clients", "2001:db8::/32", "2001:db8::/32"}, {"clients", "::1", "::1/128"},
		{"clients", "203.0.113.0/24,private", "private, 203.0.113.0/24"},
		{"clients", "private any, auto", "auto, any, private"}, {"clients", "", NULL},
		{"clients", "nobody", NULL}, {"clients", "anyone", NULL}, {"clients", "priv", NULL},
		{"clients", "ANY", NULL}, {"clients", "10.0.0.1/8", NULL},
		{"clients", "10.0.0.0/33", NULL}, {"clients", "private, x", NULL}};

	(void)state;
	check_values(rows, COUNT(rows));
}

static void clients_of_separators_only_are_refused(void **state)
{
	static const struct value_row rows[] = {
		{"clients", ",", NULL}, {"clients", " ", NULL}, {"clients", " ,\t, ", NULL}};

	(void)state;
	check_values(rows, COUNT(rows));
}

static void clients_take_64_networks(void **state)
{
	(void)state;
	assert_true(set("clients", "192.0.2.1"));
	for (int i = 1; i < SETTINGS_MAX_NETWORKS; i++)
		assert_true(add("clients", "192.0.2.1"));
	assert_false(add("clients", "192.0.2.1"));
	assert_true(add("clients", "private"));
	assert_int_equal(values.clients.networks.count, SETTINGS_MAX_NETWORKS);
}

static void takes_an_address_of_each_family(void **state)
{
	static const struct value_row rows[] = {{"external_address", "", ""},
		{"external_address", "192.0.2.1", "192.0.2.1"},
		{"external_address", "2001:db8::1", "2001:db8::1"},
		{"external_address", "2001:db8::1 192.0.2.1", "192.0.2.1, 2001:db8::1"},
		{"external_address", "192.0.2.1, 192.0.2.2", NULL},
		{"external_address", "2001:db8::1, 2001:db8::2", NULL},
		{"external_address", "192.0.2.1:80", NULL}, {"external_address", "0.0.0.0", NULL},
		{"external_address", "::", NULL}, {"external_address", "example.org", NULL},
		{"udp_address", "[2001:db8::1]", "2001:db8::1"}, {"udp_address", "", ""}};

	(void)state;
	check_values(rows, COUNT(rows));
	assert_true(set("bind_address", "192.0.2.1"));
	assert_false(add("bind_address", "192.0.2.2"));
	assert_true(add("bind_address", "2001:db8::1"));
	assert_value("bind_address", "192.0.2.1, 2001:db8::1");
}

static void takes_ranges_of_ports(void **state)
{
	static const struct value_row rows[] = {{"udp_ports", "any", "any"},
		{"udp_ports", "1", "1"}, {"udp_ports", "65535", "65535"},
		{"udp_ports", "40000-40100", "40000-40100"}, {"udp_ports", "7-7", "7"},
		{"udp_ports", "0", NULL}, {"udp_ports", "0-7", NULL}, {"udp_ports", "8-7", NULL},
		{"udp_ports", "", NULL}, {"udp_ports", "-", NULL}, {"udp_ports", "7-", NULL},
		{"udp_ports", "-7", NULL}, {"udp_ports", "7-8-9", NULL},
		{"udp_ports", "1-65536", NULL}, {"udp_ports", "7 - 8", NULL}};

	(void)state;
	check_values(rows, COUNT(rows));
}

static void takes_names_of_interfaces(void **state)
{
	static const struct value_row rows[] = {{"external_interface", "eth0", "eth0"},
		{"external_interface", "", ""},
		{"external_interface", "a23456789012345", "a23456789012345"},
		{"external_interface", "a234567890123456", NULL},
		{"external_interface", "eth0:1", NULL}, {"external_interface", "a b", NULL},
		{"external_interface", "a/b", NULL}};

	(void)state;
	check_values(rows, COUNT(rows));
}

/* ---- values and what is legal, as text ---- */

static void tells_what_is_legal(void **state)
{
	static const struct {
		const char *name, *part;
	} rows[] = {{"port", "a number from 0 to 65535"},
		{"max_sessions", "auto or a number from 1 to 100000"},
		{"max_sessions_per_client", "auto, none or a number from 1 to 100000"},
		{"timeout", "a time from 100ms to 30d"}, {"drain_timeout", "a time from 0s to 1d"},
		{"auth", "auto, required, optional, none"}, {"log_format", "text, json"},
		{"dns_servers", "addresses"}, {"listen", "at most 16"},
		{"monitor_listen", "an IPv4 or IPv6 address"}, {"clients", "at most 64"},
		{"log_file", "any text"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *legal = setting_legal(named(rows[i].name));

		assert_non_null(legal);
		assert_contains(legal, rows[i].part);
		free(legal);
	}
}

/* Values were once compared as texts of 4,096 bytes. */
static void a_difference_behind_4096_bytes_is_one(void **state)
{
	static char text[9001];
	struct settings other;

	(void)state;
	assert_int_equal(settings_init(&other), 0);
	memset(text, 'x', sizeof(text) - 1);
	assert_true(set("log_file", text));
	assert_value("log_file", text);
	assert_int_equal(setting_copy(named("log_file"), &other, &values), 0);
	assert_true(setting_equal(named("log_file"), &other, &values));
	text[sizeof(text) - 2] = 'y';
	assert_true(set("log_file", text));
	assert_value("log_file", text);
	assert_false(setting_equal(named("log_file"), &other, &values));
	settings_free(&other);
}

/* A legal value that is not the default. */
static const char *another_value(const struct setting *s, char out[64])
{
	static const struct {
		const struct setting_type *type;
		const char *text;
	} rows[] = {{&setting_text, "192.0.2.1"}, {&setting_address, "[2001:db8::7]:99"},
		{&setting_address_or_none, "[2001:db8::7]:99"},
		{&setting_addresses, "192.0.2.7, [2001:db8::7]:99"},
		{&setting_clients, "private, 2001:db8::/32"},
		{&setting_networks, "192.0.2.0/24, 2001:db8::/32"},
		{&setting_hosts, "192.0.2.7, 2001:db8::7"}, {&setting_ports, "40000-40100"},
		{&setting_rules, "deny to .example.org, 192.0.2.0/24 port 80; allow user @a, b"},
		{&setting_limits, "sessions=5 rate=2Mbit/512kbit quota=50GB/month@15"},
		{&setting_group_limits, "@a sessions=5; @b over=slow:256kbit"},
		{&setting_client_limits, "192.0.2.7, @a rate=2Mbit; 192.0.2.0/24 quota=none"},
		{&setting_protected, "loopback, own"},
		{&setting_expectations,
			"deny from=192.0.2.7 to=a.example:80; allow from=::1 to=[::1]:80"},
		{&setting_client_groups, "@a 192.0.2.0/24, 2001:db8::/32; @b 192.0.2.7/32"},
		{&setting_ban, "3 in 5m for 2m to 1h"}, {&setting_exempt, "192.0.2.0/24"},
		{&setting_rate, "20Mbit/512kbit"},
		{&setting_direct, "private, .example.org, www.example.org, 192.0.2.0/24"},
		{&setting_proxy_names, "proxy.example.org, [2001:db8::7]"},
		{&setting_word_set, "socks5, http"},
		{&setting_group_rates, "@pupils 7Mbit; @staff 1GB/1kB"},
		{&setting_shared, "redis://192.0.2.1:7/3"},
		{&setting_upstreams, "a socks5://192.0.2.1:1; b http://h:1 password_file=/pw"}};

	if (has_range(s)) {
		snprintf(out, 64, "%lld%s", (long long)s->most - 1,
			s->type == &setting_duration ? "ms" : "");
		return out;
	}
	if (s->type == &setting_choice)
		return strcmp(s->words[1].word, s->initial) != 0 ? s->words[1].word
								 : s->words[0].word;
	if (strcmp(s->name, "external_interface") == 0)
		return "eth0";
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (rows[i].type == s->type)
			return rows[i].text;
	}
	fail_msg("%s: no value is known for its type", s->name);
	return NULL;
}

static void every_value_can_be_copied_and_read_back(void **state)
{
	struct settings copy;
	char *text, buffer[64];

	(void)state;
	assert_int_equal(settings_init(&copy), 0);
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *s = &settings_table[i];

		assert_true(set_one(s, another_value(s, buffer)));
		assert_false(setting_equal(s, &copy, &values));
		assert_int_equal(setting_copy(s, &copy, &values), 0);
		assert_true(setting_equal(s, &copy, &values));
		text = setting_format(s, &copy);
		assert_non_null(text);
		assert_string_not_equal(text, s->initial);
		assert_value(s->name, text);
		assert_true(set_one(s, text));
		free(text);
		assert_true(setting_equal(s, &copy, &values));
	}
	settings_free(&copy);
}

static void copies_of_texts_are_independent(void **state)
{
	struct settings copy;

	(void)state;
	assert_int_equal(settings_init(&copy), 0);
	assert_true(set("log_file", "first"));
	assert_int_equal(setting_copy(named("log_file"), &copy, &values), 0);
	assert_true(set("log_file", "second"));
	assert_string_equal(copy.log_file, "first");
	assert_int_equal(setting_copy(named("log_file"), &values, &values), 0);
	assert_string_equal(values.log_file, "second");
	settings_free(&copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		settings_test(every_default_is_legal_and_written_as_in_the_table),
		cmocka_unit_test(names_are_words_and_unique),
		cmocka_unit_test(short_flags_are_unique_and_not_those_of_the_program),
		cmocka_unit_test(every_setting_is_described),
		cmocka_unit_test(the_table_fits_its_types),
		cmocka_unit_test(words_beside_numbers_stand_for_others),
		cmocka_unit_test(finds_names_with_either_dash),
		cmocka_unit_test(flags_have_dashes),
		cmocka_unit_test(only_some_settings_are_lists),
		settings_test(numbers_and_durations_have_their_bounds),
		settings_test(takes_numbers),
		settings_test(takes_durations),
		settings_test(takes_each_word_of_the_table_and_no_other),
		settings_test(words_are_the_values_of_their_enums),
		settings_test(takes_texts),
		settings_test(takes_listen_addresses),
		settings_test(a_link_local_address_needs_its_interface),
		settings_test(lists_grow_by_repetition),
		settings_test(an_illegal_addition_changes_nothing),
		settings_test(listen_takes_16_addresses),
		settings_test(takes_clients),
		settings_test(clients_of_separators_only_are_refused),
		settings_test(clients_take_64_networks),
		settings_test(takes_an_address_of_each_family),
		settings_test(takes_ranges_of_ports),
		settings_test(takes_names_of_interfaces),
		cmocka_unit_test(tells_what_is_legal),
		settings_test(a_difference_behind_4096_bytes_is_one),
		settings_test(every_value_can_be_copied_and_read_back),
		settings_test(copies_of_texts_are_independent),
	};

	return cmocka_run_group_tests_name("state/settings", tests, NULL, NULL);
}
