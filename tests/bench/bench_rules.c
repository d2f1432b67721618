/*
 * What a list of 100,000 names costs: to be read, to be asked, and in memory; and a whole verdict
 * where there are no rules, a hundred of them, and a hundred and the list.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../state/judge.h"
#include "clock.h"
#include "fail.h"
#include "tmp.h"

#define NAMES 100000
#define QUESTIONS 2000000
#define VERDICTS 500000
#define RULES 100

static char names[NAMES][32];

/* In use, by malloc(3). */
static size_t bytes_in_use(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static void write_names(const char *path)
{
	FILE *f = fopen(path, "we");

	if (f == NULL)
		fail("cannot write the list");
	for (unsigned i = 0; i < NAMES; i++) {
		snprintf(names[i], sizeof(names[i]), "ads%u.tracker%u.example", i, i * 7919U % 997);
		fprintf(f, i % 2 == 0 ? "0.0.0.0 %s\n" : ".%s\n", names[i]);
	}
	fclose(f);
}

static void measure_list(const char *path)
{
	char error[RULE_LIST_ERROR_MAX];
	struct rule_list_file file;
	struct rule_name name;
	size_t found = 0, before = bytes_in_use();
	double start = clock_seconds();

	if (rule_list_read(path, true, &file, error) < 0)
		fail(error);
	printf("load of %d names    %8.3f s\n", NAMES, clock_seconds() - start);
	printf("memory a name           %8.1f bytes\n", (double)(bytes_in_use() - before) / NAMES);
	start = clock_seconds();
	for (unsigned i = 0; i < QUESTIONS; i++) {
		const char *text = names[i * 7919U % NAMES];

		rule_name_set(&name, text, strlen(text));
		found += rule_list_has_name(file.list, &name);
	}
	printf("a name that is in it    %8.3f us\n", (clock_seconds() - start) / QUESTIONS * 1e6);
	if (found != QUESTIONS)
		fail("a name was not found");
	start = clock_seconds();
	for (unsigned i = 0; i < QUESTIONS; i++) {
		char text[48];
		size_t len = (size_t)snprintf(text, sizeof(text), "www%u.a.example.org", i);

		rule_name_set(&name, text, len);
		found += rule_list_has_name(file.list, &name);
	}
	printf("a name that is not      %8.3f us (making it included)\n",
		(clock_seconds() - start) / QUESTIONS * 1e6);
	if (found != QUESTIONS)
		fail("a name was found that is not there");
	rule_list_release(file.list);
}

static void measure_verdicts(struct judge *j, const char *what)
{
	struct addr client, addr;
	struct destination dst = destination_of_name("www.example.org", 15, 443);
	struct subject s = {.user = "alice",
		.user_len = 5,
		.groups = "",
		.command = REQUEST_CONNECT,
		.client = &client,
		.dst = &dst,
		.addr = &addr,
		.time = 1795426200};
	size_t allowed = 0;
	double start;

	judge_addr("192.168.1.5", &client);
	judge_addr("93.184.216.34", &addr);
	addr_set_port(&addr, 443);
	if (!judge_compile(j))
		fail(j->error);
	start = clock_seconds();
	for (unsigned i = 0; i < VERDICTS; i++)
		allowed += rules_judge(&j->config, &s).allowed;
	printf("verdict, %-14s %8.3f us\n", what, (clock_seconds() - start) / VERDICTS * 1e6);
	if (allowed != VERDICTS)
		fail("it was denied");
}

static void add_rules(struct judge *j)
{
	for (unsigned i = 0; i < RULES; i++) {
		char rule[128];

		snprintf(rule, sizeof(rule),
			i % 2 == 0 ? "deny to .blocked%u.example, 10.%u.0.0/16"
				   : "deny user user%u to .example.org time mon-fri 0%u:00-13:00",
			i, i % 9);
		if (!judge_set(j, "rule", rule, i > 0))
			fail(j->error);
	}
}

int main(void)
{
	char path[TMP_MAX_PATH], rule[TMP_MAX_PATH + 16];
	static struct judge j;
	int fd = mkstemp(tmp_template(path, "socks5d-names"));

	if (fd < 0 || judge_begin(&j) < 0)
		fail("cannot begin");
	close(fd);
	write_names(path);
	measure_list(path);
	measure_verdicts(&j, "no rules");
	add_rules(&j);
	measure_verdicts(&j, "100 rules");
	snprintf(rule, sizeof(rule), "deny to file:%s", path);
	if (!judge_set(&j, "rule", rule, true))
		fail(j.error);
	measure_verdicts(&j, "and the list");
	judge_end(&j);
	unlink(path);
	return 0;
}
