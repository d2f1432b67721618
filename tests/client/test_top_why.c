/* top_why: failures in words, from a row of the view and from the reply to WHY, and whom to ask
 * about. */
#include "client/top_why.h"

#include "../wire/answers.h"

static char out[TOP_WHY_MAX];

#define DENIED                                                                                     \
	"time:2025-07-15T12:42:11 user:bob client:10.0.0.1 command:CONNECT target:a.example:80 "   \
	"reason:target_denied rule:3 error:EACCES name:tv advice:take that rule: away\n"
#define NO_METHOD                                                                                  \
	"time:2025-07-15T12:42:10 user:- client:::1 command:- target:- reason:no_method rule:- "   \
	"error:- advice:give it a name\n"

static const char denied[] =
	"2025-07-15 12:42:11: bob from 10.0.0.1 (tv) wanted CONNECT a.example:80\n"
	"  why: target_denied, rule 3, EACCES\n"
	"  what to do: take that rule: away\n";
static const char no_method[] = "2025-07-15 12:42:10: somebody without a login from ::1\n"
				"  why: no_method\n"
				"  what to do: give it a name\n";

static void a_reply_is_told_line_by_line(void **state)
{
	struct answer r = answer_of("OK The newest failures:\n" DENIED NO_METHOD "\n");

	(void)state;
	top_why_tell_reply(&r, "bob", out);
	assert_int_equal(strncmp(out, denied, strlen(denied)), 0);
	assert_string_equal(out + strlen(denied), no_method);
	answer_free(&r);
}

static void that_there_is_none_is_told_as_the_server_said_it(void **state)
{
	struct answer none = answer_of("OK No session of user bob has failed\n\n"),
		      old = answer_of("ERR Unknown command: WHY\n\n");

	(void)state;
	top_why_tell_reply(&none, "bob", out);
	assert_string_equal(out, "bob: No session of user bob has failed\n");
	top_why_tell_reply(&old, "bob", out);
	assert_string_equal(out, "bob: Unknown command: WHY\n");
	answer_free(&none);
	answer_free(&old);
}

static void a_row_is_told_as_its_line(void **state)
{
	struct top_model *m = top_model_new();
	struct answer r = answer_of("OK The newest failures:\n" DENIED "\n");

	(void)state;
	assert_non_null(m);
	assert_int_equal(top_model_take_list(m, TOP_FAILURE_LIST, &r), 0);
	top_model_show(m, TOP_FAILURE_VIEW);
	top_why_tell_row(top_model_row(m, 0), out);
	assert_string_equal(out, denied);
	answer_free(&r);
	top_model_free(m);
}

static void what_is_too_long_is_cut(void **state)
{
	char reply[60000] = "OK The newest failures:\n";
	struct answer r;

	(void)state;
	for (int i = 0; i < 200; i++)
		strcat(reply, DENIED);
	strcat(reply, "\n");
	r = answer_of(reply);
	top_why_tell_reply(&r, "bob", out);
	assert_int_equal(strlen(out), TOP_WHY_MAX - 1);
	answer_free(&r);
}

/* Of Anonymous it is the client who has failures. */
static void who_is_asked_about_depends_on_the_view(void **state)
{
	static const struct {
		enum top_view view;
		const char *user, *client, *about; /* NULL: nobody */
	} rows[] = {
		{TOP_SESSION_VIEW, "bob", "10.0.0.1:7", "bob"},
		{TOP_SESSION_VIEW, "Anonymous", "10.0.0.1:7", "10.0.0.1"},
		{TOP_SESSION_VIEW, "Anonymous", "[2001:db8::1]:7", "2001:db8::1"},
		{TOP_USER_VIEW, "Anonymous", "-", "Anonymous"},
		{TOP_ACCOUNT_VIEW, "b\\x20b", "-", "b b"},
		{TOP_SITE_VIEW, "-", "-", NULL},
		{TOP_USER_VIEW, "-", "-", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct top_row row;
		char about[64];

		row.text[TOP_USER] = rows[i].user;
		row.text[TOP_CLIENT] = rows[i].client;
		assert_int_equal(top_why_ask_about(rows[i].view, &row, about, sizeof(about)),
			rows[i].about != NULL);
		if (rows[i].about != NULL)
			assert_string_equal(about, rows[i].about);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_is_told_line_by_line),
		cmocka_unit_test(that_there_is_none_is_told_as_the_server_said_it),
		cmocka_unit_test(a_row_is_told_as_its_line),
		cmocka_unit_test(what_is_too_long_is_cut),
		cmocka_unit_test(who_is_asked_about_depends_on_the_view),
	};

	return cmocka_run_group_tests_name("client/top_why", tests, NULL, NULL);
}
