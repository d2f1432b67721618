/*
 * What has been counted is in memory until the process ends and is written to the folder of the
 * build then; but a server that is confined, or has become another user, may not write there. So a
 * second process shares its memory and nothing else: it is made before any wall stands, waits until
 * the end and writes in its place. It has the stack and the thread's variables of whoever made it,
 * who does nothing meanwhile.
 *
 * Who is killed leaves nothing behind; the writer sees that he is gone, and goes.
 */
#include "counting.h"

#ifdef COUNTS_LINES

#include <dlfcn.h>
#include <gcov.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STACK_SIZE (256 * 1024)

/* syscall(2), not what a test may have in its place (--wrap): system calls as they are, since other
 * functions of the C library may look for its threads. */
static long (*call)(long number, ...);

static _Atomic(bool) is_over;
static pid_t writer;

/* It looks whether it is time, or its process has gone without a word: who is confined may send no
 * signal, not even the one that PR_SET_PDEATHSIG asks for. Its errno is the other's, so it makes no
 * call that fails meanwhile. */
static const struct timespec look_every = {.tv_nsec = 10 * 1000 * 1000};
static pid_t parent;

static int write_at_the_end(void *ignored)
{
	(void)ignored;
	call(SYS_close_range, 0, ~0U, 0);
	while (!atomic_load(&is_over)) {
		call(SYS_nanosleep, &look_every, NULL);
		if (call(SYS_getppid) != parent)
			call(SYS_exit, 0);
	}
	__gcov_dump();
	call(SYS_exit, 0);
	return 0;
}

/* Without one the process writes itself, if it may. */
static void make_writer(void)
{
	char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	parent = getpid();
	*(void **)&call = dlsym(RTLD_DEFAULT, "syscall");
	writer = -1;
	if (call != NULL && stack != MAP_FAILED)
		writer = clone(write_at_the_end, stack + STACK_SIZE, CLONE_VM, NULL);
}

static void __attribute__((constructor)) counting_begin(void)
{
	make_writer();
	pthread_atfork(NULL, NULL, make_writer);
}

void __attribute__((destructor)) counting_end(void)
{
	if (writer < 0)
		return;
	atomic_store(&is_over, true);
	waitpid(writer, NULL, __WALL);
	writer = -1;
}

#else

void counting_end(void)
{
}

#endif
