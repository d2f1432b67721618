/* sink: what lines are appended to by any thread, each with one write(2). Atomics; no lock. */
#ifndef BASE_SINK_H
#define BASE_SINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The descriptor keeps its number for life: another file is put under the same number with dup3(2),
 * so that writers need no lock and never meet a closed descriptor. */
struct sink {
	_Atomic(int) fd; /* -1: none yet */
	_Atomic(int) kind; /* of what it is now; zero serves for any */
	_Atomic(bool) stalled;
	_Atomic(bool) torn; /* its last line is not whole */
	_Atomic(int) writers; /* of a regular file: threads that are writing */
	_Atomic(uint64_t) lost; /* lines that it did not take, since sink_recovered() */
};

#define SINK_NONE                                                                                  \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* As many threads at most wait for a disk that hangs. */
#define SINK_WRITERS_MAX 4

/* A descriptor for sink_adopt(): of the file at `path` (created 0640, appended to). The same path
 * again opens what has that name now, after a rotation. -1 with errno. */
int sink_open_file(const char *path) __attribute__((warn_unused_result));

/* Likewise, of what `fd` is, which stays the caller's: a pipe or terminal is opened anew where that
 * is allowed, so that writing to it does not block though `fd` does. */
int sink_open_same(int fd) __attribute__((warn_unused_result));

/* Goes over to what `fd` is, which is taken over, also when this fails: -1 with errno, and the sink
 * is as it was. One thread at a time. */
int sink_adopt(struct sink *s, int fd) __attribute__((warn_unused_result));

/* Goes over to the file at `path`, as sink_open_file() opens it. -1 likewise. */
int sink_open(struct sink *s, const char *path) __attribute__((warn_unused_result));

/* Does it take a line? A pipe, a terminal or a journal that is full is waited for once, shortly;
 * then lines are lost (EAGAIN), and counted, until it takes some again. Those of a disk that hangs
 * are from the first on that sink_write() has waited for in vain. */
bool sink_takes_line(struct sink *s);

/* Writes a whole line, without waiting for room; false with errno when it could not be, and is
 * counted as lost. A disk that hangs has EAGAIN: others have waited for it for too long already. */
bool sink_write(struct sink *s, const void *line, size_t len);

/* The errno value of sink_write() in words, perhaps in those `size` bytes. */
const char *sink_problem(int error, char *words, size_t size);

/* True once after lines were lost, with the number of them. */
bool sink_recovered(struct sink *s, uint64_t *lost);

/* So many lines more are lost. */
void sink_lose(struct sink *s, uint64_t lines);

/* Closes it. No other thread may use it any more. */
void sink_close(struct sink *s);

#endif
