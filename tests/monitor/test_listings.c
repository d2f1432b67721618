/* listings: each word for word, in pieces, while what is listed changes, and without memory. */
#include "monitor/listings.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "parts.h"

#define ENTRIES 2000
#define SESSIONS 400
#define PIECE_MAX (REPLY_CHUNK + 4096) /* a source looks how much there is between lines */

static struct reply r;
static char text[1 << 20]; /* all that has come */
static size_t text_len;
static size_t pieces;

/* Takes what would be sent next; false when that was all. */
static bool take_piece(void)
{
	const char *bytes;
	size_t n = reply_pending(&r, &bytes);

	if (n == 0 || r.failed)
		return false;
	assert_true(n <= PIECE_MAX && text_len + n < sizeof(text));
	memcpy(text + text_len, bytes, n);
	text_len += n;
	text[text_len] = '\0';
	reply_consume(&r, n);
	pieces++;
	return true;
}

static void begin(void)
{
	reply_reset(&r);
	text_len = pieces = 0;
	text[0] = '\0';
}

static void finish(void)
{
	reply_finish(&r);
	while (take_piece())
		;
}

static const char *list(void (*listing)(struct services *v, struct reply *r))
{
	begin();
	listing(&parts, &r);
	finish();
	return text;
}

static const char *list_access(const char *user, uint64_t newest)
{
	begin();
	listings_access_log(&parts, &(struct listings_entries){.user = user, .newest = newest}, &r);
	finish();
	return text;
}

static int setup(void **state)
{
	(void)state;
	parts_now = 1000000;
	parts_time = PARTS_TIME;
	parts_make(SESSIONS, ENTRIES);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	reply_free(&r);
	parts_free();
	return 0;
}

static size_t count_of(const char *part)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
		n++;
	return n;
}

/* ---- CONNECTIONS ---- */

static void no_connections_are_a_head_without_lines(void **state)
{
	(void)state;
	assert_string_equal(list(listings_connections),
		"OK\ncurrent connections:0\nmax concurrent connections:0\n\n");
}

static void a_session_that_has_said_nothing_has_dashes(void **state)
{
	(void)state;
	parts_begin_session(3);
	stats_session_begins(&parts.stats);
	assert_string_equal(list(listings_connections),
		"OK\ncurrent connections:1\nmax concurrent connections:1\n"
		"id:1 user:Anonymous client:192.0.2.1:1003 command:- target:- state:GREETING age:0 "
		"idle:0 sent:0 received:0 address:- sent_rate:0 received_rate:0\n\n");
}

static void a_session_has_all_that_is_known_of_it(void **state)
{
	struct addr from = parts_addr("2001:db8::7", 51514);
	struct addr to = parts_addr("2001:db8::99", 443);
	struct traffic *t = registry_traffic(parts_slot(0));

	(void)state;
	registry_enter(parts_slot(0), -1, &from);
	parts_set_user(0, "alice");
	registry_set_request(parts_slot(0), "CONNECT", "www.example.org:443");
	registry_set_target(parts_slot(0), -1, &to);
	registry_set_phase(parts_slot(0), PHASE_RELAY);
	parts_now += 9000;
	traffic_count(t, TRAFFIC_SENT, 1830);
	traffic_count(t, TRAFFIC_RECEIVED, 90211);
	traffic_active(t, parts_now);
	parts_now += 3999;
	assert_contains(list(listings_connections),
		"\nid:1 user:alice client:[2001:db8::7]:51514 command:CONNECT "
		"target:www.example.org:443 state:RELAY age:12 idle:3 sent:1830 received:90211 "
		"address:[2001:db8::99]:443 sent_rate:");
}

static void each_phase_has_its_word(void **state)
{
	static const struct {
		enum session_phase phase;
		bool half_closed;
		const char *state;
	} rows[] = {
		{PHASE_GREETING, false, " state:GREETING "},
		{PHASE_LOGIN, false, " state:LOGIN "},
		{PHASE_REQUEST, false, " state:REQUEST "},
		{PHASE_CONNECT, false, " state:CONNECT "},
		{PHASE_RELAY, false, " state:RELAY "},
		{PHASE_RELAY, true, " state:HALF_CLOSED "},
		{PHASE_UDP, false, " state:RELAY "},
		{PHASE_CLOSING, false, " state:CLOSING "},
		{PHASE_CLOSING, true, " state:CLOSING "},
	};

	(void)state;
	parts_begin_session(0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		registry_set_phase(parts_slot(0), rows[i].phase);
		atomic_store(&registry_traffic(parts_slot(0))->half_closed, rows[i].half_closed);
		assert_contains(list(listings_connections), rows[i].state);
	}
}

static void sessions_come_by_id_wherever_their_slots_are(void **state)
{
	(void)state;
	parts_begin_session(7);
	parts_begin_session(2);
	parts_begin_session(5);
	list(listings_connections);
	assert_true(strstr(text, "\nid:1 ") < strstr(text, "\nid:2 "));
	assert_true(strstr(text, "\nid:2 ") < strstr(text, "\nid:3 "));
	assert_contains(text, "id:2 user:Anonymous client:192.0.2.1:1002 ");
}

static void bytes_that_would_break_a_line_are_escaped(void **state)
{
	(void)state;
	parts_begin_session(0);
	parts_set_user(0, "a b\\c\n\x7f\xff\xc3\xa9");
	assert_contains(
		list(listings_connections), " user:a\\x20b\\x5cc\\x0a\\x7f\\xff\xc3\xa9 client:");
	assert_int_equal(count_of("\n"), 5);
}

static void the_longest_name_of_bytes_to_escape_fits(void **state)
{
	char name[USERS_NAME_MAX + 1] = {0}, shown[4 * USERS_NAME_MAX + 16] = " user:";

	(void)state;
	memset(name, '\n', USERS_NAME_MAX);
	for (size_t i = 0; i < USERS_NAME_MAX; i++)
		strcat(shown, "\\x0a");
	strcat(shown, " client:");
	parts_begin_session(0);
	parts_set_user(0, name);
	assert_contains(list(listings_connections), shown);
}

static void fill_registry(void)
{
	for (size_t i = 0; i < SESSIONS; i++)
		parts_begin_session(i);
}

static void many_sessions_come_in_pieces(void **state)
{
	(void)state;
	fill_registry();
	list(listings_connections);
	assert_int_equal(count_of("\nid:"), SESSIONS);
	assert_true(pieces > 2);
}

/* Also when somebody else has got the slot. */
static void a_session_that_ends_meanwhile_is_left_out(void **state)
{
	(void)state;
	fill_registry();
	begin();
	listings_connections(&parts, &r);
	assert_true(take_piece() && take_piece());
	assert_int_equal(count_of("\nid:400 "), 0);
	registry_leave(parts_slot(398));
	registry_leave(parts_slot(399));
	parts_begin_session(399);
	finish();
	assert_contains(text, "\ncurrent connections:400\n");
	assert_int_equal(count_of("\nid:"), SESSIONS - 2);
	assert_int_equal(count_of("\nid:399 "), 0);
	assert_int_equal(count_of("\nid:400 "), 0);
	assert_int_equal(count_of("\nid:401 "), 0);
}

static void when_all_the_rest_has_ended_the_listing_ends(void **state)
{
	(void)state;
	fill_registry();
	begin();
	listings_connections(&parts, &r);
	assert_true(take_piece() && take_piece());
	for (size_t i = 0; i < SESSIONS; i++)
		registry_leave(parts_slot(i));
	finish();
	assert_string_equal(text + text_len - 2, "\n\n");
	assert_true(count_of("\nid:") < SESSIONS);
}

/* ---- USERS ---- */

static struct ledger_entry *enter_user(const char *name)
{
	struct ledger_entry *e = ledger_add_user(parts.ledger, name, strlen(name));

	assert_non_null(e);
	ledger_join_user(e);
	return e;
}

static void leave_user(struct ledger_entry *e)
{
	ledger_leave(e, parts_now);
	ledger_retire_user(e);
}

static void users_are_those_who_have_a_session(void **state)
{
	struct ledger_entry *bob, *alice, *odd;

	(void)state;
	assert_string_equal(list(listings_users), "OK No active users\n\n");
	bob = enter_user("bob");
	alice = enter_user("alice");
	assert_string_equal(list(listings_users), "OK alice bob\n\n");
	odd = enter_user("two words");
	assert_string_equal(list(listings_users), "OK alice bob two\\x20words\n\n");
	leave_user(odd);
	leave_user(bob);
	assert_string_equal(list(listings_users), "OK alice\n\n");
	leave_user(alice);
	assert_string_equal(list(listings_users), "OK No active users\n\n");
}

/* As they were when they were asked for. */
static void many_users_come_in_pieces_on_one_line(void **state)
{
	static struct ledger_entry *entries[200];
	char name[201];

	(void)state;
	for (size_t i = 0; i < COUNT(entries); i++) {
		snprintf(name, sizeof(name), "%0200zu", i);
		entries[i] = enter_user(name);
	}
	begin();
	listings_users(&parts, &r);
	assert_true(take_piece() && take_piece());
	for (size_t i = 0; i < COUNT(entries); i++)
		leave_user(entries[i]);
	finish();
	assert_int_equal(text_len, 2 + 201 * COUNT(entries) + 2);
	assert_int_equal(count_of("\n"), 2);
	assert_true(pieces > 2);
	snprintf(name, sizeof(name), "%0200zu", COUNT(entries) - 1);
	assert_contains(text, name);
}

/* ---- ACCOUNTS ---- */

static struct ledger_entry *log_in(const char *name)
{
	struct login login = {.name = name,
		.name_len = strlen(name),
		.password = "secret",
		.password_len = strlen("secret")};
	struct ledger_entry *entry;

	assert_int_equal(users_login(parts.users, &login, CLOCK_NEVER, NULL, &entry), LOGIN_OK);
	return entry;
}

static void accounts_are_all_users_with_what_they_did(void **state)
{
	struct ledger_entry *first, *second;
	struct tally *tally;

	(void)state;
	assert_string_equal(list(listings_accounts), "OK\n\n");
	parts_add_user("root", USER_ROLE_ADMIN);
	parts_add_user("alice", USER_ROLE_USER);
	first = log_in("alice");
	second = log_in("alice");
	tally = ledger_tally(first);
	atomic_fetch_add(&tally->sent, 1830);
	atomic_fetch_add(&tally->received, 90211);
	ledger_leave(first, parts_now);
	assert_string_equal(list(listings_accounts),
		"OK\n"
		"name:alice role:user sessions:1 total:2 sent:1830 received:90211 "
		"last_seen:2025-07-15T12:40:39 limits:none\n"
		"name:root role:admin sessions:0 total:0 sent:0 received:0 last_seen:never "
		"limits:none\n\n");
	ledger_leave(second, parts_now);
}

static void clients_are_those_who_are_remembered(void **state)
{
	struct addr here = parts_addr("192.0.2.7", 1), there = parts_addr("2001:db8::7", 1);
	struct ledger_entry *first, *second;
	size_t running;

	(void)state;
	assert_string_equal(list(listings_clients), "OK\n\n");
	first = ledger_join_client(parts.ledger, &there, parts_now, &running);
	ledger_count_refusal(first);
	ledger_leave(first, parts_now);
	parts_now += 12999;
	second = ledger_join_client(parts.ledger, &here, parts_now, &running);
	atomic_fetch_add(&ledger_tally(second)->sent, 1830);
	atomic_fetch_add(&ledger_tally(second)->received, 90211);
	parts_now += 5000; /* it has a session still */
	assert_string_equal(list(listings_clients),
		"OK\n"
		"client:192.0.2.7 sessions:1 sent:1830 received:90211 refused:0 last:0 user:-\n"
		"client:[2001:db8::]/64 sessions:0 sent:0 received:0 refused:1 last:17 user:-\n\n");
	ledger_leave(second, parts_now);
}

/* From a file in memory. */
static void know_names(const char *names)
{
	int fd = memfd_create("names", MFD_CLOEXEC);
	char path[64];

	assert_int_equal(write(fd, names, strlen(names)), strlen(names));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	client_names_follow(parts.client_names, path);
	close(fd);
}

/* Clients have the name that a file gives them, and the user who logged in last. */
static void clients_are_told_by_name_where_they_have_one(void **state)
{
	struct addr here = parts_addr("192.0.2.1", 1);
	struct ledger_entry *client, *alice, *bob;
	struct network network = {.base = here, .prefix = 32};
	size_t running;

	(void)state;
	know_names("192.0.2.1 the\\tv\n");
	parts_add_user("alice", USER_ROLE_USER);
	parts_add_user("bob", USER_ROLE_USER);
	alice = log_in("alice");
	bob = log_in("bob");
	client = ledger_join_client(parts.ledger, &here, parts_now, &running);
	ledger_note_user(client, alice, parts_now);
	ledger_note_user(client, bob, parts_now + 999); /* within a second of the last */
	assert_contains(list(listings_clients), " last:0 user:alice name:the\\x5ctv\n");
	ledger_note_user(client, bob, parts_now + 1000);
	assert_contains(list(listings_clients), " user:bob name:the\\x5ctv\n");
	parts_begin_session(0);
	assert_contains(list(listings_connections), " received_rate:0 name:the\\x5ctv\n");
	registry_leave(parts_slot(0));
	begin();
	listings_access_log(
		&parts, &(struct listings_entries){.client = &network, .newest = 1}, &r);
	finish();
	assert_string_equal(text,
		"OK No access log entries for client 192.0.2.1 "
		"(the\\x5ctv)\n\n");
	ledger_leave(client, parts_now);
	ledger_leave(alice, parts_now);
	ledger_leave(bob, parts_now);
}

/* All of about one moment, whatever happens to those who come in later pieces. */
static void many_accounts_come_in_pieces(void **state)
{
	char name[101], error[USERS_ERROR_MAX];

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "%0100zu", i);
		parts_add_user(name, USER_ROLE_USER);
	}
	begin();
	listings_accounts(&parts, &r);
	assert_true(take_piece() && take_piece());
	assert_int_equal(users_remove(parts.users, name, error), 0);
	finish();
	assert_int_equal(count_of("name:"), 200);
	assert_contains(text, name);
	assert_true(pieces > 2);
}

/* ---- CONNECTIONS of some ---- */

static const char *list_connections_of(const char *user, const char *client)
{
	struct network network;

	if (client != NULL)
		assert_true(network_parse(client, strlen(client), &network));
	begin();
	listings_connections_of(&parts, user, client == NULL ? NULL : &network, &r);
	finish();
	return text;
}

static void only_the_sessions_of_one_come_when_that_is_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++)
		parts_begin_session(i);
	parts_set_user(1, "alice");
	parts_set_user(2, "alicia");
	assert_begins(list_connections_of("alice", NULL), "OK\nid:2 user:alice client:");
	assert_int_equal(count_of("\nid:"), 1);
	list_connections_of(USERS_ANONYMOUS, NULL);
	assert_int_equal(count_of(" user:Anonymous "), 2);
	assert_int_equal(count_of("\nid:"), 2);
	list_connections_of(NULL, "192.0.2.0/24");
	assert_int_equal(count_of("\nid:"), 4);
	assert_string_equal(list_connections_of(NULL, "192.0.2.2"), "OK\n\n");
	assert_string_equal(list_connections_of("nobody", NULL), "OK\n\n");
}

/* ---- ACCESS_LOG ---- */

static void only_those_of_some_days_come_when_that_is_asked_for(void **state)
{
	struct listings_entries wanted = {.newest = UINT64_MAX, .from = 20250716, .to = 20250717};

	(void)state;
	for (int day = 15; day <= 18; day++) {
		parts_log_access("alice", "www.example.org:80", true);
		parts_time += 86400;
	}
	begin();
	listings_access_log(&parts, &wanted, &r);
	finish();
	assert_string_equal(text,
		"OK Access log for all users:\n"
		"alice: www.example.org:80 [2025-07-16 12:40:39] SUCCESS\n"
		"alice: www.example.org:80 [2025-07-17 12:40:39] SUCCESS\n\n");
	begin();
	wanted.from = wanted.to = 20250719;
	listings_access_log(&parts, &wanted, &r);
	finish();
	assert_string_equal(text, "OK No access log entries\n\n");
}

static void an_access_log_without_entries_says_so(void **state)
{
	(void)state;
	assert_string_equal(list_access(NULL, UINT64_MAX), "OK No access log entries\n\n");
	assert_string_equal(
		list_access("alice", UINT64_MAX), "OK No access log entries for user alice\n\n");
	parts_log_access("bob", "www.example.org:80", true);
	assert_string_equal(
		list_access("alice", UINT64_MAX), "OK No access log entries for user alice\n\n");
	assert_string_equal(
		list_access("two words", 1), "OK No access log entries for user two\\x20words\n\n");
}

static void entries_come_oldest_first_in_local_time(void **state)
{
	(void)state;
	parts_log_access("alice", "www.example.org:443", true);
	parts_time += 27;
	parts_log_access(NULL, "www.example.org:80", false);
	parts_log_access("a b", "[2001:db8::1]:80", true);
	assert_string_equal(list_access(NULL, UINT64_MAX),
		"OK Access log for all users:\n"
		"alice: www.example.org:443 [2025-07-15 12:40:39] SUCCESS\n"
		"Anonymous: www.example.org:80 [2025-07-15 12:41:06] FAIL connect_refused 192.0.2.1\n"
		"a\\x20b: [2001:db8::1]:80 [2025-07-15 12:41:06] SUCCESS\n\n");
	assert_string_equal(list_access("alice", UINT64_MAX),
		"OK Access log for user alice:\n"
		"www.example.org:443 [2025-07-15 12:40:39] SUCCESS\n\n");
	assert_string_equal(list_access("a b", UINT64_MAX),
		"OK Access log for user a\\x20b:\n"
		"[2001:db8::1]:80 [2025-07-15 12:41:06] SUCCESS\n\n");
}

static void only_the_newest_come_when_that_is_asked_for(void **state)
{
	(void)state;
	parts_log_access("alice", "first.example:1", true);
	parts_log_access("bob", "second.example:2", true);
	parts_log_access("alice", "third.example:3", true);
	assert_string_equal(list_access(NULL, 2),
		"OK Access log for all users:\n"
		"bob: second.example:2 [2025-07-15 12:40:39] SUCCESS\n"
		"alice: third.example:3 [2025-07-15 12:40:39] SUCCESS\n\n");
	assert_string_equal(list_access("alice", 1),
		"OK Access log for user alice:\n"
		"third.example:3 [2025-07-15 12:40:39] SUCCESS\n\n");
	assert_int_equal(strlen(list_access("alice", 2)), strlen(list_access("alice", 3)));
}

static void log_many(const char *user, size_t n)
{
	char target[ACCESS_TARGET_MAX];

	for (size_t i = 0; i < n; i++) {
		snprintf(target, sizeof(target), "%zu.example:80", i);
		parts_log_access(user, target, true);
	}
}

static void many_entries_come_in_pieces(void **state)
{
	(void)state;
	log_many("alice", ENTRIES);
	list_access(NULL, UINT64_MAX);
	assert_int_equal(count_of("\nalice: "), ENTRIES);
	assert_true(pieces > 2);
}

/* What is longer ago than the log remembers by then; what has come since is not listed. */
static void entries_that_are_overwritten_meanwhile_are_left_out(void **state)
{
	size_t seen;

	(void)state;
	log_many("alice", ENTRIES);
	begin();
	listings_access_log(&parts, &(struct listings_entries){.newest = UINT64_MAX}, &r);
	assert_true(take_piece());
	seen = count_of("\nalice: ");
	log_many("bob", ENTRIES - 10);
	finish();
	assert_int_equal(count_of("\nalice: "), seen + 10);
	assert_int_equal(count_of("\nbob: "), 0);
}

static void when_all_entries_are_overwritten_there_are_none(void **state)
{
	(void)state;
	log_many("alice", 10);
	begin();
	listings_access_log(
		&parts, &(struct listings_entries){.user = "alice", .newest = UINT64_MAX}, &r);
	log_many("bob", ENTRIES);
	finish();
	assert_string_equal(text, "OK No access log entries for user alice\n\n");
}

/* ---- no memory, and nobody who reads to the end ---- */

static void list_access_of_all(struct services *v, struct reply *reply)
{
	listings_access_log(v, &(struct listings_entries){.newest = UINT64_MAX}, reply);
}

static void (*const listings[])(struct services *v, struct reply *r) = {listings_connections,
	listings_users, listings_accounts, listings_clients, list_access_of_all};

/* Those who are in fill_all(). */
static struct ledger_entry *clients[SESSIONS];

static void join_clients(void)
{
	struct addr a = parts_addr("10.0.0.0", 1);
	size_t running;

	for (size_t i = 0; i < SESSIONS; i++) {
		a.in.sin_addr.s_addr = htonl(0x0a000000 + (uint32_t)i);
		clients[i] = ledger_join_client(parts.ledger, &a, parts_now, &running);
		assert_non_null(clients[i]);
	}
}

/* Enough for several pieces of each listing. */
static void fill_all(struct ledger_entry *entries[200])
{
	char name[201];

	fill_registry();
	join_clients();
	log_many("alice", ENTRIES);
	for (size_t i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "%0200zu", i);
		parts_add_user(name, USER_ROLE_USER);
		entries[i] = log_in(name);
	}
}

static void leave_all(struct ledger_entry *entries[200])
{
	for (size_t i = 0; i < 200; i++)
		ledger_leave(entries[i], parts_now);
	for (size_t i = 0; i < SESSIONS; i++)
		ledger_leave(clients[i], parts_now);
}

/* Whichever allocation fails: no piece of a listing that is not whole passes for one. */
static void without_memory_a_listing_is_refused_or_breaks_off(void **state)
{
	struct ledger_entry *entries[200];
	size_t refused = 0, broken = 0;
	bool struck;

	(void)state;
	fill_all(entries);
	for (size_t i = 0; i < COUNT(listings); i++) {
		struck = true;
		for (int n = 1; struck; n++) {
			reply_free(&r);
			faults_fail(n);
			list(listings[i]);
			struck = faults_struck();
			refused += strcmp(text, "ERR Out of memory\n\n") == 0;
			broken += r.failed;
			if (struck && !r.failed)
				assert_string_equal(text, "ERR Out of memory\n\n");
		}
		assert_begins(text, "OK");
		assert_string_equal(text + text_len - 2, "\n\n");
	}
	assert_int_equal(refused, 2 + 2 + 3 + 2 + 1);
	assert_true(broken > 0);
	leave_all(entries);
}

static void a_listing_that_is_not_read_to_the_end_leaves_nothing(void **state)
{
	struct ledger_entry *entries[200];

	(void)state;
	fill_all(entries);
	for (size_t i = 0; i < COUNT(listings); i++) {
		begin();
		listings[i](&parts, &r);
		assert_true(take_piece());
		assert_non_null(r.source);
		reply_reset(&r);
		assert_null(r.source);
	}
	leave_all(entries);
}

#define listing_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		listing_test(no_connections_are_a_head_without_lines),
		listing_test(a_session_that_has_said_nothing_has_dashes),
		listing_test(a_session_has_all_that_is_known_of_it),
		listing_test(each_phase_has_its_word),
		listing_test(sessions_come_by_id_wherever_their_slots_are),
		listing_test(bytes_that_would_break_a_line_are_escaped),
		listing_test(the_longest_name_of_bytes_to_escape_fits),
		listing_test(many_sessions_come_in_pieces),
		listing_test(a_session_that_ends_meanwhile_is_left_out),
		listing_test(when_all_the_rest_has_ended_the_listing_ends),
		listing_test(users_are_those_who_have_a_session),
		listing_test(many_users_come_in_pieces_on_one_line),
		listing_test(accounts_are_all_users_with_what_they_did),
		listing_test(clients_are_those_who_are_remembered),
		listing_test(clients_are_told_by_name_where_they_have_one),
		listing_test(many_accounts_come_in_pieces),
		listing_test(only_the_sessions_of_one_come_when_that_is_asked_for),
		listing_test(only_those_of_some_days_come_when_that_is_asked_for),
		listing_test(an_access_log_without_entries_says_so),
		listing_test(entries_come_oldest_first_in_local_time),
		listing_test(only_the_newest_come_when_that_is_asked_for),
		listing_test(many_entries_come_in_pieces),
		listing_test(entries_that_are_overwritten_meanwhile_are_left_out),
		listing_test(when_all_entries_are_overwritten_there_are_none),
		listing_test(without_memory_a_listing_is_refused_or_breaks_off),
		listing_test(a_listing_that_is_not_read_to_the_end_leaves_nothing),
	};

	return cmocka_run_group_tests_name("monitor/listings", tests, NULL, NULL);
}
