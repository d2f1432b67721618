/* The command line: an argument a line. Its complaints repeat no password. */
#include "fuzz.h"

#include <string.h>

#include "state/options.h"

#define ARGUMENTS_MAX 64
#define SECRET "Xq9-sEcReT"

/* Takes the bytes, which end with a NUL, apart in place; how many arguments there are. */
static int split(char *bytes, char *argv[ARGUMENTS_MAX + 2])
{
	static char name[] = "socks5d";
	int argc = 0;

	argv[argc++] = name;
	for (char *rest = bytes, *word;
		argc <= ARGUMENTS_MAX && (word = strsep(&rest, "\n")) != NULL;)
		argv[argc++] = word;
	argv[argc] = NULL;
	return argc;
}

/* What the flags set is legal, or is said not to be; no file is read. */
static void check_settings(struct options *o)
{
	char error[CONFIG_ERROR_MAX] = "";
	struct config *c;

	o->source.path = NULL;
	c = config_read(&o->source, error);
	FUZZ_CHECK(c != NULL || strlen(error) > 0);
	config_release(c);
}

static void check_users(const struct options *o)
{
	FUZZ_CHECK(o->user_count <= OPTIONS_MAX_USERS);
	for (size_t i = 0; i < o->user_count; i++) {
		const struct user_credentials *c = &o->users[i];

		FUZZ_CHECK(users_name_problem(c->name, strlen(c->name)) == NULL);
		FUZZ_CHECK(users_password_problem(c->password) == NULL);
	}
}

static void parse(int argc, char **argv, char error[CONFIG_ERROR_MAX])
{
	struct options o;
	int result = options_parse(&o, argc, argv, error);

	FUZZ_CHECK(result == 0 || strlen(error) > 0);
	check_users(&o);
	if (result == 0)
		check_settings(&o);
	options_free(&o);
}

/* A user with a password stands in front of everything else. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char error[CONFIG_ERROR_MAX] = "", user[] = "alice:" SECRET, flag[] = "-u";
	char *copy = malloc(len + 1), *argv[ARGUMENTS_MAX + 4];
	int argc;

	FUZZ_CHECK(copy != NULL);
	memcpy(copy, bytes, len);
	copy[len] = '\0';
	argc = split(copy, argv + 2);
	argv[0] = argv[2];
	argv[1] = flag;
	argv[2] = user;
	parse(argc + 2, argv, error);
	if (memmem(bytes, len, SECRET, strlen(SECRET)) == NULL)
		FUZZ_CHECK(strstr(error, SECRET) == NULL);
	FUZZ_CHECK(strstr(user, SECRET) == NULL);
	free(copy);
	return 0;
}
