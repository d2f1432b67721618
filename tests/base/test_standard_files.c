/* standard_files: what is closed is filled, and what is open stays. */
#include "base/standard_files.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* In a process of its own, with `closed` closed, of which each is its bit. Its exit status. */
static int fill_in_child(unsigned closed)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		for (int fd = 0; fd < 3; fd++) {
			if (closed & 1u << fd)
				close(fd);
		}
		if (standard_files_fill() < 0)
			_exit(1);
		for (int fd = 0; fd < 3; fd++) {
			if (fcntl(fd, F_GETFD) < 0)
				_exit(2);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void whatever_is_closed_is_filled(void **state)
{
	(void)state;
	for (unsigned closed = 0; closed < 8; closed++)
		assert_int_equal(fill_in_child(closed), 0);
}

static void no_descriptor_is_left(void **state)
{
	int before = dup(0), after;

	(void)state;
	close(before);
	assert_int_equal(standard_files_fill(), 0);
	after = dup(0);
	close(after);
	assert_int_equal(after, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_is_closed_is_filled),
		cmocka_unit_test(no_descriptor_is_left),
	};

	return cmocka_run_group_tests_name("base/standard_files", tests, NULL, NULL);
}
