/*
 * How long a file of 100,000 users takes to load, and what finding one of them costs: in the map
 * itself, and as a whole login whose password was right before.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hashmap.h"
#include "state/operators.h"
#include "state/users_file.h"
#include "clock.h"
#include "fail.h"
#include "tmp.h"

#define USERS 100000
#define LOOKUPS 2000000
#define LOGINS 200000
#define NAME_SIZE 16

static char names[USERS][NAME_SIZE];

/* Hashes of the right form, which belong to no password. */
static void write_file(const char *path)
{
	FILE *f = fopen(path, "we");

	if (f == NULL)
		fail("cannot write the file of users");
	for (unsigned i = 0; i < USERS; i++) {
		snprintf(names[i], NAME_SIZE, "user%06u", i);
		fprintf(f, "%s:$y$j9T$abcdefgh%08x$%043x:user\n", names[i], i, i);
	}
	fclose(f);
}

static void measure_map(void)
{
	struct hashmap *map = hashmap_new(0);
	size_t found = 0;
	void *old;
	double start;

	for (unsigned i = 0; i < USERS; i++) {
		if (hashmap_put(map, names[i], strlen(names[i]), names[i], &old) < 0)
			fail("out of memory");
	}
	start = clock_seconds();
	for (unsigned i = 0; i < LOOKUPS; i++) {
		const char *name = names[(i * 7919u) % USERS];

		found += hashmap_get(map, name, strlen(name)) == name;
	}
	printf("lookup in the map       %8.3f us\n", (clock_seconds() - start) / LOOKUPS * 1e6);
	if (found != LOOKUPS)
		fail("a name was not found");
	hashmap_free(map, NULL);
}

static void measure_login(struct users *u, struct hashing *hashing)
{
	const struct user_credentials admin = {.name = "admin", .password = "secret"};
	const struct login login = {
		.name = "admin", .name_len = 5, .password = "secret", .password_len = 6};
	char error[USERS_ERROR_MAX];
	struct ledger_entry *entry;
	double start;

	if (operators_put(u, hashing, &admin, 1, error) < 0)
		fail(error);
	start = clock_seconds();
	for (unsigned i = 0; i < LOGINS; i++) {
		if (users_login(u, &login, CLOCK_NEVER, NULL, &entry) != LOGIN_OK)
			fail("a right password was refused");
		ledger_leave(entry, 0);
	}
	printf("login, remembered       %8.3f us\n", (clock_seconds() - start) / LOGINS * 1e6);
}

int main(void)
{
	char path[TMP_MAX_PATH], error[USERS_ERROR_MAX];
	int fd = mkstemp(tmp_template(path, "socks5d-users"));
	struct users_backend file = users_file_backend(path);
	struct hashing *hashing = hashing_new(2);
	struct ledger *ledger = ledger_new(1, NULL);
	struct users *u;
	double start;

	if (fd < 0 || sodium_init() < 0 || hashing == NULL || ledger == NULL ||
		(u = users_new(hashing, ledger, &file)) == NULL)
		fail("cannot begin");
	close(fd);
	write_file(path);
	start = clock_seconds();
	if (users_load(u, error) < 0)
		fail(error);
	printf("load of %d users    %8.3f s\n", USERS, clock_seconds() - start);
	measure_map();
	measure_login(u, hashing);
	users_free(u);
	ledger_free(ledger);
	hashing_free(hashing);
	unlink(path);
	return 0;
}
