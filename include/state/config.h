/* config: the configuration as immutable, reference-counted snapshots, and the file and flags they
 * come from. The pointer to the current one is behind a rwlock. */
#ifndef STATE_CONFIG_H
#define STATE_CONFIG_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "state/config_file.h"
#include "state/settings.h"

/* Where the value of a setting comes from. */
enum config_from {
	CONFIG_FROM_DEFAULT,
	CONFIG_FROM_FILE,
	CONFIG_FROM_FLAG,
	CONFIG_FROM_COMMAND, /* of the monitor, while serving */
	CONFIG_FROM_SYSTEMD, /* where a service manager listens for us */
};

struct config_origin {
	enum config_from from;
	unsigned line; /* of the file, the first that gives it */
};

struct rules;
struct upstreams;

struct config {
	struct settings settings;
	struct config_origin origins[SETTINGS_COUNT]; /* by index in the table */
	/* The file that it was read from; NULL: none. And what that says of settings that flags say
	 * something else of, as text; NULL: nothing, and so it is in copies. */
	const char *path;
	char *beneath_flags[SETTINGS_COUNT];
	/* Where the proxy itself answers, as the kernel says, monitor included; a socket that
	 * serves both families is there twice. */
	struct addr own[2 * (SETTINGS_MAX_LISTEN + 2)];
	size_t own_count;
	struct addr
		monitor_at; /* where the monitor is reached, likewise; none: not by an address */
	struct rules *rules; /* a reference; NULL: not compiled yet */
	struct upstreams *upstreams; /* likewise */
	bool auto_requires_login; /* what auth = auto comes to (admission.h) */
	uint64_t generation; /* of its store; that of each one published is another */
	_Atomic(unsigned) references;
};

#define CONFIG_ERROR_MAX CONFIG_FILE_ERROR_MAX

/* A setting that was given on the command line. */
struct config_override {
	const struct setting *setting;
	const char *value;
};

/* Where a configuration is read from, at start and again on reload. It outlives what is read. */
struct config_source {
	const char *path; /* NULL: no file */
	bool is_reload; /* what has been read at start may be a pipe, which would be empty now */
	size_t count;
	struct config_override *overrides; /* applied after the file, in order */
	/* What is so whatever file and flags say: where the sockets are that a service manager has
	 * opened. */
	size_t given_count;
	const struct config_override *given;
};

/* Reads it all. NULL when anything is wrong, with "where: name: "value": what is legal" in
 * `error`. The caller owns the snapshot's only reference until config_publish(). */
struct config *config_read(const struct config_source *source, char error[CONFIG_ERROR_MAX]);

/* What the file says of a setting in a configuration that was read, no copy: to be freed. "-" where
 * it says nothing; NULL without memory. */
char *config_in_file(const struct config *c, const struct setting *setting);

/* One more reference to `c`, which is returned. */
struct config *config_hold(struct config *c);

/* A copy of `c` that may be changed, with one reference. NULL without memory. */
struct config *config_clone(const struct config *c);

/* Gives it these rules, whose reference is taken over, in the place of those that it had. */
void config_set_rules(struct config *c, struct rules *rules);

/* The same with upstreams. */
void config_set_upstreams(struct config *c, struct upstreams *upstreams);

/* Takes over from `old` where the proxy itself answers. */
void config_keep_own(struct config *c, const struct config *old);

/* Gives up a reference; the last one frees. NULL is allowed. */
void config_release(struct config *c);

struct config_store;

/* A store whose current snapshot is `first`, whose reference it takes over. NULL without memory. */
struct config_store *config_store_new(struct config *first);
void config_store_free(struct config_store *store);

/* The settings that live sessions follow, in milliseconds as they are now. Each is in one order,
 * for all threads (memory_order_seq_cst), with what a session publishes of itself: its id, the
 * phase of its relay, that a side has finished. A session publishes, then looks here; whoever
 * lowers a time writes here, then looks at the sessions. So one of the two sees what the other has
 * done, and no session sleeps for a time that is over. */
struct idle_limits {
	_Atomic(int64_t) timeout;
	_Atomic(int64_t) half_close_timeout;
	_Atomic(int64_t) udp_timeout;
};

/* Those of the current snapshot; valid as long as the store. */
const struct idle_limits *config_idle_limits(const struct config_store *store);

/* The current snapshot with a reference of the caller's own, to be released. */
struct config *config_get(struct config_store *store);

/* That of the current snapshot, without a lock. */
uint64_t config_generation(const struct config_store *store);

/* Makes `next` the current one and takes over its reference. */
void config_publish(struct config_store *store, struct config *next);

#endif
