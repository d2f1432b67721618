/*
 * A number with up to three decimals and a unit of bytes, or of bits a second. Who writes "2" may
 * have meant either of two rates that differ by eight, and who writes "2M" four; so nothing is
 * guessed. What is written back is exact: bytes are whole, and the smallest unit is a thousand of
 * them or an eighth of that.
 */
#include "state/amount.h"

#include <stdio.h>
#include <string.h>

#include "base/nearest.h"

#define MOST (UINT64_C(1) << 53) /* bytes: a number of JSON is exact up to there */
#define LEAST_RATE 1000 /* bytes a second: below, a datagram of some size would never pass */

struct unit {
	const char *word;
	uint64_t bytes;
};

/* Largest first, which formatting relies on. */
static const struct unit bit_units[] = {
	{"Gbit", UINT64_C(125000000)}, {"Mbit", 125000}, {"kbit", 125}};
static const struct unit byte_units[] = {{"TB", UINT64_C(1000000000000)},
	{"GB", UINT64_C(1000000000)}, {"MB", 1000000}, {"kB", 1000}, {"B", 1}};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define RATE_UNITS "kbit Mbit Gbit, or kB MB GB a second"
#define SIZE_UNITS "kB MB GB TB"

static const struct unit *find_unit(
	const struct unit *table, size_t count, const char *word, size_t len)
{
	for (size_t i = 0; i < count; i++) {
		if (strlen(table[i].word) == len && memcmp(table[i].word, word, len) == 0)
			return &table[i];
	}
	return NULL;
}

/* The digits in front, and up to three behind a point: in thousandths. Returns how many bytes that
 * are; 0: there is no such number. */
static size_t read_thousandths(const char *text, size_t len, uint64_t *out)
{
	uint64_t n = 0, scale = 1000;
	size_t i = 0;

	for (; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
		n = n * 10 + (uint64_t)(text[i] - '0');
		if (n > MOST)
			return 0;
	}
	if (i == 0)
		return 0;
	n *= 1000;
	if (i + 1 < len && text[i] == '.') {
		for (i++; i < len && scale > 1 && text[i] >= '0' && text[i] <= '9'; i++) {
			scale /= 10;
			n += (uint64_t)(text[i] - '0') * scale;
		}
		if (scale == 1000)
			return 0;
	}
	*out = n;
	return i;
}

/* ---- sizes ---- */

static bool refuse_amount(
	char *why, const char *text, size_t len, const char *reason, const char *hint)
{
	snprintf(why, AMOUNT_ERROR_MAX, "\"%.*s\": %s%s", (int)(len < 64 ? len : 64), text, reason,
		hint);
	return false;
}

/* Thousandths of a unit in whole bytes; 0 when that is too much. */
static uint64_t scale_amount(uint64_t thousandths, const struct unit *unit)
{
	__extension__ unsigned __int128 bytes = (unsigned __int128)thousandths * unit->bytes / 1000;

	return bytes > MOST ? 0 : (uint64_t)bytes;
}

static const char *unit_hint(const char *word, size_t len, bool of_rate, char out[NEAREST_HINT_MAX])
{
	struct nearest nearest = nearest_to(word, len);

	for (size_t i = 0; of_rate && i < COUNT(bit_units); i++)
		nearest_try(&nearest, bit_units[i].word);
	for (size_t i = of_rate ? 1 : 0; i < COUNT(byte_units) - 1; i++)
		nearest_try(&nearest, byte_units[i].word);
	return nearest_hint(&nearest, "", out);
}

bool amount_parse_size(const char *text, size_t len, uint64_t *bytes, char why[AMOUNT_ERROR_MAX])
{
	uint64_t n = 0;
	size_t digits = read_thousandths(text, len, &n);
	const struct unit *unit =
		find_unit(byte_units, COUNT(byte_units), text + digits, len - digits);
	char hint[NEAREST_HINT_MAX];

	if (digits == 0)
		return refuse_amount(why, text, len, "legal is a size such as 50GB", "");
	if (unit == NULL)
		return refuse_amount(why, text, len,
			"a size is a number with its unit, " SIZE_UNITS " (decimal), as in 50GB",
			unit_hint(text + digits, len - digits, false, hint));
	n = scale_amount(n, unit);
	if (n == 0)
		return refuse_amount(why, text, len, "legal is a size from 1B to 9000TB", "");
	*bytes = n;
	return true;
}

static void put_scaled(uint64_t amount, const struct unit *unit, char *out, size_t size)
{
	unsigned thousandths =
		unit->bytes < 1000 ? 0 : (unsigned)(amount % unit->bytes / (unit->bytes / 1000));
	int len = snprintf(out, size, "%llu", (unsigned long long)(amount / unit->bytes));

	if (thousandths != 0) {
		len += snprintf(out + len, size - (size_t)len, ".%03u", thousandths);
		while (out[len - 1] == '0')
			len--;
	}
	snprintf(out + len, size - (size_t)len, "%s", unit->word);
}

/* The largest unit that is not too large, and of which three decimals are exact. */
const char *amount_format_size(uint64_t bytes, char out[AMOUNT_TEXT_MAX])
{
	size_t i = 0;

	while (byte_units[i].bytes > 1 &&
		(bytes < byte_units[i].bytes || bytes % (byte_units[i].bytes / 1000) != 0))
		i++;
	put_scaled(bytes, &byte_units[i], out, AMOUNT_TEXT_MAX);
	return out;
}

/* ---- rates ---- */

static const struct unit *find_rate_unit(const char *word, size_t len)
{
	const struct unit *unit = find_unit(bit_units, COUNT(bit_units), word, len);

	return unit != NULL ? unit : find_unit(byte_units + 1, COUNT(byte_units) - 2, word, len);
}

static bool parse_one_rate(const char *text, size_t len, uint64_t *out, char *why)
{
	uint64_t n = 0;
	size_t digits = read_thousandths(text, len, &n);
	const struct unit *unit;
	char hint[NEAREST_HINT_MAX], both[96];

	if (len == 4 && memcmp(text, "none", 4) == 0) {
		*out = 0;
		return true;
	}
	if (digits == 0 || digits > 24)
		return refuse_amount(why, text, len, "legal is a rate such as 2Mbit or 250kB", "");
	if (digits == len) {
		snprintf(both, sizeof(both), "bits or bytes? Write %.*skbit or %.*skB", (int)digits,
			text, (int)digits, text);
		return refuse_amount(why, text, len, both, " (or Mbit Gbit MB GB, a second)");
	}
	unit = find_rate_unit(text + digits, len - digits);
	if (unit == NULL)
		return refuse_amount(why, text, len,
			"a rate is a number with its unit, " RATE_UNITS " (decimal)",
			unit_hint(text + digits, len - digits, true, hint));
	n = scale_amount(n, unit);
	if (n < LEAST_RATE)
		return refuse_amount(why, text, len,
			"legal is a rate from 8kbit, which is 1kB, to 9000000GB", "");
	*out = n;
	return true;
}

bool amount_parse_rate(
	const char *text, size_t len, uint64_t *down, uint64_t *up, char why[AMOUNT_ERROR_MAX])
{
	const char *slash = memchr(text, '/', len);
	size_t first = slash == NULL ? len : (size_t)(slash - text);
	uint64_t d, u;

	if (!parse_one_rate(text, first, &d, why))
		return false;
	u = d;
	if (slash != NULL && !parse_one_rate(slash + 1, len - first - 1, &u, why))
		return false;
	*down = d;
	*up = u;
	return true;
}

static void format_one_rate(uint64_t rate, char out[AMOUNT_TEXT_MAX / 2])
{
	const struct unit *units = rate % 125 == 0 ? bit_units : byte_units + 1;
	size_t i = 0;

	if (rate == 0) {
		strcpy(out, "none");
		return;
	}
	while (units[i].bytes > 1000 &&
		(rate < units[i].bytes || rate % (units[i].bytes / 1000) != 0))
		i++;
	put_scaled(rate, &units[i], out, AMOUNT_TEXT_MAX / 2);
}

const char *amount_format_rate(uint64_t down, uint64_t up, char out[AMOUNT_TEXT_MAX])
{
	char one[AMOUNT_TEXT_MAX / 2], other[AMOUNT_TEXT_MAX / 2];

	format_one_rate(down, one);
	format_one_rate(up, other);
	snprintf(out, AMOUNT_TEXT_MAX, "%s%s%s", one, up == down ? "" : "/",
		up == down ? "" : other);
	return out;
}
