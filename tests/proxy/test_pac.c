/* pac: the script as text. What engines make of it is tested with real ones (tests/clients). */
#include "proxy/pac.h"

#include "../base/check.h"
#include "state/settings.h"

static struct settings settings;
static char script[1 << 17];

static int setup(void **state)
{
	(void)state;
	return settings_init(&settings);
}

static int teardown(void **state)
{
	(void)state;
	settings_free(&settings);
	return 0;
}

static const struct pac all_doors = {
	.proxy = "192.0.2.1:1080", .has_http = true, .has_socks5 = true, .has_socks4 = true};

static const char *put(struct pac pac, const char *direct)
{
	const struct setting *setting = settings_find("pac_direct");
	const struct setting_input in = {.text = direct};
	char why[SETTING_ERROR_MAX];
	FILE *out = fmemopen(script, sizeof(script), "w");

	assert_true(setting_set(setting, &settings, &in, why));
	pac.direct = &settings.pac_direct;
	assert_non_null(out);
	assert_true(pac_put(&pac, out));
	assert_int_equal(fputc('\0', out), '\0');
	assert_int_equal(fclose(out), 0);
	return script;
}

static void doors_that_are_there_are_offered(void **state)
{
	static const struct {
		bool http, socks5, socks4, falls_back;
		const char *answer;
	} rows[] = {
		{true, true, true, false, "\"PROXY p:1; SOCKS5 p:1; SOCKS p:1\";"},
		{true, true, false, false, "\"PROXY p:1; SOCKS5 p:1; SOCKS p:1\";"},
		{true, false, true, false, "\"PROXY p:1; SOCKS4 p:1; SOCKS p:1\";"},
		{true, false, false, false, "\"PROXY p:1\";"},
		{false, true, true, false, "\"SOCKS5 p:1; SOCKS p:1\";"},
		{true, true, true, true, "\"PROXY p:1; SOCKS5 p:1; SOCKS p:1; DIRECT\";"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct pac pac = {.proxy = "p:1",
			.has_http = rows[i].http,
			.has_socks5 = rows[i].socks5,
			.has_socks4 = rows[i].socks4,
			.falls_back = rows[i].falls_back};

		assert_contains(put(pac, "none"), rows[i].answer);
	}
}

static void without_places_all_goes_through_the_proxy(void **state)
{
	(void)state;
	put(all_doors, "none");
	assert_null(strstr(script, "DIRECT"));
	assert_null(strstr(script, "isInNetwork"));
	assert_contains(script, "PROXY 192.0.2.1:1080; SOCKS5");
}

static void places_are_conditions(void **state)
{
	static const struct {
		const char *direct, *condition;
	} rows[] = {
		{"plain", "(host.search(/[.:]/) < 0)"},
		{"nas", "(host == \"nas\")"},
		{".lan", "(host == \"lan\" || dnsDomainIs(host, \".lan\"))"},
		{"203.0.113.0/24", "(isInNetwork(numbers, [51968, 28928], 24))"},
		{"2001:db8::/32", "(isInNetwork(numbers, [8193, 3512, 0, 0, 0, 0, 0, 0], 32))"},
		{"nas, plain", "(host == \"nas\" ||\n\t\thost.search(/[.:]/) < 0)"},
		{"private", "isInNetwork(numbers, [32512, 0], 8) ||"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_contains(put(all_doors, rows[i].direct), rows[i].condition);
}

/* Each name would be looked up, by every browser, for every URL. */
static void nothing_is_looked_up(void **state)
{
	static const char *const calls[] = {"dnsResolve", "isInNet(", "isResolvable", "myIpAddress",
		"isInNetEx", "localHostOrDomainIs"};

	(void)state;
	put(all_doors, "private, plain, .lan, nas, 203.0.113.0/24, 2001:db8::/32");
	for (size_t i = 0; i < COUNT(calls); i++)
		assert_null(strstr(script, calls[i]));
}

static void a_login_is_spoken_of(void **state)
{
	struct pac pac = all_doors;

	(void)state;
	assert_null(strstr(put(pac, "none"), "login"));
	pac.wants_login = true;
	assert_contains(put(pac, "none"), "// The proxy wants a login");
}

static void nothing_breaks_out_of_the_script(void **state)
{
	struct pac pac = all_doors;

	(void)state;
	pac.proxy = "a\"; alert(1); //\n\\u0022</script>\xe2\x80\xa8:1080";
	put(pac, "none");
	assert_contains(script,
		"return \"PROXY a\\x22; alert\\x281\\x29; \\x2f\\x2f\\x0a\\x5cu0022"
		"\\x3c\\x2fscript\\x3e\\xe2\\x80\\xa8:1080; SOCKS5 a\\x22;");
	assert_contains(script, "through the proxy a\\x22; alert\\x281\\x29; \\x2f\\x2f\\x0a");
}

static void all_names_that_a_list_may_have_are_there(void **state)
{
	const struct setting *setting = settings_find("pac_direct");
	struct setting_input in = {.adds = true};
	char name[32], why[SETTING_ERROR_MAX];
	struct pac pac = all_doors;
	FILE *out = fmemopen(script, sizeof(script), "w");

	(void)state;
	for (int i = 0; i < PAGE_WORDS_MAX; i++) {
		snprintf(name, sizeof(name), ".n%d.example", i);
		in.text = name;
		in.adds = i > 0;
		assert_true(setting_set(setting, &settings, &in, why));
	}
	pac.direct = &settings.pac_direct;
	assert_true(pac_put(&pac, out));
	assert_int_equal(fclose(out), 0);
	assert_contains(script, "dnsDomainIs(host, \".n0.example\")");
	assert_contains(script, "dnsDomainIs(host, \".n999.example\"))\n\t\treturn \"DIRECT\";");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(doors_that_are_there_are_offered),
		TEST(without_places_all_goes_through_the_proxy),
		TEST(places_are_conditions),
		TEST(nothing_is_looked_up),
		TEST(a_login_is_spoken_of),
		TEST(nothing_breaks_out_of_the_script),
		TEST(all_names_that_a_list_may_have_are_there),
	};

	return cmocka_run_group_tests_name("proxy/pac", tests, NULL, NULL);
}
