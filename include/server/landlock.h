/* landlock: what a process may write to, given up by Landlock: of its rules only those by folders.
 * No lock; for a process that has one thread. */
#ifndef SERVER_LANDLOCK_H
#define SERVER_LANDLOCK_H

/* What is to be done beneath a folder. Reading is allowed everywhere. */
enum landlock_use {
	LANDLOCK_APPEND, /* files are made and written to */
	LANDLOCK_OWN, /* and replaced and removed */
	LANDLOCK_LISTEN, /* unix sockets are made and removed */
	LANDLOCK_DEVICE, /* it is a file itself, and written to */
};

/* The version that the kernel has, from 1 on; 0 with errno: ENOSYS, it has none, EOPNOTSUPP, it was
 * booted without. */
int landlock_version(void);

/* A descriptor for rules that allow nothing yet but reading. -1 with errno. */
int landlock_begin(int version) __attribute__((warn_unused_result));

/* Allows it there. -1 with errno. */
int landlock_allow(int rules, int version, const char *path, enum landlock_use use)
	__attribute__((warn_unused_result));

/* The rules hold from here on, for threads that are made later too. Takes no_new_privs. -1 with
 * errno. */
int landlock_enforce(int rules) __attribute__((warn_unused_result));

#endif
