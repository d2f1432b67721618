/* call_filter: each call that is denied, tried from inside, and that what a proxy does goes on. */
#include "server/call_filter.h"

#include <errno.h>
#include <linux/sched.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "inside.h"
#include "lacking.h"

static const char *enter(bool makes_local)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || call_filter_install(makes_local) < 0)
		return strerror(errno);
	return NULL;
}

static int skip_without_seccomp(void **state)
{
	(void)state;
	if (!call_filter_is_possible())
		skip_for_want_of("a kernel with seccomp");
	return 0;
}

/* ---- wholly ---- */

/* These are tried with arguments, below. */
static bool depends_on_arguments(const char *call)
{
	static const char *const others[] = {"clone", "clone3", "socket", "socketpair", "ioctl"};

	for (size_t i = 0; i < COUNT(others); i++) {
		if (strcmp(call, others[i]) == 0)
			return true;
	}
	return false;
}

/* Without arguments none of them does anything, should it be let through. */
static const char *try_each(const void *context)
{
	const char *wrong;

	(void)context;
	setsid(); /* for vhangup(2) */
	wrong = enter(true);
	if (wrong != NULL)
		return wrong;
	for (const struct call_filter_group *g = call_filter_groups; g->name != NULL; g++) {
		for (size_t i = 0; g->calls[i] != NULL; i++) {
			int number = seccomp_syscall_resolve_name(g->calls[i]);

			if (number < 0 || depends_on_arguments(g->calls[i]))
				continue;
			errno = 0;
			if (syscall(number, 0, 0, 0, 0, 0, 0) != -1 || errno != EPERM)
				return g->calls[i];
		}
	}
	return NULL;
}

static void each_call_of_the_list_is_denied(void **state)
{
	(void)state;
	inside(try_each, NULL);
}

static void each_group_has_a_reason_and_calls_that_exist(void **state)
{
	(void)state;
	for (const struct call_filter_group *g = call_filter_groups; g->name != NULL; g++) {
		assert_true(strlen(g->why) > 10);
		assert_non_null(g->calls[0]);
		for (size_t i = 0; g->calls[i] != NULL; i++) {
			if (seccomp_syscall_resolve_name(g->calls[i]) == __NR_SCMP_ERROR)
				fail_msg("%s is no system call", g->calls[i]);
		}
	}
}

/* ---- in part ---- */

/* More than the kernel looks at of an int, or it would be a way around. */
#define BEYOND_INT (UINT64_C(1) << 40)

static const struct attempt {
	const char *what;
	long number;
	uint64_t arguments[3];
	int error; /* 0: it is let through, whatever comes of it */
} attempts[] = {
	{"fork by clone", SYS_clone, {SIGCHLD}, EPERM},
	{"vfork by clone", SYS_clone, {CLONE_VM | CLONE_VFORK | SIGCHLD}, EPERM},
	{"clone3", SYS_clone3, {0}, ENOSYS},
	{"packets", SYS_socket, {AF_PACKET, SOCK_RAW}, EPERM},
	{"packets beyond int", SYS_socket, {AF_PACKET | BEYOND_INT, SOCK_RAW}, EPERM},
	{"crypto", SYS_socket, {AF_ALG, SOCK_SEQPACKET}, EPERM},
	{"vsock", SYS_socket, {AF_VSOCK, SOCK_STREAM}, EPERM},
	{"raw IPv4", SYS_socket, {AF_INET, SOCK_RAW, 1}, EPERM},
	{"raw IPv4, closed on exec", SYS_socket, {AF_INET, SOCK_RAW | SOCK_CLOEXEC, 1}, EPERM},
	{"raw IPv4 beyond int", SYS_socket, {AF_INET, SOCK_RAW | BEYOND_INT, 1}, EPERM},
	{"raw IPv6", SYS_socket, {AF_INET6, SOCK_RAW, 58}, EPERM},
	{"typing", SYS_ioctl, {0, TIOCSTI}, EPERM},
	{"typing beyond int", SYS_ioctl, {0, TIOCSTI | BEYOND_INT}, EPERM},
	{"TCP", SYS_socket, {AF_INET, SOCK_STREAM}, 0},
	{"UDP", SYS_socket, {AF_INET6, SOCK_DGRAM}, 0},
	{"netlink", SYS_socket, {AF_NETLINK, SOCK_RAW}, 0},
	{"what is unsent", SYS_ioctl, {0, TIOCOUTQ}, 0},
};

static const struct attempt local_socket = {
	"unix socket", SYS_socket, {AF_UNIX, SOCK_STREAM}, EPERM};
static const struct attempt local_pair = {
	"pair of unix sockets", SYS_socketpair, {AF_UNIX, SOCK_STREAM}, EPERM};

static const char *try_one(const struct attempt *a, int error)
{
	long result;

	errno = 0;
	result = syscall(a->number, a->arguments[0], a->arguments[1], a->arguments[2], 0, 0, 0);
	if (error != 0 ? result == -1 && errno == error : errno != EPERM && errno != ENOSYS)
		return NULL;
	return a->what;
}

static const char *try_attempts(const void *context)
{
	const char *wrong = enter(false);

	(void)context;
	for (size_t i = 0; i < COUNT(attempts) && wrong == NULL; i++)
		wrong = try_one(&attempts[i], attempts[i].error);
	if (wrong == NULL)
		wrong = try_one(&local_socket, EPERM);
	return wrong != NULL ? wrong : try_one(&local_pair, EPERM);
}

static void what_a_call_is_asked_for_decides(void **state)
{
	(void)state;
	inside(try_attempts, NULL);
}

static const char *try_local(const void *context)
{
	const char *wrong = enter(true);

	(void)context;
	if (wrong == NULL)
		wrong = try_one(&local_socket, 0);
	return wrong != NULL ? wrong : try_one(&local_pair, 0);
}

static void unix_sockets_are_left_to_who_needs_them(void **state)
{
	(void)state;
	inside(try_local, NULL);
}

/* ---- threads ---- */

static void *try_in_thread(void *wrong)
{
	*(const char **)wrong = try_one(&local_socket, EPERM);
	return NULL;
}

static const char *try_thread(const void *context)
{
	const char *wrong = enter(false);
	pthread_t thread;

	(void)context;
	if (wrong != NULL)
		return wrong;
	if (pthread_create(&thread, NULL, try_in_thread, &wrong) != 0)
		return "no thread can be made";
	pthread_join(thread, NULL);
	return wrong;
}

static void threads_can_be_made_and_have_it_too(void **state)
{
	(void)state;
	inside(try_thread, NULL);
}

/* ---- faults ---- */

static int load_error; /* errno; 0: the real one */

int __real_seccomp_load(const scmp_filter_ctx filter);
int __wrap_seccomp_load(const scmp_filter_ctx filter);

int __wrap_seccomp_load(const scmp_filter_ctx filter)
{
	return load_error != 0 ? -load_error : __real_seccomp_load(filter);
}

static void a_filter_that_the_kernel_refuses_is_told(void **state)
{
	(void)state;
	load_error = EFAULT;
	assert_int_equal(call_filter_install(true), -1);
	assert_int_equal(errno, EFAULT);
	load_error = 0;
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, skip_without_seccomp)
	const struct CMUnitTest tests[] = {
		TEST(each_call_of_the_list_is_denied),
		cmocka_unit_test(each_group_has_a_reason_and_calls_that_exist),
		TEST(what_a_call_is_asked_for_decides),
		TEST(unix_sockets_are_left_to_who_needs_them),
		TEST(threads_can_be_made_and_have_it_too),
		cmocka_unit_test(a_filter_that_the_kernel_refuses_is_told),
	};

	return cmocka_run_group_tests_name("server/call_filter", tests, NULL, NULL);
}
