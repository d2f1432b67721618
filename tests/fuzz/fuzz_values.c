/* Addresses, networks, port ranges, numbers, durations, words and escapes: what is taken is written
 * and read back the same. */
#include "fuzz.h"

#include <string.h>

#include "base/addr.h"
#include "base/escape.h"
#include "base/parse.h"
#include "net/resolver.h"

static void check_addr(const char *text, size_t len)
{
	char back[ADDR_TEXT_MAX];
	struct addr a, again;
	struct network network;
	bool has_port;

	if (addr_parse_port(text, len, &a, &has_port)) {
		addr_format(&a, back);
		FUZZ_CHECK(addr_parse_port(back, strlen(back), &again, &has_port) && has_port);
		FUZZ_CHECK(addr_equal(&a, &again));
	}
	if (network_parse(text, len, &network))
		FUZZ_CHECK(network_contains(&network, &network.base));
}

static void check_numbers(const char *text)
{
	struct port_range range, range_again;
	char back[32];
	int64_t ms, again;

	(void)parse_number(text, &ms);
	if (parse_duration(text, &ms)) {
		FUZZ_CHECK(ms >= 0);
		FUZZ_CHECK(parse_duration(parse_format_duration(ms, back), &again) && ms == again);
	}
	if (port_range_parse(text, &range)) {
		FUZZ_CHECK(port_range_parse(port_range_format(&range, back), &range_again));
		FUZZ_CHECK(range.first == range_again.first && range.last == range_again.last);
	}
	(void)resolver_servers_valid(text);
	(void)resolver_search_valid(text);
}

static void check_escapes(const uint8_t *bytes, size_t len)
{
	char *text = malloc(4 * len + 1);

	FUZZ_CHECK(text != NULL);
	escape_name(bytes, len, text, 4 * len + 1);
	FUZZ_CHECK(escape_decode(text, strlen(text), text) == len);
	FUZZ_CHECK(len == 0 || memcmp(text, bytes, len) == 0);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = malloc(len + 1);
	const char *cursor = text, *word;
	size_t word_len;

	FUZZ_CHECK(text != NULL);
	if (len > 0)
		memcpy(text, bytes, len);
	text[len] = '\0';
	check_addr((const char *)bytes, len);
	check_numbers(text);
	check_escapes(bytes, len);
	while (parse_next_word(&cursor, &word, &word_len))
		FUZZ_CHECK(word >= text && word + word_len <= text + len && word_len > 0);
	free(text);
	return 0;
}
