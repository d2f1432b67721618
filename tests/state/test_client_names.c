/* client_names: the four kinds of files, what is skipped in them, and how a file is followed. */
#include "state/client_names.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/check.h"
#include "../base/scratch.h"

/* All that the text gives, as "ADDRESS NAME, ...". */
static const char *read_all(const char *text, enum leases_format *format)
{
	static char said[1024];
	char *copy = strdup(text), *rest = copy, *line, addr[ADDR_TEXT_MAX];
	struct leases_reader r = {.format = LEASES_UNKNOWN};
	struct leased leased;

	said[0] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (leases_read_line(&r, line, &leased))
			snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s%s %s",
				said[0] == '\0' ? "" : ", ", addr_format_host(&leased.addr, addr),
				leased.name);
	}
	free(copy);
	*format = r.format;
	return said;
}

#define KEA4                                                                                       \
	"address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,"     \
	"state,user_context,pool_id\n"
#define KEA6                                                                                       \
	"address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,"   \
	"fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source,pool_id\n"

static void each_kind_of_file_gives_names(void **state)
{
	static const struct {
		const char *text, *names;
		enum leases_format format;
	} rows[] = {
		{"", "", LEASES_UNKNOWN},
		{"# nothing\n\n   \n", "", LEASES_UNKNOWN},
		{"192.168.1.5 tv\n", "192.168.1.5 tv", LEASES_HOSTS},
		{"# home\n192.168.1.5\ttv.lan. tv # in the kitchen\n::1 localhost\n",
			"192.168.1.5 tv.lan, ::1 localhost", LEASES_HOSTS},
		{"192.168.1.5 # no name\nno-address tv\n192.168.1.6 .\n", "", LEASES_HOSTS},
		{"192.168.1.5 tv\r\n192.168.1.6 radio\r\n", "192.168.1.5 tv, 192.168.1.6 radio",
			LEASES_HOSTS},
		{"1764201600 aa:bb:cc:dd:ee:ff 192.168.1.5 tv 01:aa:bb:cc:dd:ee:ff\n"
		 "0 aa:bb:cc:dd:ee:01 192.168.1.6 * *\n"
		 "1764201600 aa:bb:cc:dd:ee:02 192.168.1.7\n"
		 "duid 00:01:00:01:2c\n"
		 "1764201600 12345 2001:db8::5 laptop 00:01:00:01\n",
			"192.168.1.5 tv, 2001:db8::5 laptop", LEASES_DNSMASQ},
		{"duid 00:01\n1764201600 12345 2001:db8::5 laptop 00:01\n", "2001:db8::5 laptop",
			LEASES_DNSMASQ},
		{"# The format of this file is documented in the dhcpd.leases(5) manual page.\n"
		 "authoring-byte-order little-endian;\n"
		 "server-duid \"\\000\\001\";\n"
		 "lease 192.168.1.5 {\n"
		 "  starts 4 2025/11/27 00:00:00;\n"
		 "  binding state active;\n"
		 "  hardware ethernet aa:bb:cc:dd:ee:ff;\n"
		 "  uid \"\\001\\252\";\n"
		 "  client-hostname \"tv\";\n"
		 "}\n"
		 "client-hostname \"nobody\";\n"
		 "lease 192.168.1.6 {\n"
		 "  client-hostname \"the \\\"big\\\" one\";\n"
		 "}\n",
			"192.168.1.5 tv, 192.168.1.6 the \"big\" one", LEASES_ISC},
		{"lease 192.168.1.5 { client-hostname \"tv\"; }\nlease nobody {\n"
		 "client-hostname \"x\";\n}\nlease 192.168.1.9 {\nclient-hostname \"half\n"
		 "client-hostname \"\";\n",
			"192.168.1.5 tv", LEASES_ISC},
		{KEA4 "192.168.1.5,aa:bb:cc:dd:ee:ff,,3600,1764201600,1,0,0,tv.lan.,0,,0\n"
		      "192.168.1.6,aa:bb:cc:dd:ee:01,,3600,1764201600,1,0,0,,0,,0\n"
		      "192.168.1.7,aa\n",
			"192.168.1.5 tv.lan", LEASES_KEA},
		{KEA6 "2001:db8::5,00:01,3600,1764201600,1,3000,0,1,128,0,0,laptop,,0,,,,0\n",
			"2001:db8::5 laptop", LEASES_KEA},
		{"address,hostname\r\n192.168.1.5,tv\r\n", "192.168.1.5 tv", LEASES_KEA},
		{"address,hwaddr\n192.168.1.5,tv\n", "", LEASES_KEA},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum leases_format format;

		assert_string_equal(read_all(rows[i].text, &format), rows[i].names);
		assert_int_equal(format, rows[i].format);
	}
}

/* ---- the names ---- */

static unsigned said;

static void count_said(const char *why)
{
	(void)why;
	said++;
}

static void assert_name(struct client_names *n, const char *host, const char *name)
{
	char text[CLIENT_NAME_TEXT_MAX];
	struct addr addr;

	assert_true(addr_parse(host, strlen(host), &addr));
	addr_set_port(&addr, 1234);
	assert_string_equal(client_names_find(n, &addr, text), name);
}

static void write_names(const char *text)
{
	FILE *file = fopen("names.new", "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(rename("names.new", "names"), 0);
}

static void a_file_is_followed(void **state)
{
	struct client_names *n = client_names_new(count_said);

	(void)state;
	said = 0;
	assert_non_null(n);
	client_names_follow(n, "");
	assert_name(n, "192.168.1.5", "");
	client_names_follow(n, "names"); /* which is not there yet */
	assert_name(n, "192.168.1.5", "");
	write_names("192.168.1.5 tv\n2001:db8::5 laptop\n192.168.1.5 screen\n");
	client_names_follow(n, "names");
	assert_name(n, "192.168.1.5", "screen");
	assert_name(n, "2001:db8::5", "laptop");
	assert_name(n, "192.168.1.6", "");
	write_names("192.168.1.6 radio\n");
	client_names_follow(n, "names");
	assert_name(n, "192.168.1.5", "");
	assert_name(n, "192.168.1.6", "radio");
	client_names_follow(n, "");
	assert_name(n, "192.168.1.6", "");
	assert_int_equal(said, 0);
	client_names_free(n);
}

static void what_cannot_be_read_is_said_once_and_the_names_stay(void **state)
{
	struct client_names *n = client_names_new(count_said);

	(void)state;
	said = 0;
	write_names("192.168.1.5 tv\n");
	client_names_follow(n, "names");
	assert_int_equal(unlink("names"), 0);
	assert_int_equal(mkdir("names", 0700), 0);
	client_names_follow(n, "names");
	client_names_follow(n, "names");
	assert_int_equal(said, 1);
	assert_name(n, "192.168.1.5", "tv");
	assert_int_equal(rmdir("names"), 0);
	client_names_free(n);
}

/* Devices call themselves whatever they like. */
static void names_are_shown_as_one_printable_word(void **state)
{
	struct client_names *n = client_names_new(NULL);
	char line[512];

	(void)state;
	write_names("address,hostname\n192.168.1.5,a b\\\x1b[31m\xff\n192.168.1.6,K\xc3\xbc"
		    "che\n");
	client_names_follow(n, "names");
	assert_name(n, "192.168.1.5", "a\\x20b\\x5c\\x1b[31m\\xff");
	assert_name(n, "192.168.1.6",
		"K\xc3\xbc"
		"che");
	snprintf(line, sizeof(line), "192.168.1.7 %0300d\n", 0);
	write_names(line);
	client_names_follow(n, "names");
	snprintf(line, sizeof(line), "%0*d", CLIENT_NAME_MAX, 0);
	assert_name(n, "192.168.1.7", line);
	client_names_free(n);
}

static void without_any_there_are_no_names(void **state)
{
	(void)state;
	assert_name(NULL, "192.168.1.5", "");
	client_names_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_file_gives_names),
		cmocka_unit_test_setup_teardown(a_file_is_followed, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_is_said_once_and_the_names_stay,
			scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
			names_are_shown_as_one_printable_word, scratch_enter, scratch_leave),
		cmocka_unit_test(without_any_there_are_no_names),
	};

	return cmocka_run_group_tests_name("state/client_names", tests, NULL, NULL);
}
