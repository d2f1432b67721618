/* client: what it says of itself and of the server. */
#include "client/client.h"

#include <stdio.h>
#include <unistd.h>

#include "../base/scratch.h"

/* Standard error goes to the file "said" meanwhile. */
static void say_to_file(const char *words)
{
	int before = dup(STDERR_FILENO);

	assert_true(before >= 0);
	assert_non_null(freopen("said", "w", stderr));
	client_say("the server ended the connection: %s", words);
	fflush(stderr);
	assert_true(dup2(before, STDERR_FILENO) >= 0);
	close(before);
}

static void shows_no_controls_in_the_servers_last_words(void **state)
{
	(void)state;
	say_to_file("ERR \x1b]0;owned\x07 \x9b"
		    "31m \xc2\x9b z\xc3\xbc");
	scratch_assert("said",
		"monitor_client: the server ended the connection: ERR \\x1b]0;owned\\x07 \\x9b31m "
		"\\xc2\\x9b z\xc3\xbc\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(shows_no_controls_in_the_servers_last_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
