/* reply: what the monitor answers to one request: a text that is there at once, and perhaps a
 * source of more, asked only when all before it went out. One thread's at a time; no lock. */
#ifndef MONITOR_REPLY_H
#define MONITOR_REPLY_H

#include <stdbool.h>
#include <stddef.h>

/* A source stops adding when the text has come to this, so that nobody's answer takes much memory.
 */
#define REPLY_CHUNK 16384

struct reply;

/* Adds some more with reply_add(), about REPLY_CHUNK at most; false when that was all. One of a
 * reply that lasts adds nothing when there is nothing yet. */
typedef bool reply_source(void *state, struct reply *r);

struct reply {
	char *text;
	size_t len; /* bytes in `text` */
	size_t size; /* of its memory */
	size_t sent; /* bytes that went out already */
	bool failed; /* memory was out: the reply is not complete */
	bool closes; /* the connection ends behind it, and there is no empty line */
	bool is_lasting; /* until reply_stop(): the source has more whenever something happens */
	bool is_waiting; /* then: it had nothing when it was asked last */
	reply_source *source;
	void (*free_state)(void *state);
	void *state;
};

/* Adds text, as for printf(3). */
void reply_add(struct reply *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The status line of a refusal: ERR and the reason. */
void reply_error(struct reply *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Goes on with what `source` adds; `state` is freed with `free_state` afterwards. */
void reply_continue(struct reply *r, reply_source *source, void (*free_state)(void *), void *state);

/* The same, but what the source tells of goes on, until reply_stop(). */
void reply_last(struct reply *r, reply_source *source, void (*free_state)(void *), void *state);

/* Ends a reply that lasts: behind what is there already comes the empty line. */
void reply_stop(struct reply *r);

/* Nothing more is to be added: the empty line that ends a reply, unless the connection ends. For
 * replies with a source this happens behind its last part. */
void reply_finish(struct reply *r);

/* Bytes to be sent next, at `*bytes`, fetched from the source when there are none left; 0 when the
 * whole reply went out, or all there is so far of one that lasts. */
size_t reply_pending(struct reply *r, const char **bytes);

/* `n` of them went out. */
void reply_consume(struct reply *r, size_t n);

/* Forgets everything, so that the next reply can begin; keeps some memory. */
void reply_reset(struct reply *r);

/* Frees everything. */
void reply_free(struct reply *r);

#endif
