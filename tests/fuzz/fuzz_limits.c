/* Limits: what is taken is written and read back the same, and what is refused says why. */
#include "fuzz.h"

#include <string.h>

#include "state/limits.h"
#include "state/quota.h"

static void check_back(const struct limits *limits)
{
	char *text = limits_format(limits), *again;
	char why[LIMITS_ERROR_MAX];
	struct limits back;

	FUZZ_CHECK(text != NULL && limits_parse(text, LIMITS_OF_USER, &back, why));
	again = limits_format(&back);
	FUZZ_CHECK(again != NULL && strcmp(text, again) == 0);
	free(again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = malloc(len + 1);
	char why[LIMITS_ERROR_MAX] = "";
	struct limits limits, wide;

	FUZZ_CHECK(text != NULL);
	if (len > 0)
		memcpy(text, bytes, len);
	text[len] = '\0';
	if (limits_parse(text, LIMITS_OF_USER, &limits, why)) {
		check_back(&limits);
		wide = limits;
		limits_widen(&wide, &limits);
		check_back(&wide);
		if (limits_have(&limits, LIMIT_QUOTA))
			FUZZ_CHECK(quota_end(&limits.quota, 1764198000) > 1764198000);
	} else {
		FUZZ_CHECK(strlen(why) > 0);
	}
	free(text);
	return 0;
}
