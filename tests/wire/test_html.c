/* html: what each reply looks like on a page, and that nothing in it is ever taken for HTML. */
#include "wire/html.h"

#include "answers.h"

static const struct html_view plain = {.id = "part", .caption = "Part", .most = 100};

static char *html_of(const char *request, const char *reply, const struct html_view *view)
{
	struct answer r = answer_of(reply);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	html_print(out, request, &r, view);
	fclose(out);
	answer_free(&r);
	return text;
}

/* Takes the attributes of that name out that begin so. */
static void leave_out(char *text, const char *attribute)
{
	char *at, *end;

	while ((at = strstr(text, attribute)) != NULL) {
		end = strchr(at + strlen(attribute), '"');
		assert_non_null(end);
		memmove(at, end + 1, strlen(end));
	}
}

/* Without what each cell has for the sake of its looks. */
static char *bare_html_of(const char *request, const char *reply, const struct html_view *view)
{
	char *text = html_of(request, reply, view);

	leave_out(text, " class=\"is-");
	leave_out(text, " data-label=\"");
	return text;
}

static void assert_has(
	const char *request, const char *reply, const struct html_view *view, const char *expected)
{
	char *text = bare_html_of(request, reply, view);

	if (strstr(text, expected) == NULL)
		fail_msg("%s\nlacks\n%s", text, expected);
	free(text);
}

static void assert_has_not(
	const char *request, const char *reply, const struct html_view *view, const char *unwanted)
{
	char *text = html_of(request, reply, view);

	if (strstr(text, unwanted) != NULL)
		fail_msg("%s\nhas\n%s", text, unwanted);
	free(text);
}

static void records_are_a_table(void **state)
{
	(void)state;
	assert_has("CLIENTS", "OK\nclient:192.0.2.7 sessions:2\nclient:192.0.2.8 sessions:0\n\n",
		&plain,
		"<div class=\"table\" tabindex=\"0\" role=\"group\" aria-label=\"Part\">\n"
		"<table id=\"part\">\n<caption>Part</caption>\n"
		"<thead><tr><th scope=\"col\" data-key=\"client\">Client</th>"
		"<th scope=\"col\" data-key=\"sessions\">Sessions</th></tr></thead>\n"
		"<tbody>\n<tr><td>192.0.2.7</td><td>2</td></tr>\n"
		"<tr><td>192.0.2.8</td><td>0</td></tr>\n</tbody>\n</table></div>\n");
}

/* By which a style sheet puts numbers to the right, and a narrow screen names them. */
static void cells_tell_what_they_are(void **state)
{
	char *text = html_of("CLIENTS", "OK\nclient:a sent:2 takes_effect:x\n\n", &plain);

	(void)state;
	assert_non_null(strstr(text, "<th scope=\"col\" class=\"is-bytes\" data-key=\"sent\">"));
	assert_non_null(strstr(text, "<td class=\"is-bytes\" data-label=\"Sent\">2 B</td>"));
	assert_non_null(strstr(text, "<td class=\"is-text\" data-label=\"Takes effect\">x</td>"));
	free(text);
}

static void a_key_that_comes_later_has_its_column(void **state)
{
	(void)state;
	assert_has("CLIENTS", "OK\nclient:a sessions:2\nclient:b sessions:- takes_effect:x\n\n",
		&plain,
		"data-key=\"takes_effect\">Takes effect</th></tr></thead>\n<tbody>\n"
		"<tr><td>a</td><td>2</td><td></td></tr>\n"
		"<tr><td>b</td><td></td><td>x</td></tr>\n");
}

static void values_are_a_list_and_may_stand_above_a_table(void **state)
{
	static const char reply[] = "OK\ncurrent connections:1\nid:7 user:alice age:61\n\n";

	(void)state;
	assert_has("STATS", "OK\nall time connections:2\nrule a:b c:d\n\n",
		&(const struct html_view){.id = "figures", .most = 9},
		"<dl class=\"values\" id=\"figures-values\">\n"
		"<div><dt>All time connections</dt><dd data-name=\"all time connections\">2</dd>"
		"</div>\n<div><dt>Rule a</dt><dd data-name=\"rule a\">b c:d</dd></div>\n</dl>\n");
	assert_has("CONNECTIONS", reply, &plain, "<dd data-name=\"current connections\">1</dd>");
	assert_has("CONNECTIONS", reply, &plain,
		"<tr><td>7</td><td>alice</td>"
		"<td>1 min 1 s</td></tr>");
}

static void numbers_have_their_units(void **state)
{
	static const char *const rows[][2] = {
		{"sent:999", ">999 B<"},
		{"sent:1234", ">1.2 kB<"},
		{"sent:999950", ">1.0 MB<"},
		{"received:12345678", ">12 MB<"},
		{"sent_rate:5000", ">40 kbit/s<"},
		{"idle:59", ">59 s<"},
		{"age:3600", ">1 h 0 min<"},
		{"last:90000", ">1 d 1 h<"},
		{"left:-", "><"},
		{"ms:12", ">12 ms<"},
		{"sent:x", ">x<"},
		{"left:61", ">1 min 1 s<"},
		{"begun:2025-07-15T12:40:39", ">2025-07-15 12:40:39<"},
		{"until:-", "><"},
	};
	char reply[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(reply, sizeof(reply), "OK\nname:a %s\n\n", rows[i][0]);
		assert_has("X", reply, &plain, rows[i][1]);
	}
}

/* What is left of a quota is no time. */
static void the_same_name_may_mean_another_thing_elsewhere(void **state)
{
	(void)state;
	assert_has("LIMITS", "OK\nuser:a used:1000 left:2000\n\n", &plain,
		"<td>1.0 kB</td><td>2.0 kB</td>");
}

static void a_heading_is_the_caption_s_matter(void **state)
{
	(void)state;
	assert_has_not("WHY", "OK The newest failures:\ntime:x user:a\n\n", &plain, "newest");
	assert_has("USAGE", "OK 2025-07-01 to 2025-07-15\nuser:a sent:1\n\n", &plain,
		"<p class=\"message\">2025-07-01 to 2025-07-15</p>");
}

/* A user may be called 123. */
static void a_name_of_digits_is_a_text(void **state)
{
	(void)state;
	assert_has("ACCOUNTS", "OK\nuser:123 sessions:1\n\n", &plain, "<td>123</td>");
}

static void entries_and_names_are_tables_too(void **state)
{
	(void)state;
	assert_has("ACCESS_LOG",
		"OK Access log for all users:\n"
		"alice: www.example.org:443 [2025-07-15 12:40:39] SUCCESS\n"
		"bob: - [2025-07-15 12:40:40] FAIL wrong_password 192.0.2.7\n\n",
		&plain,
		"<tr><td>2025-07-15 12:40:39</td><td>alice</td><td>www.example.org:443</td>"
		"<td>SUCCESS</td><td></td><td></td></tr>\n"
		"<tr><td>2025-07-15 12:40:40</td><td>bob</td><td></td>"
		"<td>FAIL</td><td>wrong_password</td><td>192.0.2.7</td></tr>\n");
	assert_has("ACCESS_LOG alice", "OK x\na:1 [2025-07-15 12:40:39] SUCCESS\n\n", &plain,
		"<td>alice</td><td>a:1</td>");
	assert_has(
		"USERS", "OK alice bob\n\n", &plain, "<tr><td>alice</td></tr>\n<tr><td>bob</td>");
	assert_has("USERS", "OK No active users\n\n", &plain, "<p class=\"none\">None.</p>");
}

static void a_refusal_is_an_alert(void **state)
{
	(void)state;
	assert_has("USAGE", "ERR There is no <history>\n\n", &plain,
		"<p class=\"error\" role=\"alert\">There is no &lt;history&gt;</p>\n");
	assert_has_not("USAGE", "ERR x\n\n", &plain, "table");
}

static void what_is_neither_is_a_line(void **state)
{
	(void)state;
	assert_has("HELP", "OK\nVERSION - <x>\n\n", &plain,
		"<ul class=\"lines\">\n<li>VERSION - &lt;x&gt;</li>\n</ul>\n");
}

static void long_tables_are_shown_a_part_at_a_time(void **state)
{
	static const char reply[] = "OK\nid:1 a:x\nid:2 a:x\nid:3 a:x\nid:4 a:x\nid:5 a:x\n\n";
	struct html_view view = {
		.id = "part", .caption = "", .from = 2, .most = 2, .link = "/p?a=\"&part_from="};

	(void)state;
	assert_has("X", reply, &view,
		"<tbody>\n<tr><td>3</td><td>x</td></tr>\n"
		"<tr><td>4</td><td>x</td></tr>\n</tbody>");
	assert_has("X", reply, &view,
		"<p class=\"pages\">3 to 4 of 5"
		" <a href=\"/p?a=&quot;&amp;part_from=0#part\">before</a>"
		" <a href=\"/p?a=&quot;&amp;part_from=4#part\">next</a></p>");
	view.is_newest_first = true;
	assert_has("X", reply, &view,
		"<tbody>\n<tr><td>3</td><td>x</td></tr>\n"
		"<tr><td>2</td><td>x</td></tr>\n</tbody>");
	view.from = 4;
	assert_has("X", reply, &view, "<tbody>\n<tr><td>1</td>");
	view.from = 99; /* they have become fewer */
	assert_has("X", reply, &view, "<tbody>\n<tr><td>5</td>");
}

/* With this for each @. */
static void put_in(const char *text, const char *value, char out[1024])
{
	char *at = out;

	for (; *text != '\0'; text++) {
		if (*text == '@')
			at = stpcpy(at, value);
		else
			*at++ = *text;
	}
	*at = '\0';
}

/* Whatever bytes there are, in whichever place. */
static void nothing_in_a_reply_is_taken_for_html(void **state)
{
	static const char hostile[] = "<script>alert(1)</script>\\x22\\x27&amp;\\x00\\x1b\\xff";
	static const char *const replies[] = {"OK\nid:1 user:@\n\n", "OK\nid:1 @:x\n\n",
		"OK\n@:x\n\n", "OK\nx:@\n\n", "OK\n@\n\n", "OK @\n\n", "ERR @\n\n",
		"OK x\n@: a [x] SUCCESS\n\n", "OK x\na: @ [x] FAIL @ @\n\n"};
	static const char *const requests[] = {"X", "STATS", "USERS", "ACCESS_LOG", "CONNECTIONS"};
	char reply[1024], *text;

	(void)state;
	for (size_t i = 0; i < 9 * 5; i++) {
		put_in(replies[i % 9], hostile, reply);
		text = html_of(requests[i / 9], reply, &plain);
		assert_null(strstr(text, "<script"));
		assert_null(strstr(text, "\"'&a"));
		for (const char *p = text; *p != '\0'; p++)
			assert_true((*p >= ' ' && *p < 0x7f) || *p == '\n');
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_a_table),
		cmocka_unit_test(cells_tell_what_they_are),
		cmocka_unit_test(a_key_that_comes_later_has_its_column),
		cmocka_unit_test(values_are_a_list_and_may_stand_above_a_table),
		cmocka_unit_test(numbers_have_their_units),
		cmocka_unit_test(the_same_name_may_mean_another_thing_elsewhere),
		cmocka_unit_test(a_heading_is_the_caption_s_matter),
		cmocka_unit_test(a_name_of_digits_is_a_text),
		cmocka_unit_test(entries_and_names_are_tables_too),
		cmocka_unit_test(a_refusal_is_an_alert),
		cmocka_unit_test(what_is_neither_is_a_line),
		cmocka_unit_test(long_tables_are_shown_a_part_at_a_time),
		cmocka_unit_test(nothing_in_a_reply_is_taken_for_html),
	};

	return cmocka_run_group_tests_name("wire/html", tests, NULL, NULL);
}
