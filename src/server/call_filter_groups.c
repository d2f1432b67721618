/*
 * The list is the filter's, and the manual's: it is there also where a server is built without the
 * filter.
 */
#include "server/call_filter.h"

#include <stddef.h>

#define CALLS(...) ((const char *const[]){__VA_ARGS__, NULL})

const struct call_filter_group call_filter_groups[] = {
	{"programs", "nothing is executed", CALLS("execve", "execveat")},
	{"processes", "threads are made, and no processes (of clone: not without CLONE_THREAD)",
		CALLS("fork", "vfork", "clone", "clone3")},
	{"others", "no other process is looked into, or steered",
		CALLS("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise",
			"process_mrelease", "pidfd_getfd", "pidfd_send_signal", "kcmp")},
	{"identity", "user, groups and capabilities are what they are once all is open",
		CALLS("setuid", "setuid32", "setgid", "setgid32", "setreuid", "setreuid32",
			"setregid", "setregid32", "setresuid", "setresuid32", "setresgid",
			"setresgid32", "setfsuid", "setfsuid32", "setfsgid", "setfsgid32",
			"setgroups", "setgroups32", "capset")},
	{"namespaces", "the host is seen as it was at start", CALLS("unshare", "setns")},
	{"mounts", "file systems are the host's to arrange",
		CALLS("mount", "umount", "umount2", "pivot_root", "chroot", "open_tree",
			"move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr",
			"swapon", "swapoff", "quotactl", "quotactl_fd")},
	{"files", "files are opened by their names, and devices are not made",
		CALLS("open_by_handle_at", "name_to_handle_at", "mknod", "mknodat",
			"fanotify_init")},
	{"kernel", "the kernel is neither extended, nor replaced, nor watched",
		CALLS("init_module", "finit_module", "delete_module", "create_module", "kexec_load",
			"kexec_file_load", "reboot", "bpf", "perf_event_open", "userfaultfd",
			"syslog", "acct", "lookup_dcookie", "nfsservctl", "_sysctl", "uselib")},
	{"hardware", "there are no ports, segments or other personalities to be set",
		CALLS("ioperm", "iopl", "modify_ldt", "vm86", "vm86old", "personality")},
	{"keys", "the kernel keeps no keys for it", CALLS("add_key", "request_key", "keyctl")},
	{"host", "time and name are the host's",
		CALLS("settimeofday", "stime", "clock_settime", "clock_settime64", "adjtimex",
			"clock_adjtime", "clock_adjtime64", "sethostname", "setdomainname",
			"vhangup")},
	{"io_uring", "no filter sees what is asked for through it",
		CALLS("io_uring_setup", "io_uring_enter", "io_uring_register")},
	{"sockets",
		"TCP and UDP over IPv4 and IPv6 is what is spoken, and netlink (of socket: not raw "
		"ones, not packets, not kinds that serve attacks only, and unix sockets only where "
		"monitor_socket, auth_socket or shared at one is set)",
		CALLS("socket", "socketpair")},
	{"terminals", "nothing is typed into a terminal (of ioctl: TIOCSTI, TIOCLINUX)",
		CALLS("ioctl")},
	{.name = NULL},
};
