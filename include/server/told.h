/* told: what somebody else was told last, so that he is told what has changed and nothing else.
 * One thread's; no lock. */
#ifndef SERVER_TOLD_H
#define SERVER_TOLD_H

#include <stdbool.h>
#include <stddef.h>

struct told;

/* Nothing was told. NULL without memory. */
struct told *told_new(void);

/* NULL is allowed. */
void told_free(struct told *t);

/* He may not know it any more: all of it is to be told again. */
void told_forget_all(struct told *t);

/* A round begins: all that stands is gone through by told_differs(), and what does not come by then
 * stands no more. */
void told_begin(struct told *t);

/* `value` stands under `key`, both ending at their NUL: true when that is to be told. It counts as
 * told from then on. Without memory it is to be told again the next time. */
bool told_differs(struct told *t, const char *key, const char *value);

/* The same in between, of what he has told himself. */
void told_note(struct told *t, const char *key, const char *value);

/* Was exactly that told of the key last, whether he still knows or not? */
bool told_is(const struct told *t, const char *key, const char *value);

/* What was told of it last, likewise; NULL: nothing. Valid until the next call. */
const char *told_value(const struct told *t, const char *key);

/* Nothing stands under the key any more, as he has told himself. */
void told_drop(struct told *t, const char *key);

/* Drops all that `is_to_go` says so of, which sees the value that was told last (""; there was no
 * memory for it). */
void told_sift(struct told *t, bool (*is_to_go)(void *context, const char *key, const char *value),
	void *context);

/* A key that has not come by in this round, which counts as told to be gone, with the value that
 * was told last (""; there was no memory for it); NULL: there is no more. Where he is to be told
 * everything again before the next round, that is told again, too. Valid until the next call. */
const char *told_next_gone(struct told *t, const char **last);

/* How many are known, of those that are gone such as were told in this round. */
size_t told_count(const struct told *t);

#endif
