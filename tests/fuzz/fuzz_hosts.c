/* hosts(5): the file, and a name that is looked for in it: the first line of the bytes. */
#include "fuzz.h"

#include <string.h>

#include "net/hosts.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct lookup_answer answers[LOOKUP_FAMILIES] = {{.count = 0}};
	const uint8_t *end = memchr(bytes, '\n', len);
	size_t name_len = end == NULL ? 0 : (size_t)(end - bytes);
	char name[RESOLVER_NAME_MAX + 1] = "";
	struct hosts *h = hosts_new(fuzz_file(bytes + name_len, len - name_len));

	FUZZ_CHECK(h != NULL);
	if (name_len <= RESOLVER_NAME_MAX)
		memcpy(name, bytes, name_len);
	if (hosts_find(h, name, answers))
		FUZZ_CHECK(answers[LOOKUP_IPV4].count + answers[LOOKUP_IPV6].count > 0);
	hosts_free(h);
	return 0;
}
