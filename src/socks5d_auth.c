/*
 * The program between socks5d, which starts no programs, and those that know whether a login is
 * right. Its loop is helper/service. Exit status 2 says that trying again does not help.
 */
#include <stdio.h>

#include "base/log.h"
#include "base/standard_files.h"
#include "base/version.h"
#include "helper/arguments.h"
#include "helper/service.h"

#define EXIT_OK 0
#define EXIT_FAILED 1
#define EXIT_BAD_INPUT 2

static int fail_with(const char *error, int status)
{
	fprintf(stderr, "socks5d_auth: %s\n", error);
	return status;
}

static int serve(const struct arguments *a)
{
	char error[ARGUMENTS_ERROR_MAX];
	bool hopeless = false;

	log_set_level(a->log_level);
	if (service_run(a, &hopeless, error) < 0)
		return fail_with(error, hopeless ? EXIT_BAD_INPUT : EXIT_FAILED);
	return EXIT_OK;
}

int main(int argc, char **argv)
{
	char error[ARGUMENTS_ERROR_MAX];
	struct arguments a;

	if (standard_files_fill() < 0)
		return fail_with("/dev/null cannot be opened", EXIT_FAILED);
	if (arguments_parse(&a, argc, argv, error) < 0)
		return fail_with(error, EXIT_BAD_INPUT);
	if (a.action == ARGUMENTS_HELP) {
		arguments_print_help(stdout);
		return EXIT_OK;
	}
	if (a.action == ARGUMENTS_VERSION) {
		puts("socks5d_auth " SOCKS5D_VERSION);
		return EXIT_OK;
	}
	service_block_signals();
	return serve(&a);
}
