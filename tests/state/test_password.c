/* password: hashes of several methods made and compared, and what is no hash. */
#include "state/password.h"

#include <sodium.h>

#include "cheap.h"

static int start_sodium(void **state)
{
	(void)state;
	return sodium_init() < 0 ? -1 : 0;
}

static void a_new_hash_matches_its_password_only(void **state)
{
	char hash[PASSWORD_HASH_SIZE];

	(void)state;
	assert_int_equal(password_hash("secret", hash), 0);
	assert_begins(hash, "$y$");
	assert_true(password_hash_is_legal(hash));
	assert_true(is_password("secret", hash));
	assert_false(is_password("Secret", hash));
	assert_false(is_password("secret ", hash));
	assert_false(is_password("", hash));
}

static void every_hash_has_its_own_salt(void **state)
{
	char first[PASSWORD_HASH_SIZE], second[PASSWORD_HASH_SIZE];

	(void)state;
	assert_int_equal(password_hash("secret", first), 0);
	assert_int_equal(password_hash("secret", second), 0);
	assert_string_not_equal(first, second);
}

static void knows_the_hashes_of_other_programs(void **state)
{
	static const struct {
		const char *prefix;
		unsigned long cost;
	} rows[] = {{"$2b$", 4}, {"$2y$", 4}, {"$2a$", 4}, {"$6$", 1000}, {"$5$", 1000}, {"$1$", 0},
		{"$y$", 1}, {"$gy$", 1}, {"$7$", 6}};
	char hash[PASSWORD_HASH_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cheap_hash_by(rows[i].prefix, rows[i].cost, "secret", hash);
		assert_begins(hash, rows[i].prefix);
		if (!password_hash_is_legal(hash))
			fail_msg("%s is a hash", hash);
		assert_true(is_password("secret", hash));
		assert_false(is_password("public", hash));
	}
}

/* What libcrypt would refuse at each login, for want of memory as it says. */
static void parameters_that_nothing_can_be_computed_by_are_no_hash(void **state)
{
	static const char *const wrong[] = {"$y$zzz$abcd$", "$y$$abcd$", "$y$j$abcd$",
		"$y$j5$abcd$", "$y$j.T$abcd$", "$y$jzT$abcd$", "$y$i5T$abcd$", "$y$j5T0$abcd$",
		"$y$j5T.$abcd$", "$y$j5T1.$abcd$", "$y$j5T/.5$abcd$", "$gy$zzz$abcd$",
		"$7$.6..../....abcd$", "$7$46$.../....abcd$"};
	static const char *const right[] = {"$y$j9T$abcd$", "$y$j/T$abcd$", "$y$./.$abcd$",
		"$y$j5T/.$abcd$", "$gy$j9T$abcd$", "$7$46..../....abcd$", "$7$46..../....$"};
	static const char digest[] = "UXtDP6RrvwCoRqlZ5.Ffe12FtwGgiVKstbp48Ba9bc1";
	static const struct {
		const char *hash;
		bool is_legal;
	} others[] = {{"$2b$03$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", false},
		{"$2b$32$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", false},
		{"$2b$4$aabcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", false},
		{"$2b$31$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", true},
		{"$5$rounds=999$abc$UXtDP6RrvwCoRqlZ5.Ffe12FtwGgiVKstbp48Ba9bc1", false},
		{"$5$rounds=01000$abc$UXtDP6RrvwCoRqlZ5.Ffe12FtwGgiVKstbp48Ba9bc1", false},
		{"$5$rounds=9x$abc$UXtDP6RrvwCoRqlZ5.Ffe12FtwGgiVKstbp48Ba9bc1", false},
		{"$5$rounds=1000$abc$UXtDP6RrvwCoRqlZ5.Ffe12FtwGgiVKstbp48Ba9bc1", true}};
	char hash[128];

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		snprintf(hash, sizeof(hash), "%s%s", wrong[i], digest);
		if (password_hash_is_legal(hash))
			fail_msg("%s was taken", hash);
	}
	for (size_t i = 0; i < COUNT(right); i++) {
		snprintf(hash, sizeof(hash), "%s%s", right[i], digest);
		if (!password_hash_is_legal(hash))
			fail_msg("%s was refused", hash);
	}
	for (size_t i = 0; i < COUNT(others); i++) {
		if (password_hash_is_legal(others[i].hash) != others[i].is_legal)
			fail_msg("%s", others[i].hash);
	}
}

static void knows_hashes_made_elsewhere(void **state)
{
	static const struct {
		const char *password, *hash;
	} rows[] = {
		/* glibc's tests of SHA-crypt, and crypt_blowfish's of bcrypt */
		{"Hello world!",
			"$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/"
			"O817G3uBnIFNjnQJuesI68u4OTL"
			"iBFdcbYEdFCoEOfaS35inz1"},
		{"U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(password_hash_is_legal(rows[i].hash));
		assert_true(is_password(rows[i].password, rows[i].hash));
		assert_false(is_password("U*u", rows[i].hash));
	}
}

static void passwords_may_have_255_bytes_of_any_value(void **state)
{
	char password[256], hash[PASSWORD_HASH_SIZE];

	(void)state;
	for (size_t i = 0; i < 255; i++)
		password[i] = (char)(i + 1);
	password[255] = '\0';
	cheap_hash_by("$6$", 1000, password, hash);
	assert_true(is_password(password, hash));
	password[254] = 'x';
	assert_false(is_password(password, hash));
}

static void a_changed_hash_matches_no_more(void **state)
{
	char hash[PASSWORD_HASH_SIZE];
	size_t len;

	(void)state;
	cheap_hash("secret", hash);
	len = strlen(hash);
	hash[len - 2] = hash[len - 2] == 'a' ? 'b' : 'a';
	assert_false(is_password("secret", hash));
	hash[len - 2] = '\0';
	assert_false(is_password("secret", hash));
}

static void nothing_matches_the_decoy(void **state)
{
	char decoy[PASSWORD_HASH_SIZE];

	(void)state;
	assert_int_equal(password_decoy(decoy), 0);
	assert_begins(decoy, "$y$");
	assert_false(is_password("", decoy));
	assert_false(is_password("secret", decoy));
	assert_false(is_password(decoy, decoy));
}

static void nothing_matches_what_is_no_hash(void **state)
{
	static const char *const rows[] = {
		"", "*", "!", "x", "*0", "*1", "secret", "$", "$$", "$9$salt$digest", "se cret"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_false(is_password("secret", rows[i]));
		assert_false(is_password("", rows[i]));
		assert_false(is_password(rows[i], rows[i]));
	}
}

static void assert_illegal(const char *hash)
{
	if (password_hash_is_legal(hash))
		fail_msg("\"%s\" was taken for a hash", hash);
}

static void what_no_method_makes_is_no_hash(void **state)
{
	static const char *const rows[] = {"", "*", "!", "*0", "!!", "x", "secret", "$6$", "$y$",
		"correct horse battery staple", "$9$saltsalt$0123456789012345678901",
		"$apr1$abcdefgh$0123456789012345678901", "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_illegal(rows[i]);
}

static void what_is_longer_than_any_hash_is_none(void **state)
{
	char hash[PASSWORD_HASH_SIZE + 1];

	(void)state;
	cheap_hash("secret", hash);
	for (size_t i = strlen(hash); i < PASSWORD_HASH_SIZE; i++)
		hash[i] = 'a';
	hash[PASSWORD_HASH_SIZE] = '\0';
	assert_illegal(hash);
}

/* A line of a users file that was copied in part. */
static void a_hash_without_all_of_its_digest_is_none(void **state)
{
	static const struct {
		const char *prefix;
		unsigned long cost;
	} rows[] = {{"$2b$", 4}, {"$6$", 1000}, {"$5$", 1000}, {"$y$", 1}};
	char hash[PASSWORD_HASH_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cheap_hash_by(rows[i].prefix, rows[i].cost, "secret", hash);
		for (size_t len = strlen(hash) - 1; len > 0; len--) {
			hash[len] = '\0';
			assert_illegal(hash);
		}
	}
}

static void a_hash_with_more_behind_it_is_none(void **state)
{
	char hash[PASSWORD_HASH_SIZE];

	(void)state;
	cheap_hash("secret", hash);
	strcat(hash, "x");
	assert_illegal(hash);
}

/* To crypt(3) these are hashes of DES with the salts "pl", "co" and "hu". */
static void a_plain_password_is_no_hash(void **state)
{
	static const char *const rows[] = {
		"plain-text-password", "correcthorsebattery", "hunter2hunter2"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_illegal(rows[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_hash_matches_its_password_only),
		cmocka_unit_test(every_hash_has_its_own_salt),
		cmocka_unit_test(knows_the_hashes_of_other_programs),
		cmocka_unit_test(parameters_that_nothing_can_be_computed_by_are_no_hash),
		cmocka_unit_test(knows_hashes_made_elsewhere),
		cmocka_unit_test(passwords_may_have_255_bytes_of_any_value),
		cmocka_unit_test(a_changed_hash_matches_no_more),
		cmocka_unit_test(nothing_matches_the_decoy),
		cmocka_unit_test(nothing_matches_what_is_no_hash),
		cmocka_unit_test(what_no_method_makes_is_no_hash),
		cmocka_unit_test(what_is_longer_than_any_hash_is_none),
		cmocka_unit_test(a_hash_without_all_of_its_digest_is_none),
		cmocka_unit_test(a_hash_with_more_behind_it_is_none),
		cmocka_unit_test(a_plain_password_is_no_hash),
	};

	return cmocka_run_group_tests_name("state/password", tests, start_sodium, NULL);
}
