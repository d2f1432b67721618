/*
 * Whoever asks knows which type a reply has: any other one is an error, in the engine's words where
 * it gives some.
 */
#include <stdio.h>

#include "server/engine.h"

const char *engine_text(const redisReply *r)
{
	return r == NULL || r->str == NULL ? "" : r->str;
}

static redisReply *check(redisReply *r, bool is_right, const char *otherwise, char *error)
{
	if (r == NULL || is_right)
		return r;
	snprintf(error, ENGINE_ERROR_MAX, "%s",
		r->type == REDIS_REPLY_ERROR ? engine_text(r) : otherwise);
	freeReplyObject(r);
	return NULL;
}

redisReply *engine_reply_of(
	struct engine *e, int type, const char *otherwise, char error[ENGINE_ERROR_MAX])
{
	redisReply *r = engine_reply(e, error);

	return check(r, r != NULL && r->type == type, otherwise, error);
}

redisReply *engine_reply_or_nil(struct engine *e, int type, char error[ENGINE_ERROR_MAX])
{
	redisReply *r = engine_reply(e, error);

	return check(r, r != NULL && (r->type == type || r->type == REDIS_REPLY_NIL),
		ENGINE_NO_ANSWER, error);
}

int engine_skip(struct engine *e, size_t count, char error[ENGINE_ERROR_MAX])
{
	int result = 0;

	for (; count > 0; count--) {
		redisReply *r = engine_reply(e, error);

		if (r == NULL)
			return -1;
		if (r->type == REDIS_REPLY_ERROR) {
			if (result == 0)
				snprintf(error, ENGINE_ERROR_MAX, "%s", engine_text(r));
			result = -1;
		}
		freeReplyObject(r);
	}
	return result;
}
