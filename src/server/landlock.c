/*
 * The C library has no functions for this, and headers of a kernel that is older than the one that
 * runs lack the newer rights: so the calls are made by number, and the rights are spelled out here.
 *
 * Each version of the interface knows more rights than the one before, and refuses those that it
 * does not know. What is handled is denied unless a rule allows it: of files all but reading, which
 * the user's own rights decide, because a rule is about a file and not its name, and lists, hosts
 * and certificates are replaced by rename(2). Ports are not handled: what a reload listens on
 * cannot be known at start.
 */
#include "server/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Numbers that all architectures of today have in common. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define CREATE_VERSION 1U
#define RULE_BENEATH 1

/* Rights, by bit, as in linux/landlock.h. */
#define RIGHT(bit) (UINT64_C(1) << (bit))
#define EXECUTE RIGHT(0)
#define WRITE_FILE RIGHT(1)
#define REMOVE_DIR RIGHT(4)
#define REMOVE_FILE RIGHT(5)
#define MAKE_CHAR RIGHT(6)
#define MAKE_DIR RIGHT(7)
#define MAKE_REG RIGHT(8)
#define MAKE_SOCK RIGHT(9)
#define MAKE_FIFO RIGHT(10)
#define MAKE_BLOCK RIGHT(11)
#define MAKE_SYM RIGHT(12)
#define REFER RIGHT(13) /* renames and links from one folder to another */
#define TRUNCATE RIGHT(14)
#define IOCTL_DEV RIGHT(15)

/* What processes outside are not to be reached by. */
#define SCOPE_ABSTRACT_SOCKETS RIGHT(0)
#define SCOPE_SIGNALS RIGHT(1)

struct ruleset {
	uint64_t files;
	uint64_t ports;
	uint64_t scopes;
};

struct rule {
	uint64_t allowed;
	int32_t folder;
} __attribute__((packed));

/* What each version added. */
static const struct addition {
	int version;
	uint64_t files, scopes;
} additions[] = {
	{1,
		EXECUTE | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_CHAR | MAKE_DIR | MAKE_REG |
			MAKE_SOCK | MAKE_FIFO | MAKE_BLOCK | MAKE_SYM,
		0},
	{2, REFER, 0},
	{3, TRUNCATE, 0},
	{5, IOCTL_DEV, 0},
	{6, 0, SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS},
};

static const uint64_t rights_of_use[] = {
	[LANDLOCK_APPEND] = WRITE_FILE | MAKE_REG,
	[LANDLOCK_OWN] = WRITE_FILE | MAKE_REG | REMOVE_FILE | TRUNCATE,
	[LANDLOCK_LISTEN] = MAKE_SOCK | REMOVE_FILE,
	[LANDLOCK_DEVICE] = WRITE_FILE,
};

static struct ruleset handled_by(int version)
{
	struct ruleset handled = {.files = 0};

	for (size_t i = 0; i < sizeof(additions) / sizeof(additions[0]); i++) {
		if (additions[i].version > version)
			continue;
		handled.files |= additions[i].files;
		handled.scopes |= additions[i].scopes;
	}
	return handled;
}

/* A kernel takes a longer struct than it knows if what it does not know is zero. */
int landlock_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, CREATE_VERSION);

	return version < 0 ? 0 : (int)version;
}

int landlock_begin(int version)
{
	struct ruleset handled = handled_by(version);

	return (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0U);
}

int landlock_allow(int rules, int version, const char *path, enum landlock_use use)
{
	struct rule rule = {.allowed = rights_of_use[use] & handled_by(version).files};
	int result, saved;

	rule.folder = open(path, O_PATH | O_CLOEXEC | (use == LANDLOCK_DEVICE ? 0 : O_DIRECTORY));
	if (rule.folder < 0)
		return -1;
	result = (int)syscall(SYS_landlock_add_rule, rules, RULE_BENEATH, &rule, 0U);
	saved = errno;
	close(rule.folder);
	errno = saved;
	return result;
}

int landlock_enforce(int rules)
{
	return (int)syscall(SYS_landlock_restrict_self, rules, 0U);
}
