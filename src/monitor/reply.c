/*
 * The memory of one reply serves the next, unless a long one has made it large. That memory is out
 * is remembered, not reported line by line: whoever writes goes on, and whoever sends ends the
 * connection, so that no reply passes for a whole one that is not.
 */
#include "monitor/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool make_room(struct reply *r, size_t wanted)
{
	size_t size = r->size == 0 ? 1024 : r->size;
	char *text;

	if (wanted <= r->size)
		return true;
	while (size < wanted)
		size *= 2;
	text = realloc(r->text, size);
	if (text == NULL)
		return false;
	r->text = text;
	r->size = size;
	return true;
}

static void add(struct reply *r, const char *format, va_list ap)
	__attribute__((format(printf, 2, 0)));

static void add(struct reply *r, const char *format, va_list ap)
{
	va_list again;
	size_t room;
	int len;

	if (r->failed || !make_room(r, r->len + 1)) {
		r->failed = true;
		return;
	}
	va_copy(again, ap);
	room = r->size - r->len;
	len = vsnprintf(r->text + r->len, room, format, ap);
	if (len >= 0 && (size_t)len >= room && make_room(r, r->len + (size_t)len + 1))
		vsnprintf(r->text + r->len, (size_t)len + 1, format, again);
	va_end(again);
	r->failed = len < 0 || r->len + (size_t)len >= r->size;
	if (!r->failed)
		r->len += (size_t)len;
}

void reply_add(struct reply *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(r, format, ap);
	va_end(ap);
}

void reply_error(struct reply *r, const char *format, ...)
{
	va_list ap;

	reply_add(r, "ERR ");
	va_start(ap, format);
	add(r, format, ap);
	va_end(ap);
	reply_add(r, "\n");
}

void reply_continue(struct reply *r, reply_source *source, void (*free_state)(void *), void *state)
{
	r->source = source;
	r->free_state = free_state;
	r->state = state;
}

void reply_last(struct reply *r, reply_source *source, void (*free_state)(void *), void *state)
{
	reply_continue(r, source, free_state, state);
	r->is_lasting = true;
}

static void drop_source(struct reply *r)
{
	if (r->source != NULL)
		r->free_state(r->state);
	r->source = NULL;
	r->is_lasting = r->is_waiting = false;
}

void reply_stop(struct reply *r)
{
	drop_source(r);
	reply_finish(r);
}

void reply_finish(struct reply *r)
{
	if (r->source == NULL && !r->closes)
		reply_add(r, "\n");
}

size_t reply_pending(struct reply *r, const char **bytes)
{
	r->is_waiting = false;
	while (r->sent == r->len && r->source != NULL && !r->failed && !r->is_waiting) {
		r->sent = r->len = 0;
		if (!r->source(r->state, r))
			reply_stop(r);
		else
			r->is_waiting = r->is_lasting && r->len == 0;
	}
	*bytes = r->sent < r->len ? r->text + r->sent : NULL;
	return r->len - r->sent;
}

void reply_consume(struct reply *r, size_t n)
{
	r->sent += n;
}

void reply_reset(struct reply *r)
{
	drop_source(r);
	if (r->size > 2 * REPLY_CHUNK)
		reply_free(r);
	r->len = r->sent = 0;
	r->failed = r->closes = false;
}

void reply_free(struct reply *r)
{
	drop_source(r);
	free(r->text);
	*r = (struct reply){.source = NULL};
}
