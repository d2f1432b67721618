/* request: what a client asks for, in no protocol's terms: as commands, rules and logs see it.
 * Values; no lock. */
#ifndef WIRE_REQUEST_H
#define WIRE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define DESTINATION_NAME_MAX 255 /* bytes (RFC 1035 section 2.3.4) */

enum destination_kind {
	DESTINATION_NONE, /* all zeros: nothing was named, or nothing that is understood */
	DESTINATION_ADDR,
	DESTINATION_NAME,
};

/* Where something is to go, as a client names it. */
struct destination {
	enum destination_kind kind;
	uint16_t port;
	uint8_t name_len;
	const char
		*name; /* DESTINATION_NAME: as it was sent, any bytes, without a NUL behind them */
	struct addr addr; /* DESTINATION_ADDR: with the port; else AF_UNSPEC */
};

struct destination destination_of_addr(const struct addr *addr);

/* Many clients send address literals as names; rules for addresses must see them, so they are
 * addresses here. `name` is not copied; `len` <= DESTINATION_NAME_MAX. */
struct destination destination_of_name(const char *name, size_t len, uint16_t port);

/* The same address or, byte for byte, name, with the same port? */
bool destination_equal(const struct destination *a, const struct destination *b);

/* Can it be looked up: not an empty name, nor one with blanks, backslashes, control bytes or NUL,
 * nor one whose last label is a number, which resolvers take for an address (0177.0.0.1,
 * 2130706433)? Addresses always can. */
bool destination_is_sane(const struct destination *d);

/* host:port as one word (escape.h), its host cut to what fits; "-" for none. `size` is at least
 * ADDR_TEXT_MAX. Returns `out`. */
const char *destination_format(const struct destination *d, char *out, size_t size);

/* Reads what destination_format() has written; `name` gets the name's bytes. False when it is
 * nothing of that kind. */
bool destination_parse(const char *text, char name[DESTINATION_NAME_MAX], struct destination *out);

enum request_command {
	REQUEST_NONE, /* all zeros: nothing was asked for yet */
	REQUEST_CONNECT,
	REQUEST_BIND,
	REQUEST_UDP_ASSOCIATE,
	REQUEST_UNKNOWN, /* to us; `code` is what the client's protocol calls it */
};

#define REQUEST_COMMANDS (REQUEST_UNKNOWN + 1)

struct request {
	enum request_command command;
	uint8_t code; /* of REQUEST_UNKNOWN */
	struct destination dst; /* its name is `name`: not to be copied with the struct */
	char name[DESTINATION_NAME_MAX];
};

/* Fills `r` in, with a copy of the name. */
void request_set(struct request *r, enum request_command command, const struct destination *dst);

/* "CONNECT"; "CMD-9" for what is unknown. Returns a static text or `out`. */
const char *request_command_word(const struct request *r, char out[16]);

/* The command of such a word; REQUEST_UNKNOWN for any other. */
enum request_command request_command_parse(const char *word);

#endif
