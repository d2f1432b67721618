/* scratch: a new folder for each test, which is the working directory meanwhile. */
#ifndef TESTS_BASE_SCRATCH_H
#define TESTS_BASE_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "tmp.h"

/* A test that runs in a folder of its own. */
#define scratch_test(f) cmocka_unit_test_setup_teardown(f, scratch_enter, scratch_leave)

static inline int scratch_enter(void **state)
{
	char *folder = malloc(TMP_MAX_PATH);

	*state = folder;
	return folder == NULL || mkdtemp(tmp_template(folder, "socks5d-unit")) == NULL
		? -1
		: chdir(folder);
}

static inline int scratch_remove_one(
	const char *path, const struct stat *st, int type, struct FTW *place)
{
	(void)st;
	(void)type;
	(void)place;
	return remove(path);
}

static inline int scratch_leave(void **state)
{
	int result = chdir("/");

	if (result == 0)
		result = nftw(*state, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(*state);
	return result;
}

static int scratch_visited;

static inline int scratch_visit_one(
	const char *path, const struct stat *st, int type, struct FTW *place)
{
	(void)path;
	(void)st;
	(void)type;
	(void)place;
	scratch_visited++;
	return 0;
}

/* What is in the folder of the test, at any depth; itself counts too. */
static inline int scratch_count_files(void)
{
	scratch_visited = 0;
	assert_int_equal(nftw(".", scratch_visit_one, 8, FTW_PHYS), 0);
	return scratch_visited;
}

static inline void scratch_write(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* All of the file with a NUL behind it, to be freed. */
static inline char *scratch_read(const char *name)
{
	FILE *file = fopen(name, "r");
	struct stat st;
	char *text;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	text = calloc(1, (size_t)st.st_size + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, (size_t)st.st_size, file), st.st_size);
	assert_int_equal(fclose(file), 0);
	return text;
}

/* Fails unless the file holds exactly `text`. */
static inline void scratch_assert(const char *name, const char *text)
{
	char *content = scratch_read(name);

	assert_string_equal(content, text);
	free(content);
}

#endif
