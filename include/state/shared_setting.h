/* shared_setting: the type of the setting `shared`: where the engine is that nodes share their
 * state by. A value, which may hold a password; no lock. */
#ifndef STATE_SHARED_SETTING_H
#define STATE_SHARED_SETTING_H

#include <stdbool.h>
#include <stdint.h>

#include "state/setting_types.h"

#define SHARED_FIELD_MAX 255 /* bytes of a host, a path, a user or a password */
#define SHARED_DATABASES 16384 /* more than that no engine has */

struct shared_place {
	char host[SHARED_FIELD_MAX + 1]; /* a name, or an address without brackets; "": none */
	uint16_t port;
	char path[SHARED_FIELD_MAX + 1]; /* of a unix socket; "": none. Without either: nowhere */
	unsigned database;
	char user[SHARED_FIELD_MAX + 1]; /* "": the engine's default one */
	char password[SHARED_FIELD_MAX + 1]; /* "": none is wanted */
};

/* "redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]", "unix:PATH" with "?db=DB" behind it perhaps, or
 * nothing. Shown without the password. */
extern const struct setting_type setting_shared;

#define SETTING_SHARED(values, member)                                                             \
	SETTING_AT(setting_shared, struct shared_place, values, member)

/* Is one named? */
bool shared_place_is_set(const struct shared_place *p);

/* Is it on this host, so that nobody on the way can read what goes there? */
bool shared_place_is_local(const struct shared_place *p);

/* The same without the login, for logs: "redis://10.0.0.5:6379/0". */
#define SHARED_TEXT_MAX (SHARED_FIELD_MAX + 40)
const char *shared_place_format(const struct shared_place *p, char out[SHARED_TEXT_MAX]);

#endif
