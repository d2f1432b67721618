/* users_file: lines read and complained about, and rewriting that keeps all the rest. */
#include "state/users_file.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "../base/scratch.h"
#include "lacking.h"

#define HASH_A "$2b$04$KBCwKxOzLha2MUDgW0PjXe5WrYdbeMEUdDqZSYfWfkhh6PfeUa7Fi"
#define HASH_B "$2b$04$KBCwKxOzLha2MUDgW0PjXeFHhJ0cdbkQkB1FMR1qxwWRAVuEzLBPu"

static char error[USERS_ERROR_MAX];

/* ---- reading ---- */

/* What was read, as text: "alice HASH user\n". */
struct taken {
	char text[4096];
	const char *unwanted; /* a name that is not taken */
};

static const char *take(void *context, const struct users_file_entry *entry)
{
	struct taken *t = context;
	size_t len = strlen(t->text);

	if (t->unwanted != NULL && strcmp(entry->name, t->unwanted) == 0)
		return "it is not wanted";
	if (strlen(entry->name) != entry->name_len)
		return "its length is wrong";
	snprintf(t->text + len, sizeof(t->text) - len, "%s %s %s\n", entry->name, entry->hash,
		entry->role == USER_ROLE_ADMIN ? "admin" : "user");
	return NULL;
}

static void check_reading(const char *file, const char *expected)
{
	struct taken t = {.unwanted = NULL};

	scratch_write("users", file);
	if (users_file_read("users", take, &t, error) < 0)
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

static void passes_over_further_fields(void **state)
{
	(void)state;
	check_reading("alice:" HASH_A ":admin:room 7:and more\n", "alice " HASH_A " admin\n");
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
	assert_int_equal(users_file_read("users", take, &t, error), -1);
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

static void complains_about_names_that_are_too_long(void **state)
{
	char file[512];

	(void)state;
	memset(file, 'n', 256);
	strcpy(file + 256, ":" HASH_A "\n");
	assert_complains(file, "users:1: a user name has 1 to 255 bytes");
}

static void never_repeats_a_line_in_a_complaint(void **state)
{
	(void)state;
	assert_complains("alice:secret:user\n", "users:1: ");
	assert_null(strstr(error, "secret"));
	assert_complains("secret\n", "users:1: ");
	assert_null(strstr(error, "secret"));
}

static void complains_about_files_that_cannot_be_read(void **state)
{
	struct taken t = {.unwanted = NULL};

	(void)state;
	assert_int_equal(users_file_read("missing", take, &t, error), -1);
	assert_string_equal(error, "missing: cannot be read: No such file or directory");
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(users_file_read("folder", take, &t, error), -1);
	assert_string_equal(error, "folder: cannot be read: Is a directory");
}

/* ---- writing ---- */

static const struct users_file_entry alice = {"alice", 5, HASH_B, USER_ROLE_ADMIN};
static const struct users_file_entry both[] = {
	{"alice", 5, HASH_B, USER_ROLE_ADMIN}, {"bob", 3, HASH_B, USER_ROLE_USER}};

static void write_good(const char *path, const struct users_file_entry *entries, size_t count)
{
	if (users_file_write(path, entries, count, error) < 0)
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
		write_good("users", &alice, 1);
		scratch_assert("users", rows[i].after);
	}
}

static void writes_several_users_at_once(void **state)
{
	(void)state;
	scratch_write("users", "# ours\nbob:" HASH_A ":admin\n");
	write_good("users", both, COUNT(both));
	scratch_assert("users", "# ours\nbob:" HASH_B ":user\n" ALICE_NOW);
	write_good("users", both, COUNT(both));
	scratch_assert("users", "# ours\nbob:" HASH_B ":user\n" ALICE_NOW);
}

static void rewriting_keeps_carriage_returns_of_other_lines(void **state)
{
	(void)state;
	scratch_write("users", "# ours\r\nbob:" HASH_A "\r\nalice:" HASH_A "\n");
	write_good("users", &alice, 1);
	scratch_assert("users", "# ours\r\nbob:" HASH_A "\r\n" ALICE_NOW);
}

static void an_entry_without_a_hash_takes_the_line_out(void **state)
{
	struct users_file_entry gone = {.name = "alice", .name_len = 5};

	(void)state;
	scratch_write("users", "# ours\nalice:" HASH_A "\nalice2:" HASH_A "\n");
	write_good("users", &gone, 1);
	scratch_assert("users", "# ours\nalice2:" HASH_A "\n");
	write_good("users", &gone, 1);
	scratch_assert("users", "# ours\nalice2:" HASH_A "\n");
}

static void knows_whether_there_is_a_line(void **state)
{
	(void)state;
	assert_false(users_file_has("users", "alice"));
	scratch_write("users", "#alice:x\nbob:anything\nalice2:" HASH_A "\n");
	assert_false(users_file_has("users", "alice"));
	assert_true(users_file_has("users", "bob"));
	assert_true(users_file_has("users", "alice2"));
}

static void makes_a_missing_file(void **state)
{
	(void)state;
	write_good("users", &alice, 1);
	scratch_assert("users", ALICE_NOW);
	assert_int_equal(mode_of("users"), 0600);
}

static void puts_a_new_file_in_the_place_of_the_old_one(void **state)
{
	ino_t before;

	(void)state;
	scratch_write("users", "bob:" HASH_A "\n");
	assert_int_equal(chmod("users", 0644), 0);
	assert_int_equal(link("users", "kept"), 0);
	before = inode_of("users");
	write_good("users", &alice, 1);
	assert_true(inode_of("users") != before);
	assert_int_equal(mode_of("users"), 0600);
	scratch_assert("kept", "bob:" HASH_A "\n");
}

static void the_owner_stays_who_it_was(void **state)
{
	struct stat st;

	(void)state;
	if (geteuid() != 0)
		skip_for_want_of("root");
	scratch_write("users", "");
	assert_int_equal(chown("users", 4711, 4712), 0);
	write_good("users", &alice, 1);
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
	write_good("users", &alice, 1);
	assert_int_equal(lstat("users", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	scratch_assert("folder/real", "bob:" HASH_A "\n" ALICE_NOW);
}

static void leaves_a_link_to_nowhere_a_link(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(symlink("folder/missing", "users"), 0);
	if (users_file_write("users", &alice, 1, error) < 0)
		assert_begins(error, "users: ");
	assert_int_equal(lstat("users", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
}

static void complains_about_a_missing_folder(void **state)
{
	(void)state;
	assert_int_equal(users_file_write("missing/users", &alice, 1, error), -1);
	assert_begins(error, "missing/users: ");
	assert_contains(error, "No such file or directory");
}

static int visited;

static int count_visit(const char *path, const struct stat *st, int type, struct FTW *place)
{
	(void)path;
	(void)st;
	(void)type;
	(void)place;
	visited++;
	return 0;
}

/* The folder itself counts too. */
static int count_files(const char *folder)
{
	visited = 0;
	assert_int_equal(nftw(folder, count_visit, 8, FTW_PHYS), 0);
	return visited;
}

/* The name is so long that no name for a new file beside it is left. */
static void failing_leaves_the_old_file_and_no_other(void **state)
{
	char name[253];

	(void)state;
	memset(name, 'n', 252);
	name[252] = '\0';
	scratch_write(name, "bob:" HASH_A "\n");
	assert_int_equal(users_file_write(name, &alice, 1, error), -1);
	assert_contains(error, "File name too long");
	scratch_assert(name, "bob:" HASH_A "\n");
	assert_int_equal(count_files("."), 2);
}

static void a_folder_is_no_file_of_users(void **state)
{
	(void)state;
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(users_file_write("folder", &alice, 1, error), -1);
	assert_contains(error, "folder: ");
	assert_int_equal(count_files("."), 2);
}

static void leaves_no_other_files_behind(void **state)
{
	(void)state;
	scratch_write("users", "bob:" HASH_A "\n");
	write_good("users", &alice, 1);
	assert_int_equal(count_files("."), 2);
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
	char why[USERS_ERROR_MAX];

	do {
		struct taken t = {.unwanted = NULL};

		if (users_file_read("users", take, &t, why) == 0 &&
			(strcmp(t.text, "bob " HASH_A " user\n") == 0 ||
				strcmp(t.text, "bob " HASH_A " user\nalice " HASH_B " admin\n") ==
					0))
			r->whole++;
		else
			r->other++;
	} while (!atomic_load(&r->stop));
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
		write_good("users", &alice, 1);
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
		scratch_test(passes_over_further_fields),
		scratch_test(reads_any_end_of_line),
		scratch_test(reads_names_of_255_bytes_in_any_script),
		scratch_test(complaints_name_the_line),
		scratch_test(complains_about_names_that_are_too_long),
		scratch_test(never_repeats_a_line_in_a_complaint),
		scratch_test(complains_about_files_that_cannot_be_read),
		scratch_test(rewriting_keeps_all_other_lines),
		scratch_test(writes_several_users_at_once),
		scratch_test(rewriting_keeps_carriage_returns_of_other_lines),
		scratch_test(an_entry_without_a_hash_takes_the_line_out),
		scratch_test(knows_whether_there_is_a_line),
		scratch_test(makes_a_missing_file),
		scratch_test(puts_a_new_file_in_the_place_of_the_old_one),
		scratch_test(the_owner_stays_who_it_was),
		scratch_test(follows_symbolic_links),
		scratch_test(leaves_a_link_to_nowhere_a_link),
		scratch_test(complains_about_a_missing_folder),
		scratch_test(failing_leaves_the_old_file_and_no_other),
		scratch_test(a_folder_is_no_file_of_users),
		scratch_test(leaves_no_other_files_behind),
		scratch_test(readers_find_the_old_or_the_new_file),
	};

	return cmocka_run_group_tests_name("state/users_file", tests, NULL, NULL);
}
