/* fake_engine: an engine in the test's memory, which every struct engine is connected to, and which
 * fails when the test wants it to; or, so that it stays what an engine is, a real one that a test
 * is given (fake_open_real()). For tests whose line WRAP_ in the Makefile names the functions
 * of engine.h but engine_new, engine_free and engine_text. */
#ifndef TESTS_SERVER_FAKE_ENGINE_H
#define TESTS_SERVER_FAKE_ENGINE_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fake_store.h"
#include "server/engine.h"

int __wrap_engine_connect(struct engine *e, const struct shared_place *place, const struct addr *at,
	char error[ENGINE_ERROR_MAX]);
void __wrap_engine_close(struct engine *e);
void __wrap_engine_ask(struct engine *e, const char *const *words);
redisReply *__wrap_engine_reply(struct engine *e, char error[ENGINE_ERROR_MAX]);
bool __wrap_engine_here(const struct engine *e, struct addr *out);
uint64_t __wrap_engine_commands(const struct engine *e);

int __real_engine_connect(struct engine *e, const struct shared_place *place, const struct addr *at,
	char error[ENGINE_ERROR_MAX]);
void __real_engine_close(struct engine *e);
void __real_engine_ask(struct engine *e, const char *const *words);
redisReply *__real_engine_reply(struct engine *e, char error[ENGINE_ERROR_MAX]);

static redisReply *fake_replies[FAKE_MOST];
static size_t fake_reply_first, fake_reply_count;
static bool fake_is_down; /* it refuses, and says nothing any more */
static struct addr fake_here; /* this end of its connections; AF_UNSPEC: they have none */
static uint64_t fake_commands; /* so far */
static struct engine
	*fake_real; /* a connection of the test's own to a real one; NULL: it is none */
static struct shared_place fake_real_place;

/* ---- engine.h ---- */

int __wrap_engine_connect(struct engine *e, const struct shared_place *place, const struct addr *at,
	char error[ENGINE_ERROR_MAX])
{
	(void)place;
	(void)at;
	if (fake_real != NULL && !fake_is_down)
		return __real_engine_connect(e, &fake_real_place, NULL, error);
	snprintf(error, ENGINE_ERROR_MAX, "Connection refused");
	return fake_is_down ? -1 : 0;
}

void __wrap_engine_close(struct engine *e)
{
	if (fake_real != NULL)
		__real_engine_close(e);
	for (; fake_reply_count > 0; fake_reply_count--)
		freeReplyObject(fake_replies[fake_reply_first++]);
}

void __wrap_engine_ask(struct engine *e, const char *const *words)
{
	fake_commands++;
	if (fake_real != NULL) {
		__real_engine_ask(e, words);
		return;
	}
	if (fake_reply_count == 0)
		fake_reply_first = 0;
	if (fake_is_down)
		return;
	assert_true(fake_reply_first + fake_reply_count < FAKE_MOST);
	fake_replies[fake_reply_first + fake_reply_count++] = fake_do(words);
}

redisReply *__wrap_engine_reply(struct engine *e, char error[ENGINE_ERROR_MAX])
{
	if (fake_real != NULL && !fake_is_down)
		return __real_engine_reply(e, error);
	snprintf(error, ENGINE_ERROR_MAX, "no answer in time");
	if (fake_is_down || fake_reply_count == 0)
		return NULL;
	fake_reply_count--;
	return fake_replies[fake_reply_first++];
}

/* ---- a real one ---- */

/* The one at that unix socket takes the place of the one in memory: it is emptied whenever a test
 * begins. */
static inline void fake_open_real(const char *path)
{
	char error[ENGINE_ERROR_MAX];

	snprintf(fake_real_place.path, sizeof(fake_real_place.path), "%s", path);
	fake_real = engine_new();
	assert_non_null(fake_real);
	if (__real_engine_connect(fake_real, &fake_real_place, NULL, error) < 0)
		fail_msg("%s: %s", path, error);
}

static inline void fake_close_real(void)
{
	if (fake_real != NULL)
		__real_engine_close(fake_real);
	engine_free(fake_real);
	fake_real = NULL;
}

/* Of either; the reply is to be freed. */
static inline redisReply *fake_ask(const char *const *words)
{
	char error[ENGINE_ERROR_MAX];
	redisReply *r;

	if (fake_real == NULL)
		return fake_do(words);
	__real_engine_ask(fake_real, words);
	r = __real_engine_reply(fake_real, error);
	assert_non_null(r);
	return r;
}

#define FAKE_ASK(...) fake_ask((const char *const[]){__VA_ARGS__, NULL})

bool __wrap_engine_here(const struct engine *e, struct addr *out)
{
	(void)e;
	*out = fake_here;
	return out->sa.sa_family != AF_UNSPEC;
}

uint64_t __wrap_engine_commands(const struct engine *e)
{
	(void)e;
	return fake_commands;
}

#endif
