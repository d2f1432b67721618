/* inside: a part of a test in a process of its own, which may give up what it cannot have again. */
#ifndef TESTS_SERVER_INSIDE_H
#define TESTS_SERVER_INSIDE_H

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/check.h"
#include "counting.h"

/* What it finds wrong: NULL, nothing. */
typedef const char *inside_part(const void *context);

/* Fails with what the part finds wrong there. */
static inline void inside(inside_part *part, const void *context)
{
	char wrong[512] = "";
	int ends[2], status;
	ssize_t n = 0;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const char *what = part(context);

		counting_end();
		_exit(what != NULL && write(ends[1], what, strlen(what)) < 0);
	}
	close(ends[1]);
	n = read(ends[0], wrong, sizeof(wrong) - 1);
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (n > 0)
		fail_msg("%s", wrong);
	assert_int_equal(status, 0);
}

#endif
