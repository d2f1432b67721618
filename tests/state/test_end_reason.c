/* end_reason: the word and the REP field of every reason. */
#include "state/end_reason.h"

#include "../base/check.h"

static void every_reason_has_a_word(void **state)
{
	(void)state;
	for (int i = 0; i < END_REASONS; i++) {
		const char *word = end_reason_word((enum end_reason)i);

		assert_non_null(word);
		assert_true(*word != '\0');
		assert_int_equal(strspn(word, "abcdefghijklmnopqrstuvwxyz_"), strlen(word));
	}
}

static void no_two_reasons_share_a_word(void **state)
{
	(void)state;
	for (int i = 0; i < END_REASONS; i++) {
		for (int j = 0; j < i; j++)
			assert_string_not_equal(end_reason_word((enum end_reason)i),
				end_reason_word((enum end_reason)j));
	}
}

static void replies_are_those_of_the_rfc(void **state)
{
	(void)state;
	for (int i = 0; i < END_REASONS; i++)
		assert_in_range(end_reason_reply((enum end_reason)i), 0, 8);
}

static void replies_tell_what_happened(void **state)
{
	static const struct {
		enum end_reason reason;
		uint8_t reply;
	} rows[] = {{END_CLOSED, 0}, {END_CLIENT_RESET, 0}, {END_TARGET_RESET, 0}, {END_IDLE, 0},
		{END_HALF_CLOSED_IDLE, 0}, {END_TARGET_DENIED, 2}, {END_NETWORK_UNREACHABLE, 3},
		{END_HOST_UNREACHABLE, 4}, {END_NAME_NOT_FOUND, 4}, {END_NAME_FAILED, 4},
		{END_CONNECT_REFUSED, 5}, {END_CONNECT_TIMEOUT, 6}, {END_COMMAND_UNSUPPORTED, 7},
		{END_ATYP_UNSUPPORTED, 8}, {END_CONNECT_FAILED, 1}, {END_UDP_IDLE, 0},
		{END_BIND_TIMEOUT, 6}, {END_NO_SOCKET, 1}, {END_STOPPED, 1}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(end_reason_reply(rows[i].reason), rows[i].reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_has_a_word),
		cmocka_unit_test(no_two_reasons_share_a_word),
		cmocka_unit_test(replies_are_those_of_the_rfc),
		cmocka_unit_test(replies_tell_what_happened),
	};

	return cmocka_run_group_tests_name("state/end_reason", tests, NULL, NULL);
}
