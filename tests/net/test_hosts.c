/* hosts: what a hosts(5) file may look like, and following its changes. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/faults.h"
#include "net/hosts.h"
#include "suite.h"
#include "tmp.h"
#include "unreadable.h"

static char folder[TMP_MAX_PATH], path[TMP_MAX_PATH + 8];
static struct hosts *hosts;
static struct lookup_answer answers[LOOKUP_FAMILIES];

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(tmp_template(folder, "socks5d-hosts")));
	snprintf(path, sizeof(path), "%s/hosts", folder);
	times_said = 0;
	hosts = hosts_new(path, say);
	assert_non_null(hosts);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hosts_free(hosts);
	unlink(path);
	rmdir(folder);
	return 0;
}

static void expect(const char *name, const char *v4, const char *v6)
{
	const char *const expected[] = {[LOOKUP_IPV6] = v6, [LOOKUP_IPV4] = v4};
	char text[1024], one[ADDR_TEXT_MAX];

	assert_true(hosts_find(hosts, name, answers));
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++) {
		text[0] = '\0';
		for (size_t i = 0; i < answers[f].count; i++) {
			strcat(text, i > 0 ? " " : "");
			strcat(text, addr_format_host(&answers[f].addrs[i], one));
		}
		assert_string_equal(text, expected[f]);
		assert_int_equal(
			answers[f].state, text[0] != '\0' ? LOOKUP_FOUND : LOOKUP_NOT_FOUND);
	}
}

static void reads_names_and_aliases_of_both_families(void **state)
{
	(void)state;
	daemon_write_file(path,
		"192.0.2.1 one.test one\n"
		"# 192.0.2.9 comment.test\n"
		"\t2001:db8::1\tone  six # one more: not.a.name\r\n"
		"192.0.2.2 one\n"
		"not-an-address broken.test\n"
		"192.0.2.3\n"
		"0.0.0.0 Ads.Example");
	expect("one.test", "192.0.2.1", "");
	expect("one", "192.0.2.1 192.0.2.2", "2001:db8::1");
	expect("six", "", "2001:db8::1");
	expect("ads.example", "0.0.0.0", "");
	assert_false(hosts_find(hosts, "comment.test", answers));
	assert_false(hosts_find(hosts, "not.a.name", answers));
	assert_false(hosts_find(hosts, "broken.test", answers));
	assert_false(hosts_find(hosts, "192.0.2.3", answers));
}

/* Who blocks a name there does so however it is asked for. */
static void a_last_dot_does_not_count(void **state)
{
	(void)state;
	daemon_write_file(path, "0.0.0.0 ads.example\n192.0.2.1 dotted.example.\n");
	expect("ads.example.", "0.0.0.0", "");
	expect("dotted.example", "192.0.2.1", "");
	assert_false(hosts_find(hosts, "ads.example..", answers));
	assert_false(hosts_find(hosts, ".", answers));
}

/* By any of a name's addresses; what blocks a name counts, too. */
static void tells_which_names_are_this_hosts(void **state)
{
	(void)state;
	daemon_write_file(path,
		"::1 ip6-loopback\n127.0.1.1 me.example me\n192.0.2.1 both\n127.0.0.1 Both\n"
		"0.0.0.0 blocked\n192.0.2.7 me.lan\n");
	assert_true(hosts_names_this_host(hosts, "ip6-loopback"));
	assert_true(hosts_names_this_host(hosts, "me.example."));
	assert_true(hosts_names_this_host(hosts, "me"));
	assert_true(hosts_names_this_host(hosts, "both"));
	assert_true(hosts_names_this_host(hosts, "blocked"));
	assert_false(hosts_names_this_host(hosts, "me.lan"));
	assert_false(hosts_names_this_host(hosts, "other"));
	unlink(path);
	assert_false(hosts_names_this_host(hosts, "me"));
}

static void follows_changes_of_the_file(void **state)
{
	(void)state;
	assert_false(hosts_find(hosts, "name", answers));
	daemon_write_file(path, "192.0.2.1 name\n");
	expect("name", "192.0.2.1", "");
	daemon_write_file(path, "192.0.2.22 name other\n");
	expect("name", "192.0.2.22", "");
	unlink(path);
	assert_false(hosts_find(hosts, "name", answers));
}

static void keeps_no_more_addresses_than_an_answer_holds(void **state)
{
	FILE *f = fopen(path, "we");

	(void)state;
	assert_non_null(f);
	for (int i = 0; i < 100; i++)
		fprintf(f, "192.0.2.%d many\n", i);
	fclose(f);
	assert_true(hosts_find(hosts, "many", answers));
	assert_int_equal(answers[LOOKUP_IPV4].count, RESOLVER_MAX_ADDRS);
}

static void skips_names_that_are_too_long(void **state)
{
	char name[300], text[400];

	(void)state;
	memset(name, 'x', 256);
	name[256] = '\0';
	snprintf(text, sizeof(text), "192.0.2.1 %s fine\n", name);
	daemon_write_file(path, text);
	assert_false(hosts_find(hosts, name, answers));
	expect("fine", "192.0.2.1", "");
}

static void takes_what_editors_make_of_it(void **state)
{
	(void)state;
	daemon_write_file(path,
		"\xef\xbb\xbf"
		"192.0.2.1 first\r\n192.0.2.2 second");
	expect("first", "192.0.2.1", "");
	expect("second", "192.0.2.2", "");
}

/* ---- what cannot be read ---- */

static void expect_said(unsigned times, const char *why)
{
	assert_int_equal(times_said, times);
	assert_non_null(strstr(said, path));
	assert_non_null(strstr(said, why));
}

static void know_one_name(void)
{
	daemon_write_file(path, "192.0.2.1 name\n");
	expect("name", "192.0.2.1", "");
}

static void without_a_descriptor_the_old_names_stay_until_it_can_be_read(void **state)
{
	struct rlimit limit, none;

	(void)state;
	know_one_name();
	daemon_write_file(path, "192.0.2.22 name other\n");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	expect("name", "192.0.2.1", "");
	now += FOLLOWED_AGAIN_MS;
	expect("name", "192.0.2.1", "");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	expect_said(1, "Too many open files");
	expect("name", "192.0.2.1", "");
	now += FOLLOWED_AGAIN_MS - 1;
	expect("name", "192.0.2.1", "");
	now += 1;
	expect("name", "192.0.2.22", "");
}

static void an_error_is_not_the_end_of_the_file(void **state)
{
	(void)state;
	know_one_name();
	daemon_write_file(path, "192.0.2.22 name other\n");
	read_fails = true;
	expect("name", "192.0.2.1", "");
	read_fails = false;
	expect_said(1, "Input/output error");
	/* What changes its rights only is another file, too, and nobody waits. */
	assert_int_equal(chmod(path, 0600), 0);
	expect("name", "192.0.2.22", "");
	/* And the next time it is said again. */
	daemon_write_file(path, "192.0.2.3 name\n");
	read_fails = true;
	expect("name", "192.0.2.22", "");
	read_fails = false;
	expect_said(2, "Input/output error");
}

static void without_memory_the_old_names_stay(void **state)
{
	bool struck = true;

	(void)state;
	know_one_name();
	for (int n = 1; struck; n++) {
		daemon_write_file(path, "192.0.2.22 name other\n192.0.2.23 name third\n");
		chmod(path, n % 2 ? 0600 : 0644);
		faults_fail(n);
		assert_true(hosts_find(hosts, "name", answers));
		struck = faults_struck();
		assert_int_equal(answers[LOOKUP_IPV4].count, struck ? 1 : 2);
	}
	expect_said(1, "Cannot allocate memory");
}

static void what_is_no_text_is_refused_as_a_whole(void **state)
{
	FILE *f;

	(void)state;
	know_one_name();
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite("192.0.2.2 name\n192.0.2.3 a\0b\n", 1, 30, f), 30);
	fclose(f);
	expect("name", "192.0.2.1", "");
	expect_said(1, "NUL byte in line 2");
}

static void *find_often(void *arg)
{
	struct lookup_answer mine[LOOKUP_FAMILIES];
	size_t *found = arg;

	for (int i = 0; i < 2000; i++)
		*found += hosts_find(hosts, "name", mine);
	return NULL;
}

static void threads_share_it_while_it_changes(void **state)
{
	pthread_t threads[4];
	size_t found[4] = {0};

	(void)state;
	daemon_write_file(path, "192.0.2.1 name\n");
	expect("name", "192.0.2.1", "");
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, find_often, &found[i]), 0);
	for (int i = 0; i < 50; i++) {
		char other[96];

		/* Replaced, as an administrator's tools do it: never half a file. */
		snprintf(other, sizeof(other), "%s/new", folder);
		daemon_write_file(other, i % 2 == 0 ? "192.0.2.1 name\n" : "192.0.2.2 name x\n");
		assert_int_equal(rename(other, path), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(found[i], 2000);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(reads_names_and_aliases_of_both_families),
		TEST(a_last_dot_does_not_count),
		TEST(tells_which_names_are_this_hosts),
		TEST(follows_changes_of_the_file),
		TEST(keeps_no_more_addresses_than_an_answer_holds),
		TEST(skips_names_that_are_too_long),
		TEST(takes_what_editors_make_of_it),
		TEST(without_a_descriptor_the_old_names_stay_until_it_can_be_read),
		TEST(an_error_is_not_the_end_of_the_file),
		TEST(without_memory_the_old_names_stay),
		TEST(what_is_no_text_is_refused_as_a_whole),
		TEST(threads_share_it_while_it_changes),
	};

	return cmocka_run_group_tests_name("net/hosts", tests, NULL, NULL);
}
