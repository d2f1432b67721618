/* A body in chunks: the first byte says whether its server may be lax; the same number of bytes and
 * of data however it is cut. */
#include "fuzz.h"
#include "wire/http_chunked.h"

struct outcome {
	enum http_chunked_state state;
	size_t taken, data;
};

static struct outcome run(const uint8_t *bytes, size_t len, bool is_lax, size_t step)
{
	struct http_chunked c = {.is_lax = is_lax};
	struct outcome o = {0};

	while (o.taken < len && c.state < HTTP_CHUNKED_ENDED) {
		size_t n = step < len - o.taken ? step : len - o.taken;
		bool is_data;
		size_t taken = http_chunked_take(&c, bytes + o.taken, n, &is_data);

		FUZZ_CHECK(taken <= n && (taken > 0 || http_chunked_is_malformed(&c)));
		o.taken += taken;
		o.data += is_data ? taken : 0;
	}
	o.state = c.state;
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct outcome whole, bytewise;

	if (len == 0)
		return 0;
	whole = run(bytes + 1, len - 1, bytes[0] & 1, len);
	bytewise = run(bytes + 1, len - 1, bytes[0] & 1, 1);
	FUZZ_CHECK(whole.state == bytewise.state);
	FUZZ_CHECK(whole.taken == bytewise.taken && whole.data == bytewise.data);
	return 0;
}
