/*
 * What the real server's front does for those who mean no good: on each path that it has, which are
 * found as a browser finds them, by what one page says of others.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "monitor.h"
#include "monitor/commands.h"
#include "net.h"
#include "suite.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define COOKIE_SIZE 128
#define PATH_MAX_LEN 128
#define PATHS_MAX 200

static struct daemon d;
static uint16_t port;
static char admin[COOKIE_SIZE], user[COOKIE_SIZE]; /* fields, with their line ends */

static char paths[PATHS_MAX][PATH_MAX_LEN];
static size_t path_count;

/* ---- asking ---- */

/* All that is answered, behind which the connection ends. */
static const char *ask_raw(const char *bytes, size_t len)
{
	int fd = net_connect("127.0.0.1", port);
	const char *answer;

	net_send(fd, bytes, len);
	answer = monitor_read_to_end(fd);
	close(fd);
	return answer;
}

static const char *ask_at(const char *host, const char *method, const char *path,
	const char *fields, const char *body)
{
	char request[2048];
	int len = snprintf(request, sizeof(request),
		"%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%sContent-Length: %zu\r\n\r\n"
		"%s",
		method, path, host, fields, strlen(body), body);

	assert_in_range(len, 1, sizeof(request) - 1);
	return ask_raw(request, (size_t)len);
}

static const char *ask(const char *method, const char *path, const char *fields, const char *body)
{
	return ask_at("127.0.0.1", method, path, fields, body);
}

static int status_of(const char *answer)
{
	assert_memory_equal(answer, "HTTP/1.1 ", 9);
	return atoi(answer + 9);
}

static const char *body_of(const char *answer)
{
	const char *end = strstr(answer, "\r\n\r\n");

	assert_non_null(end);
	return end + 4;
}

static void expect_status(const char *answer, int status, const char *what, const char *path)
{
	if (status_of(answer) != status)
		fail_msg("%s %s: %.300s, not %d", what, path, answer, status);
}

static void log_in(const char *name, char cookie[COOKIE_SIZE])
{
	char form[64];
	const char *answer, *at;

	snprintf(form, sizeof(form), "name=%s&password=secret", name);
	answer = ask("POST", "/login", "Sec-Fetch-Site: same-origin\r\n", form);
	expect_status(answer, 303, "POST", "/login");
	at = strstr(answer, "Set-Cookie: socks5d=");
	assert_non_null(at);
	at += strlen("Set-Cookie: ");
	snprintf(cookie, COOKIE_SIZE, "Cookie: %.*s\r\n", (int)strcspn(at, ";"), at);
}

/* ---- the paths ---- */

static void add_path(const char *text, size_t len)
{
	if (len == 0 || len >= PATH_MAX_LEN || text[0] != '/')
		return;
	for (size_t i = 0; i < path_count; i++) {
		if (strlen(paths[i]) == len && memcmp(paths[i], text, len) == 0)
			return;
	}
	assert_in_range(path_count, 0, PATHS_MAX - 1);
	snprintf(paths[path_count++], PATH_MAX_LEN, "%.*s", (int)len, text);
}

static void add_paths_named_by(const char *text, const char *mark)
{
	for (const char *at = strstr(text, mark); at != NULL; at = strstr(at, mark)) {
		at += strlen(mark);
		add_path(at, strcspn(at, "\"?#"));
	}
}

static bool is_api(const char *path)
{
	return strncmp(path, "/api/", 5) == 0;
}

static void find_paths(void)
{
	static const char *const known[] = {"/", "/login", "/logout", "/healthz", "/metrics",
		"/api/", "/api/session", "/api/nothing", "/nothing"};

	path_count = 0;
	for (size_t i = 0; i < COUNT(known); i++)
		add_path(known[i], strlen(known[i]));
	for (size_t i = 0; i < commands_count; i++) {
		char path[PATH_MAX_LEN] = "/api/";
		size_t len = strlen(path);

		for (const char *at = commands_table[i].word; *at != '\0'; at++)
			path[len++] = *at == '_' ? '_' : (char)(*at - 'A' + 'a');
		add_path(path, len);
	}
	/* The list grows meanwhile. */
	for (size_t i = 0; i < path_count; i++) {
		const char *answer;

		if (is_api(paths[i]))
			continue;
		answer = ask("GET", paths[i], admin, "");
		add_paths_named_by(answer, "href=\"");
		add_paths_named_by(answer, "src=\"");
		add_paths_named_by(answer, "action=\"");
		add_paths_named_by(answer, "from \"."); /* of one script by another */
	}
	assert_in_range(path_count, COUNT(known) + commands_count + 1, PATHS_MAX);
}

static void start_with(const char *const more[])
{
	const char *flags[8] = {"--web-listen", "127.0.0.1:0"};
	size_t from = 0;

	for (size_t i = 0; more != NULL && more[i] != NULL; i++)
		flags[2 + i] = more[i];
	monitor_start_daemon(&d, flags);
	port = (uint16_t)atoi(
		strrchr(daemon_wait_log(&d, &from, "msg=\"web listening\""), ':') + 1);
	log_in("root", admin);
	log_in("alice", user);
	find_paths();
}

/* ---- who may not ---- */

/* What everybody gets has nothing in it of those who use the server. */
static void without_a_login_no_path_tells_anything(void **state)
{
	(void)state;
	start_with(NULL);
	for (size_t i = 0; i < path_count; i++) {
		const char *answer = ask("GET", paths[i], "", "");
		int status = status_of(answer);

		if (is_api(paths[i]))
			expect_status(answer, 401, "GET", paths[i]);
		else if (status == 303)
			assert_non_null(strstr(answer, "Location: /login\r\n"));
		else if (status != 200 && status != 405)
			fail_msg("%s: %.300s", paths[i], answer);
		if (strstr(body_of(answer), "alice") != NULL)
			fail_msg("%s tells of alice: %s", paths[i], answer);
	}
	daemon_stop(&d);
}

static void a_cookie_that_was_made_up_opens_nothing(void **state)
{
	char cookie[COOKIE_SIZE];

	(void)state;
	start_with(NULL);
	memcpy(cookie, admin, sizeof(cookie));
	cookie[20] = cookie[20] == '0' ? '1' : '0';
	expect_status(ask("GET", "/api/stats", admin, ""), 200, "GET", "/api/stats");
	expect_status(ask("GET", "/api/stats", cookie, ""), 401, "GET", "/api/stats");
	expect_status(ask("GET", "/api/stats", "Cookie: socks5d=\r\n", ""), 401, "GET", "empty");
	expect_status(ask("GET", "/", cookie, ""), 303, "GET", "/");
	daemon_stop(&d);
}

/* Alice has no role: of bob, who is another user, and of what root may, she sees nothing. */
static void a_user_s_cookie_opens_nothing_of_the_administrators(void **state)
{
	(void)state;
	start_with(NULL);
	for (size_t i = 0; i < commands_count; i++) {
		const struct command *command = &commands_table[i];
		const char *path = paths[0];

		for (size_t k = 0; k < path_count; k++) {
			if (is_api(paths[k]) &&
				strcasecmp(paths[k] + strlen("/api/"), command->word) == 0)
				path = paths[k];
		}
		if (command->role != USER_ROLE_ADMIN || command->least > 0 ||
			command->is_for_consoles || command->logged_from == 1)
			continue;
		expect_status(ask("GET", path, user, ""), 403, "GET", path);
	}
	for (size_t i = 0; i < path_count; i++) {
		if (strstr(body_of(ask("GET", paths[i], user, "")), "bob") != NULL)
			fail_msg("%s tells alice of bob", paths[i]);
	}
	daemon_stop(&d);
}

static void a_page_of_somebody_else_s_changes_nothing(void **state)
{
	static const char *const marks[] = {"", "Sec-Fetch-Site: cross-site\r\n",
		"Sec-Fetch-Site: same-site\r\n",
		"X-Token: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n",
		"Content-Type: application/json\r\nOrigin: http://127.0.0.1\r\n"};
	char fields[512];

	(void)state;
	start_with(NULL);
	for (size_t i = 0; i < path_count; i++) {
		const char *path = paths[i];

		if (!is_api(path) && strcmp(path, "/logout") != 0 && strcmp(path, "/login") != 0)
			continue;
		for (size_t k = 0; k < COUNT(marks); k++) {
			snprintf(fields, sizeof(fields), "%s%s", admin, marks[k]);
			expect_status(ask("POST", path, fields, ""), 403, marks[k], path);
		}
	}
	expect_status(ask("GET", "/api/stats", admin, ""), 200, "GET", "/api/stats");
	daemon_stop(&d);
}

static void under_a_name_of_somebody_else_s_only_health_is_told(void **state)
{
	static const char *const hosts[] = {
		"evil.example", "127.0.0.1.evil.example:8081", "localhost.evil.example"};

	(void)state;
	start_with(NULL);
	for (size_t i = 0; i < path_count; i++) {
		int wanted = strcmp(paths[i], "/healthz") == 0 ? 200 : 421;

		for (size_t k = 0; k < COUNT(hosts); k++)
			expect_status(ask_at(hosts[k], "GET", paths[i], admin, ""), wanted,
				hosts[k], paths[i]);
	}
	daemon_stop(&d);
}

/* ---- every method ---- */

static void no_method_on_any_path_does_harm(void **state)
{
	static const char *const methods[] = {
		"PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get", "BREW"};
	const char *const who[] = {"", user, admin};

	(void)state;
	start_with(NULL);
	for (size_t i = 0; i < path_count; i++) {
		for (size_t k = 0; k < COUNT(who); k++) {
			const char *answer = ask("HEAD", paths[i], who[k], "");

			assert_string_equal(body_of(answer), "");
			assert_in_range(status_of(answer), 200, 499);
			assert_in_range(status_of(ask("GET", paths[i], who[k], "")), 200, 499);
			for (size_t m = 0; m < COUNT(methods); m++) {
				answer = ask(methods[m], paths[i], who[k], "x=y");
				expect_status(answer, 405, methods[m], paths[i]);
				assert_non_null(strstr(answer, "\r\nAllow: "));
			}
			expect_status(
				ask("CONNECT", paths[i], who[k], ""), 400, "CONNECT", paths[i]);
		}
	}
	daemon_stop(&d);
}

/* ---- slow ones and large ones ---- */

#define DRIP_MS 250

struct dripper {
	const char *
		rest; /* what it has not sent yet, a byte at a time, again and again the last one */
	struct pollfd fd;
};

static void drip(struct dripper *of)
{
	if (of->rest[1] != '\0')
		of->rest++;
	/* The server may have closed; poll() tells. */
	(void)!send(of->fd.fd, of->rest, 1, MSG_NOSIGNAL);
}

/* Each byte comes in good time, the request never. All but one of the places are theirs, and the
 * other one serves whoever asks, all the time. */
static void who_drips_is_ended_and_holds_up_nobody(void **state)
{
	struct dripper drippers[] = {{.rest = " GET /healthz HTTP/1.1\r\nHost: a\r\nX: yyyyyyy"},
		{.rest = " POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000\r\n\r\nxy"},
		{.rest = " GET /xxxxxxxxxxxxxxxxxxx"}};
	size_t left = COUNT(drippers);

	(void)state;
	start_with((const char *const[]){"--max-web-clients", "4", NULL});
	for (size_t i = 0; i < COUNT(drippers); i++)
		drippers[i].fd = (struct pollfd){net_connect("127.0.0.1", port), POLLIN, 0};
	while (left > 0) {
		assert_non_null(strstr(ask("GET", "/healthz", "", ""), "\r\n\r\nok\n"));
		for (size_t i = 0; i < COUNT(drippers); i++) {
			struct dripper *of = &drippers[i];

			if (of->fd.fd < 0)
				continue;
			if (poll(&of->fd, 1, DRIP_MS / COUNT(drippers)) <= 0) {
				drip(of);
				continue;
			}
			expect_status(monitor_read_to_end(of->fd.fd), 408, "dripping", of->rest);
			close(of->fd.fd);
			of->fd.fd = -1;
			left--;
		}
	}
	daemon_stop(&d);
}

static void what_is_too_large_is_refused(void **state)
{
	static char request[200000];
	static const struct {
		const char *begin, *end; /* x-es between them */
		int status;
	} rows[] = {{"GET /", " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 431},
		{"GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: ", "\r\n\r\n", 431},
		{"GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\n", ": y\r\n\r\n", 431},
		{"GET /login HTTP/1.1\r\nHost: ", "\r\n\r\n", 431},
		{"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 199000\r\n\r\n", "",
			413},
		{"", "\r\n\r\n", 431}};

	(void)state;
	start_with(NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t begin = strlen(rows[i].begin), end = strlen(rows[i].end);
		int fd = net_connect("127.0.0.1", port);

		memset(request, 'x', sizeof(request));
		memcpy(request, rows[i].begin, begin);
		memcpy(request + sizeof(request) - end, rows[i].end, end);
		/* The answer may come, and the end behind it, before all of it is sent. */
		(void)!send(fd, request, sizeof(request), MSG_NOSIGNAL);
		expect_status(monitor_read_to_end(fd), rows[i].status, "large", rows[i].begin);
		close(fd);
	}
	daemon_stop(&d);
}

/* It asks and asks, and reads nothing: what it holds up is itself. */
static void who_does_not_read_holds_up_nobody(void **state)
{
	int fd;

	(void)state;
	start_with(NULL);
	fd = net_connect("127.0.0.1", port);
	for (ssize_t n = 1; n > 0;)
		n = send(fd, "GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 40,
			MSG_NOSIGNAL | MSG_DONTWAIT);
	for (int i = 0; i < 20; i++)
		expect_status(ask("GET", "/api/stats", admin, ""), 200, "GET", "/api/stats");
	daemon_stop(&d);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_login_no_path_tells_anything),
		cmocka_unit_test(a_cookie_that_was_made_up_opens_nothing),
		cmocka_unit_test(a_user_s_cookie_opens_nothing_of_the_administrators),
		cmocka_unit_test(a_page_of_somebody_else_s_changes_nothing),
		cmocka_unit_test(under_a_name_of_somebody_else_s_only_health_is_told),
		cmocka_unit_test(no_method_on_any_path_does_harm),
		cmocka_unit_test(who_drips_is_ended_and_holds_up_nobody),
		cmocka_unit_test(what_is_too_large_is_refused),
		cmocka_unit_test(who_does_not_read_holds_up_nobody),
	};

	return cmocka_run_group_tests_name("daemon/web_abuse", tests, NULL, NULL);
}
