/*
 * Each setting is a flag, so what getopt_long(3) wants is made from the table of settings. Their
 * values are only collected: they are applied behind the file, by the same functions, and again at
 * each reload. ps(1) shows everybody the arguments, so passwords are copied out of them and wiped,
 * and no complaint repeats what could be one.
 */
#include "state/options.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Codes of settings' flags, behind all characters: + index in the table of settings. */
#define FIRST_LONG 256
#define EXPLANATION_INDENT 6

/* Of flags without a letter, below all characters. */
enum { CODE_DOCTOR = 1, CODE_EXPLAIN, CODE_RESOLVE };

const struct flag options_flags[OPTIONS_FLAGS] = {
	{'h', "help", NULL, "this help"},
	{'v', "version", NULL, "the version"},
	{'c', "config", "FILE",
		"read the settings below from FILE, a line each: max_sessions = 500. Flags win "
		"over the file."},
	{'n', "check", NULL, "check the configuration and exit: status 0, or 2 and why"},
	{CODE_DOCTOR, "doctor", NULL,
		"look for what commonly goes wrong, a line each, and exit: status 0 all well, 1 "
		"something is wrong"},
	{CODE_EXPLAIN, "explain",
		"'from=ADDR [user=NAME] to=HOST:PORT [command=udp] [time=\"tue 09:30\"]'",
		"say what would become of such a request, and why, and exit: status 0 allowed, 1 "
		"denied, 2 it cannot be said"},
	{CODE_RESOLVE, "resolve", NULL, "with --explain: ask name servers"},
	{'u', "user", "NAME:PASS", "a user who may log in, with the role admin; up to ten"},
};

/* The tables that getopt_long(3) wants. */
struct flags {
	char names[SETTINGS_COUNT][64];
	char letters[2 * SETTINGS_COUNT + FLAG_LETTERS_MAX * OPTIONS_FLAGS + 2];
	struct option longs[SETTINGS_COUNT + OPTIONS_FLAGS + 1];
};

static struct flags *flags_new(void)
{
	struct flags *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	strcpy(f->letters, ":");
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *s = &settings_table[i];
		size_t len = strlen(f->letters);

		if (s->flag != 0)
			snprintf(f->letters + len, sizeof(f->letters) - len, "%c:", s->flag);
		f->longs[i] = (struct option){.name = setting_flag(s, f->names[i]) + 2,
			.has_arg = required_argument,
			.val = FIRST_LONG + (int)i};
	}
	flag_add_options(options_flags, OPTIONS_FLAGS, f->longs + SETTINGS_COUNT, f->letters);
	return f;
}

static const struct setting *setting_of_code(int code)
{
	if (code >= FIRST_LONG)
		return &settings_table[code - FIRST_LONG];
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		if (settings_table[i].flag == code)
			return &settings_table[i];
	}
	return NULL;
}

/* Each is an argument at least, and there is room for as many. */
static void add_override(struct options *o, const struct setting *setting, const char *value)
{
	o->source.overrides[o->source.count++] =
		(struct config_override){.setting = setting, .value = value};
}

/* Takes the password out of the process's visible arguments. */
static int keep_user(struct options *o, char *argument, size_t name_len, char *error)
{
	char *copy = strdup(argument);

	if (copy == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "out of memory");
		return -1;
	}
	copy[name_len] = '\0';
	o->users[o->user_count++] =
		(struct user_credentials){.name = copy, .password = copy + name_len + 1};
	memset(argument + name_len + 1, '\0', strlen(argument + name_len + 1));
	return 0;
}

static int add_user(struct options *o, char *argument, char *error)
{
	const char *colon = strchr(argument, ':');
	size_t name_len = colon == NULL ? 0 : (size_t)(colon - argument);
	const char *problem;

	if (colon == NULL)
		problem = "expected NAME:PASS";
	else if (o->user_count == OPTIONS_MAX_USERS)
		problem = "at most 10 users fit on the command line; put more into a file of users "
			  "(-U FILE, one NAME:HASH:ROLE a line)";
	else if ((problem = users_name_problem(argument, name_len)) == NULL)
		problem = users_password_problem(colon + 1);
	if (problem == NULL)
		return keep_user(o, argument, name_len, error);
	/* The part in front of the colon only: the rest may be a password. */
	snprintf(error, CONFIG_ERROR_MAX, "-u%s%.*s%s: %s", colon == NULL ? "" : ": \"",
		(int)name_len, argument, colon == NULL ? "" : "\"", problem);
	return -1;
}

/* Of two files one would not be read, and nobody would notice which. */
static int take_config(struct options *o, const char *path, char *error)
{
	if (o->source.path != NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "--config: \"%.512s\": it was given already",
			path);
		return -1;
	}
	o->source.path = path;
	return 0;
}

static int take_flag(struct options *o, int code, char *error)
{
	switch (code) {
	case 'h':
		o->action = OPTIONS_HELP;
		return 0;
	case 'v':
		o->action = OPTIONS_VERSION;
		return 0;
	case 'n':
		o->action = OPTIONS_CHECK;
		return 0;
	case CODE_DOCTOR:
		o->action = OPTIONS_DOCTOR;
		return 0;
	case 'c':
		return take_config(o, optarg, error);
	case 'u':
		return add_user(o, optarg, error);
	case CODE_EXPLAIN:
		o->action = OPTIONS_EXPLAIN;
		o->question = optarg;
		return 0;
	case CODE_RESOLVE:
		o->asks_names = true;
		return 0;
	default:
		add_override(o, setting_of_code(code), optarg);
		return 0;
	}
}

/* Which flag may have been meant by `word`, of which what stands behind "=" does not count: it
 * could be a password. */
static const char *hint_at_flag(const struct flags *flags, const char *word, char *hint)
{
	struct nearest nearest;

	word += strspn(word, "-");
	nearest = nearest_to(word, strcspn(word, "="));
	for (const struct option *o = flags->longs; o->name != NULL; o++)
		nearest_try(&nearest, o->name);
	return nearest_hint(&nearest, "--", hint);
}

/* What a flag that lacks its value wants, which is said of settings only. */
static void put_missing(int code, char *why, size_t size)
{
	const struct setting *setting = setting_of_code(code);
	char *legal = setting == NULL ? NULL : setting_legal(setting);

	snprintf(why, size, "a value is missing%s%s", legal != NULL ? ": legal is " : "",
		legal != NULL ? legal : "");
	free(legal);
}

/* Names the flag: a letter, which may be one of several as in -nz, or a long one. */
static int complain_of_option(char **argv, int code, const struct flags *flags, char *error)
{
	const char letter[3] = {'-', (char)optopt, '\0'};
	bool is_known = strchr(flags->letters, optopt) != NULL;
	bool is_letter = optopt > CODE_RESOLVE && optopt < FIRST_LONG && is_known == (code == ':');
	const char *flag = is_letter ? letter : argv[optind - 1];
	char hint[NEAREST_HINT_MAX] = "", why[256] = "there is no such flag";

	if (code == ':')
		put_missing(optopt, why, sizeof(why));
	else if (!is_letter)
		hint_at_flag(flags, flag, hint);
	snprintf(error, CONFIG_ERROR_MAX, "%.*s: %s; socks5d --help lists the flags%s",
		(int)strcspn(flag, "="), flag, why, hint);
	return -1;
}

static int parse(struct options *o, int argc, char **argv, const struct flags *flags, char *error)
{
	char hint[NEAREST_HINT_MAX];
	int code;

	opterr = 0;
	optind = 0; /* begin anew, whatever was read before: getopt(3), Notes */
	while ((code = getopt_long(argc, argv, flags->letters, flags->longs, NULL)) != -1) {
		if (code == '?' || code == ':')
			return complain_of_option(argv, code, flags, error);
		if (take_flag(o, code, error) < 0)
			return -1;
		if (o->action == OPTIONS_HELP || o->action == OPTIONS_VERSION)
			return 0;
	}
	if (optind == argc)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX,
		"%s: only flags are expected; socks5d --help lists them%s", argv[optind],
		hint_at_flag(flags, argv[optind], hint));
	return -1;
}

int options_parse(struct options *o, int argc, char **argv, char error[CONFIG_ERROR_MAX])
{
	struct flags *flags = flags_new();
	int result;

	*o = (struct options){.action = OPTIONS_SERVE};
	o->source.overrides = calloc((size_t)argc + 1, sizeof(*o->source.overrides));
	if (flags == NULL || o->source.overrides == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "out of memory");
		free(flags);
		return -1;
	}
	result = parse(o, argc, argv, flags, error);
	free(flags);
	return result;
}

void options_free_users(struct options *o)
{
	for (size_t i = 0; i < o->user_count; i++) {
		char *copy = (char *)(uintptr_t)o->users[i].name;

		sodium_memzero(copy, strlen(copy) + 1 + strlen(o->users[i].password));
		free(copy);
	}
	o->user_count = 0;
}

void options_free(struct options *o)
{
	options_free_users(o);
	free(o->source.overrides);
	o->source = (struct config_source){.count = 0};
}

/* Without memory only what needs none. */
static void print_explanation(FILE *out, const struct setting *s)
{
	char *legal = setting_legal(s), *text = NULL;

	if (legal == NULL ||
		asprintf(&text, "%s Legal: %s. Default: %s.", s->help, legal,
			s->initial[0] != '\0' ? s->initial : "empty") < 0)
		text = NULL;
	fprintf(out, "%*s", EXPLANATION_INDENT, "");
	flag_print_wrapped(out, text != NULL ? text : s->help, EXPLANATION_INDENT, 96);
	free(text);
	free(legal);
}

void options_print_help(FILE *out)
{
	char flag[64], left[128];

	fputs("usage: socks5d [FLAG]...\n"
	      "A SOCKS5 proxy server for a LAN.\n\n",
		out);
	flag_print_help(out, options_flags, OPTIONS_FLAGS, 25);
	fputc('\n', out);
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *s = &settings_table[i];

		if (s->flag != 0)
			snprintf(left, sizeof(left), "-%c, ", s->flag);
		snprintf(left + (s->flag != 0 ? 4 : 0), sizeof(left) - 4, "%s %s",
			setting_flag(s, flag), s->value_name);
		fprintf(out, "  %s\n", left);
		print_explanation(out, s);
	}
	fputs("\nSignals: HUP reads the configuration and the users again and opens the log "
	      "again;\n"
	      "USR1 logs statistics; TERM and INT let sessions finish, a second one stops now.\n",
		out);
}
