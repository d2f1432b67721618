/*
 * A table that every door writes and whoever shows figures reads, by two lists of words.
 */
#include "state/login_counts.h"

static const char *const door_words[LOGIN_DOORS] = {
#define LOGIN_DOOR(name, word) [LOGIN_AT_##name] = (word),
	LOGIN_DOOR_LIST(LOGIN_DOOR)
#undef LOGIN_DOOR
};

static const char *const result_words[LOGIN_RESULTS] = {
	[LOGIN_OK] = "ok",
	[LOGIN_REFUSED] = "wrong",
	[LOGIN_TOO_BUSY] = "busy",
	[LOGIN_HELD_OFF] = "held_off",
	[LOGIN_NO_MEMORY] = "no_memory",
	[LOGIN_DISABLED] = "disabled",
	[LOGIN_EXPIRED] = "expired",
	[LOGIN_NOT_FROM_HERE] = "not_from_here",
	[LOGIN_NO_HELPER] = "no_helper",
	[LOGIN_UNANSWERED] = "unanswered",
	[LOGIN_IGNORED] = "ignored",
};

const char *login_door_word(enum login_door door)
{
	return door_words[door];
}

const char *login_result_word(unsigned result)
{
	return result_words[result];
}

void login_counts_add(struct login_counts *c, enum login_door door, unsigned result)
{
	atomic_fetch_add_explicit(&c->of[door][result], 1, memory_order_relaxed);
}

uint64_t login_counts_get(const struct login_counts *c, enum login_door door, unsigned result)
{
	return atomic_load_explicit(&c->of[door][result], memory_order_relaxed);
}

uint64_t login_counts_refused(const struct login_counts *c, enum login_door door)
{
	static const enum login_result refused[] = {LOGIN_REFUSED, LOGIN_HELD_OFF, LOGIN_DISABLED,
		LOGIN_EXPIRED, LOGIN_NOT_FROM_HERE, LOGIN_NO_HELPER};
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		sum += login_counts_get(c, door, refused[i]);
	return sum;
}
