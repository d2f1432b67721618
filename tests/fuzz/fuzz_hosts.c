/* hosts(5): a name that is looked for, the first line of the bytes, and the file. If that is a
 * text, each of its names is found. */
#include "fuzz.h"

#include <string.h>

#include "base/lines.h"
#include "base/parse.h"
#include "net/hosts.h"

#define BLANKS " \t\r\v\f\n"

static bool has_addr(const struct lookup_answer *answers, const struct addr *addr)
{
	const struct lookup_answer *a =
		&answers[addr->sa.sa_family == AF_INET ? LOOKUP_IPV4 : LOOKUP_IPV6];

	for (size_t i = 0; i < a->count; i++) {
		if (addr_equal(&a->addrs[i], addr))
			return true;
	}
	return a->count == RESOLVER_MAX_ADDRS;
}

static void check_name(struct hosts *h, char *name, const struct addr *addr)
{
	struct lookup_answer answers[LOOKUP_FAMILIES] = {{.count = 0}};

	if (strlen(name) > RESOLVER_NAME_MAX)
		return;
	parse_to_lower(name);
	FUZZ_CHECK(hosts_find(h, name, answers));
	/* A name has a bounded number of addresses, of both families together. */
	FUZZ_CHECK(has_addr(answers, addr) ||
		answers[LOOKUP_IPV4].count + answers[LOOKUP_IPV6].count >= RESOLVER_MAX_ADDRS);
}

static void check_line(struct hosts *h, char *line)
{
	char *rest = NULL, *word;
	struct addr addr;

	line[strcspn(line, "#")] = '\0';
	word = strtok_r(line, BLANKS, &rest);
	if (word == NULL || !addr_parse(word, strlen(word), &addr))
		return;
	while ((word = strtok_r(NULL, BLANKS, &rest)) != NULL)
		check_name(h, word, &addr);
}

static void check_all(struct hosts *h, const uint8_t *bytes, size_t len)
{
	char *copy = malloc(len + 1), *rest = copy, *line;

	FUZZ_CHECK(copy != NULL);
	memcpy(copy, bytes, len);
	copy[len] = '\0';
	if (strlen(copy) == len && len < LINES_MAX && lines_mark_of(copy, len) == LINES_NO_MARK) {
		while ((line = strsep(&rest, "\n")) != NULL)
			check_line(h, line);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct lookup_answer answers[LOOKUP_FAMILIES] = {{.count = 0}};
	const uint8_t *end = memchr(bytes, '\n', len);
	size_t name_len = end == NULL ? 0 : (size_t)(end - bytes);
	char name[RESOLVER_NAME_MAX + 1] = "";
	struct hosts *h = hosts_new(fuzz_file(bytes + name_len, len - name_len), NULL);

	FUZZ_CHECK(h != NULL);
	if (name_len <= RESOLVER_NAME_MAX)
		memcpy(name, bytes, name_len);
	if (hosts_find(h, name, answers))
		FUZZ_CHECK(answers[LOOKUP_IPV4].count + answers[LOOKUP_IPV6].count > 0);
	check_all(h, bytes + name_len, len - name_len);
	hosts_free(h);
	return 0;
}
