/* local: files of sockets that are alive, dead or something else, and who is at the other end. */
#include "net/local.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../base/scratch.h"

static struct local_file file;

static int listen_at(const char *path)
{
	int fd = local_listen(path, 4, &file);

	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	return fd;
}

/* A server dies, and its file stays. */
static void leave_behind(const char *path)
{
	close(listen_at(path));
	assert_int_equal(access(path, F_OK), 0);
}

static void assert_refused(const char *path, int error, const char *why)
{
	struct local_file none = {.path = ""};

	assert_int_equal(local_listen(path, 4, &none), -1);
	assert_int_equal(errno, error);
	assert_string_equal(local_explain(error), why);
}

static void owner_and_group_may_connect_whatever_the_umask(void **state)
{
	static const mode_t masks[] = {0, 022, 077, 0777};
	struct stat st;

	(void)state;
	for (size_t i = 0; i < COUNT(masks); i++) {
		mode_t before = umask(masks[i]);
		int fd = listen_at("s");

		umask(before);
		assert_int_equal(stat("s", &st), 0);
		assert_int_equal(st.st_mode & 07777, 0660);
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
		local_remove(&file);
		close(fd);
	}
}

static void who_connects_is_known(void **state)
{
	int listener = listen_at("s"), client = local_connect("s", 1000), peer;
	uid_t uid = (uid_t)-1;

	(void)state;
	assert_true(client >= 0);
	assert_true(fcntl(client, F_GETFL) & O_NONBLOCK);
	peer = accept(listener, NULL, NULL);
	assert_true(local_peer(peer, &uid));
	assert_int_equal(uid, geteuid());
	close(peer);
	close(client);
	close(listener);
}

static void the_file_of_a_dead_one_is_replaced(void **state)
{
	int fd;

	(void)state;
	leave_behind("s");
	assert_int_equal(local_connect("s", 1000), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_int_equal(local_check("s"), 0);
	fd = listen_at("s");
	close(local_connect("s", 1000));
	close(fd);
}

static void one_that_is_alive_is_refused(void **state)
{
	int fd = listen_at("s");

	(void)state;
	assert_refused("s", EADDRINUSE, "another server is listening there");
	close(local_connect("s", 1000));
	close(fd);
}

/* Nobody accepts, so that sooner or later no more fit. */
static void one_with_a_full_backlog_is_alive(void **state)
{
	int listener = listen_at("s"), clients[16], n = 0;

	(void)state;
	while (n < 16 && (clients[n] = local_connect("s", 1)) >= 0)
		n++;
	assert_in_range(n, 1, 15);
	assert_int_equal(errno, ETIMEDOUT);
	assert_refused("s", EADDRINUSE, "another server is listening there");
	while (n > 0)
		close(clients[--n]);
	close(listener);
}

static void something_else_stays_as_it_is(void **state)
{
	(void)state;
	scratch_write("file", "precious");
	assert_int_equal(mkdir("folder", 0700), 0);
	leave_behind("s");
	assert_int_equal(symlink("s", "link"), 0);
	assert_refused("file", ENOTSOCK, "there is something else of that name");
	assert_refused("folder", ENOTSOCK, "there is something else of that name");
	assert_refused("link", ENOTSOCK, "there is something else of that name");
	assert_int_equal(local_check("file"), ENOTSOCK);
	scratch_assert("file", "precious");
}

static void a_folder_that_is_missing_is_said(void **state)
{
	(void)state;
	assert_refused("no/s", ENOENT, "the folder is missing");
	assert_int_equal(local_check("no/s"), ENOENT);
	scratch_write("file", "");
	assert_int_equal(local_check("file/s"), ENOTDIR);
	assert_int_equal(local_check("s"), 0);
	assert_int_equal(local_check("/s") == 0, access("/", W_OK) == 0);
}

static void the_longest_path_is_taken_and_none_is_cut(void **state)
{
	char path[LOCAL_PATH_MAX + 1] = {0};
	int fd;

	(void)state;
	memset(path, 'x', LOCAL_PATH_MAX);
	assert_false(local_path_fits(path));
	assert_refused(path, ENAMETOOLONG, strerror(ENAMETOOLONG));
	assert_int_equal(local_check(path), ENAMETOOLONG);
	assert_int_equal(local_connect(path, 1000), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	path[LOCAL_PATH_MAX - 1] = '\0';
	assert_true(local_path_fits(path));
	fd = listen_at(path);
	close(local_connect(path, 1000));
	assert_true(local_is_there(&file));
	close(fd);
}

static void only_its_own_file_is_taken_away(void **state)
{
	struct local_file first;
	int fd = listen_at("s"), other;

	(void)state;
	first = file;
	assert_int_equal(unlink("s"), 0);
	assert_false(local_is_there(&first));
	other = listen_at("s");
	local_remove(&first);
	assert_true(local_is_there(&file));
	close(local_connect("s", 1000));
	local_remove(&file);
	assert_int_equal(access("s", F_OK), -1);
	local_remove(&file);
	close(fd);
	close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(owner_and_group_may_connect_whatever_the_umask),
		scratch_test(who_connects_is_known),
		scratch_test(the_file_of_a_dead_one_is_replaced),
		scratch_test(one_that_is_alive_is_refused),
		scratch_test(one_with_a_full_backlog_is_alive),
		scratch_test(something_else_stays_as_it_is),
		scratch_test(a_folder_that_is_missing_is_said),
		scratch_test(the_longest_path_is_taken_and_none_is_cut),
		scratch_test(only_its_own_file_is_taken_away),
	};

	return cmocka_run_group_tests_name("net/local", tests, NULL, NULL);
}
