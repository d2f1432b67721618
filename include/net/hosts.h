/* hosts: the names of hosts(5), in memory and read again when the file changes. One rwlock. */
#ifndef NET_HOSTS_H
#define NET_HOSTS_H

#include "net/followed.h"
#include "net/lookup_answer.h"

struct hosts;

/* The names in the file at `path`, which must live as long; a missing file has none. What cannot be
 * read is said (followed.h), and tried again. NULL without memory. */
struct hosts *hosts_new(const char *path, followed_say *say);

/* NULL is allowed. */
void hosts_free(struct hosts *h);

/* Fills in both answers when the file, as it is now, knows `name` (in lower case; a last dot does
 * not count). While another thread reads a new version, and while it cannot be read, the old one
 * answers. Needs one descriptor for the moment. */
bool hosts_find(struct hosts *h, const char *name, struct lookup_answer answers[LOOKUP_FAMILIES]);

/* Does the file, likewise, give `name` an address by which this very host is meant: a loopback or
 * the unspecified one? */
bool hosts_names_this_host(struct hosts *h, const char *name);

#endif
