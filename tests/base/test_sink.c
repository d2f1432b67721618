/* sink: appending, rotation under writers, and what does not take lines any more. */
#include "base/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "scratch.h"

static void put(struct sink *s, const char *line)
{
	assert_true(sink_takes_line(s));
	assert_true(sink_write(s, line, strlen(line)));
}

static void appends_to_what_is_there(void **state)
{
	struct sink s = SINK_NONE;
	struct stat st;

	(void)state;
	scratch_write("file", "before\n");
	assert_int_equal(sink_open(&s, "file"), 0);
	put(&s, "one\n");
	sink_close(&s);
	scratch_assert("file", "before\none\n");
	assert_int_equal(sink_open(&s, "new"), 0);
	sink_close(&s);
	assert_int_equal(stat("new", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

/* Whoever wrote it was killed, or the host lost its power. */
static void begins_a_line_behind_one_that_was_cut_off(void **state)
{
	struct sink s = SINK_NONE;

	(void)state;
	scratch_write("file", "whole\ncut o");
	scratch_write("other", "cut, too");
	assert_int_equal(sink_open(&s, "file"), 0);
	put(&s, "one\n");
	put(&s, "two\n");
	assert_int_equal(sink_open(&s, "other"), 0);
	put(&s, "three\n");
	assert_int_equal(sink_open(&s, "empty"), 0);
	put(&s, "four\n");
	sink_close(&s);
	scratch_assert("file", "whole\ncut o\none\ntwo\n");
	scratch_assert("other", "cut, too\nthree\n");
	scratch_assert("empty", "four\n");
}

/* Who writes to it meanwhile may be about to. */
static void a_file_that_is_opened_again_goes_on_as_it_was(void **state)
{
	struct sink s = SINK_NONE;

	(void)state;
	assert_int_equal(sink_open(&s, "file"), 0);
	put(&s, "one");
	assert_int_equal(sink_open(&s, "file"), 0);
	put(&s, " and the rest\n");
	sink_close(&s);
	scratch_assert("file", "one and the rest\n");
}

static void the_same_path_again_is_the_new_file_after_a_rotation(void **state)
{
	struct sink s = SINK_NONE;
	int number;

	(void)state;
	assert_int_equal(sink_open(&s, "file"), 0);
	number = atomic_load(&s.fd);
	put(&s, "one\n");
	assert_int_equal(rename("file", "file.1"), 0);
	put(&s, "two\n");
	assert_int_equal(sink_open(&s, "file"), 0);
	put(&s, "three\n");
	assert_int_equal(atomic_load(&s.fd), number);
	sink_close(&s);
	scratch_assert("file.1", "one\ntwo\n");
	scratch_assert("file", "three\n");
}

static void what_cannot_be_opened_changes_nothing(void **state)
{
	struct sink s = SINK_NONE;

	(void)state;
	assert_int_equal(sink_open(&s, "missing/file"), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(atomic_load(&s.fd), -1);
	assert_int_equal(sink_open(&s, "file"), 0);
	assert_int_equal(sink_open(&s, "missing/file"), -1);
	put(&s, "still\n");
	sink_close(&s);
	scratch_assert("file", "still\n");
}

/* Makes a pipe that is full but for less than a line of 4096 bytes. */
static void fill_pipe(int ends[2])
{
	static char bytes[4096];

	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	while (write(ends[1], bytes, sizeof(bytes)) > 0)
		;
	assert_int_equal(errno, EAGAIN);
}

static void lines_that_find_no_room_are_counted_until_there_is_some(void **state)
{
	struct sink s = SINK_NONE;
	uint64_t lost;
	char bytes[65536];
	int ends[2];

	(void)state;
	fill_pipe(ends);
	assert_int_equal(sink_adopt(&s, sink_open_same(ends[1])), 0);
	assert_false(sink_recovered(&s, &lost));
	assert_false(sink_takes_line(&s));
	assert_false(sink_takes_line(&s));
	while (read(ends[0], bytes, sizeof(bytes)) > 0)
		;
	assert_true(sink_takes_line(&s));
	assert_true(sink_recovered(&s, &lost));
	assert_int_equal(lost, 2);
	assert_false(sink_recovered(&s, &lost));
	sink_close(&s);
	close(ends[0]);
}

/* It is blocking, as what a program is started with, and full to its last byte. */
static void fill_shared(int fd)
{
	static const char bytes[4096];

	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while (write(fd, bytes, sizeof(bytes)) > 0)
		;
	while (write(fd, bytes, 1) > 0)
		;
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
}

/* As when another thread has taken the room that this one was told of. */
static void assert_write_does_not_block(int fd)
{
	struct sink s = SINK_NONE;
	uint64_t lost;

	assert_int_equal(sink_adopt(&s, sink_open_same(fd)), 0);
	assert_true(atomic_load(&s.fd) != fd);
	put(&s, "before\n");
	fill_shared(fd);
	alarm(60); /* ends a test that hangs */
	assert_false(sink_write(&s, "line\n", 5));
	alarm(0);
	assert_true(sink_recovered(&s, &lost));
	assert_int_equal(lost, 1);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	sink_close(&s);
}

static void a_pipe_that_others_share_stays_blocking_for_them_only(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_write_does_not_block(ends[1]);
	close(ends[0]);
	close(ends[1]);
}

static void so_does_a_socket(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_write_does_not_block(ends[1]);
	close(ends[0]);
	close(ends[1]);
}

static void so_does_a_terminal(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), terminal;

	(void)state;
	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(terminal >= 0);
	assert_write_does_not_block(terminal);
	close(terminal);
	close(master);
}

static void a_shared_file_is_appended_to_where_the_others_are(void **state)
{
	struct sink s = SINK_NONE;
	int fd = open("shared", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	assert_int_equal(write(fd, "shell\n", 6), 6);
	assert_int_equal(sink_adopt(&s, sink_open_same(fd)), 0);
	put(&s, "line\n");
	assert_int_equal(write(fd, "shell\n", 6), 6);
	sink_close(&s);
	close(fd);
	scratch_assert("shared", "shell\nline\nshell\n");
}

static void it_goes_from_any_kind_to_any_other(void **state)
{
	struct sink s = SINK_NONE;
	char bytes[32];
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sink_adopt(&s, sink_open_same(ends[1])), 0);
		put(&s, "socket\n");
		assert_int_equal(read(ends[0], bytes, sizeof(bytes)), 7);
		assert_int_equal(sink_open(&s, "file"), 0);
		put(&s, "file\n");
	}
	sink_close(&s);
	close(ends[0]);
	close(ends[1]);
	scratch_assert("file", "file\nfile\n");
}

static void a_line_that_is_not_written_whole_is_told(void **state)
{
	struct sink s = SINK_NONE;

	(void)state;
	assert_int_equal(sink_open(&s, "/dev/full"), 0);
	assert_false(sink_write(&s, "line\n", 5));
	assert_int_equal(errno, ENOSPC);
	sink_close(&s);
}

static void a_fifo_that_nobody_reads_is_refused(void **state)
{
	struct sink s = SINK_NONE;

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(sink_open(&s, "fifo"), -1);
	assert_int_equal(errno, ENXIO);
}

static void limit_files_to(rlim_t bytes)
{
	struct rlimit rl;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &rl), 0);
	rl.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &rl), 0);
}

static void a_line_does_not_run_into_one_that_was_cut_off(void **state)
{
	struct sink s = SINK_NONE;
	uint64_t lost;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(sink_open(&s, "file"), 0);
	put(&s, "whole\n");
	limit_files_to(10);
	assert_false(sink_write(&s, "abcdefgh\n", 9));
	assert_false(sink_write(&s, "nothing of it\n", 14));
	limit_files_to(RLIM_INFINITY);
	assert_true(sink_recovered(&s, &lost));
	assert_int_equal(lost, 2);
	put(&s, "next\n");
	put(&s, "last\n");
	sink_close(&s);
	scratch_assert("file", "whole\nabcd\nnext\nlast\n");
}

/* ---- a disk that hangs ---- */

#define CROWD 20

static _Atomic(bool) disk_hangs;
static _Atomic(int) writes;

ssize_t __real_writev(int fd, const struct iovec *parts, int count);
ssize_t __wrap_writev(int fd, const struct iovec *parts, int count);

ssize_t __wrap_writev(int fd, const struct iovec *parts, int count)
{
	atomic_fetch_add(&writes, 1);
	while (atomic_load(&disk_hangs))
		sched_yield();
	return __real_writev(fd, parts, count);
}

static struct sink hanging = SINK_NONE;
static _Atomic(int) turned_away;

static void *write_one_line(void *unused)
{
	(void)unused;
	if (!sink_write(&hanging, "line\n", 5))
		atomic_fetch_add(&turned_away, 1);
	return NULL;
}

/* Those whom the disk has are those few, and all others give up. */
static void few_wait_for_a_disk_that_hangs(void **state)
{
	pthread_t threads[CROWD];
	uint64_t lost;

	(void)state;
	assert_int_equal(sink_open(&hanging, "file"), 0);
	atomic_store(&writes, 0);
	atomic_store(&disk_hangs, true);
	for (int i = 0; i < CROWD; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_one_line, NULL), 0);
	while (atomic_load(&turned_away) < CROWD - SINK_WRITERS_MAX)
		sched_yield();
	assert_int_equal(atomic_load(&writes), SINK_WRITERS_MAX);
	/* It is known by now that nothing moves. */
	assert_false(sink_takes_line(&hanging));
	assert_int_equal(errno, EAGAIN);
	atomic_store(&disk_hangs, false);
	for (int i = 0; i < CROWD; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&turned_away), CROWD - SINK_WRITERS_MAX);
	assert_true(sink_recovered(&hanging, &lost));
	assert_int_equal(lost, CROWD - SINK_WRITERS_MAX + 1);
	put(&hanging, "then\n");
	sink_close(&hanging);
	scratch_assert("file", "line\nline\nline\nline\nthen\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(appends_to_what_is_there),
		scratch_test(begins_a_line_behind_one_that_was_cut_off),
		scratch_test(a_file_that_is_opened_again_goes_on_as_it_was),
		scratch_test(the_same_path_again_is_the_new_file_after_a_rotation),
		scratch_test(what_cannot_be_opened_changes_nothing),
		scratch_test(lines_that_find_no_room_are_counted_until_there_is_some),
		scratch_test(a_pipe_that_others_share_stays_blocking_for_them_only),
		scratch_test(so_does_a_socket),
		scratch_test(so_does_a_terminal),
		scratch_test(a_shared_file_is_appended_to_where_the_others_are),
		scratch_test(it_goes_from_any_kind_to_any_other),
		scratch_test(a_line_that_is_not_written_whole_is_told),
		scratch_test(a_fifo_that_nobody_reads_is_refused),
		scratch_test(a_line_does_not_run_into_one_that_was_cut_off),
		scratch_test(few_wait_for_a_disk_that_hangs),
	};

	return cmocka_run_group_tests_name("base/sink", tests, NULL, NULL);
}
