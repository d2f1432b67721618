/* own_pages: what a browser gets for a request, over a connection of TCP. */
#include "proxy/own_pages.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/check.h"
#include "base/clock.h"
#include "net.h"
#include "proxy/services.h"
#include "state/ledger_limits.h"

static struct config *config;
static struct registry *registry;
static struct ledger *ledger;
static struct services services;
static struct handshake h;
static struct addr from;
static uint16_t port; /* of the proxy */
static char answer[1 << 17];
static size_t answer_len;

/* The stream for which there will be no memory; 0: for each of them there is. */
static int lacking_stream, streams;

FILE *__real_open_memstream(char **text, size_t *size);
FILE *__wrap_open_memstream(char **text, size_t *size);

FILE *__wrap_open_memstream(char **text, size_t *size)
{
	return ++streams == lacking_stream ? NULL : __real_open_memstream(text, size);
}

static int setup(void **state)
{
	struct config_source source = {.path = NULL};
	char error[CONFIG_ERROR_MAX];

	(void)state;
	lacking_stream = streams = 0;
	config = config_read(&source, error);
	assert_non_null(config);
	registry = registry_new(1);
	ledger = ledger_new(16, NULL);
	from = net_addr("192.0.2.77", 4711);
	places_init(&services.places, 4);
	services.own = own_new();
	h = (struct handshake){.config = config,
		.from = &from,
		.services = &services,
		.slot = registry_slot_at(registry, 0)};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ledger_leave(h.client_entry, clock_ms());
	ledger_free(ledger);
	own_free(services.own);
	registry_free(registry);
	config_release(config);
	return 0;
}

static void set(const char *name, const char *value)
{
	const struct setting_input in = {.text = value};
	char why[SETTING_ERROR_MAX];

	assert_true(setting_set(settings_find(name), &config->settings, &in, why));
}

static void limit_client(const char *text)
{
	struct limits_in_force f = {.of_anonymous = 0};
	char why[LIMITS_ERROR_MAX];
	size_t running;

	h.client_entry = ledger_join_client(ledger, &from, clock_ms(), &running);
	assert_non_null(h.client_entry);
	assert_true(limits_parse(text, LIMITS_OF_USERS, &f.limits, why));
	assert_int_equal(ledger_limit_user(h.client_entry, &f), 0);
}

static void receive_answer(int client)
{
	ssize_t n;

	answer_len = 0;
	while ((n = read(client, answer + answer_len, sizeof(answer) - 1 - answer_len)) > 0)
		answer_len += (size_t)n;
	assert_int_equal(n, 0);
	answer[answer_len] = '\0';
}

/* The client has come to this address of the proxy. */
static void ask_at(const char *host, const char *request)
{
	int listener = net_listen(host, &port), client = net_connect(host, port);
	struct http_request r;
	size_t seen = 0;
	int len;

	h.client = net_accept(listener);
	assert_int_equal(fcntl(h.client, F_SETFL, O_NONBLOCK), 0);
	h.deadline = clock_deadline(NET_PATIENCE_S * 1000);
	h.answered = false;
	len = http_parse_request((const uint8_t *)request, strlen(request), &seen, &r);
	assert_true(len > 0);
	assert_false(own_pages_answer(&h, &r));
	close(h.client);
	receive_answer(client);
	close(client);
	close(listener);
	assert_true(h.answered);
}

static void ask(const char *request)
{
	ask_at("127.0.0.1", request);
}

static const char *body(void)
{
	const char *end = strstr(answer, "\r\n\r\n");

	assert_non_null(end);
	return end + 4;
}

static bool has(const char *part)
{
	return strstr(answer, part) != NULL;
}

/* In which PORT stands for the port. */
static bool has_with_port(const char *format)
{
	char part[256], *mark;

	snprintf(part, sizeof(part), "%s", format);
	mark = strstr(part, "PORT");
	assert_non_null(mark);
	snprintf(mark, sizeof(part) - (size_t)(mark - part), "%u%s", port,
		format + (mark - part) + 4);
	return has(part);
}

static void each_path_has_its_page(void **state)
{
	static const struct {
		const char *path, *status, *type, *part;
		enum end_reason reason;
	} rows[] = {
		{"/", "200 OK", "text/html; charset=utf-8", "<!doctype html>", END_OWN_PAGE},
		{"/?x=1", "200 OK", "text/html; charset=utf-8", "<!doctype html>", END_OWN_PAGE},
		{"/proxy.pac", "200 OK", "application/x-ns-proxy-autoconfig", "FindProxyForURL",
			END_OWN_PAGE},
		{"/proxy.pac?", "200 OK", "application/x-ns-proxy-autoconfig", "FindProxyForURL",
			END_OWN_PAGE},
		{"/wpad.dat", "200 OK", "application/x-ns-proxy-autoconfig", "FindProxyForURL",
			END_OWN_PAGE},
		{"/healthz", "200 OK", "text/plain; charset=utf-8", "ok\n", END_HEALTH_CHECK},
		{"/favicon.ico", "404 Not Found", "text/plain; charset=utf-8", "no such page",
			END_OWN_PAGE},
		{"/healthz/", "404 Not Found", "text/plain; charset=utf-8", "no such page",
			END_OWN_PAGE},
		{"//", "404 Not Found", "text/plain; charset=utf-8", "no such page", END_OWN_PAGE},
		{"/PROXY.PAC", "404 Not Found", "text/plain; charset=utf-8", "no such page",
			END_OWN_PAGE},
		{"/../proxy.pac", "404 Not Found", "text/plain; charset=utf-8", "no such page",
			END_OWN_PAGE},
		{"/<script>", "404 Not Found", "text/plain; charset=utf-8", "no such page",
			END_OWN_PAGE},
	};
	char request[256], expected[128];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: h\r\n\r\n",
			rows[i].path);
		ask(request);
		snprintf(expected, sizeof(expected), "HTTP/1.1 %s\r\n", rows[i].status);
		assert_begins(answer, expected);
		snprintf(expected, sizeof(expected), "\r\nContent-Type: %s\r\n", rows[i].type);
		assert_true(has(expected));
		assert_true(has("\r\nConnection: close\r\n"));
		assert_true(has("\r\nX-Content-Type-Options: nosniff\r\n"));
		assert_non_null(strstr(body(), rows[i].part));
		snprintf(expected, sizeof(expected), "\r\nContent-Length: %zu\r\n", strlen(body()));
		assert_true(has(expected));
		assert_false(has("<script"));
		assert_int_equal(h.reason, rows[i].reason);
	}
}

static void head_gets_the_same_head_and_nothing_else(void **state)
{
	static const char *const paths[] = {"/", "/proxy.pac", "/wpad.dat", "/healthz", "/other"};
	char request[128], length[64];

	(void)state;
	set("proxy_name", "p"); /* or the port would be another one each time */
	for (size_t i = 0; i < COUNT(paths); i++) {
		snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\nHost: p\r\n\r\n", paths[i]);
		ask(request);
		snprintf(length, sizeof(length), "\r\nContent-Length: %zu\r\n", strlen(body()));
		snprintf(request, sizeof(request), "HEAD %s HTTP/1.0\r\nHost: p\r\n\r\n", paths[i]);
		ask(request);
		assert_string_equal(body(), "");
		assert_true(has(length));
	}
}

static void pages_can_only_be_got(void **state)
{
	static const char *const methods[] = {
		"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "get", "HEADS"};
	static const char *const paths[] = {"/", "/proxy.pac", "/wpad.dat", "/healthz"};
	char request[128];

	(void)state;
	ask("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_begins(answer, "HTTP/1.1 405 Method Not Allowed\r\n");
	for (size_t i = 0; i < COUNT(methods); i++) {
		for (size_t k = 0; k < COUNT(paths); k++) {
			snprintf(request, sizeof(request),
				"%s %s HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n",
				methods[i], paths[k]);
			ask(request);
			assert_begins(answer, "HTTP/1.1 405 Method Not Allowed\r\n");
			assert_true(has("\r\nAllow: GET, HEAD\r\n"));
		}
		snprintf(request, sizeof(request), "%s /other HTTP/1.1\r\nHost: h\r\n\r\n",
			methods[i]);
		ask(request);
		assert_begins(answer, "HTTP/1.1 404 Not Found\r\n");
	}
}

static void the_address_is_the_one_that_the_client_has_come_to(void **state)
{
	(void)state;
	ask("GET /proxy.pac HTTP/1.1\r\nHost: 203.0.113.99:4711\r\n\r\n");
	assert_true(has_with_port("\"PROXY 127.0.0.1:PORT; "));
	assert_false(has("203.0.113.99"));
	ask_at("127.0.0.9", "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n");
	assert_true(has_with_port("<code>http://127.0.0.9:PORT<wbr>"));
	assert_true(has("no other device"));
	assert_false(has("evil.example"));
}

static void an_ipv6_address_has_its_brackets(void **state)
{
	(void)state;
	ask_at("::1", "GET /proxy.pac HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(has_with_port("\"PROXY [::1]:PORT; "));
	ask_at("::1", "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(has_with_port("<code>http://[::1]:PORT<wbr>"));
}

static void a_name_of_the_proxy_is_told_as_it_was_asked_for(void **state)
{
	static const struct {
		const char *request, *proxy; /* NULL: our own end of the connection */
	} rows[] = {
		{"GET /proxy.pac HTTP/1.1\r\nHost: Proxy.Example.org:8081\r\n\r\n",
			"\"PROXY proxy.example.org:8081; "},
		{"GET /proxy.pac HTTP/1.1\r\nHost: proxy.example.org\r\n\r\n",
			"\"PROXY proxy.example.org:80; "},
		{"GET /proxy.pac HTTP/1.1\r\nHost: 203.0.113.7:1080\r\n\r\n",
			"\"PROXY 203.0.113.7:1080; "},
		{"GET /proxy.pac HTTP/1.1\r\nHost: [2001:DB8::7]:1080\r\n\r\n",
			"\"PROXY [2001:db8::7]:1080; "},
		{"GET /proxy.pac HTTP/1.1\r\nHost: www.example.org\r\n\r\n", NULL},
		{"GET /proxy.pac HTTP/1.0\r\n\r\n", NULL},
		{"GET http://proxy.example.org:8081/proxy.pac HTTP/1.1\r\nHost: x\r\n\r\n",
			"\"PROXY proxy.example.org:8081; "},
		{"GET http://127.0.0.1:1/proxy.pac HTTP/1.1\r\nHost: proxy.example.org\r\n\r\n",
			NULL},
	};

	(void)state;
	set("proxy_name", "proxy.example.org, 203.0.113.7, 2001:db8::7");
	for (size_t i = 0; i < COUNT(rows); i++) {
		ask(rows[i].request);
		if (rows[i].proxy != NULL)
			assert_true(has(rows[i].proxy));
		else
			assert_true(has_with_port("\"PROXY 127.0.0.1:PORT; "));
	}
	/* It names no port of the proxy's. */
	ask("GET http://proxy.example.org/proxy.pac HTTP/1.1\r\nHost: proxy.example.org\r\n\r\n");
	assert_true(has_with_port("\"PROXY proxy.example.org:PORT; "));
	ask("GET http://proxy.example.org HTTP/1.1\r\nHost: proxy.example.org\r\n\r\n");
	assert_true(has_with_port("<code>http://proxy.example.org:PORT<wbr>"));
	assert_false(has("no other device"));
}

static void who_came_by_a_balancer_is_told_a_name(void **state)
{
	static const char request[] = "GET /proxy.pac HTTP/1.1\r\nHost: 198.51.100.9:3128\r\n\r\n";
	const struct addr useless[] = {
		net_addr("0.0.0.0", 3128), net_addr("127.0.0.9", 3128), net_addr("203.0.113.1", 0)};

	(void)state;
	h.reached = net_addr("203.0.113.1", 3128);
	ask(request);
	assert_true(has("\"PROXY 203.0.113.1:3128; ")); /* there is no name */
	ask("GET / HTTP/1.1\r\nHost: balancer.example\r\n\r\n");
	assert_true(has("<code>http://203.0.113.1:3128<wbr>"));
	assert_false(has("no other device"));
	for (size_t i = 0; i < COUNT(useless); i++) {
		h.reached = useless[i];
		ask(request);
		assert_true(has_with_port("\"PROXY 127.0.0.1:PORT; "));
	}
	set("proxy_name", "proxy.example.org, other.example.org");
	ask(request);
	assert_true(has("\"PROXY proxy.example.org:3128; "));
	ask("GET /proxy.pac HTTP/1.1\r\nHost: other.example.org:3129\r\n\r\n");
	assert_true(has("\"PROXY other.example.org:3129; "));
	h.reached.sa.sa_family = AF_UNSPEC;
	ask(request);
	assert_true(has_with_port("\"PROXY 127.0.0.1:PORT; "));
}

/* Which requests are for the proxy that listens at these addresses, where the client has come to
 * 127.0.0.1. */
static void the_proxy_is_meant_by_its_listeners_and_names(void **state)
{
	static const struct {
		const char *target;
		bool is_meant;
	} rows[] = {
		{"/", true},
		{"/proxy.pac", true},
		{"http://127.0.0.1:PORT/", true}, /* where it has come to */
		{"http://127.0.0.1:PORT", true},
		{"HTTP://127.0.0.1:PORT/x", true},
		{"https://127.0.0.1:PORT/", false},
		{"http://127.0.0.1:1080/", true}, /* 0.0.0.0 is listened on */
		{"http://127.0.0.1:1081/", false},
		{"http://203.0.113.1:1080/", false},
		{"http://[::1]:1080/", false},
		{"http://[::1]:8081/", true},
		{"http://[::2]:8081/", false},
		{"http://proxy.example.org/", true},
		{"http://PROXY.example.org.:1080/", true},
		{"http://proxy.example.org:8081/", true},
		{"http://proxy.example.org:PORT/", true},
		{"http://proxy.example.org:3000/", false}, /* another server of that host */
		{"http://203.0.113.7/", true},
		{"http://www.example.org/", false},
		{"http://www.example.org:1080/", false},
		{"http://localhost:1081/", false},
		{"http://203.0.113.1:3128/", true}, /* where the balancer was reached */
		{"http://203.0.113.1:3129/", false},
	};
	int listener = net_listen("127.0.0.1", &port), fd = net_connect("127.0.0.1", port);
	char request[256], target[128], *mark;

	(void)state;
	set("listen", "0.0.0.0, [::1]:8081");
	set("proxy_name", "proxy.example.org, 203.0.113.7");
	h.client = net_accept(listener);
	h.reached = net_addr("203.0.113.1", 3128);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct http_request r;
		size_t seen = 0;

		snprintf(target, sizeof(target), "%s", rows[i].target);
		mark = strstr(target, "PORT");
		if (mark != NULL)
			snprintf(mark, 16, "%u%s", port, strstr(rows[i].target, "PORT") + 4);
		snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", target);
		assert_true(http_parse_request(
				    (const uint8_t *)request, strlen(request), &seen, &r) > 0);
		if (own_pages_are_meant(&h, &r) != rows[i].is_meant)
			fail_msg("%s", target);
	}
	close(h.client);
	close(fd);
	close(listener);
}

static void the_page_can_be_switched_off_and_the_rest_stays(void **state)
{
	(void)state;
	set("setup_page", "no");
	ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_begins(answer, "HTTP/1.1 404 Not Found\r\n");
	assert_non_null(strstr(body(), "no such page"));
	ask("GET /proxy.pac HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_begins(answer, "HTTP/1.1 200 OK\r\n");
	ask("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_begins(answer, "HTTP/1.1 200 OK\r\n");
}

static void the_script_follows_the_settings(void **state)
{
	(void)state;
	ask("GET /proxy.pac HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(has("; SOCKS5 127.0.0.1:"));
	assert_false(has("; DIRECT"));
	assert_false(has("wants a login"));
	assert_true(has("dnsDomainIs(host, \".home.arpa\")"));
	set("protocols", "http");
	set("pac_fallback", "direct");
	set("pac_direct", "www.example.org");
	set("auth", "required");
	ask("GET /wpad.dat HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(has_with_port("return \"PROXY 127.0.0.1:PORT; DIRECT\";"));
	assert_true(has("wants a login"));
	assert_true(has("if (host == \"www.example.org\")"));
}

static void who_has_limits_is_told_of_them(void **state)
{
	(void)state;
	ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_false(has("Your limits"));
	limit_client("sessions=7 quota=1GB/day");
	ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(has("Of this device, 192.0.2.77."));
	assert_true(has("7, of which 0 in use"));
	assert_true(has("1GB a day"));
}

/* By a name that is somebody else's another site reads the page in a client's browser. */
static void limits_are_told_under_names_of_ours_only(void **state)
{
	static const struct {
		const char *host;
		bool is_told;
	} rows[] = {{"evil.example", false}, {"EVIL.example.:1080", false},
		{"wpad.evil.example", false}, {"127.0.0.1.evil.example:80", false},
		{"proxy.example.org", true}, {"127.0.0.1:1080", true}, {"[::1]:1080", true},
		{"203.0.113.99", true}, {"wpad", true}, {"wpad.lan", true},
		{"localhost:1080", true}, {"box.home.arpa", true}};
	char request[256];

	(void)state;
	set("proxy_name", "proxy.example.org");
	limit_client("sessions=7");
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n",
			rows[i].host);
		ask(request);
		assert_begins(answer, "HTTP/1.1 200 OK\r\n");
		if (has("Your limits") != rows[i].is_told || has("192.0.2.77") != rows[i].is_told)
			fail_msg("%s", rows[i].host);
	}
	ask("GET / HTTP/1.0\r\n\r\n");
	assert_true(has("Your limits"));
	ask("GET http://proxy.example.org/ HTTP/1.1\r\nHost: evil.example\r\n\r\n");
	assert_true(has("Your limits"));
}

static void a_login_is_spoken_of(void **state)
{
	static const char *const rows[][2] = {{"none", "None is needed"},
		{"optional", "Not needed."}, {"required", "are needed."}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		set("auth", rows[i][0]);
		ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
		assert_true(has(rows[i][1]));
	}
}

static void the_browser_is_guessed(void **state)
{
	(void)state;
	ask("GET / HTTP/1.1\r\nHost: h\r\nuser-agent: curl/7.88.1\r\n\r\n");
	assert_true(has("<details open id=\"curl\">"));
}

static void health_is_a_word(void **state)
{
	(void)state;
	ask("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_string_equal(body(), "ok\n");
	for (size_t i = 0; i < 4; i++)
		places_take(&services.places);
	ask("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_begins(answer, "HTTP/1.1 503 Service Unavailable\r\n");
	assert_string_equal(body(), "saturated\n");
	places_close(&services.places);
	ask("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_begins(answer, "HTTP/1.1 503 Service Unavailable\r\n");
	assert_string_equal(body(), "draining\n");
	assert_int_equal(h.reason, END_HEALTH_CHECK);
}

static void only_the_script_may_be_kept(void **state)
{
	(void)state;
	ask("GET /proxy.pac HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(has("\r\nCache-Control: max-age=600\r\n"));
	ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(has("\r\nCache-Control: no-store\r\n"));
	assert_true(has("\r\nContent-Security-Policy: default-src 'none'; "));
	assert_true(has("\r\nReferrer-Policy: no-referrer\r\n"));
	assert_false(has("Set-Cookie"));
}

/* Never half a page, and never one without an address. */
static void without_memory_it_says_that_it_cannot(void **state)
{
	static const char *const paths[] = {"/", "/proxy.pac", "/healthz", "/other"};
	char request[128];
	bool was_whole;

	(void)state;
	set("proxy_name", "proxy.example.org");
	for (size_t i = 0; i < COUNT(paths); i++) {
		snprintf(request, sizeof(request),
			"GET %s HTTP/1.1\r\nHost: proxy.example.org:1\r\n\r\n", paths[i]);
		was_whole = false;
		for (lacking_stream = 1; !was_whole; lacking_stream++) {
			streams = 0;
			ask(request);
			was_whole = streams < lacking_stream;
			if (strncmp(answer, "HTTP/1.1 503 ", 13) == 0)
				assert_string_equal(body(), "");
			else if (i < 2)
				assert_true(has("proxy.example.org:1") || has("127.0.0.1:"));
		}
		assert_true(lacking_stream > 2);
	}
}

static void a_client_that_leaves_is_not_answered(void **state)
{
	static const char request[] = "GET / HTTP/1.0\r\n\r\n";
	struct http_request r;
	size_t seen = 0;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	close(pair[0]);
	h.client = pair[1];
	h.deadline = clock_deadline(NET_PATIENCE_S * 1000);
	assert_true(http_parse_request((const uint8_t *)request, strlen(request), &seen, &r) > 0);
	assert_false(own_pages_answer(&h, &r));
	assert_false(h.answered);
	assert_int_equal(h.reason, END_CLIENT_LEFT);
	close(pair[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_path_has_its_page),
		TEST(head_gets_the_same_head_and_nothing_else),
		TEST(pages_can_only_be_got),
		TEST(the_address_is_the_one_that_the_client_has_come_to),
		TEST(an_ipv6_address_has_its_brackets),
		TEST(a_name_of_the_proxy_is_told_as_it_was_asked_for),
		TEST(who_came_by_a_balancer_is_told_a_name),
		TEST(the_proxy_is_meant_by_its_listeners_and_names),
		TEST(the_page_can_be_switched_off_and_the_rest_stays),
		TEST(the_script_follows_the_settings),
		TEST(who_has_limits_is_told_of_them),
		TEST(limits_are_told_under_names_of_ours_only),
		TEST(a_login_is_spoken_of),
		TEST(the_browser_is_guessed),
		TEST(health_is_a_word),
		TEST(only_the_script_may_be_kept),
		TEST(without_memory_it_says_that_it_cannot),
		TEST(a_client_that_leaves_is_not_answered),
	};

	return cmocka_run_group_tests_name("proxy/own_pages", tests, NULL, NULL);
}
