/*
 * The flags stand in front of the command: behind it everything belongs to the request, as its
 * words may begin with a dash. Where the server listens is given as socks5d itself is told.
 */
#include "client/flags.h"

#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/parse.h"
#include "client/follow.h"
#include "client/request.h"
#include "net/local.h"
#include "wire/monitor.h"

enum { PASSWORD_FILE = 256, SOCKET, JSON, ALL }; /* flags without a letter */

const struct flag flags_table[FLAGS_COUNT] = {
	{'L', "monitor-listen", "ADDR",
		"where the monitor listens: an address or a name; default 127.0.0.1"},
	{'P', "monitor-port", "PORT", "its port; default 8080"},
	{SOCKET, "socket", "PATH",
		"the server's monitor_socket, where root needs no login; without -L, -P and -u "
		"default " MONITOR_SOCKET " where that may be used"},
	{'u', "user", "NAME", "log in as NAME"},
	{PASSWORD_FILE, "password-file", "FILE", "the password is the first line of FILE"},
	{JSON, "json", NULL, "print each reply as a JSON object on one line"},
	{ALL, "all", NULL,
		"ask COMMAND of all servers that share their state with this one (shared), as the "
		"same user"},
	{'h', "help", NULL, "this help"},
	{'v', "version", NULL, "the version"},
};

/* What getopt_long(3) wants. */
struct client_options {
	char letters[FLAG_LETTERS_MAX * FLAGS_COUNT + 3];
	struct option longs[FLAGS_COUNT + 1];
};

static int fail_flag(char *error, const char *flag, const char *value, const char *legal)
{
	snprintf(error, FLAGS_ERROR_MAX, "%s: \"%.200s\": expected %s", flag, value, legal);
	return -1;
}

static int set_port(struct flags *f, const char *value, char *error)
{
	int64_t port;

	if (!parse_number(value, &port) || port < 1 || port > 65535)
		return fail_flag(error, "--monitor-port", value, "a number from 1 to 65535");
	snprintf(f->port, sizeof(f->port), "%d", (int)port);
	return 0;
}

/* An address may come with brackets and a port, as the server takes it. */
static int set_host(struct flags *f, const char *value, char *error)
{
	struct addr a;
	char text[ADDR_TEXT_MAX];
	bool has_port;

	if (addr_parse_port(value, strlen(value), &a, &has_port)) {
		if (has_port)
			snprintf(f->port, sizeof(f->port), "%u", addr_port(&a));
		value = addr_format_host(&a, text);
	} else if (*value == '\0' || strlen(value) >= sizeof(f->host) || strchr(value, ':')) {
		return fail_flag(error, "--monitor-listen", value, "an address or a name");
	}
	strcpy(f->host, value);
	return 0;
}

static int set_socket(struct flags *f, const char *value, char *error)
{
	if (*value == '\0' || !local_path_fits(value))
		return fail_flag(error, "--socket", value, "a path of at most 107 bytes");
	f->socket = value;
	return 0;
}

static int set_user(struct flags *f, const char *value, char *error)
{
	if (*value == '\0' || strpbrk(value, ": ") != NULL || strlen(value) > 255)
		return fail_flag(error, "--user", value,
			"a name; the password comes from --password-file, MONITOR_PASSWORD or the "
			"terminal");
	f->user = value;
	return 0;
}

static int take_client_flag(struct flags *f, int code, char *error)
{
	switch (code) {
	case 'h':
		f->action = FLAGS_HELP;
		return 0;
	case 'v':
		f->action = FLAGS_VERSION;
		return 0;
	case 'L':
		return set_host(f, optarg, error);
	case 'P':
		return set_port(f, optarg, error);
	case 'u':
		return set_user(f, optarg, error);
	case PASSWORD_FILE:
		f->password_file = optarg;
		return 0;
	case SOCKET:
		return set_socket(f, optarg, error);
	case ALL:
		f->all = true;
		return 0;
	default:
		f->json = true;
		return 0;
	}
}

static void hint_at_client_flag(const char *flag, char hint[NEAREST_HINT_MAX])
{
	struct nearest nearest;

	flag += strspn(flag, "-");
	nearest = nearest_to(flag, strcspn(flag, "="));
	for (size_t i = 0; i < FLAGS_COUNT; i++)
		nearest_try(&nearest, flags_table[i].name);
	nearest_hint(&nearest, "--", hint);
}

/* Names the flag: a letter, which may be one of several as in -hz, or a long one, which stands in
 * the argument last read. getopt(3) leaves the letter of a known flag in optopt for both. */
static int complain_of_flag(char **argv, int code, const char *letters, char *error)
{
	const char letter[3] = {'-', (char)optopt, '\0'}, *last = argv[optind - 1];
	bool is_known = optopt != 0 && (optopt >= PASSWORD_FILE || strchr(letters, optopt) != NULL);
	bool is_long = optopt == 0 || (is_known && strncmp(last, "--", 2) == 0);
	const char *flag = is_long ? last : letter, *why = "there is no such flag";
	char hint[NEAREST_HINT_MAX] = "";

	if (code == ':')
		why = "a value is missing";
	else if (is_known)
		why = "it takes no value";
	else if (is_long)
		hint_at_client_flag(last, hint);
	/* Without what stands behind "=": it could be a password. */
	snprintf(error, FLAGS_ERROR_MAX, "%.*s: %s; monitor_client --help lists the flags%s",
		(int)strcspn(flag, "="), flag, why, hint);
	return -1;
}

/* Everything behind the name of the user. */
static void hide_password(char **words, size_t count)
{
	for (size_t i = 2; i < count; i++)
		explicit_bzero(words[i], strlen(words[i]));
}

static int take_request(struct flags *f, char **words, size_t count, char *error)
{
	const char *problem;

	if (count == 0)
		return 0;
	if (strcmp(words[0], "top") == 0) {
		f->action = FLAGS_TOP;
		snprintf(error, FLAGS_ERROR_MAX, "top takes no words; flags stand in front of it");
		return count == 1 ? 0 : -1;
	}
	f->action = FLAGS_ASK;
	f->request = request_join(words, count);
	problem = f->request == NULL ? "out of memory" : request_problem(f->request);
	if (problem != NULL) {
		snprintf(error, FLAGS_ERROR_MAX, "%s", problem);
		return -1;
	}
	if (request_has_password(f->request))
		hide_password(words, count);
	return 0;
}

/* What goes on until it is ended has its place at one server. */
static int check_form(const struct flags *f, char *error)
{
	const char *problem = NULL;

	if (f->action == FLAGS_TOP && f->json)
		problem = "--json: top has no such form";
	else if (f->all && f->action == FLAGS_TOP)
		problem = "--all: top has no such form; it shows one server";
	else if (f->all && f->action != FLAGS_ASK)
		problem = "--all: a COMMAND is missing, which all nodes are to be asked";
	else if (f->all && request_is(f->request, FOLLOW_COMMAND))
		problem = "--all: " FOLLOW_COMMAND " has no such form; it follows one server";
	if (problem == NULL)
		return 0;
	snprintf(error, FLAGS_ERROR_MAX, "%s", problem);
	return -1;
}

int flags_parse(struct flags *f, int argc, char **argv, char error[FLAGS_ERROR_MAX])
{
	struct client_options known = {.letters = "+:"};
	bool has_address = false;
	int code;

	*f = (struct flags){.action = FLAGS_TALK, .host = "127.0.0.1", .port = "8080"};
	flag_add_options(flags_table, FLAGS_COUNT, known.longs, known.letters);
	opterr = 0;
	optind = 0; /* begin anew, whatever was read before: getopt(3), Notes */
	while ((code = getopt_long(argc, argv, known.letters, known.longs, NULL)) != -1) {
		if (code == '?' || code == ':')
			return complain_of_flag(argv, code, known.letters, error);
		if (take_client_flag(f, code, error) < 0)
			return -1;
		has_address |= code == 'L' || code == 'P';
		f->is_elsewhere |= has_address || code == 'u';
		if (f->action == FLAGS_HELP || f->action == FLAGS_VERSION)
			return 0;
	}
	if (f->socket != NULL && has_address) {
		snprintf(error, FLAGS_ERROR_MAX,
			"--socket and -L or -P are two places; give one of them");
		return -1;
	}
	if (take_request(f, argv + optind, (size_t)(argc - optind), error) < 0)
		return -1;
	return check_form(f, error);
}

void flags_free(struct flags *f)
{
	if (f->request != NULL)
		explicit_bzero(f->request, strlen(f->request));
	free(f->request);
	f->request = NULL;
}

void flags_print_help(FILE *out)
{
	fputs("usage: monitor_client [FLAG]... [COMMAND [WORD]... | top]\n"
	      "Talks to the monitor of socks5d: line by line, or for one COMMAND such as STATS;\n"
	      "HELP lists the commands. top is a live view of sessions, users and throughput.\n\n",
		out);
	flag_print_help(out, flags_table, FLAGS_COUNT, 29);
	fputs("\n"
	      "With -u the password comes from --password-file, else from the environment\n"
	      "variable MONITOR_PASSWORD, else it is asked for. Without -u, Username:password\n"
	      "is asked for, or read from standard input's first line when that is no terminal.\n"
	      "In ADD_USER NAME - and SET_PASSWORD NAME - the new password is asked for, or\n"
	      "read from standard input.\n"
	      "Flags stand in front of the command.\n\n"
	      "Status: 0 OK, 1 the server said ERR, 2 bad usage, 3 no connection or it broke.\n",
		out);
}
