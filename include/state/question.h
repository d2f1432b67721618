/* question: who would go where, and when, as somebody writes it down to have it judged: "from=ADDR
 * user=NAME to=HOST:PORT command=udp time="tue 09:30"". Values; no lock. */
#ifndef STATE_QUESTION_H
#define STATE_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"
#include "state/setting_types.h"
#include "state/users.h"
#include "wire/request.h"

#define QUESTION_ERROR_MAX SETTING_ERROR_MAX

struct question {
	struct addr client; /* without a port */
	size_t user_len; /* 0: who has not logged in */
	char user[USERS_NAME_MAX + 1];
	enum request_command command;
	bool has_target; /* else the command alone is meant, which of CONNECT nobody can ask */
	uint16_t port;
	size_t name_len; /* 0: an address was named */
	char name[DESTINATION_NAME_MAX + 1];
	struct addr addr; /* that was named, or that the name is to come to, with the port; of
			     AF_UNSPEC: not told */
	bool has_time;
	int day, minute; /* tm_wday, and of the day, in local time */
};

/* Reads a question: keys and values in any order, each once. False when it is none; then `why`
 * names the word and says what is legal, and `out` may be anything. */
bool question_parse(
	const char *text, size_t len, struct question *out, char why[QUESTION_ERROR_MAX]);

/* Writes it as question_parse() reads it. */
void question_put(const struct question *q, FILE *out);

/* What a client would have sent; nothing that counts where there is no target. Its name stays the
 * question's. */
struct destination question_destination(const struct question *q);

struct subject;

/* Fills in of a subject (rules.h) what the question tells: whom, what, and where that comes to. It
 * points into the question and to `dst`, which becomes what a client would have sent. */
void question_set_subject(
	const struct question *q, struct destination *dst, struct subject *subject);

/* When it is asked for, in seconds since 1970: `now`, or the first such minute from then on. */
int64_t question_time(const struct question *q, int64_t now);

/* "connect", "bind" or "udp". */
const char *question_command_word(enum request_command command);

#endif
