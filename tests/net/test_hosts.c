/* hosts: what a hosts(5) file may look like, and following its changes. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/hosts.h"
#include "suite.h"
#include "tmp.h"

static char folder[TMP_MAX_PATH], path[TMP_MAX_PATH + 8];
static struct hosts *hosts;
static struct lookup_answer answers[LOOKUP_FAMILIES];

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(tmp_template(folder, "socks5d-hosts")));
	snprintf(path, sizeof(path), "%s/hosts", folder);
	hosts = hosts_new(path);
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
		TEST(follows_changes_of_the_file),
		TEST(keeps_no_more_addresses_than_an_answer_holds),
		TEST(skips_names_that_are_too_long),
		TEST(threads_share_it_while_it_changes),
	};

	return cmocka_run_group_tests_name("net/hosts", tests, NULL, NULL);
}
