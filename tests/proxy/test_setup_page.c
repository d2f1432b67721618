/* setup_page: what stands in it for whom. */
#include "proxy/setup_page.h"

#include <sodium.h>
#include <time.h>

#include "../base/check.h"

static char html[1 << 17];

static const struct setup_page plain = {.host = "192.0.2.1",
	.port = 1080,
	.has_socks5 = true,
	.has_socks4 = true,
	.client = "192.0.2.77",
	.first = SETUP_SECTIONS};

static const char *put(const struct setup_page *page)
{
	FILE *out = fmemopen(html, sizeof(html), "w");

	assert_non_null(out);
	assert_true(setup_page_put(page, out));
	assert_int_equal(fputc('\0', out), '\0');
	assert_int_equal(fclose(out), 0);
	assert_null(strstr(html, "{{"));
	assert_contains(html, "</html>\n");
	return html;
}

static const char *put_limits(const char *limits, uint64_t used, struct allowance_view *v)
{
	struct setup_page page = plain;
	char why[LIMITS_ERROR_MAX];

	assert_true(limits_parse(limits, LIMITS_OF_USER, &v->limits, why));
	v->use.used = used;
	page.limits = v;
	return put(&page);
}

static bool has(const char *part)
{
	return strstr(html, part) != NULL;
}

static void the_address_is_filled_in(void **state)
{
	(void)state;
	put(&plain);
	assert_true(has("<code>http://192.0.2.1:1080<wbr>/proxy.pac</code>"));
	assert_true(has("<code>192.0.2.1</code>"));
	assert_true(has("<code>1080</code>"));
	assert_true(has("curl --proxy http://192.0.2.1:1080 https://"));
	assert_true(has("curl --proxy socks5h://192.0.2.1:1080 https://"));
	assert_true(has("ProxyCommand nc -X 5 -x 192.0.2.1:1080 %h %p"));
	assert_true(has("http.proxy http://192.0.2.1:1080<"));
	assert_true(has("Acquire::https::Proxy \"http://192.0.2.1:1080\";"));
	assert_true(has("<title>http://192.0.2.1:1080/proxy.pac</title>"));
}

static void an_ipv6_address_has_its_brackets_in_urls(void **state)
{
	struct setup_page page = plain;

	(void)state;
	page.host = "[2001:db8::1]";
	put(&page);
	assert_true(has("<code>http://[2001:db8::1]:1080<wbr>/proxy.pac</code>"));
	assert_true(has("<code>2001:db8::1</code>"));
	assert_true(has("-x [2001:db8::1]:1080 %h"));
	assert_true(has("curl --proxy 'http://[2001:db8::1]:1080' https://"));
}

static void port_80_goes_without_saying_in_urls(void **state)
{
	struct setup_page page = plain;

	(void)state;
	page.port = 80;
	page.host = "proxy.example.org";
	put(&page);
	assert_true(has("<code>http://proxy.example.org<wbr>/proxy.pac</code>"));
	assert_true(has("socks5h://proxy.example.org:80 "));
}

static void what_comes_from_outside_is_text(void **state)
{
	struct setup_page page = plain;

	(void)state;
	page.host = "<script>alert(\"1\")</script>&'";
	page.client = "<b>me</b>";
	page.limits = &(struct allowance_view){.is_kept_out = true};
	put(&page);
	assert_false(has("<script"));
	assert_false(has("alert(\"1"));
	assert_true(has("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;"));
	assert_true(has("&lt;b&gt;me&lt;/b&gt;, is kept out"));
}

static void nothing_is_asked_of_anybody(void **state)
{
	static const char *const parts[] = {
		"<script", "<form", " src=", "@import", "url(", " style=", " onclick", "<iframe"};

	(void)state;
	put(&plain);
	for (size_t i = 0; i < COUNT(parts); i++)
		assert_false(has(parts[i]));
	/* Addresses are of the proxy or examples in commands, not links. */
	assert_false(has("href=\"http"));
}

static void a_login_is_spoken_of_where_there_is_one(void **state)
{
	struct setup_page page = plain;

	(void)state;
	put(&page);
	assert_true(has("None is needed."));
	assert_false(has("NAME"));
	page.login = SETUP_LOGIN_OPTIONAL;
	put(&page);
	assert_true(has("Not needed. Who has a name"));
	assert_false(has("NAME"));
	page.login = SETUP_LOGIN_REQUIRED;
	put(&page);
	assert_true(has("A name and a password are needed."));
	assert_true(has("--proxy-user NAME https://"));
	assert_true(has("nc -X connect -P NAME -x 192.0.2.1:1080 %h %p"));
	assert_true(has("http.proxy http://NAME@192.0.2.1:1080<"));
	assert_true(has("\"http://NAME:PASSWORD@192.0.2.1:1080\";"));
	assert_false(has("nc -X 5"));
}

static void doors_that_are_off_are_not_spoken_of(void **state)
{
	struct setup_page page = plain;

	(void)state;
	put(&page);
	assert_true(has("too), SOCKS5, SOCKS4</dd>"));
	page.has_socks5 = page.has_socks4 = false;
	put(&page);
	assert_true(has("too)</dd>"));
	assert_false(has("socks5h"));
	assert_true(has("nc -X connect -x 192.0.2.1:1080"));
}

static void a_loopback_address_is_of_no_use_to_others(void **state)
{
	struct setup_page page = plain;

	(void)state;
	put(&page);
	assert_false(has("no other device"));
	page.is_loopback = true;
	put(&page);
	assert_true(has("no other device"));
}

static void browsers_are_guessed(void **state)
{
	static const struct {
		const char *agent;
		enum setup_section section;
	} rows[] = {
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
		 "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
			SETUP_IPHONE},
		{"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
		 "Chrome/126.0.0.0 Mobile Safari/537.36",
			SETUP_ANDROID},
		{"Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0",
			SETUP_ANDROID},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0",
			SETUP_FIREFOX},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
		 "Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
			SETUP_WINDOWS},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like "
		 "Gecko) Version/17.5 Safari/605.1.15",
			SETUP_MACOS},
		{"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
		 "Chrome/126.0.0.0 Safari/537.36",
			SETUP_CHROME},
		{"Mozilla/5.0 (X11; Linux x86_64) KHTML/5.9 Konqueror/22", SETUP_LINUX},
		{"curl/7.88.1", SETUP_CURL},
		{"git/2.39.2", SETUP_GIT},
		{"Debian APT-HTTP/1.3 (2.6.1)", SETUP_APT},
		{"", SETUP_SECTIONS},
		{"Lynx/2.9", SETUP_SECTIONS},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(
			setup_page_guess(rows[i].agent, strlen(rows[i].agent)), rows[i].section);
}

/* Each section is there once, and only the first is open. */
static void the_guessed_section_comes_first_and_is_open(void **state)
{
	struct setup_page page = plain;
	const char *at;
	size_t count;

	(void)state;
	put(&page);
	assert_false(has("<details open"));
	for (page.first = 0; page.first <= SETUP_SECTIONS; page.first++) {
		put(&page);
		count = 0;
		for (at = html; (at = strstr(at, "<details")) != NULL; at++) {
			if (page.first < SETUP_SECTIONS)
				assert_int_equal(strncmp(at, "<details open", 13) == 0, count == 0);
			count++;
		}
		assert_int_equal(count, SETUP_SECTIONS);
	}
}

static void limits_are_told_with_what_is_used(void **state)
{
	struct allowance_view v = {.running = 3, .until = 1795824000};

	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	put_limits(
		"sessions=10 rate=2Mbit/512kbit quota=1GB/week over=slow:256kbit", 371234567, &v);
	assert_true(has("Of this device, 192.0.2.77."));
	assert_true(has("<dd>10, of which 3 in use</dd>"));
	assert_true(has("<dd>2Mbit/512kbit a second</dd>"));
	assert_true(has("<dd>1GB a week</dd>"));
	assert_true(has("<dd>371.23MB<br><meter"));
	assert_true(has("value=\"37\""));
	assert_true(has("<dd>628.76MB, until 2026-11-28 00:00</dd>"));
	assert_true(has("<dd>all goes on at 256kbit a second</dd>"));
}

static void only_limits_that_there_are_are_told(void **state)
{
	struct allowance_view v = {.running = 0};

	(void)state;
	put(&plain);
	assert_false(has("Your limits"));
	put_limits("rate=none sessions=none", 0, &v);
	assert_false(has("Your limits"));
	v.of_anonymous = LIMIT_BIT(LIMIT_RATE);
	put_limits("rate=2Mbit", 0, &v);
	assert_true(has("Of this device, 192.0.2.77, without a login."));
	assert_false(has("Quota"));
	assert_false(has("Connections at once"));
}

static void a_quota_that_is_used_up_leaves_nothing(void **state)
{
	struct allowance_view v = {.use = {.extra = 500}};

	(void)state;
	put_limits("quota=1kB/day", 1700, &v);
	assert_true(has("<dd>1.7kB<br>"));
	assert_true(has("value=\"100\""));
	assert_true(has("<dd>0B, until "));
	assert_true(has("connections end, and there are no new ones"));
	put_limits("quota=1kB/day over=refuse", 750, &v);
	assert_true(has("value=\"50\""));
	assert_true(has("<dd>there are no new connections</dd>"));
}

static void the_policy_lets_the_style_in(void **state)
{
	char policy[SETUP_POLICY_MAX], *begin, *end, base64[64], expected[96];
	unsigned char hash[crypto_hash_sha256_BYTES];

	(void)state;
	assert_ptr_equal(setup_page_policy(policy), policy);
	put(&plain);
	begin = strstr(html, "<style>") + strlen("<style>");
	end = strstr(html, "</style>");
	assert_true(end > begin);
	crypto_hash_sha256(hash, (unsigned char *)begin, (size_t)(end - begin));
	sodium_bin2base64(
		base64, sizeof(base64), hash, sizeof(hash), sodium_base64_VARIANT_ORIGINAL);
	snprintf(expected, sizeof(expected), "style-src 'sha256-%s'; ", base64);
	assert_contains(policy, expected);
	assert_begins(policy, "default-src 'none'; ");
	assert_contains(policy, "frame-ancestors 'none'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_address_is_filled_in),
		cmocka_unit_test(an_ipv6_address_has_its_brackets_in_urls),
		cmocka_unit_test(port_80_goes_without_saying_in_urls),
		cmocka_unit_test(what_comes_from_outside_is_text),
		cmocka_unit_test(nothing_is_asked_of_anybody),
		cmocka_unit_test(a_login_is_spoken_of_where_there_is_one),
		cmocka_unit_test(doors_that_are_off_are_not_spoken_of),
		cmocka_unit_test(a_loopback_address_is_of_no_use_to_others),
		cmocka_unit_test(browsers_are_guessed),
		cmocka_unit_test(the_guessed_section_comes_first_and_is_open),
		cmocka_unit_test(limits_are_told_with_what_is_used),
		cmocka_unit_test(only_limits_that_there_are_are_told),
		cmocka_unit_test(a_quota_that_is_used_up_leaves_nothing),
		cmocka_unit_test(the_policy_lets_the_style_in),
	};

	return cmocka_run_group_tests_name("proxy/setup_page", tests, NULL, NULL);
}
