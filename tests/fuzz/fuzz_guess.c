/* Which protocol somebody speaks: it is decided by a few bytes, and stays so with those behind
 * them. */
#include "fuzz.h"
#include "wire/guess.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	enum guess guess = GUESS_MORE;

	for (size_t n = 0; n <= len && n <= 128; n++) {
		enum guess next = guess_protocol(bytes, n);

		FUZZ_CHECK(guess == GUESS_MORE || next == guess);
		FUZZ_CHECK(n < 64 || next != GUESS_MORE);
		guess = next;
	}
	return 0;
}
