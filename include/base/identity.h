/* identity: the user of this host that the process becomes, for its files first and then as a
 * whole. The process's own, so without a lock: for the main thread, before there are others. */
#ifndef BASE_IDENTITY_H
#define BASE_IDENTITY_H

#include <sys/types.h>

struct identity {
	const char *name; /* the caller's */
	uid_t uid;
	gid_t gid;
};

/* The user called `name`. -1 with errno, ENOENT when there is none. */
int identity_find(const char *name, struct identity *out) __attribute__((warn_unused_result));

/* From here on files are opened and made with his rights, those of his groups included; other
 * rights stay, that to ports below 1024 among them. Takes root. -1 with errno. */
int identity_use_for_files(const struct identity *who) __attribute__((warn_unused_result));

/* Becomes him for good: user, groups, and no capability kept or to be had again. Takes root. -1
 * with errno, perhaps half-way: the process is to end then. */
int identity_become(const struct identity *who) __attribute__((warn_unused_result));

/* Whom it has become; NULL: it is whom it was started as. Valid as long as the name was. */
const char *identity_became(void);

#endif
