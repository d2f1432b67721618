/* Changes of the file of users: the first line says what is done to whom (+NAME, =NAME, -NAME), the
 * rest is the file. Nobody else's line changes, and what was written can be read. */
#include "fuzz.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "state/users_file.h"

#define NEW_HASH "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"

/* ---- a file on a disk, which is replaced by another ---- */

static char folder[64], path[96];

static void remove_folder(void)
{
	char lock[112];

	snprintf(lock, sizeof(lock), "%s.lock", path);
	unlink(lock);
	unlink(path);
	rmdir(folder);
}

static void make_folder(void)
{
	if (folder[0] != '\0')
		return;
	strcpy(folder, access("/dev/shm", W_OK) == 0 ? "/dev/shm/fuzz.XXXXXX" : "/tmp/fuzz.XXXXXX");
	FUZZ_CHECK(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/users", folder);
	FUZZ_CHECK(atexit(remove_folder) == 0);
	log_set_level(LOG_ERROR);
}

static void write_file(const uint8_t *bytes, size_t len)
{
	FILE *f = fopen(path, "we");

	FUZZ_CHECK(f != NULL && fwrite(bytes, 1, len, f) == len && fclose(f) == 0);
	FUZZ_CHECK(chmod(path, 0600) == 0);
}

static bool file_is(const uint8_t *bytes, size_t len)
{
	FILE *f = fopen(path, "re");
	uint8_t *now = malloc(len + 1);
	size_t n;

	FUZZ_CHECK(f != NULL && now != NULL);
	n = fread(now, 1, len + 1, f);
	fclose(f);
	n = n == len && memcmp(now, bytes, len) == 0;
	free(now);
	return n;
}

/* ---- who is in it ---- */

#define LISTED_MAX 4096

/* Everybody but one, and that one's hash. */
struct listing {
	const char *but;
	uint64_t sum; /* of names, hashes and roles, in their order */
	size_t count;
	bool has_him;
	char his_hash[128];
};

static void add_text(struct listing *l, const char *text)
{
	for (; *text != '\0'; text++)
		l->sum = (l->sum ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	l->sum = (l->sum ^ 0xff) * UINT64_C(0x100000001b3);
}

static const char *list_user(void *taker, const struct user_record *user)
{
	struct listing *l = taker;

	if (strcmp(user->name, l->but) == 0) {
		l->has_him = true;
		snprintf(l->his_hash, sizeof(l->his_hash), "%s", user->hash);
		return NULL;
	}
	add_text(l, user->name);
	add_text(l, user->hash);
	add_text(l, user->role == USER_ROLE_ADMIN ? "a" : "u");
	l->count++;
	return NULL;
}

static int list(struct users_backend *file, const char *but, struct listing *l)
{
	char error[USERS_ERROR_MAX] = "";

	*l = (struct listing){.but = but};
	return file->load(file->context, list_user, l, error);
}

/* ---- one change ---- */

static int change(struct users_backend *file, char what, const char *name)
{
	struct user_record user = {.name = name,
		.name_len = strlen(name),
		.hash = NEW_HASH,
		.role = USER_ROLE_ADMIN,
		.attributes = ""};
	char error[USERS_ERROR_MAX] = "";
	int result = what == '-' ? file->remove(file->context, name, strlen(name), error)
				 : file->save(file->context, &user, error);

	FUZZ_CHECK(result == 0 || strlen(error) > 0);
	return result;
}

static void check_change(
	struct users_backend *file, char what, const char *name, const uint8_t *bytes, size_t len)
{
	struct listing before, after;
	bool was_good = list(file, name, &before) == 0;

	if (was_good)
		file->settle(file->context);
	if (change(file, what, name) < 0) {
		FUZZ_CHECK(file_is(bytes, len));
		return;
	}
	if (!was_good)
		return;
	FUZZ_CHECK(list(file, name, &after) == 0);
	FUZZ_CHECK(after.count == before.count && after.sum == before.sum);
	FUZZ_CHECK(after.has_him == (what != '-'));
	FUZZ_CHECK(what == '-' || strcmp(after.his_hash, NEW_HASH) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const uint8_t *end = memchr(bytes, '\n', len);
	size_t name_len = end == NULL || end == bytes ? 0 : (size_t)(end - bytes) - 1;
	char name[USERS_NAME_MAX + 1];
	struct users_backend file;

	if (name_len == 0 || name_len > USERS_NAME_MAX || memchr("+=-", bytes[0], 3) == NULL)
		return 0;
	memcpy(name, bytes + 1, name_len);
	name[name_len] = '\0';
	if (users_name_problem(name, name_len) != NULL)
		return 0;
	make_folder();
	write_file(end + 1, len - name_len - 2);
	file = users_file_backend(path);
	FUZZ_CHECK(file.context != NULL);
	check_change(&file, (char)bytes[0], name, end + 1, len - name_len - 2);
	file.free(file.context);
	return 0;
}
