/* resolv.conf(5): the whole file. What is read of it is within its bounds, and each name that is
 * asked for is the one that was wanted, with a domain behind it or without. */
#include "fuzz.h"

#include <string.h>

#include "net/nameservers.h"

static const char wanted[] = "host.lan";

static void say_nothing(const char *message)
{
	(void)message;
}

static void check_servers(struct nameservers *n)
{
	size_t count = nameservers_count(n), turn = nameservers_turn(n);
	uint32_t asked = 0;

	FUZZ_CHECK(count >= 1 && count <= NAMESERVERS_MAX);
	for (size_t i = 0; i < count; i++) {
		size_t next = nameservers_pick(n, asked, turn, 0);
		sa_family_t family;

		FUZZ_CHECK(next < count && !(asked >> next & 1));
		asked |= UINT32_C(1) << next;
		family = nameservers_addr(n, next)->sa.sa_family;
		FUZZ_CHECK(family == AF_INET || family == AF_INET6);
	}
	FUZZ_CHECK(nameservers_pick(n, asked, turn, 0) == count);
}

static void check_names(const struct nameservers *n)
{
	char name[NAMESERVERS_NAME_MAX];
	size_t step = 0, plain = 0;

	while (nameservers_name(n, wanted, step++, name)) {
		FUZZ_CHECK(strlen(name) < sizeof(name));
		FUZZ_CHECK(strncmp(name, wanted, strlen(wanted)) == 0);
		plain += strcmp(name, wanted) == 0;
		FUZZ_CHECK(step < 1000);
	}
	FUZZ_CHECK(plain == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct nameservers_source *s = nameservers_source_new(fuzz_file(bytes, len), say_nothing);
	struct nameservers *n;

	FUZZ_CHECK(s != NULL);
	FUZZ_CHECK(nameservers_source_set(s, "", "") == 0);
	n = nameservers_follow(s);
	if (n != NULL) {
		check_servers(n);
		check_names(n);
	}
	nameservers_free(n);
	nameservers_source_free(s);
	return 0;
}
