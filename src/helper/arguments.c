/*
 * The flags stand in front of the socket: behind it everything belongs to the command, whose own
 * arguments begin with dashes as often as not.
 */
#include "helper/arguments.h"

#include <string.h>

#include "base/nearest.h"
#include "base/parse.h"
#include "net/local.h"

enum { CHILDREN = 256, CONCURRENCY, GROUPS, GROUPS_CONCURRENCY, TIMEOUT, LOG_LEVEL };

#define TIMEOUT_LEAST_MS 100
#define TIMEOUT_MOST_MS (10 * 60 * 1000)

const struct flag arguments_table[ARGUMENTS_COUNT] = {
	{CHILDREN, "children", "N", "helpers that run at once, of each command; default 5"},
	{CONCURRENCY, "concurrency", "N",
		"questions at once for each helper, for those that know channels; default 0: one, "
		"without a channel"},
	{GROUPS, "groups", "COMMAND",
		"a shell's command that says who is in which group, as squid's external ACL helpers "
		"do"},
	{GROUPS_CONCURRENCY, "groups-concurrency", "N", "as --concurrency, for that command"},
	{TIMEOUT, "timeout", "TIME",
		"for a helper to answer in, which is killed then; default 10s"},
	{LOG_LEVEL, "log-level", "LEVEL", "error, warn, info or debug; default info"},
	{'h', "help", NULL, "this help"},
	{'v', "version", NULL, "the version"},
};

static int fail_argument(char *error, const char *flag, const char *value, const char *legal)
{
	snprintf(error, ARGUMENTS_ERROR_MAX, "%s: \"%.200s\": expected %s", flag, value, legal);
	return -1;
}

static int set_count(unsigned *out, const char *flag, int least, int most, char *error)
{
	char legal[64];
	int64_t number;

	if (parse_number(optarg, &number) && number >= least && number <= most) {
		*out = (unsigned)number;
		return 0;
	}
	snprintf(legal, sizeof(legal), "a number from %d to %d", least, most);
	return fail_argument(error, flag, optarg, legal);
}

/* Nothing between quotes is what a unit's empty variable becomes. */
static int set_groups(struct arguments *a)
{
	a->groups = optarg[strspn(optarg, " \t")] != '\0' ? optarg : NULL;
	return 0;
}

static int set_timeout(struct arguments *a, char *error)
{
	if (parse_duration(optarg, &a->timeout_ms) && a->timeout_ms >= TIMEOUT_LEAST_MS &&
		a->timeout_ms <= TIMEOUT_MOST_MS)
		return 0;
	return fail_argument(error, "--timeout", optarg,
		"a time from 100ms to 10m (ms, s, m; a bare number: s)");
}

static int set_log_level(struct arguments *a, char *error)
{
	static const char *const words[] = {[LOG_ERROR] = "error",
		[LOG_WARN] = "warn",
		[LOG_INFO] = "info",
		[LOG_DEBUG] = "debug"};

	for (int level = LOG_ERROR; level <= LOG_DEBUG; level++) {
		if (strcmp(optarg, words[level]) == 0) {
			a->log_level = (enum log_level)level;
			return 0;
		}
	}
	return fail_argument(error, "--log-level", optarg, "error, warn, info or debug");
}

static int take_argument(struct arguments *a, int code, char *error)
{
	switch (code) {
	case CHILDREN:
		return set_count(&a->children, "--children", 1, ARGUMENTS_CHILDREN_MAX, error);
	case CONCURRENCY:
		return set_count(
			&a->concurrency, "--concurrency", 0, ARGUMENTS_CONCURRENCY_MAX, error);
	case GROUPS_CONCURRENCY:
		return set_count(&a->groups_concurrency, "--groups-concurrency", 0,
			ARGUMENTS_CONCURRENCY_MAX, error);
	case GROUPS:
		return set_groups(a);
	case TIMEOUT:
		return set_timeout(a, error);
	case LOG_LEVEL:
		return set_log_level(a, error);
	default:
		a->action = code == 'h' ? ARGUMENTS_HELP : ARGUMENTS_VERSION;
		return 0;
	}
}

/* The argument last read is the flag, or a missing value's; getopt(3) leaves in optopt what a long
 * one that it knows stands for. */
static int complain_of_argument(char **argv, int code, char *error)
{
	const char *flag = argv[optind - 1];
	size_t len = strcspn(flag, "=");
	char hint[NEAREST_HINT_MAX] = "";
	struct nearest nearest = nearest_to(flag + strspn(flag, "-"), len - strspn(flag, "-"));
	bool is_known = code == ':' || (strncmp(flag, "--", 2) == 0 && optopt != 0);

	if (!is_known) {
		for (size_t i = 0; i < ARGUMENTS_COUNT; i++)
			nearest_try(&nearest, arguments_table[i].name);
		nearest_hint(&nearest, "--", hint);
	}
	snprintf(error, ARGUMENTS_ERROR_MAX, "%.*s: %s; socks5d_auth --help lists the flags%s",
		(int)(len < 200 ? len : 200), flag,
		code == ':'        ? "a value is missing"
			: is_known ? "it takes no value"
				   : "there is no such flag",
		hint);
	return -1;
}

/* What is behind the flags. */
static int take_words(struct arguments *a, int count, char **words, char *error)
{
	if (count < 2) {
		snprintf(error, ARGUMENTS_ERROR_MAX,
			"%s is missing; socks5d_auth --help tells the rest",
			count == 0 ? "the path of a socket" : "the command of the helpers");
		return -1;
	}
	if (words[0][0] == '\0' || !local_path_fits(words[0]))
		return fail_argument(error, "SOCKET", words[0], "a path of at most 107 bytes");
	if (words[1][0] == '\0')
		return fail_argument(error, "COMMAND", words[1], "a program");
	a->socket = words[0];
	a->command = words + 1;
	return 0;
}

int arguments_parse(struct arguments *a, int argc, char **argv, char error[ARGUMENTS_ERROR_MAX])
{
	struct option longs[ARGUMENTS_COUNT + 1] = {{0}};
	char letters[FLAG_LETTERS_MAX * ARGUMENTS_COUNT + 3] = "+:";
	int code;

	*a = (struct arguments){.children = 5, .timeout_ms = 10000, .log_level = LOG_INFO};
	flag_add_options(arguments_table, ARGUMENTS_COUNT, longs, letters);
	opterr = 0;
	optind = 0; /* begin anew, whatever was read before: getopt(3), Notes */
	while ((code = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (code == '?' || code == ':')
			return complain_of_argument(argv, code, error);
		if (take_argument(a, code, error) < 0)
			return -1;
		if (a->action != ARGUMENTS_SERVE)
			return 0;
	}
	return take_words(a, argc - optind, argv + optind, error);
}

void arguments_print_help(FILE *out)
{
	fputs("usage: socks5d_auth [FLAG]... SOCKET COMMAND [ARGUMENT]...\n"
	      "Says at the unix socket SOCKET whether logins are right, for auth_socket of socks5d:\n"
	      "it keeps helpers of COMMAND, one of squid's basic authenticators say, and asks them.\n\n",
		out);
	flag_print_help(out, arguments_table, ARGUMENTS_COUNT, 29);
	fputs("\n"
	      "Flags stand in front of SOCKET. HUP replaces all helpers, TERM ends them and it.\n\n"
	      "Status: 0 it was told to end, 1 it failed, 2 bad usage or no such command.\n",
		out);
}
