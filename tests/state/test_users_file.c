/* users_file: lines read and complained about, and rewriting that keeps all the rest. */
#include "state/users_file.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "../base/scratch.h"
#include "base/log.h"
#include "lacking.h"

#define HASH_A "$2b$04$KBCwKxOzLha2MUDgW0PjXe5WrYdbeMEUdDqZSYfWfkhh6PfeUa7Fi"
#define HASH_B "$2b$04$KBCwKxOzLha2MUDgW0PjXeFHhJ0cdbkQkB1FMR1qxwWRAVuEzLBPu"

static char error[USERS_ERROR_MAX];

/* ---- a file that cannot be read on ---- */

static _Atomic(int) reads_left = -1; /* until one fails; -1: none does */
static void (*when_read)(void); /* is done once, behind the next read; NULL: nothing */

ssize_t __real_read(int fd, void *bytes, size_t n);
ssize_t __wrap_read(int fd, void *bytes, size_t n);

/* A few bytes each, so that the failure comes in the middle. */
ssize_t __wrap_read(int fd, void *bytes, size_t n)
{
	void (*now)(void) = when_read;

	if (now != NULL) {
		ssize_t got = __real_read(fd, bytes, n);

		when_read = NULL;
		now();
		return got;
	}
	if (atomic_load(&reads_left) < 0)
		return __real_read(fd, bytes, n);
	if (atomic_fetch_sub(&reads_left, 1) > 0)
		return __real_read(fd, bytes, n < 16 ? n : 16);
	atomic_store(&reads_left, -1);
	errno = EIO;
	return -1;
}

static int load(const char *path, users_taker *take, void *taker)
{
	struct users_backend file = users_file_backend(path);
	int result = file.load(file.context, take, taker, error);

	file.free(file.context);
	return result;
}

static const char *take_anybody(void *taker, const struct user_record *user)
{
	(void)taker;
	(void)user;
	return NULL;
}

/* The file as it is, whatever it says, is in effect. */
static struct users_backend file_in_effect(const char *path)
{
	struct users_backend file = users_file_backend(path);
	int faults = atomic_exchange(&reads_left, -1);

	(void)file.load(file.context, take_anybody, NULL, error);
	file.settle(file.context);
	atomic_store(&reads_left, faults);
	return file;
}

static int save_in(struct users_backend *file, const struct user_record *user)
{
	return file->save(file->context, user, error);
}

static int save_as(const char *path, const struct user_record *user)
{
	struct users_backend file = file_in_effect(path);
	int result = save_in(&file, user);

	file.free(file.context);
	return result;
}

static int remove_one(const char *path, const char *name)
{
	struct users_backend file = file_in_effect(path);
	int result = file.remove(file.context, name, strlen(name), error);

	file.free(file.context);
	return result;
}

/* ---- reading ---- */

/* What was read, as text: "alice HASH user\n". */
struct taken {
	char text[4096];
	const char *unwanted; /* a name that is not taken */
	const char *attributes; /* that each is to have; NULL: none */
};

static const char *take(void *taker, const struct user_record *user)
{
	struct taken *t = taker;
	size_t len = strlen(t->text);

	if (t->unwanted != NULL && strcmp(user->name, t->unwanted) == 0)
		return "it is not wanted";
	if (strlen(user->name) != user->name_len)
		return "its length is wrong";
	if (strcmp(user->attributes, t->attributes != NULL ? t->attributes : "") != 0)
		return "its attributes are others";
	snprintf(t->text + len, sizeof(t->text) - len, "%s %s %s\n", user->name, user->hash,
		user->role == USER_ROLE_ADMIN ? "admin" : "user");
	return NULL;
}

static void check_reading(const char *file, const char *expected)
{
	struct taken t = {.unwanted = NULL};

	scratch_write("users", file);
	if (load("users", take, &t) < 0)
		fail_msg("%s", error);
	assert_string_equal(t.text, expected);
}

static void reads_names_hashes_and_roles(void **state)
{
	(void)state;
	check_reading("alice:" HASH_A ":user\nbob:" HASH_B ":admin\n",
		"alice " HASH_A " user\nbob " HASH_B " admin\n");
}

static void without_a_role_it_is_user(void **state)
{
	(void)state;
	check_reading("alice:" HASH_A "\nbob:" HASH_B ":\n",
		"alice " HASH_A " user\nbob " HASH_B " user\n");
}

static void passes_over_comments_and_blank_lines(void **state)
{
	(void)state;
	check_reading("# alice:" HASH_A "\n\n#\nbob:" HASH_B "\n\n", "bob " HASH_B " user\n");
	check_reading("", "");
	check_reading("\n\n", "");
}

static void an_empty_fourth_field_is_none(void **state)
{
	(void)state;
	check_reading("alice:" HASH_A ":admin:\nbob:" HASH_B "::\ncarol:" HASH_A ":user: \t \r\n",
		"alice " HASH_A " admin\nbob " HASH_B " user\ncarol " HASH_A " user\n");
}

static void reads_any_end_of_line(void **state)
{
	(void)state;
	check_reading("alice:" HASH_A ":admin\r\n\r\nbob:" HASH_B "\r\n",
		"alice " HASH_A " admin\nbob " HASH_B " user\n");
	check_reading("alice:" HASH_A, "alice " HASH_A " user\n");
}

static void reads_names_of_255_bytes_in_any_script(void **state)
{
	char name[256], file[512], expected[512];

	(void)state;
	memset(name, 0xc3, 255);
	name[255] = '\0';
	snprintf(file, sizeof(file), "%s:" HASH_A "\n", name);
	snprintf(expected, sizeof(expected), "%s " HASH_A " user\n", name);
	check_reading(file, expected);
}

static void assert_complains(const char *file, const char *start)
{
	struct taken t = {.unwanted = "mallory"};

	scratch_write("users", file);
	assert_int_equal(load("users", take, &t), -1);
	assert_begins(error, start);
}

static void complaints_name_the_line(void **state)
{
	static const struct {
		const char *file, *start;
	} rows[] = {
		{"nonsense\n", "users:1: expected NAME:HASH"},
		{"# comment\n\nalice\n", "users:3: expected NAME:HASH"},
		{"alice:" HASH_A "\n :" HASH_A "\n", "users:2: a user name has no blanks"},
		{":" HASH_A "\n", "users:1: a user name has 1 to 255 bytes"},
		{"@pupils:" HASH_A "\n", "users:1: a user name does not begin with # or @"},
		{"# ours\nAnonymous:" HASH_A "\n", "users:2: anonymous, known, * and - stand for"},
		{"-:" HASH_A "\n", "users:1: anonymous, known, * and - stand for"},
		{"al\"ice:" HASH_A "\n", "users:1: a user name has no blanks"},
		{"alice,bob:" HASH_A "\n", "users:1: a user name has no blanks"},
		{"192.0.2.1:" HASH_A "\n", "users:1: a user name is no address or network"},
		{"al ice:" HASH_A "\n", "users:1: a user name has no blanks"},
		{"alice\t:" HASH_A "\n", "users:1: a user name has no blanks"},
		{"\r\nalice:secret\r\n", "users:2: the second field is no password hash"},
		{"alice:\n", "users:1: the second field is no password hash"},
		{"alice:*:user\n", "users:1: the second field is no password hash"},
		{"alice:!" HASH_A "\n", "users:1: the second field is no password hash"},
		{"alice:" HASH_A ":root\n", "users:1: the third field, the role, is neither"},
		{"alice:" HASH_A ":Admin\n", "users:1: the third field, the role, is neither"},
		{"alice:" HASH_A ": user\n", "users:1: the third field, the role, is neither"},
		{"alice:" HASH_A "\nmallory:" HASH_A, "users:2: it is not wanted"},
		{"mallory:" HASH_A "\nnonsense\n", "users:1: it is not wanted"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_complains(rows[i].file, rows[i].start);
}

/* To the end of the line, colons too. */
static void takes_attributes(void **state)
{
	static const char *const fields[] = {"groups=staff,night", " \tsessions=5",
		"rate=2Mbit/512kbit quota=50GB/month@15 over=slow:256kbit",
		"expires=2027-01-01T10:00", "from=2001:db8::/32,192.0.2.1 sessions_client=3",
		"disabled=yes guest=yes", "rate=none quota=none"};
	struct taken t;
	char file[256];

	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++) {
		snprintf(file, sizeof(file), "alice:" HASH_A ":admin:%s \n", fields[i]);
		scratch_write("users", file);
		t = (struct taken){.attributes = fields[i] + strspn(fields[i], " \t")};
		if (load("users", take, &t) < 0)
			fail_msg("%s: %s", fields[i], error);
	}
}

#define KEYS "groups, sessions, sessions_client, rate, quota, over, expires, from, disabled, guest"

static void refuses_what_is_no_attribute(void **state)
{
	static const struct {
		const char *field, *complaint;
	} rows[] = {
		{"sesions=5",
			"users:1: sesions: there is no such key; the keys are " KEYS
			"; did you mean sessions?"},
		{"Sessions=5",
			"users:1: Sessions: there is no such key; the keys are " KEYS
			"; did you mean sessions?"},
		{"x-1=a:b", "users:1: x-1: there is no such key; the keys are " KEYS},
		{"rate=5",
			"users:1: rate=5: \"5\": bits or bytes? Write 5kbit or 5kB (or Mbit Gbit MB "
			"GB, a second)"},
		{"sessions", "users:1: sessions=: a value is missing"},
		{"sessions=", "users:1: sessions=: a value is missing"},
		{"sessions= 5", "users:1: sessions=: a value is missing"},
		{"sessions=5 sessions=6", "users:1: sessions: it was said already"},
		{"room 7:and more", "users:1: limits are KEY=VALUE KEY=VALUE ..."},
		{":", "users:1: limits are KEY=VALUE KEY=VALUE ..."},
		{"sessions:5", "users:1: limits are KEY=VALUE KEY=VALUE ..."},
	};
	char file[256];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(file, sizeof(file), "alice:" HASH_A ":admin:%s\n", rows[i].field);
		assert_complains(file, rows[i].complaint);
		assert_string_equal(error, rows[i].complaint);
	}
}

static void names_at_most_64_bytes_of_an_unknown_key(void **state)
{
	char file[512], expected[256];

	(void)state;
	snprintf(file, sizeof(file), "alice:" HASH_A ":user:%0100d=5\n", 0);
	snprintf(expected, sizeof(expected), "users:1: %064d: there is no such key", 0);
	assert_complains(file, expected);
}

static void complains_about_names_that_are_too_long(void **state)
{
	char file[512];

	(void)state;
	memset(file, 'n', 256);
	strcpy(file + 256, ":" HASH_A "\n");
	assert_complains(file, "users:1: a user name has 1 to 255 bytes");
}

/* What stands behind it would otherwise count for nothing. */
static void refuses_nul_bytes(void **state)
{
	static const char line[] = "alice:" HASH_A ":user\0:sessions=5\n";
	struct taken t = {.unwanted = NULL};
	FILE *file = fopen("users", "w");

	(void)state;
	assert_non_null(file);
	assert_int_equal(fwrite(line, 1, sizeof(line) - 1, file), sizeof(line) - 1);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(load("users", take, &t), -1);
	assert_string_equal(error, "users: not a text file: NUL byte in line 1");
}

static void never_repeats_a_line_in_a_complaint(void **state)
{
	(void)state;
	assert_complains("alice:secret:user\n", "users:1: ");
	assert_null(strstr(error, "secret"));
	assert_complains("secret\n", "users:1: ");
	assert_null(strstr(error, "secret"));
	assert_complains("alice:" HASH_A ":user:secret\n", "users:1: ");
	assert_null(strstr(error, "secret"));
	assert_complains("alice:" HASH_A ":user:password=secret\n", "users:1: ");
	assert_null(strstr(error, "secret"));
}

static void complains_about_files_that_cannot_be_read(void **state)
{
	struct taken t = {.unwanted = NULL};

	(void)state;
	assert_int_equal(load("missing/users", take, &t), -1);
	assert_string_equal(error, "missing/users: cannot be read: No such file or directory");
	assert_int_equal(symlink("nowhere", "link"), 0);
	assert_int_equal(load("link", take, &t), -1);
	assert_string_equal(error, "link: cannot be read: No such file or directory");
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(load("folder", take, &t), -1);
	assert_string_equal(error, "folder: cannot be read: Is a directory");
}

/* It is made by the first write. */
static void a_file_that_is_missing_has_no_users(void **state)
{
	struct taken t = {.unwanted = NULL};

	(void)state;
	assert_int_equal(load("missing", take, &t), 0);
	assert_string_equal(t.text, "");
}

/* ---- writing ---- */

static const struct user_record alice = {"alice", 5, HASH_B, USER_ROLE_ADMIN, "", false};

static void write_alice(const char *path)
{
	if (save_as(path, &alice) < 0)
		fail_msg("%s", error);
}

static ino_t inode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static unsigned mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

#define ALICE_NOW "alice:" HASH_B ":admin\n"

static void rewriting_keeps_all_other_lines(void **state)
{
	static const struct {
		const char *before, *after;
	} rows[] = {
		{"", ALICE_NOW},
		{"alice:" HASH_A ":user\n", ALICE_NOW},
		{"alice:" HASH_A "\n", ALICE_NOW},
		{"alice:" HASH_A, ALICE_NOW},
		{"bob:" HASH_A ":user\n", "bob:" HASH_A ":user\n" ALICE_NOW},
		{"bob:" HASH_A, "bob:" HASH_A "\n" ALICE_NOW},
		{"# first\n\n  # second\nalice:" HASH_A "\n\n# last\n",
			"# first\n\n  # second\n" ALICE_NOW "\n# last\n"},
		{"bob:" HASH_A ":user:room 7: x\nalice:" HASH_A "\ncarol:" HASH_A "\n",
			"bob:" HASH_A ":user:room 7: x\n" ALICE_NOW "carol:" HASH_A "\n"},
		{"#alice:" HASH_A "\n", "#alice:" HASH_A "\n" ALICE_NOW},
		{"alic:" HASH_A "\nalice2:" HASH_A "\nal:" HASH_A "\nALICE:" HASH_A "\n",
			"alic:" HASH_A "\nalice2:" HASH_A "\nal:" HASH_A "\nALICE:" HASH_A
			"\n" ALICE_NOW},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		scratch_write("users", rows[i].before);
		write_alice("users");
		scratch_assert("users", rows[i].after);
	}
}

/* The fourth field is the administrator's, and not to be lost by a new password. */
static void rewriting_keeps_all_that_stands_behind_the_role(void **state)
{
	static const struct {
		const char *before, *after;
	} rows[] = {
		{"alice:" HASH_A ":user:sessions=5 rate=2Mbit\n",
			"alice:" HASH_B ":admin:sessions=5 rate=2Mbit\n"},
		{"alice:" HASH_A "::from=10.0.0.0/8,2001:db8::/32 over=cut\n",
			"alice:" HASH_B ":admin:from=10.0.0.0/8,2001:db8::/32 over=cut\n"},
		{"alice:" HASH_A ":user:  sessions=5 \t\r\n",
			"alice:" HASH_B ":admin:  sessions=5 \t\r\n"},
		{"alice:" HASH_A ":user:\n", "alice:" HASH_B ":admin:\n"},
		{"alice:" HASH_A ":user\r\n", "alice:" HASH_B ":admin\r\n"},
		{"alice:" HASH_A "\r\n", "alice:" HASH_B ":admin\r\n"},
		{"alice:" HASH_A ":user:room 7: x", "alice:" HASH_B ":admin:room 7: x\n"},
		{"# 1\nbob:" HASH_A ":user:sessions=1\n#2\nalice:" HASH_A ":user:quota=1GB/day\n\n",
			"# 1\nbob:" HASH_A ":user:sessions=1\n#2\nalice:" HASH_B
			":admin:quota=1GB/day\n\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		scratch_write("users", rows[i].before);
		write_alice("users");
		scratch_assert("users", rows[i].after);
	}
}

static void the_file_s_attributes_win_over_those_that_are_known(void **state)
{
	struct user_record user = alice;

	(void)state;
	user.attributes = "sessions=5";
	scratch_write("users", "alice:" HASH_A ":user:sessions=9\n");
	assert_int_equal(save_as("users", &user), 0);
	scratch_assert("users", "alice:" HASH_B ":admin:sessions=9\n");
	scratch_write("users", "# alice was taken out by hand\n");
	assert_int_equal(save_as("users", &user), 0);
	scratch_assert(
		"users", "# alice was taken out by hand\nalice:" HASH_B ":admin:sessions=5\n");
}

static void attributes_that_are_set_take_the_place_of_the_file_s(void **state)
{
	struct user_record user = alice;

	(void)state;
	user.attributes = "sessions=5";
	user.sets_attributes = true;
	scratch_write("users", "bob:" HASH_A "\r\nalice:" HASH_A ":user:rate=none\r\n");
	assert_int_equal(save_as("users", &user), 0);
	scratch_assert("users", "bob:" HASH_A "\r\nalice:" HASH_B ":admin:sessions=5\r\n");
	user.attributes = "";
	assert_int_equal(save_as("users", &user), 0);
	scratch_assert("users", "bob:" HASH_A "\r\nalice:" HASH_B ":admin\r\n");
}

static void a_line_that_occurs_twice_is_changed_twice(void **state)
{
	(void)state;
	scratch_write("users", "alice:" HASH_A "\nalice:" HASH_A ":user:x\n");
	write_alice("users");
	scratch_assert("users", ALICE_NOW "alice:" HASH_B ":admin:x\n");
}

static void rewriting_keeps_carriage_returns_of_other_lines(void **state)
{
	(void)state;
	scratch_write("users", "# ours\r\nbob:" HASH_A "\r\nalice:" HASH_A "\n");
	write_alice("users");
	scratch_assert("users", "# ours\r\nbob:" HASH_A "\r\n" ALICE_NOW);
}

static void removing_takes_the_line_out_and_no_other(void **state)
{
	(void)state;
	scratch_write("users", "# ours\nalice:" HASH_A "\nalice2:" HASH_A ":user:x=1\n#alice:\n");
	assert_int_equal(remove_one("users", "alice"), 0);
	scratch_assert("users", "# ours\nalice2:" HASH_A ":user:x=1\n#alice:\n");
	assert_int_equal(remove_one("users", "alice"), 0);
	scratch_assert("users", "# ours\nalice2:" HASH_A ":user:x=1\n#alice:\n");
}

static void makes_a_missing_file(void **state)
{
	(void)state;
	write_alice("users");
	scratch_assert("users", ALICE_NOW);
	assert_int_equal(mode_of("users"), 0600);
}

static void puts_a_new_file_in_the_place_of_the_old_one(void **state)
{
	ino_t before;

	(void)state;
	scratch_write("users", "bob:" HASH_A "\n");
	assert_int_equal(link("users", "kept"), 0);
	before = inode_of("users");
	write_alice("users");
	assert_true(inode_of("users") != before);
	scratch_assert("kept", "bob:" HASH_A "\n");
}

static void owner_and_group_keep_their_rights_and_others_lose_them(void **state)
{
	static const mode_t rows[][2] = {{0600, 0600}, {0640, 0640}, {0660, 0660}, {0644, 0640},
		{0666, 0660}, {0604, 0600}, {0400, 0400}, {06755, 0750}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		scratch_write("users", "bob:" HASH_A "\n");
		assert_int_equal(chmod("users", rows[i][0]), 0);
		write_alice("users");
		assert_int_equal(mode_of("users"), rows[i][1]);
		assert_int_equal(unlink("users"), 0);
	}
}

static void dropped_rights_are_logged(void **state)
{
	char *text;

	(void)state;
	scratch_write("users", "bob:" HASH_A "\n");
	assert_int_equal(log_open("log"), 0);
	assert_int_equal(chmod("users", 0640), 0);
	write_alice("users");
	scratch_assert("log", "");
	assert_int_equal(chmod("users", 0644), 0);
	write_alice("users");
	log_close();
	text = scratch_read("log");
	assert_contains(text, "level=warn msg=\"rights of others to the users file were dropped\"");
	assert_contains(text, " file=users old_mode=0644\n");
	free(text);
}

static void an_access_list_stays(void **state)
{
	/* user::rw-, user:4713:r--, group::---, mask::r--, other::--- as acl(5) is kept */
	static const uint8_t list[] = {2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 0x69,
		0x12, 0, 0, 4, 0, 0, 0, 255, 255, 255, 255, 16, 0, 4, 0, 255, 255, 255, 255, 32, 0,
		0, 0, 255, 255, 255, 255};
	uint8_t kept[sizeof(list)];

	(void)state;
	scratch_write("users", "bob:" HASH_A "\n");
	if (setxattr("users", "system.posix_acl_access", list, sizeof(list), 0) < 0)
		skip_for_want_of("access lists");
	write_alice("users");
	assert_int_equal(mode_of("users"), 0640);
	assert_int_equal(
		getxattr("users", "system.posix_acl_access", kept, sizeof(kept)), sizeof(kept));
	assert_memory_equal(kept, list, sizeof(list));
}

static void the_owner_stays_who_it_was(void **state)
{
	struct stat st;

	(void)state;
	if (geteuid() != 0)
		skip_for_want_of("root");
	scratch_write("users", "");
	assert_int_equal(chown("users", 4711, 4712), 0);
	write_alice("users");
	assert_int_equal(stat("users", &st), 0);
	assert_int_equal(st.st_uid, 4711);
	assert_int_equal(st.st_gid, 4712);
}

static void follows_symbolic_links(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(mkdir("folder", 0700), 0);
	scratch_write("folder/real", "bob:" HASH_A "\n");
	assert_int_equal(symlink("real", "folder/middle"), 0);
	assert_int_equal(symlink("folder/middle", "users"), 0);
	write_alice("users");
	assert_int_equal(lstat("users", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	scratch_assert("folder/real", "bob:" HASH_A "\n" ALICE_NOW);
}

static void leaves_a_link_to_nowhere_a_link(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(symlink("folder/missing", "users"), 0);
	if (save_as("users", &alice) < 0)
		assert_begins(error, "users: ");
	assert_int_equal(lstat("users", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
}

static void complains_about_a_missing_folder(void **state)
{
	(void)state;
	assert_int_equal(save_as("missing/users", &alice), -1);
	assert_begins(error, "missing/users: ");
	assert_contains(error, "No such file or directory");
}

/* The name is so long that no name for a new file beside it is left. */
static void failing_leaves_the_old_file_and_no_other(void **state)
{
	char name[253];

	(void)state;
	memset(name, 'n', 252);
	name[252] = '\0';
	scratch_write(name, "bob:" HASH_A "\n");
	assert_int_equal(save_as(name, &alice), -1);
	assert_contains(error, "File name too long");
	scratch_assert(name, "bob:" HASH_A "\n");
	assert_int_equal(scratch_count_files(), 2);
}

static void a_folder_is_no_file_of_users(void **state)
{
	(void)state;
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(save_as("folder", &alice), -1);
	assert_contains(error, "folder: ");
	assert_int_equal(scratch_count_files(), 2);
}

static void leaves_no_other_files_behind(void **state)
{
	(void)state;
	scratch_write("users", "bob:" HASH_A "\n");
	write_alice("users");
	assert_int_equal(scratch_count_files(), 2);
}

/* What was not read yet must not be taken for the end. */
static void a_read_that_fails_loses_no_line(void **state)
{
	static const char text[] = "# ours\nbob:" HASH_A "\ncarol:" HASH_A ":user:x=1\n";
	struct taken t = {.unwanted = NULL};

	(void)state;
	scratch_write("users", text);
	for (int n = 0; n < 8; n++) {
		atomic_store(&reads_left, n);
		assert_int_equal(save_as("users", &alice), -1);
		assert_contains(error, "/users: cannot be read: Input/output error");
		atomic_store(&reads_left, n);
		assert_int_equal(remove_one("users", "bob"), -1);
		scratch_assert("users", text);
	}
	scratch_write("users", "# ours\nbob:" HASH_A "\n");
	for (int n = 0; n < 5; n++) {
		atomic_store(&reads_left, n);
		assert_int_equal(load("users", take, &t), -1);
		assert_string_equal(error, "users: cannot be read: Input/output error");
	}
	atomic_store(&reads_left, -1);
	assert_int_equal(scratch_count_files(), 2);
}

/* ---- what others have made of it ---- */

#define BOB "bob:" HASH_A "\n"

static void replace_by_editor(void)
{
	scratch_write("users~", "carol:" HASH_A "\n");
	assert_int_equal(rename("users~", "users"), 0);
}

static void add_in_place(void)
{
	FILE *file = fopen("users", "a");

	assert_non_null(file);
	fputs("carol:" HASH_A "\n", file);
	assert_int_equal(fclose(file), 0);
}

/* Neither size nor time tells; the other time does, and moves on by ticks. */
static void rewrite_unseen(void)
{
	struct stat before, after;
	FILE *file;

	assert_int_equal(stat("users", &before), 0);
	do {
		file = fopen("users", "r+");
		assert_non_null(file);
		fputs("eve", file);
		assert_int_equal(fclose(file), 0);
		assert_int_equal(utimensat(AT_FDCWD, "users",
					 (struct timespec[]){before.st_atim, before.st_mtim}, 0),
			0);
		assert_int_equal(stat("users", &after), 0);
	} while (after.st_ctim.tv_sec == before.st_ctim.tv_sec &&
		after.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
}

static void empty_it(void)
{
	scratch_write("users", "");
}

static void take_it_away(void)
{
	assert_int_equal(unlink("users"), 0);
}

/* It was written as if it were what had been read: that one user was left of all. */
static void a_file_that_others_changed_is_not_written(void **state)
{
	static void (*const changes[])(void) = {
		replace_by_editor, add_in_place, rewrite_unseen, empty_it, take_it_away};

	(void)state;
	for (size_t i = 0; i < COUNT(changes); i++) {
		struct users_backend file;
		char *before;

		scratch_write("users", BOB);
		file = file_in_effect("users");
		changes[i]();
		assert_true(file.is_outdated(file.context));
		before = access("users", F_OK) == 0 ? scratch_read("users") : NULL;
		assert_int_equal(save_in(&file, &alice), -1);
		assert_string_equal(error, "users was changed: RELOAD first");
		assert_int_equal(file.remove(file.context, "bob", 3, error), -1);
		assert_string_equal(error, "users was changed: RELOAD first");
		if (before != NULL)
			scratch_assert("users", before);
		else
			assert_int_equal(access("users", F_OK), -1);
		free(before);
		file.free(file.context);
	}
}

static void a_missing_file_that_others_made_is_not_written(void **state)
{
	struct users_backend file = file_in_effect("users");

	(void)state;
	scratch_write("users", BOB);
	assert_int_equal(save_in(&file, &alice), -1);
	assert_string_equal(error, "users was changed: RELOAD first");
	scratch_assert("users", BOB);
	file.free(file.context);
}

/* Was read, but is not in effect: another step of the reload may have failed. */
static void what_was_read_counts_when_it_is_settled(void **state)
{
	struct users_backend file;

	(void)state;
	scratch_write("users", BOB);
	file = file_in_effect("users");
	add_in_place();
	assert_int_equal(file.load(file.context, take_anybody, NULL, error), 0);
	assert_int_equal(save_in(&file, &alice), -1);
	assert_string_equal(error, "users was changed: RELOAD first");
	file.settle(file.context);
	assert_int_equal(save_in(&file, &alice), 0);
	scratch_assert("users", BOB "carol:" HASH_A "\n" ALICE_NOW);
	file.free(file.context);
}

static void what_it_wrote_itself_it_writes_again(void **state)
{
	struct users_backend file = file_in_effect("users");

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(save_in(&file, &alice), 0);
	assert_int_equal(file.remove(file.context, "alice", 5, error), 0);
	scratch_assert("users", "");
	assert_int_equal(save_in(&file, &alice), 0);
	scratch_assert("users", ALICE_NOW);
	assert_false(file.is_outdated(file.context));
	file.free(file.context);
}

/* While it is copied: there is a look at it in front of the copy, and one behind. */
static void a_change_while_it_is_written_is_not_lost(void **state)
{
	struct users_backend file;

	(void)state;
	scratch_write("users", BOB);
	file = file_in_effect("users");
	when_read = add_in_place;
	assert_int_equal(save_in(&file, &alice), -1);
	assert_null(when_read);
	assert_string_equal(error, "users was changed: RELOAD first");
	scratch_assert("users", BOB "carol:" HASH_A "\n");
	assert_int_equal(scratch_count_files(), 2);
	file.free(file.context);
}

static void another_server_that_writes_keeps_us_out(void **state)
{
	struct users_backend file;
	int fd;

	(void)state;
	scratch_write("users", BOB);
	file = file_in_effect("users");
	fd = open("users.lock", O_RDWR | O_CREAT, 0600);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(save_in(&file, &alice), -1);
	assert_contains(error, "/users is being written by another server");
	scratch_assert("users", BOB);
	close(fd);
	assert_int_equal(save_in(&file, &alice), 0);
	scratch_assert("users", BOB ALICE_NOW);
	assert_int_equal(scratch_count_files(), 2); /* and no lock is left */
	file.free(file.context);
}

static void *write_often(void *context)
{
	struct user_record user = {context, strlen(context), HASH_A, USER_ROLE_USER, "", false};
	char why[USERS_ERROR_MAX];

	for (int i = 0; i < 100; i++) {
		struct users_backend file = users_file_backend("users");

		if (file.load(file.context, take_anybody, NULL, why) == 0) {
			file.settle(file.context);
			(void)file.save(file.context, &user, why);
			(void)file.remove(file.context, user.name, user.name_len, why);
		}
		file.free(file.context);
	}
	return NULL;
}

/* Each as a server of its own: what one has not seen of the other it does not write. */
static void servers_that_write_at_once_lose_nobody(void **state)
{
	static char names[4][8] = {"anna", "ben", "cleo", "dan"};
	pthread_t threads[COUNT(names)];
	char *text;

	(void)state;
	scratch_write("users", BOB);
	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_often, names[i]), 0);
	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	text = scratch_read("users");
	assert_begins(text, BOB);
	free(text);
	assert_int_equal(scratch_count_files(), 2);
}

static void whether_it_can_be_written_is_told_without_a_trace(void **state)
{
	(void)state;
	assert_int_equal(users_file_can_be_written("users", error), 0);
	assert_int_equal(scratch_count_files(), 1);
	scratch_write("users", BOB);
	assert_int_equal(users_file_can_be_written("users", error), 0);
	assert_int_equal(users_file_can_be_written("missing/users", error), -1);
	assert_string_equal(error, "missing/users: cannot be reached: No such file or directory");
	assert_int_equal(symlink("/proc/self/status", "link"), 0);
	assert_int_equal(users_file_can_be_written("link", error), -1);
	assert_begins(error, "link: cannot be written in its folder: ");
}

/* ---- as editors write ---- */

static void a_byte_order_mark_is_no_part_of_the_first_name(void **state)
{
	(void)state;
	check_reading("\xef\xbb\xbf"
		      "alice:" HASH_A ":admin\nbob:" HASH_B "\n",
		"alice " HASH_A " admin\nbob " HASH_B " user\n");
	scratch_write("users",
		"\xef\xbb\xbf"
		"bob:" HASH_A "\n");
	write_alice("users");
	scratch_assert("users",
		"\xef\xbb\xbf"
		"bob:" HASH_A "\n" ALICE_NOW);
}

static void blanks_at_the_end_of_a_line_are_no_part_of_it(void **state)
{
	(void)state;
	check_reading("alice:" HASH_A ":admin \t\nbob:" HASH_B " \n",
		"alice " HASH_A " admin\nbob " HASH_B " user\n");
}

static void a_new_user_gets_the_line_ends_of_the_file(void **state)
{
	(void)state;
	scratch_write("users", "# ours\r\nbob:" HASH_A "\r\n");
	write_alice("users");
	scratch_assert("users",
		"# ours\r\nbob:" HASH_A "\r\n"
		"alice:" HASH_B ":admin\r\n");
}

static void refuses_utf16_by_name(void **state)
{
	static const char text[] = "\xff\xfe"
				   "a\0:\0";
	struct taken t = {.unwanted = NULL};
	FILE *file = fopen("users", "w");

	(void)state;
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, 6, file), 6);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(load("users", take, &t), -1);
	assert_string_equal(error, "users: not a text file: UTF-16 (save it as UTF-8)");
}

static void a_fifo_is_refused_and_not_waited_for(void **state)
{
	struct taken t = {.unwanted = NULL};

	(void)state;
	assert_int_equal(mkfifo("users", 0600), 0);
	assert_int_equal(load("users", take, &t), -1);
	assert_string_equal(error, "users: cannot be read: it is not a regular file");
	assert_int_equal(save_as("users", &alice), -1);
	assert_contains(error, "it is not a regular file");
}

/* ---- reading while it is written ---- */

#define REWRITES 50

struct reader {
	_Atomic(bool) stop;
	int whole, other;
};

/* The file always holds bob, and either alice or not. */
static void *read_often(void *context)
{
	struct reader *r = context;
	struct users_backend file = users_file_backend("users");
	char why[USERS_ERROR_MAX];

	do {
		struct taken t = {.unwanted = NULL};

		if (file.load(file.context, take, &t, why) == 0 &&
			(strcmp(t.text, "bob " HASH_A " user\n") == 0 ||
				strcmp(t.text, "bob " HASH_A " user\nalice " HASH_B " admin\n") ==
					0))
			r->whole++;
		else
			r->other++;
	} while (!atomic_load(&r->stop));
	file.free(file.context);
	return NULL;
}

static void readers_find_the_old_or_the_new_file(void **state)
{
	struct reader r = {.whole = 0};
	pthread_t thread;

	(void)state;
	scratch_write("users", "bob:" HASH_A "\n");
	assert_int_equal(pthread_create(&thread, NULL, read_often, &r), 0);
	for (int i = 0; i < REWRITES; i++)
		write_alice("users");
	atomic_store(&r.stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(r.whole > 0);
	assert_int_equal(r.other, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(reads_names_hashes_and_roles),
		scratch_test(without_a_role_it_is_user),
		scratch_test(passes_over_comments_and_blank_lines),
		scratch_test(an_empty_fourth_field_is_none),
		scratch_test(reads_any_end_of_line),
		scratch_test(reads_names_of_255_bytes_in_any_script),
		scratch_test(complaints_name_the_line),
		scratch_test(takes_attributes),
		scratch_test(refuses_what_is_no_attribute),
		scratch_test(names_at_most_64_bytes_of_an_unknown_key),
		scratch_test(refuses_nul_bytes),
		scratch_test(complains_about_names_that_are_too_long),
		scratch_test(never_repeats_a_line_in_a_complaint),
		scratch_test(complains_about_files_that_cannot_be_read),
		scratch_test(a_file_that_is_missing_has_no_users),
		scratch_test(rewriting_keeps_all_other_lines),
		scratch_test(rewriting_keeps_all_that_stands_behind_the_role),
		scratch_test(the_file_s_attributes_win_over_those_that_are_known),
		scratch_test(attributes_that_are_set_take_the_place_of_the_file_s),
		scratch_test(a_line_that_occurs_twice_is_changed_twice),
		scratch_test(rewriting_keeps_carriage_returns_of_other_lines),
		scratch_test(removing_takes_the_line_out_and_no_other),
		scratch_test(makes_a_missing_file),
		scratch_test(puts_a_new_file_in_the_place_of_the_old_one),
		scratch_test(owner_and_group_keep_their_rights_and_others_lose_them),
		scratch_test(dropped_rights_are_logged),
		scratch_test(an_access_list_stays),
		scratch_test(the_owner_stays_who_it_was),
		scratch_test(follows_symbolic_links),
		scratch_test(leaves_a_link_to_nowhere_a_link),
		scratch_test(complains_about_a_missing_folder),
		scratch_test(failing_leaves_the_old_file_and_no_other),
		scratch_test(a_folder_is_no_file_of_users),
		scratch_test(leaves_no_other_files_behind),
		scratch_test(a_read_that_fails_loses_no_line),
		scratch_test(a_file_that_others_changed_is_not_written),
		scratch_test(a_missing_file_that_others_made_is_not_written),
		scratch_test(what_was_read_counts_when_it_is_settled),
		scratch_test(what_it_wrote_itself_it_writes_again),
		scratch_test(a_change_while_it_is_written_is_not_lost),
		scratch_test(another_server_that_writes_keeps_us_out),
		scratch_test(servers_that_write_at_once_lose_nobody),
		scratch_test(whether_it_can_be_written_is_told_without_a_trace),
		scratch_test(a_byte_order_mark_is_no_part_of_the_first_name),
		scratch_test(blanks_at_the_end_of_a_line_are_no_part_of_it),
		scratch_test(a_new_user_gets_the_line_ends_of_the_file),
		scratch_test(refuses_utf16_by_name),
		scratch_test(a_fifo_is_refused_and_not_waited_for),
		scratch_test(readers_find_the_old_or_the_new_file),
	};

	return cmocka_run_group_tests_name("state/users_file", tests, NULL, NULL);
}
