/*
 * A console of the monitor over a socket pair: whatever it is told, and in whatever pieces, it
 * answers the same, in whole replies without control bytes. The first byte says how large the
 * pieces are; if it is odd an administrator has logged in before. There is no server behind it:
 * what hashes and changes settings is replaced in the Makefile, and the clock stands still.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "wire/answer.h"
#include "monitor/console.h"
#include "proxy/services.h"
#include "server/statistics.h"

#define HASH "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
#define PASSWORD "secret"
#define LOGIN "root:" PASSWORD "\n"
#define HEARD_MAX (1 << 20)

/* ---- what stands behind it ---- */

static struct errands *queues[3]; /* of the hasher, of main, of the console's own thread */
enum { HASHER, CHANGER, BACK, QUEUES };
static unsigned calls[QUEUES];
static const struct config *settings; /* as they stay */

int64_t __wrap_clock_ms(void);
int64_t __wrap_clock_deadline(int64_t ms);
time_t __wrap_time(time_t *out);
struct errands *__wrap_server_errands(struct server *s);
struct errands *__wrap_server_hashes(struct server *s);
struct errands *__wrap_server_lookups(struct server *s);
int __wrap_server_set(struct server *s, const struct setting *setting, const char *value,
	char reply[CHANGE_REPLY_MAX]);
int __wrap_server_reload(struct server *s, bool cuts, char reply[CHANGE_REPLY_MAX]);
int __wrap_server_add_rule(struct server *s, struct server_rule *rule);
int __wrap_server_drop_rule(struct server *s, unsigned number, char error[CHANGE_REPLY_MAX]);
int __wrap_server_apply_limits(struct server *s);
const struct config *__wrap_server_base(const struct server *s);
void __wrap_statistics_each(struct services *v, statistics_taker *take, void *context);
int __wrap_password_hash(const char *password, char out[PASSWORD_HASH_SIZE]);
int __wrap_password_decoy(char out[PASSWORD_HASH_SIZE]);
int __wrap_password_check(const char *password, const char *hash, bool *matches);

int64_t __wrap_clock_ms(void)
{
	return 1000000;
}

int64_t __wrap_clock_deadline(int64_t ms)
{
	return ms == CLOCK_NEVER ? CLOCK_NEVER : 1000000 + ms;
}

time_t __wrap_time(time_t *out)
{
	if (out != NULL)
		*out = 1752576039;
	return 1752576039;
}

struct errands *__wrap_server_errands(struct server *s)
{
	(void)s;
	return queues[CHANGER];
}

struct errands *__wrap_server_hashes(struct server *s)
{
	(void)s;
	return queues[HASHER];
}

struct errands *__wrap_server_lookups(struct server *s)
{
	(void)s;
	return queues[CHANGER];
}

int __wrap_server_set(struct server *s, const struct setting *setting, const char *value,
	char reply[CHANGE_REPLY_MAX])
{
	(void)s;
	snprintf(reply, CHANGE_REPLY_MAX, "%s set to %s", setting->name, value);
	return 0;
}

int __wrap_server_reload(struct server *s, bool cuts, char reply[CHANGE_REPLY_MAX])
{
	(void)s;
	(void)cuts;
	strcpy(reply, "Nothing changed");
	return 0;
}

int __wrap_server_add_rule(struct server *s, struct server_rule *rule)
{
	(void)s;
	rule->number = 1;
	return 0;
}

int __wrap_server_drop_rule(struct server *s, unsigned number, char error[CHANGE_REPLY_MAX])
{
	(void)s;
	(void)error;
	return number > 1 ? 0 : 1;
}

int __wrap_server_apply_limits(struct server *s)
{
	(void)s;
	return 0;
}

const struct config *__wrap_server_base(const struct server *s)
{
	(void)s;
	return settings;
}

void __wrap_statistics_each(struct services *v, statistics_taker *take, void *context)
{
	(void)v;
	take(context, "current connections", 0, "");
	take(context, "server uptime", 5, "s");
}

int __wrap_password_hash(const char *password, char out[PASSWORD_HASH_SIZE])
{
	(void)password;
	strcpy(out, HASH);
	return 0;
}

int __wrap_password_decoy(char out[PASSWORD_HASH_SIZE])
{
	strcpy(out, HASH);
	return 0;
}

int __wrap_password_check(const char *password, const char *hash, bool *matches)
{
	*matches = strcmp(password, PASSWORD) == 0 && strcmp(hash, HASH) == 0;
	return 0;
}

static void call(void *context)
{
	++*(unsigned *)context;
}

static void make_services(struct services *v)
{
	char error[USERS_ERROR_MAX], why[CONFIG_ERROR_MAX];
	struct config *config = config_read(&(struct config_source){.path = NULL}, why);

	FUZZ_CHECK(config != NULL);
	settings = config;
	memset(v, 0, sizeof(*v));
	stats_init(&v->stats);
	v->config = config_store_new(config);
	v->ledger = ledger_new(16, NULL);
	v->hashing = hashing_new(2);
	v->users = users_new(v->hashing, v->ledger, NULL);
	v->holdoff = holdoff_new(NULL);
	v->registry = registry_new(2);
	v->access_log = access_log_new(8);
	v->throughput = throughput_new(0);
	v->standing = standing_new();
	v->failures = events_new(8);
	v->bans = bans_new(NULL, v->standing);
	FUZZ_CHECK(v->config != NULL && v->users != NULL && v->holdoff != NULL &&
		v->registry != NULL && v->access_log != NULL && v->throughput != NULL &&
		v->standing != NULL && v->bans != NULL && v->failures != NULL &&
		watching_init(&v->watching) == 0);
	FUZZ_CHECK(users_add(v->users, "root", HASH, USER_ROLE_ADMIN, error) == 0);
}

static void free_services(struct services *v)
{
	watching_free(&v->watching);
	events_free(v->failures);
	bans_free(v->bans);
	standing_free(v->standing);
	throughput_free(v->throughput);
	access_log_free(v->access_log);
	registry_free(v->registry);
	holdoff_free(v->holdoff);
	users_free(v->users);
	hashing_free(v->hashing);
	ledger_free(v->ledger);
	config_store_free(v->config);
}

/* ---- the conversation ---- */

struct talk {
	struct services services;
	struct desk desk;
	struct console console;
	int client; /* the other end */
	char *heard;
	size_t heard_len;
};

static bool work(size_t queue)
{
	if (calls[queue] == 0)
		return false;
	calls[queue]--;
	errands_run(queues[queue]);
	return true;
}

static bool serve_connection(struct console *c)
{
	struct pollfd p = {.fd = c->fd, .events = console_events(c)};

	if (c->phase == CONSOLE_FREE || p.events == 0 || poll(&p, 1, 0) <= 0)
		return false;
	console_step(c, p.revents);
	return true;
}

static bool hear(struct talk *t)
{
	ssize_t n =
		recv(t->client, t->heard + t->heard_len, HEARD_MAX - t->heard_len, MSG_DONTWAIT);

	if (n > 0)
		t->heard_len += (size_t)n;
	return n > 0;
}

/* Until it waits for us. */
static void serve(struct talk *t)
{
	while (serve_connection(&t->console) || work(HASHER) || work(CHANGER) || work(BACK) ||
		hear(t))
		;
}

static void say(struct talk *t, const char *bytes, size_t len, size_t piece)
{
	while (len > 0) {
		size_t n = len < piece ? len : piece;

		if (send(t->client, bytes, n, MSG_NOSIGNAL) != (ssize_t)n)
			return;
		serve(t);
		bytes += n;
		len -= n;
	}
}

static void open_talk(struct talk *t)
{
	struct addr from = {.sa = {.sa_family = AF_UNSPEC}};
	struct peer peer;
	int ends[2];

	make_services(&t->services);
	for (size_t i = 0; i < QUEUES; i++) {
		calls[i] = 0;
		queues[i] = errands_new(call, &calls[i]);
		FUZZ_CHECK(queues[i] != NULL);
	}
	FUZZ_CHECK(addr_parse("192.0.2.7", 9, &from));
	FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
	t->client = ends[0];
	t->heard = malloc(HEARD_MAX);
	t->heard_len = 0;
	FUZZ_CHECK(t->heard != NULL);
	memset(&t->console, 0, sizeof(t->console));
	memset(&t->desk, 0, sizeof(t->desk));
	t->desk.services = &t->services;
	t->desk.done = queues[BACK];
	peer = peer_from_address(NULL, &from);
	console_open(&t->console, &t->desk, ends[1], &peer);
	serve(t);
}

/* What was told is not in its memory any more. */
static void close_talk(struct talk *t)
{
	shutdown(t->client, SHUT_WR);
	serve(t);
	close(t->client);
	if (t->console.phase != CONSOLE_FREE)
		console_close(&t->console);
	FUZZ_CHECK(t->console.phase == CONSOLE_FREE);
	FUZZ_CHECK(sodium_is_zero((unsigned char *)t->console.in, sizeof(t->console.in)));
	FUZZ_CHECK(sodium_is_zero((unsigned char *)t->console.order.request.memory,
		sizeof(t->console.order.request.memory)));
	console_free(&t->console);
	for (size_t i = 0; i < QUEUES; i++)
		errands_free(queues[i]);
	free_services(&t->services);
}

/* ---- what it says ---- */

/* The prompt, the answer to the login, and then whole replies. */
static void check_heard(const char *p, size_t len)
{
	struct answer a;
	size_t n;

	for (size_t i = 0; i < len; i++)
		FUZZ_CHECK(p[i] == '\n' || ((unsigned char)p[i] >= 0x20 && p[i] != 0x7f));
	for (int line = 0; line < 2 && len > 0; line++) {
		const char *end = memchr(p, '\n', len);

		FUZZ_CHECK(end != NULL);
		len -= (size_t)(end - p) + 1;
		p = end + 1;
	}
	for (; len > 0; p += n, len -= n) {
		n = answer_find_end(p, len, 0);
		if (n == 0)
			n = len; /* QUIT's has no empty line */
		FUZZ_CHECK(answer_parse(p, n, &a) == 0);
		answer_free(&a);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct talk whole, pieces;
	const char *p = (const char *)bytes + 1;
	bool logs_in;

	if (len == 0 || len > MONITOR_LINE_MAX * 4 || sodium_init() < 0)
		return 0;
	logs_in = bytes[0] % 2 == 1;
	log_set_level(LOG_ERROR);
	open_talk(&whole);
	say(&whole, LOGIN, logs_in ? strlen(LOGIN) : 0, strlen(LOGIN));
	say(&whole, p, len - 1, len);
	close_talk(&whole);
	check_heard(whole.heard, whole.heard_len);
	open_talk(&pieces);
	say(&pieces, LOGIN, logs_in ? strlen(LOGIN) : 0, 1);
	say(&pieces, p, len - 1, bytes[0] / 2 % 16 + 1);
	close_talk(&pieces);
	FUZZ_CHECK(whole.heard_len == pieces.heard_len);
	FUZZ_CHECK(memcmp(whole.heard, pieces.heard, whole.heard_len) == 0);
	free(whole.heard);
	free(pieces.heard);
	return 0;
}
