/* rule_answers: the listing of rules, in pieces and while the configuration is replaced, and what
 * EXPLAIN says, without memory too. */
#include "monitor/rule_answers.h"

#include <stdio.h>

#include "parts.h"
#include "state/rules.h"

FILE *__real_open_memstream(char **text, size_t *len);
FILE *__wrap_open_memstream(char **text, size_t *len);

FILE *__wrap_open_memstream(char **text, size_t *len)
{
	return faults_strikes() ? NULL : __real_open_memstream(text, len);
}

static struct reply r;
static char text[1 << 20]; /* all that has come */
static size_t pieces;

/* All of the reply, unless it fails. */
static const char *read_reply(void)
{
	const char *bytes;
	size_t n, len = 0;

	reply_finish(&r);
	for (pieces = 0; !r.failed && (n = reply_pending(&r, &bytes)) > 0; pieces++) {
		assert_true(len + n < sizeof(text));
		memcpy(text + len, bytes, n);
		len += n;
		reply_consume(&r, n);
	}
	text[len] = '\0';
	return text;
}

static const char *list_rules(void)
{
	reply_reset(&r);
	rule_answers_list(&parts, &r);
	return read_reply();
}

static const char *explain_text(const char *question)
{
	reply_reset(&r);
	rule_answers_explain(&parts, question, &r);
	return read_reply();
}

/* So many rules "BEGIN0.example.org", and so on. */
static void publish(unsigned count, const char *begin)
{
	char line[128], error[CONFIG_ERROR_MAX], why[SETTING_ERROR_MAX];
	struct setting_input in = {.text = line, .adds = true};
	struct config *c = config_read(&(struct config_source){.path = NULL}, error);
	struct rules *rules;

	assert_non_null(c);
	for (unsigned i = 0; i < count; i++) {
		snprintf(line, sizeof(line), "%s%u.example.org", begin, i);
		if (!setting_set(settings_find("rule"), &c->settings, &in, why))
			fail_msg("%s", why);
	}
	rules = rules_compile(&c->settings, NULL, false, error);
	if (rules == NULL)
		fail_msg("%s", error);
	config_set_rules(c, rules);
	config_publish(parts.config, c);
}

static int setup(void **state)
{
	(void)state;
	parts_make(4, 10);
	parts.own = own_new();
	parts.limits = limit_book_new();
	assert_non_null(parts.own);
	assert_non_null(parts.limits);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	reply_free(&r);
	parts_free();
	limit_book_free(parts.limits);
	own_free(parts.own);
	parts.limits = NULL;
	parts.own = NULL;
	return 0;
}

#define RULES 5000

static void thousands_come_in_pieces(void **state)
{
	(void)state;
	publish(RULES, "deny to host");
	assert_begins(list_rules(), "OK\nrule:1 hits:0 left:- from:");
	assert_true(pieces > 10);
	assert_contains(text, "\nrule:5000 hits:0 left:- from:");
	assert_contains(text, " last:- text:deny to host4999.example.org\n");
	assert_contains(text, "\nrule:otherwise hits:0 ");
}

/* Those are listed that held when the listing began. */
static void a_reload_meanwhile_does_not_mix_them(void **state)
{
	const char *bytes;
	size_t n;

	(void)state;
	publish(RULES, "deny to host");
	reply_reset(&r);
	rule_answers_list(&parts, &r);
	reply_finish(&r);
	n = reply_pending(&r, &bytes);
	reply_consume(&r, n);
	publish(1, "deny to new");
	assert_contains(read_reply(), " text:deny to host4999.example.org\n");
	assert_null(strstr(text, "new0"));
	assert_contains(list_rules(), " text:deny to new0.example.org\n");
}

static void a_question_is_answered_or_told_what_it_lacks(void **state)
{
	(void)state;
	publish(1, "deny from 10.0.0.0/8 to 198.51.100.1, x");
	assert_begins(explain_text("from=10.0.0.1 to=198.51.100.1:443"), "OK\n");
	assert_contains(text, "verdict:deny");
	assert_begins(explain_text("from=10.0.0.1 to=198.51.100.1"), "ERR ");
	assert_begins(explain_text(""), "ERR ");
	assert_begins(explain_text("from=10.0.0.1 colour=red"), "ERR ");
}

/* With each allocation failing in turn the reply fails, or is all of it; a verdict goes without the
 * text of its rule at most. */
static void without_memory_there_is_no_part_of_it(void **state)
{
	char all[8192];
	bool struck = true;

	(void)state;
	publish(3, "deny to host");
	snprintf(all, sizeof(all), "%s", list_rules());
	for (int n = 1; struck; n++) {
		reply_free(&r);
		faults_fail(n);
		list_rules();
		struck = faults_struck();
		assert_true(struck || !r.failed);
		if (!r.failed)
			assert_string_equal(text, all);
	}
	struck = true;
	for (int n = 1; struck; n++) {
		reply_free(&r);
		faults_fail(n);
		explain_text("from=10.0.0.1 to=198.51.100.1:443");
		struck = faults_struck();
		assert_true(struck || !r.failed);
		if (!r.failed)
			assert_contains(text, "verdict:allow rule:otherwise changes:-\n");
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(thousands_come_in_pieces),
		TEST(a_reload_meanwhile_does_not_mix_them),
		TEST(a_question_is_answered_or_told_what_it_lacks),
		TEST(without_memory_there_is_no_part_of_it),
	};

	return cmocka_run_group_tests_name("monitor/rule_answers", tests, NULL, NULL);
}
