/* Questions as EXPLAIN, --explain and expect take them: what is taken is written and read back the
 * same. */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#include "state/expectation.h"
#include "state/expectation_types.h"
#include "state/question.h"

static void write_back(const struct question *q, char *text, size_t size)
{
	FILE *out = fmemopen(text, size, "w");

	FUZZ_CHECK(out != NULL);
	question_put(q, out);
	FUZZ_CHECK(fclose(out) == 0);
}

static void check_question(const char *text, size_t len)
{
	char why[QUESTION_ERROR_MAX] = "", first[2048] = "", second[2048] = "";
	struct question q, again;
	struct destination dst;

	if (!question_parse(text, len, &q, why)) {
		FUZZ_CHECK(why[0] != '\0');
		return;
	}
	write_back(&q, first, sizeof(first));
	FUZZ_CHECK(question_parse(first, strlen(first), &again, why));
	write_back(&again, second, sizeof(second));
	FUZZ_CHECK(strcmp(first, second) == 0);
	dst = question_destination(&q);
	FUZZ_CHECK(!q.has_target || destination_is_sane(&dst));
	FUZZ_CHECK(question_time(&q, 1752576039) >= 1752576039 - 60);
}

static void check_expectations(const char *text)
{
	const struct setting setting = {.name = "expect", .type = &setting_expectations};
	struct expectations list = {.count = 0}, again = {.count = 0};
	const struct setting_input in = {.text = text};
	struct setting_input back = {.text = NULL};
	char why[SETTING_ERROR_MAX], *written;

	if (!setting_set(&setting, &list, &in, why))
		return;
	written = setting_format(&setting, &list);
	FUZZ_CHECK(written != NULL);
	back.text = written;
	FUZZ_CHECK(setting_set(&setting, &again, &back, why));
	FUZZ_CHECK(setting_equal(&setting, &list, &again));
	free(written);
	setting_free(&setting, &list);
	setting_free(&setting, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = malloc(len + 1);

	FUZZ_CHECK(text != NULL);
	if (len > 0)
		memcpy(text, bytes, len);
	text[len] = '\0';
	check_question(text, strlen(text));
	check_expectations(text);
	free(text);
	return 0;
}
