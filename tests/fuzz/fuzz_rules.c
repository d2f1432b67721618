/* Rules: what is taken is written in one form and read back the same, and every request has a
 * verdict. The first line is a request (judge.h), each further one a rule. */
#include "fuzz.h"

#include <string.h>

#include "../state/judge.h"

/* Its one form is its own one form. */
static void check_form(const char *text, size_t len)
{
	char why[RULE_ERROR_MAX];
	struct rule *rule = rule_parse(text, len, NULL, why), *again;

	FUZZ_CHECK(rule != NULL || *why != '\0');
	if (rule == NULL)
		return;
	again = rule_parse(rule->text, strlen(rule->text), NULL, why);
	FUZZ_CHECK(again != NULL);
	FUZZ_CHECK(strcmp(rule->text, again->text) == 0);
	rule_release(again);
	rule_release(rule);
}

static void check_verdict(struct judge *j, const char *request)
{
	struct verdict v = {.rule = ""};
	const char *text = judge_ask(j, request, &v);

	FUZZ_CHECK(strcmp(text, "?") == 0 || v.rule[0] != '\0');
	FUZZ_CHECK(v.allowed || !v.is_open);
	rules_count_hit(&j->config, &v);
	FUZZ_CHECK(rules_next_border(j->config.rules, v.set) > 0);
}

static void take_lines(struct judge *j, char *text)
{
	char *request = strsep(&text, "\n"), *line;
	bool adds = false;

	while ((line = strsep(&text, "\n")) != NULL) {
		check_form(line, strlen(line));
		/* No files: what they hold is another target's. */
		if (strstr(line, "file:") == NULL)
			adds |= judge_set(j, "rule", line, adds);
	}
	if (judge_compile(j))
		check_verdict(j, request);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = strndup((const char *)bytes, len);
	struct judge j;

	FUZZ_CHECK(text != NULL);
	FUZZ_CHECK(judge_begin(&j) == 0);
	take_lines(&j, text);
	judge_end(&j);
	free(text);
	return 0;
}
