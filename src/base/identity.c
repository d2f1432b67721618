/*
 * Two steps, since what is opened in between needs both: the rights of root for ports, and those of
 * the user for files, so that what he cannot open is refused at start and not at the first reload.
 * It also means that root never follows a link which somebody put into a folder of the user's.
 *
 * The kernel has an identity for files of its own (setfsuid(2)), and takes the capabilities that
 * are about files away with it.
 *
 * A process that has changed its user is none that others of that user may look into or make dump
 * its memory (PR_GET_DUMPABLE), and stays that.
 */
#include "base/identity.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stddef.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STRINGS_MAX 4096 /* of an entry in the list of users */

static const char *became;

int identity_find(const char *name, struct identity *out)
{
	char strings[STRINGS_MAX];
	struct passwd entry, *found;
	int error = getpwnam_r(name, &entry, strings, sizeof(strings), &found);

	if (found == NULL) {
		errno = error != 0 ? error : ENOENT;
		return -1;
	}
	*out = (struct identity){.name = name, .uid = entry.pw_uid, .gid = entry.pw_gid};
	return 0;
}

/* Neither call says whether it worked; another one that changes nothing does. */
static int check_identity_for_files(const struct identity *who)
{
	if ((uid_t)setfsuid((uid_t)-1) == who->uid && (gid_t)setfsgid((gid_t)-1) == who->gid)
		return 0;
	errno = EPERM;
	return -1;
}

int identity_use_for_files(const struct identity *who)
{
	if (initgroups(who->name, who->gid) < 0)
		return -1;
	setfsgid(who->gid);
	setfsuid(who->uid);
	return check_identity_for_files(who);
}

/* ---- for good ---- */

/* What no program that is executed could get back, if there was one. The kernel knows fewer than
 * the header may name. */
static int drop_bounding_set(void)
{
	for (unsigned long i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++) {
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
			return -1;
	}
	return 0;
}

/* The kernel does it for who goes from root to another user, unless securebits say otherwise. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];

	memset(none, 0, sizeof(none));
	return (int)syscall(SYS_capset, &header, none);
}

static int check_no_way_back(void)
{
	if (setresuid((uid_t)-1, 0, (uid_t)-1) < 0 && setresgid((gid_t)-1, 0, (gid_t)-1) < 0)
		return 0;
	errno = EPERM;
	return -1;
}

int identity_become(const struct identity *who)
{
	if (initgroups(who->name, who->gid) < 0 || drop_bounding_set() < 0 ||
		setresgid(who->gid, who->gid, who->gid) < 0 ||
		setresuid(who->uid, who->uid, who->uid) < 0 || drop_capabilities() < 0 ||
		check_no_way_back() < 0)
		return -1;
	became = who->name;
	return 0;
}

const char *identity_became(void)
{
	return became;
}
