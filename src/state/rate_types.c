/*
 * Rates are read by amount.h, as those of single accounts are. A group stands in the list once: of
 * two lines one would count, and whoever wrote the other would look for why it does not.
 */
#include "state/rate_types.h"

#include <string.h>

#include "state/amount.h"
#include "state/limits.h"

#define RATES "a rate such as 100Mbit or 20Mbit/5Mbit (to clients, and from them)"
#define GROUP_RATES                                                                                \
	"@GROUP and a rate such as @pupils 50Mbit or @pupils 50Mbit/10Mbit (a line a group; in "   \
	"one value they are separated by ;)"
#define BETWEEN " \t;"

/* ---- one ---- */

/* What stands behind "word": in a problem. */
static const char *behind_word(const char *problem)
{
	const char *end = strstr(problem, "\": ");

	return end != NULL ? end + 3 : problem;
}

static bool read_rate(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	struct rate *rate = value, parsed;
	char problem[AMOUNT_ERROR_MAX];

	(void)setting;
	if (amount_parse_rate(in->text, strlen(in->text), &parsed.down, &parsed.up, problem)) {
		*rate = parsed;
		return true;
	}
	/* Which of the two it is about is said where there are two: the value is shown already. */
	snprintf(why, SETTING_ERROR_MAX, "%s; legal is none or " RATES,
		strchr(in->text, '/') != NULL ? problem : behind_word(problem));
	return false;
}

static void write_rate(const struct setting *setting, const void *value, FILE *out)
{
	const struct rate *rate = value;
	char text[AMOUNT_TEXT_MAX];

	(void)setting;
	fputs(amount_format_rate(rate->down, rate->up, text), out);
}

static bool rates_are_equal(const struct rate *a, const struct rate *b)
{
	return a->down == b->down && a->up == b->up;
}

static bool equal_rates(const void *a, const void *b)
{
	return rates_are_equal(a, b);
}

static void put_legal_rates(const struct setting *setting, FILE *out)
{
	(void)setting;
	fputs("none or " RATES, out);
}

const struct setting_type setting_rate = {
	.size = sizeof(struct rate),
	.parse = read_rate,
	.format = write_rate,
	.equal = equal_rates,
	.legal = put_legal_rates,
};

/* ---- those of groups ---- */

static bool refuse_group_rate(
	char why[SETTING_ERROR_MAX], const char *word, size_t len, const char *problem)
{
	snprintf(why, SETTING_ERROR_MAX, "\"%.*s\": %s; legal is " GROUP_RATES,
		(int)(len < 96 ? len : 96), word, problem);
	return false;
}

/* The name behind the @ of `text`, which has `len` bytes in all. */
static bool read_group_name(
	const struct group_rates *list, const char *text, size_t len, char *out, char *why)
{
	const char *problem = *text != '@' ? "no group's name, which begins with @"
					   : limits_group_problem(text + 1, len - 1);

	if (problem != NULL)
		return refuse_group_rate(why, text, len, problem);
	memcpy(out, text + 1, len - 1);
	out[len - 1] = '\0';
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->groups[i].name, out) == 0)
			return refuse_group_rate(why, text, len, "it has a rate already");
	}
	return true;
}

/* Takes "@name RATE" of `len` bytes, blanks perhaps behind it. */
static bool take_group_rate(struct group_rates *list, const char *text, size_t len, char *why)
{
	size_t name = strcspn(text, BETWEEN), rate, end;
	char problem[AMOUNT_ERROR_MAX];
	struct group_rate *g = &list->groups[list->count];

	if (list->count == THROTTLE_GROUPS_MAX)
		return refuse_group_rate(why, text, name, "there are 64 already");
	if (!read_group_name(list, text, name, g->name, why))
		return false;
	rate = name + strspn(text + name, " \t");
	end = rate + strcspn(text + rate, BETWEEN);
	if (rate >= len)
		return refuse_group_rate(why, text, name, "it has no rate");
	if (end + strspn(text + end, " \t") < len)
		return refuse_group_rate(why, text + end + 1, strcspn(text + end + 1, BETWEEN),
			"one rate is enough");
	if (!amount_parse_rate(text + rate, end - rate, &g->rate.down, &g->rate.up, problem)) {
		snprintf(why, SETTING_ERROR_MAX, "%s; legal is " GROUP_RATES, problem);
		return false;
	}
	list->count++;
	return true;
}

static bool read_group_rates(const struct setting *setting, void *value,
	const struct setting_input *in, char why[SETTING_ERROR_MAX])
{
	const char *text = in->text + strspn(in->text, BETWEEN);
	struct group_rates list = {.count = 0};

	(void)setting;
	if (in->adds)
		list = *(const struct group_rates *)value;
	while (*text != '\0') {
		size_t len = strcspn(text, ";");

		if (!take_group_rate(&list, text, len, why))
			return false;
		text += len;
		text += strspn(text, BETWEEN);
	}
	*(struct group_rates *)value = list;
	return true;
}

static void write_group_rates(const struct setting *setting, const void *value, FILE *out)
{
	const struct group_rates *list = value;
	char text[AMOUNT_TEXT_MAX];

	(void)setting;
	for (size_t i = 0; i < list->count; i++) {
		const struct group_rate *g = &list->groups[i];

		fprintf(out, "%s@%s %s", i == 0 ? "" : "; ", g->name,
			amount_format_rate(g->rate.down, g->rate.up, text));
	}
}

static bool equal_group_rates(const void *a, const void *b)
{
	const struct group_rates *x = a, *y = b;

	if (x->count != y->count)
		return false;
	for (size_t i = 0; i < x->count; i++) {
		if (strcmp(x->groups[i].name, y->groups[i].name) != 0 ||
			!rates_are_equal(&x->groups[i].rate, &y->groups[i].rate))
			return false;
	}
	return true;
}

static void put_legal_group_rates(const struct setting *setting, FILE *out)
{
	(void)setting;
	fputs(GROUP_RATES, out);
}

const struct setting_type setting_group_rates = {
	.size = sizeof(struct group_rates),
	.is_list = true,
	.parse = read_group_rates,
	.format = write_group_rates,
	.equal = equal_group_rates,
	.legal = put_legal_group_rates,
};
