/* upstream_line: what is read of a line, what is said of one that is wrong, and that no login gets
 * out by either. */
#include "state/upstream_line.h"

#include "../base/check.h"
#include "../base/scratch.h"
#include "state/settings.h"

static struct upstream_line line;
static char why[SETTING_ERROR_MAX];

static void read_line(const char *text)
{
	if (!upstream_line_parse(text, strlen(text), &line, why))
		fail_msg("%s: %s", text, why);
}

static const char *written(void (*put)(const char *text, FILE *out), const char *text)
{
	static char out[1024];
	FILE *f = fmemopen(out, sizeof(out), "w");

	assert_non_null(f);
	put(text, f);
	assert_int_equal(fclose(f), 0);
	return out;
}

static void put_parsed(const char *text, FILE *out)
{
	read_line(text);
	upstream_line_put(&line, out);
}

static void urls_are_shown_without_logins(void **state)
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{"a socks5://10.0.0.1", "a socks5://10.0.0.1:1080"},
		{"a socks5h://10.0.0.1:99/", "a socks5://10.0.0.1:99"},
		{"a SOCKS4A://me@proxy.lan", "a socks4a://***@proxy.lan:1080"},
		{"a http://u:p%40@[2001:db8::1]:3128 , socks5://b:1",
			"a http://***@[2001:db8::1]:3128, socks5://b:1"},
		{"a http://u@h:1 password_file=/etc/pw", "a http://***@h:1 password_file=/etc/pw"},
		{"a http://u:p@ss@h:1", "a http://***@h:1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(written(put_parsed, rows[i].text), rows[i].shown);
}

static void logins_may_hold_any_bytes(void **state)
{
	(void)state;
	read_line("a socks5://al%20ice:a%00b%3a%2C@h");
	assert_string_equal(line.urls[0].user, "al ice");
	assert_int_equal(line.urls[0].password_len, 5);
	assert_memory_equal(line.urls[0].password, "a\0b:,", 5);
	read_line("a http://u:@h:1");
	assert_true(line.urls[0].has_password);
	assert_int_equal(line.urls[0].password_len, 0);
}

static void what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"", "begins with its name"},
		{"direct socks5://h", "not direct"},
		{"to socks5://h", "nor a keyword"},
		{"a/b socks5://h", "letters, digits"},
		{"abcdefghijabcdefghijabcdefghijabc socks5://h", "1 to 32"},
		{"a", "URL is missing"},
		{"a socks5://h,", "URL is missing"},
		{"a ftp://h", "legal are socks5://HOST"},
		{"a h:1080", "legal are socks5://HOST"},
		{"a socks4://h", "legal are socks5://HOST"},
		{"a socks5://", "there is a host"},
		{"a socks5://2001:db8::1", "there is a host"},
		{"a socks5://[1.2.3.4]", "there is a host"},
		{"a socks5://0.0.0.0", "there is a host"},
		{"a socks5://1.2.3", "there is a host"},
		{"a socks5://h/path", "there is a host"},
		{"a socks5://h:0", "1 to 65535"},
		{"a socks5://h:65536", "1 to 65535"},
		{"a socks5://h:80x", "1 to 65535"},
		{"a http://h", "1 to 65535"},
		{"a socks5://u:p%4@h", "%25 is %"},
		{"a socks5://u:p%zz@h", "%25 is %"},
		{"a socks5://u:p%\x11\x12@h", "%25 is %"},
		{"a socks5://:p@h", "the name in front"},
		{"a socks5://***@h", "write it out"},
		{"a socks4a://u:p@h", "no password"},
		{"a socks5://u%00:p@h", "no NUL"},
		{"a http://u%3A:p@h:1", "no colon"},
		{"a socks5://h socks5://i", "stands a comma"},
		{"a socks5://h password_file=", "stands a comma"},
		{"a socks5://u:p@h password_file=/x", "one is enough"},
		{"a socks5://u@h password_file=/x y", "separated by commas"},
		{"a socks5://1,socks5://b,socks5://c,socks5://d,socks5://e,socks5://f,socks5://g,"
		 "socks5://h,socks5://i",
			"there is a host"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (upstream_line_parse(rows[i].text, strlen(rows[i].text), &line, why))
			fail_msg("%s", rows[i].text);
		assert_contains(why, rows[i].says);
	}
}

static void no_login_is_left_of_what_is_wrong(void **state)
{
	static const struct {
		const char *text, *left;
	} rows[] = {
		{"a socks5://u:p@h:99999", "a socks5://***@h:99999"},
		{"a socks5://u:p@h, http://v:q@i", "a socks5://***@h, http://***@i"},
		{"a socks5://u:p q@h, http://i", "a socks5://***@h, http://i"},
		{"a socks5:/u:p@h", "a ***@h"},
		{"a u:p@h:1080", "a ***@h:1080"},
		{"u:p@h:1080", "***@h:1080"},
		{"a b c", "a b c"},
		{"a socks5://u:p@q@h", "a socks5://***@h"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(written(upstream_line_mask, rows[i].text), rows[i].left);
}

static void the_setting_shows_no_login(void **state)
{
	const struct setting *setting = settings_find("upstream");
	struct setting_input in = {.text = "a socks5://u:secret@h", .place = {.file = "f"}};
	struct settings values;
	char *text;

	(void)state;
	assert_int_equal(settings_init(&values), 0);
	assert_true(setting_set(setting, &values, &in, why));
	in = (struct setting_input){.text = "b http://h:1", .adds = true};
	assert_true(setting_set(setting, &values, &in, why));
	text = setting_format(setting, &values);
	assert_string_equal(text, "a socks5://***@h:1080; b http://h:1");
	free(text);
	in.text = "a socks5://u:secret@i:x";
	assert_false(setting_set(setting, &values, &in, why));
	assert_begins(why, "\"a socks5://***@i:x\": ");
	in.text = "a socks5://i";
	assert_false(setting_set(setting, &values, &in, why));
	assert_contains(why, "of that name already");
	in.text = "c socks5://u:secret@i";
	assert_false(setting_set(setting, &values, &in, why));
	assert_contains(why, "password_file");
	assert_null(strstr(why, "secret"));
	settings_free(&values);
}

static const char *read_password(const char *url, const char *content)
{
	char text[256];

	scratch_write("pw", content);
	snprintf(text, sizeof(text), "a %s password_file=pw", url);
	read_line(text);
	return upstream_url_read_password(&line.urls[0], why) ? "" : why;
}

static void password_files_hold_a_password_or_a_login(void **state)
{
	(void)state;
	assert_string_equal(read_password("socks5://u@h", "se:cret\nmore\n"), "");
	assert_string_equal(line.urls[0].user, "u");
	assert_int_equal(line.urls[0].password_len, 7);
	assert_memory_equal(line.urls[0].password, "se:cret", 7);
	assert_string_equal(read_password("http://h:1", "bob:x:y\r\n"), "");
	assert_string_equal(line.urls[0].user, "bob");
	assert_memory_equal(line.urls[0].password, "x:y", 3);
	assert_contains(read_password("http://h:1", "secret\n"), "NAME:PASSWORD");
	assert_contains(read_password("http://u@h:1", "\nsecret\n"), "first line is empty");
	assert_int_equal(unlink("pw"), 0);
	assert_false(upstream_url_read_password(&line.urls[0], why));
	assert_string_equal(
		why, "password_file: \"pw\": cannot be read: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_shown_without_logins),
		cmocka_unit_test(logins_may_hold_any_bytes),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(no_login_is_left_of_what_is_wrong),
		cmocka_unit_test(the_setting_shows_no_login),
		scratch_test(password_files_hold_a_password_or_a_login),
	};

	return cmocka_run_group_tests_name("state/upstream_line", tests, NULL, NULL);
}
