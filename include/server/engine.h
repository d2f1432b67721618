/* engine: a connection to the engine that nodes share their state by, Redis or what speaks as it
 * does. One thread's; no lock. */
#ifndef SERVER_ENGINE_H
#define SERVER_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hiredis/hiredis.h>

#include "base/addr.h"
#include "net/resolver.h"
#include "state/shared_setting.h"

#define ENGINE_CONNECT_MS 200 /* for connecting at most */
#define ENGINE_REPLY_MS 100 /* for some more of a reply */
#define ENGINE_WHOLE_MS 2000 /* for all of it, however it comes */
#define ENGINE_ERROR_MAX 512
#define ENGINE_WORDS_MAX 256 /* of a command */

struct engine;

/* Not connected. NULL without memory. */
struct engine *engine_new(void);

/* NULL is allowed. */
void engine_free(struct engine *e);

/* Where the engine is, of a name the first address that it has. False: it has none. */
bool engine_find(const struct shared_place *place, struct resolver *resolver,
	struct fdbudget *budget, struct addr *out);

/* Puts the first line of the file in the place's password; "": there is no file. -1 with the reason
 * in `error`. */
int engine_read_password(const char *path, struct shared_place *place, char error[ENGINE_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Connects to `at`, or (NULL) to the unix socket that `place` names, logs in there, and chooses the
 * database. -1 with the reason in `error`. */
int engine_connect(struct engine *e, const struct shared_place *place, const struct addr *at,
	char error[ENGINE_ERROR_MAX]) __attribute__((warn_unused_result));

/* This end of the connection; false: none by an address. */
bool engine_here(const struct engine *e, struct addr *out);

/* Does nothing when there is no connection. */
void engine_close(struct engine *e);

/* Puts a command behind those that wait to be sent: its words, at most ENGINE_WORDS_MAX, a
 * NULL behind the last. What fails shows at the reply. */
void engine_ask(struct engine *e, const char *const *words);

#define ENGINE_ASK(e, ...) engine_ask((e), (const char *const[]){__VA_ARGS__, NULL})

/* How many commands it was asked in all. */
uint64_t engine_commands(const struct engine *e);

/* The next reply to what was asked, in the order of the questions, to be freed with
 * freeReplyObject(). NULL with the reason in `error`: then the connection is of no use any more. A
 * reply may say itself that the command failed (REDIS_REPLY_ERROR). */
redisReply *engine_reply(struct engine *e, char error[ENGINE_ERROR_MAX]);

/* The same, where it is to be of that type (hiredis's REDIS_REPLY_*); NULL also when it is not,
 * with the engine's reason where it gives one, and otherwise that. */
redisReply *engine_reply_of(
	struct engine *e, int type, const char *otherwise, char error[ENGINE_ERROR_MAX]);

#define ENGINE_NO_ANSWER "an answer that is none"

/* The same, where it may be nil as well: there is nothing of what was asked for. */
redisReply *engine_reply_or_nil(struct engine *e, int type, char error[ENGINE_ERROR_MAX]);

/* Throws away so many replies. -1 with the reason in `error`, which the first of them says that is
 * one. */
int engine_skip(struct engine *e, size_t count, char error[ENGINE_ERROR_MAX])
	__attribute__((warn_unused_result));

/* The text of a reply, or of one of its elements; "" when it has none. */
const char *engine_text(const redisReply *r);

#endif
