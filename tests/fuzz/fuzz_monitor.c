/* The monitor's requests: lines, and words of them. */
#include "fuzz.h"

#include <string.h>

#include "monitor/commands.h"
#include "wire/monitor.h"

static void check_request(const struct monitor_line *line)
{
	static struct reply r;
	struct monitor_request q;

	if (commands_parse(line, &q, &r)) {
		FUZZ_CHECK(q.count >= q.command->least && q.count <= q.command->most);
		for (size_t i = 0; i < q.count; i++)
			FUZZ_CHECK(strlen(q.parameters[i]) <= line->len);
	} else {
		FUZZ_CHECK(r.len > 0);
	}
	reply_reset(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *p = (const char *)bytes;
	bool skipping = false;

	while (len > 0) {
		struct monitor_line line;
		size_t used;

		if (skipping) {
			bool ended;

			used = monitor_skip_line(p, len, &ended);
			skipping = !ended;
		} else {
			int n = monitor_parse_line(p, len, &line);

			if (n == MONITOR_MORE)
				return 0;
			skipping = n == MONITOR_TOO_LONG;
			FUZZ_CHECK(
				skipping || (n > 0 && (size_t)n <= len && n <= MONITOR_LINE_MAX));
			if (!skipping && monitor_is_printable(&line))
				check_request(&line);
			used = skipping ? 0 : (size_t)n;
		}
		FUZZ_CHECK(used <= len);
		p += used;
		len -= used;
	}
	return 0;
}
