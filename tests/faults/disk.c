/*
 * A disk that can be told to be slow or to fail, as a file system of FUSE's: what is done to it is
 * done to a folder of another one.
 *
 *	disk FOLDER CONTROL MOUNTPOINT
 *
 * The first line of the file CONTROL is looked at before whatever changes something: "slow MS" has
 * it take so much longer, "fail ERRNO" has it fail with that number, and anything else is a good
 * disk. A disk that hangs is this process, stopped. It ends when it is unmounted.
 */
#define FUSE_USE_VERSION 31
#include <fuse.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int root = -1; /* the folder beneath */
static const char *control;

/* 0, or the error that is wanted, as FUSE takes it. */
static int meet_fault(void)
{
	FILE *f = fopen(control, "re");
	char word[16] = "";
	int value = 0, n = f == NULL ? 0 : fscanf(f, "%15s %d", word, &value);

	if (f != NULL)
		fclose(f);
	if (n < 2)
		return 0;
	if (strcmp(word, "slow") == 0)
		nanosleep(&(struct timespec){value / 1000, value % 1000 * 1000000L}, NULL);
	return strcmp(word, "fail") == 0 ? -value : 0;
}

/* Of a call that says -1 and errno; `fault` is from before, when it was not to be made. */
static int outcome(int result)
{
	return result < 0 ? -errno : result;
}

#define UNLESS_FAULT(call)                                                                         \
	int fault = meet_fault();                                                                  \
                                                                                                   \
	return fault < 0 ? fault : outcome(call)

static const char *below(const char *path)
{
	return path[1] == '\0' ? "." : path + 1;
}

static void *disk_init(struct fuse_conn_info *connection, struct fuse_config *config)
{
	(void)connection;
	config->use_ino = 1;
	config->entry_timeout = config->attr_timeout = config->negative_timeout = 0;
	return NULL;
}

static int disk_getattr(const char *path, struct stat *st, struct fuse_file_info *file)
{
	return outcome(file != NULL ? fstat((int)file->fh, st)
				    : fstatat(root, below(path), st, AT_SYMLINK_NOFOLLOW));
}

static int disk_access(const char *path, int mode)
{
	return outcome(faccessat(root, below(path), mode, 0));
}

static int disk_readdir(const char *path, void *to, fuse_fill_dir_t fill, off_t offset,
	struct fuse_file_info *file, enum fuse_readdir_flags flags)
{
	int fd = openat(root, below(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	(void)offset, (void)file, (void)flags;
	if (folder == NULL)
		return -errno;
	while ((entry = readdir(folder)) != NULL)
		fill(to, entry->d_name, NULL, 0, 0);
	closedir(folder);
	return 0;
}

static int disk_open(const char *path, struct fuse_file_info *file)
{
	/* Where a line goes is the kernel's affair above. */
	int fd = openat(root, below(path), (file->flags & ~O_APPEND & ~O_NONBLOCK) | O_CLOEXEC);

	file->fh = (uint64_t)fd;
	return fd < 0 ? -errno : 0;
}

static int disk_create(const char *path, mode_t mode, struct fuse_file_info *file)
{
	int fault = meet_fault(), fd;

	if (fault < 0)
		return fault;
	fd = openat(root, below(path),
		(file->flags & ~O_APPEND & ~O_NONBLOCK) | O_CREAT | O_CLOEXEC, mode);
	file->fh = (uint64_t)fd;
	return fd < 0 ? -errno : 0;
}

static int disk_release(const char *path, struct fuse_file_info *file)
{
	(void)path;
	close((int)file->fh);
	return 0;
}

static int disk_read(
	const char *path, char *bytes, size_t len, off_t at, struct fuse_file_info *file)
{
	(void)path;
	return outcome((int)pread((int)file->fh, bytes, len, at));
}

static int disk_write(
	const char *path, const char *bytes, size_t len, off_t at, struct fuse_file_info *file)
{
	(void)path;
	UNLESS_FAULT((int)pwrite((int)file->fh, bytes, len, at));
}

static int disk_fsync(const char *path, int only_data, struct fuse_file_info *file)
{
	(void)path, (void)only_data;
	UNLESS_FAULT(fsync((int)file->fh));
}

static int disk_truncate(const char *path, off_t size, struct fuse_file_info *file)
{
	int fd = file != NULL ? (int)file->fh : openat(root, below(path), O_WRONLY | O_CLOEXEC);
	int result = meet_fault();

	if (result == 0)
		result = outcome(ftruncate(fd, size));
	if (file == NULL && fd >= 0)
		close(fd);
	return result;
}

static int disk_unlink(const char *path)
{
	UNLESS_FAULT(unlinkat(root, below(path), 0));
}

static int disk_rename(const char *from, const char *to, unsigned flags)
{
	UNLESS_FAULT(renameat2(root, below(from), root, below(to), flags));
}

static int disk_chmod(const char *path, mode_t mode, struct fuse_file_info *file)
{
	(void)file;
	UNLESS_FAULT(fchmodat(root, below(path), mode, 0));
}

static int disk_chown(const char *path, uid_t user, gid_t group, struct fuse_file_info *file)
{
	(void)file;
	UNLESS_FAULT(fchownat(root, below(path), user, group, AT_SYMLINK_NOFOLLOW));
}

static int disk_utimens(
	const char *path, const struct timespec times[2], struct fuse_file_info *file)
{
	(void)file;
	UNLESS_FAULT(utimensat(root, below(path), times, AT_SYMLINK_NOFOLLOW));
}

static const struct fuse_operations operations = {.init = disk_init,
	.getattr = disk_getattr,
	.access = disk_access,
	.readdir = disk_readdir,
	.open = disk_open,
	.create = disk_create,
	.release = disk_release,
	.read = disk_read,
	.write = disk_write,
	.fsync = disk_fsync,
	.truncate = disk_truncate,
	.unlink = disk_unlink,
	.rename = disk_rename,
	.chmod = disk_chmod,
	.chown = disk_chown,
	.utimens = disk_utimens};

int main(int argc, char **argv)
{
	/* In the foreground, so that its number is known. */
	char *arguments[] = {argv[0], "-f", argc == 4 ? argv[3] : NULL, NULL};

	if (argc != 4 || (root = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
		fprintf(stderr, "usage: disk FOLDER CONTROL MOUNTPOINT\n");
		return 2;
	}
	control = argv[2];
	return fuse_main(3, arguments, &operations, NULL);
}
