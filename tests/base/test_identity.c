/* identity: a kernel that does not do as it is told, or only says that it did, at each step. What
 * is really kept and lost shows tests/server/test_run_as.c. */
#include "base/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>

#include "check.h"

/* ---- the kernel ---- */

#define CAPABILITIES 3

/* What it refuses, by the function's name; NULL: nothing. */
static const char *refused;
static bool has_way_back, keeps_files; /* it says that it did, and did not */
static uid_t file_uid;
static gid_t file_gid;
static unsigned dropped; /* a bit for each capability */

static int answer(const char *function)
{
	bool refuses = refused != NULL && strcmp(refused, function) == 0;

	errno = refuses ? EPERM : 0;
	return refuses ? -1 : 0;
}

int __wrap_initgroups(const char *user, gid_t group);
int __wrap_setfsuid(uid_t uid);
int __wrap_setfsgid(gid_t gid);
int __wrap_prctl(int option, unsigned long capability, ...);
int __wrap_setresuid(uid_t real, uid_t effective, uid_t saved);
int __wrap_setresgid(gid_t real, gid_t effective, gid_t saved);
long __wrap_syscall(long number, ...);

int __wrap_initgroups(const char *user, gid_t group)
{
	assert_string_equal(user, "somebody");
	assert_int_equal(group, 78);
	return answer("initgroups");
}

/* Each returns whose it was before. */
int __wrap_setfsuid(uid_t uid)
{
	uid_t before = file_uid;

	if (uid != (uid_t)-1 && !keeps_files)
		file_uid = uid;
	return (int)before;
}

int __wrap_setfsgid(gid_t gid)
{
	gid_t before = file_gid;

	if (gid != (gid_t)-1 && !keeps_files)
		file_gid = gid;
	return (int)before;
}

int __wrap_prctl(int option, unsigned long capability, ...)
{
	if (capability >= CAPABILITIES)
		return -1;
	if (option == PR_CAPBSET_READ)
		return 1;
	assert_int_equal(option, PR_CAPBSET_DROP);
	if (answer("prctl") < 0)
		return -1;
	dropped |= 1U << capability;
	return 0;
}

/* The last asks for root again. */
int __wrap_setresuid(uid_t real, uid_t effective, uid_t saved)
{
	if (effective == 0)
		return has_way_back ? 0 : -1;
	assert_true(real == 77 && effective == 77 && saved == 77);
	return answer("setresuid");
}

int __wrap_setresgid(gid_t real, gid_t effective, gid_t saved)
{
	if (effective == 0)
		return -1;
	assert_true(real == 78 && effective == 78 && saved == 78);
	return answer("setresgid");
}

/* capset(2), which the C library has no function for. */
long __wrap_syscall(long number, ...)
{
	(void)number;
	return answer("capset");
}

/* ---- tests ---- */

static const struct identity somebody = {.name = "somebody", .uid = 77, .gid = 78};

static int set_up(void **state)
{
	(void)state;
	refused = NULL;
	has_way_back = keeps_files = false;
	file_uid = file_gid = 0;
	dropped = 0;
	return 0;
}

static void files_are_his_only_if_the_kernel_says_so(void **state)
{
	(void)state;
	refused = "initgroups";
	assert_int_equal(identity_use_for_files(&somebody), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(file_uid, 0);
	refused = NULL;
	keeps_files = true;
	assert_int_equal(identity_use_for_files(&somebody), -1);
	assert_int_equal(errno, EPERM);
	keeps_files = false;
	assert_int_equal(identity_use_for_files(&somebody), 0);
	assert_true(file_uid == 77 && file_gid == 78);
}

static void whoever_keeps_anything_of_root_has_not_become_him(void **state)
{
	static const char *const steps[] = {
		"initgroups", "prctl", "setresgid", "setresuid", "capset"};

	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++) {
		refused = steps[i];
		assert_int_equal(identity_become(&somebody), -1);
		assert_int_equal(errno, EPERM);
		assert_null(identity_became());
	}
	refused = NULL;
	has_way_back = true;
	assert_int_equal(identity_become(&somebody), -1);
	assert_int_equal(errno, EPERM);
	assert_null(identity_became());
	has_way_back = false;
	dropped = 0;
	assert_int_equal(identity_become(&somebody), 0);
	assert_int_equal(dropped, (1U << CAPABILITIES) - 1);
	assert_string_equal(identity_became(), "somebody");
}

static void a_user_whom_nobody_knows_is_not_found(void **state)
{
	struct identity found;

	(void)state;
	assert_int_equal(identity_find("no-such-user-here", &found), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(identity_find("root", &found), 0);
	assert_int_equal(found.uid, 0);
	assert_string_equal(found.name, "root");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, set_up)
	const struct CMUnitTest tests[] = {
		TEST(files_are_his_only_if_the_kernel_says_so),
		TEST(whoever_keeps_anything_of_root_has_not_become_him),
		TEST(a_user_whom_nobody_knows_is_not_found),
	};

	return cmocka_run_group_tests_name("base/identity", tests, NULL, NULL);
}
