/* Leases: whatever the lines say, each name that is read lies in its line, and what is found for
 * its address afterwards is one printable word. */
#include "fuzz.h"

#include <string.h>

#include "state/client_names.h"

static bool is_one_word(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return false;
	}
	return true;
}

static void check_lines(struct client_names *n, char *text, size_t len)
{
	struct leases_reader r = {.format = LEASES_UNKNOWN};
	char *rest = text, *line, name[CLIENT_NAME_TEXT_MAX];
	struct leased leased;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (!leases_read_line(&r, line, &leased))
			continue;
		FUZZ_CHECK(leased.name >= text && leased.name < text + len);
		FUZZ_CHECK(*leased.name != '\0' && leased.addr.sa.sa_family != AF_UNSPEC);
		client_names_find(n, &leased.addr, name);
		FUZZ_CHECK(is_one_word(name));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct client_names *n = client_names_new(NULL);
	char *text = malloc(len + 1);

	FUZZ_CHECK(n != NULL && text != NULL);
	memcpy(text, bytes, len);
	text[len] = '\0';
	client_names_follow(n, fuzz_file(bytes, len));
	check_lines(n, text, len);
	free(text);
	client_names_free(n);
	return 0;
}
