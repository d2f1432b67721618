/*
 * What is denied is a list, and not what is allowed: the calls that libraries make change with
 * their versions, and a filter that knows them all today breaks a server with the next one. Here
 * are those that nothing in a proxy has a reason to make, and that who has taken it over would
 * begin with.
 *
 * They fail with EPERM, as for want of rights, so that a library which tries one goes on without.
 * clone3(2) is the exception: what it is asked for lies in memory, where no filter can look, and
 * ENOSYS makes the C library use clone(2) for its threads.
 *
 * The kernel remembers which calls are allowed whatever they are asked for (since 5.11), and asks
 * the filter about the others only: so of what a session does socket(2) alone costs more than
 * without. Calls are looked for by halves, which older kernels do for each. Mitigations that Linux
 * before 5.16 gives whoever has a filter, against programs that are strangers to each other in one
 * process, are not asked for: they slow down everything and there is no such program.
 *
 * Names that this library or this architecture does not know are passed over: what does not exist
 * needs no denying.
 */
#include "server/call_filter.h"

#include <errno.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- what depends on arguments ---- */

/* The kernel looks at the lower half of an int only, and so must the filter. */
#define INT_MASK UINT64_C(0xffffffff)
#define MASKED(number, mask, value)                                                                \
	{                                                                                          \
		.arg = (number), .op = SCMP_CMP_MASKED_EQ, .datum_a = (mask),                      \
		.datum_b = (uint64_t)(value)                                                       \
	}
#define INT_IS(number, value) MASKED(number, INT_MASK, value)
#define TYPE_MASK UINT64_C(0xf) /* of socket(2), beneath SOCK_CLOEXEC and the like */

#ifdef __s390__
#define CLONE_FLAGS_ARG 1
#else
#define CLONE_FLAGS_ARG 0
#endif

#ifndef TIOCLINUX
#define TIOCLINUX 0x541C
#endif

/* Of the calls in the table that are not denied as a whole. */
static const struct partial {
	const char *call;
	int error;
	unsigned count;
	struct scmp_arg_cmp when[2];
} partials[] = {
	{"clone", EPERM, 1, {MASKED(CLONE_FLAGS_ARG, CLONE_THREAD, 0)}},
	{"clone3", ENOSYS, 0, {{0}}},
	{"socket", EPERM, 2, {INT_IS(0, AF_INET), MASKED(1, TYPE_MASK, SOCK_RAW)}},
	{"socket", EPERM, 2, {INT_IS(0, AF_INET6), MASKED(1, TYPE_MASK, SOCK_RAW)}},
	{"ioctl", EPERM, 1, {INT_IS(1, TIOCSTI)}},
	{"ioctl", EPERM, 1, {INT_IS(1, TIOCLINUX)}},
};

/* Packets as they are on the wire, and what most hosts load a module for when it is asked for. */
static const int families[] = {AF_PACKET, AF_AX25, AF_IPX, AF_APPLETALK, AF_NETROM, AF_ATMPVC,
	AF_X25, AF_ROSE, AF_KEY, AF_ATMSVC, AF_RDS, AF_IRDA, AF_PPPOX, AF_LLC, AF_CAN, AF_TIPC,
	AF_BLUETOOTH, AF_RXRPC, AF_PHONET, AF_IEEE802154, AF_CAIF, AF_ALG, AF_NFC, AF_VSOCK, AF_KCM,
	AF_QIPCRTR, AF_SMC, AF_XDP};

static int deny(scmp_filter_ctx filter, const char *call, int error, unsigned count,
	const struct scmp_arg_cmp *when)
{
	int number = seccomp_syscall_resolve_name(call);

	if (number == __NR_SCMP_ERROR)
		return 0;
	return seccomp_rule_add_array(filter, SCMP_ACT_ERRNO((uint16_t)error), number, count, when);
}

static int deny_family(scmp_filter_ctx filter, const char *call, int family)
{
	const struct scmp_arg_cmp when = INT_IS(0, family);

	return deny(filter, call, EPERM, 1, &when);
}

/* The others are denied as a whole. */
static bool depends_on_arguments(const char *call)
{
	if (strcmp(call, "socketpair") == 0)
		return true;
	for (size_t i = 0; i < sizeof(partials) / sizeof(partials[0]); i++) {
		if (strcmp(call, partials[i].call) == 0)
			return true;
	}
	return false;
}

/* Each of these: 0, or -errno. */

static int deny_wholly(scmp_filter_ctx filter)
{
	int result = 0;

	for (const struct call_filter_group *g = call_filter_groups; g->name != NULL; g++) {
		for (size_t i = 0; g->calls[i] != NULL && result == 0; i++) {
			if (!depends_on_arguments(g->calls[i]))
				result = deny(filter, g->calls[i], EPERM, 0, NULL);
		}
	}
	return result;
}

static int deny_partly(scmp_filter_ctx filter)
{
	int result = 0;

	for (size_t i = 0; i < sizeof(partials) / sizeof(partials[0]) && result == 0; i++)
		result = deny(filter, partials[i].call, partials[i].error, partials[i].count,
			partials[i].when);
	return result;
}

static int deny_families(scmp_filter_ctx filter, bool makes_local)
{
	int result = 0;

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]) && result == 0; i++)
		result = deny_family(filter, "socket", families[i]);
	if (result == 0 && !makes_local)
		result = deny_family(filter, "socket", AF_UNIX);
	if (result == 0 && !makes_local)
		result = deny_family(filter, "socketpair", AF_UNIX);
	return result;
}

/* Calls of another kind of program (32 bits, say) are none of ours. */
static int set_ways(scmp_filter_ctx filter)
{
	int result =
		seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO((uint16_t)EPERM));

	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	return result;
}

static int load_filter(scmp_filter_ctx filter, bool makes_local)
{
	int result = set_ways(filter);

	if (result == 0)
		result = deny_wholly(filter);
	if (result == 0)
		result = deny_partly(filter);
	if (result == 0)
		result = deny_families(filter, makes_local);
	return result == 0 ? seccomp_load(filter) : result;
}

bool call_filter_is_possible(void)
{
	uint32_t action = SECCOMP_RET_ERRNO;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0U, &action) == 0;
}

int call_filter_install(bool makes_local)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int result;

	if (filter == NULL) {
		errno = ENOMEM;
		return -1;
	}
	result = load_filter(filter, makes_local);
	seccomp_release(filter);
	errno = -result;
	return result == 0 ? 0 : -1;
}
