/*
 * A copy is a file, so that what reads the other one reads it as well. Its name is a hash of the
 * path, which may be longer than names can be. It gets the times of what it was made from, by which
 * one that is still the same is told. A copy takes the place of the one before as a whole.
 */
#include "state/copies.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HASH_BYTES 16

const char *copies_path(const char *state_dir, const char *path, char out[PATH_MAX])
{
	unsigned char hash[HASH_BYTES];
	char hex[2 * HASH_BYTES + 1];

	crypto_generichash(hash, sizeof(hash), (const unsigned char *)path, strlen(path), NULL, 0);
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	snprintf(out, PATH_MAX, "%s/copy-%s", state_dir, hex);
	return out;
}

static bool is_same_version(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
		a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int copy_bytes(int from, int to)
{
	char bytes[16384];
	ssize_t n;

	while ((n = read(from, bytes, sizeof(bytes))) > 0) {
		if (write(to, bytes, (size_t)n) != n) {
			errno = errno != 0 ? errno : ENOSPC;
			return -1;
		}
	}
	return n < 0 ? -1 : 0;
}

/* All of it is on the disk before it has its name. */
static int fill_copy(int from, const struct stat *st, const char *new)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};
	int to = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600), error;

	if (to < 0)
		return -1;
	errno = 0;
	if (copy_bytes(from, to) == 0 && futimens(to, times) == 0 && fsync(to) == 0)
		return close(to);
	error = errno;
	close(to);
	errno = error;
	return -1;
}

static int replace_copy(int from, const struct stat *st, const char *path)
{
	char new[PATH_MAX + 8];
	int error;

	snprintf(new, sizeof(new), "%s.new", path);
	if (fill_copy(from, st, new) == 0 && rename(new, path) == 0)
		return 0;
	error = errno;
	unlink(new);
	errno = error;
	return -1;
}

int copies_save(const char *state_dir, const char *path)
{
	int from = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), result = -1, error;
	char copy[PATH_MAX];
	struct stat st, before;

	if (from < 0)
		return -1;
	copies_path(state_dir, path, copy);
	if (fstat(from, &st) == 0) {
		bool is_there = stat(copy, &before) == 0 && is_same_version(&st, &before);

		result = is_there ? 0 : replace_copy(from, &st, copy);
	}
	error = errno;
	close(from);
	errno = error;
	return result;
}
