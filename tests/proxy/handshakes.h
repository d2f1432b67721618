/* handshakes: a handshake with a client of the test's, whose bytes come in pieces. For tests that
 * wrap socket_read and socket_write. */
#ifndef TESTS_PROXY_HANDSHAKES_H
#define TESTS_PROXY_HANDSHAKES_H

#include "proxy/handshake.h"
#include "state/users_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/scratch.h"
#include "../state/cheap.h"
#include "base/clock.h"
#include "net.h"
#include "net/socket.h"
#include "state/admission.h"

ssize_t __real_socket_read(int fd, void *bytes, size_t len);
ssize_t __wrap_socket_read(int fd, void *bytes, size_t len);

/* Bytes that the next read gives at most, and each one after it. */
static size_t first_read, other_reads;

/* What the next reads or writes say, so many. */
static int fault, faults;

static inline bool call_fails(void)
{
	if (faults == 0)
		return false;
	faults--;
	errno = fault;
	return true;
}

ssize_t __real_socket_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_socket_write(int fd, const void *bytes, size_t len);

ssize_t __wrap_socket_write(int fd, const void *bytes, size_t len)
{
	return call_fails() ? -1 : __real_socket_write(fd, bytes, len);
}

ssize_t __wrap_socket_read(int fd, void *bytes, size_t len)
{
	size_t most = first_read;

	if (call_fails())
		return -1;
	first_read = other_reads;
	return __real_socket_read(fd, bytes, len < most ? len : most);
}

/* ---- a handshake with a client of the test's ---- */

static struct hashing *hashing;
static struct stats stats;
static struct ledger *ledger;
static struct users *users, *nobody;
static struct registry *registry;
static struct config *config;
static uint8_t memory[65536];
static struct buffer in;
static struct handshake h;
static int client;

static inline int set_up(void **state)
{
	struct users_backend kept = users_file_backend("users");
	char error[USERS_ERROR_MAX], hash[PASSWORD_HASH_SIZE];
	FILE *file;

	(void)state;
	if (sodium_init() < 0)
		return -1;
	scratch_enter(state);
	cheap_hash("se:cret", hash);
	file = fopen("users", "w");
	assert_non_null(file);
	fprintf(file, "alice:%s:user\n", hash);
	fclose(file);
	hashing = hashing_new(2);
	ledger = ledger_new(1, NULL);
	users = users_new(hashing, ledger, &kept);
	nobody = users_new(hashing, ledger, NULL);
	assert_int_equal(users_load(users, error), 0);
	registry = registry_new(1);
	assert_non_null(registry);
	return 0;
}

static inline int tear_down(void **state)
{
	registry_free(registry);
	users_free(users);
	users_free(nobody);
	ledger_free(ledger);
	hashing_free(hashing);
	scratch_leave(state);
	return 0;
}

static inline void set(const char *name, const char *value)
{
	struct setting_input in_file = {.text = value};
	char why[SETTING_ERROR_MAX];

	assert_true(setting_set(settings_find(name), &config->settings, &in_file, why));
}

/* A client has connected to a proxy with this setting of auth; `who` are its users. */
static inline void begin(const char *auth, struct users *who)
{
	struct config_source source = {.path = NULL};
	struct addr addr = net_addr("192.0.2.7", 1234);
	char error[CONFIG_ERROR_MAX];
	int pair[2];

	config = config_read(&source, error);
	assert_non_null(config);
	set("auth", auth);
	admission_decide_auto(config, who == users);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	client = pair[0];
	assert_int_equal(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
	buffer_init(&in, memory, sizeof(memory));
	h = (struct handshake){.config = config,
		.users = who,
		.stats = &stats,
		.slot = registry_slot_at(registry, 0),
		.client = pair[1],
		.watch = {.client = pair[1]},
		.in = &in,
		.deadline = clock_deadline(NET_PATIENCE_S * 1000)};
	registry_enter(h.slot, h.client, &addr);
	first_read = other_reads = sizeof(memory);
}

static inline void switch_on(const char *protocols)
{
	set("protocols", protocols);
}

static inline void end(void)
{
	registry_leave(h.slot);
	ledger_leave(h.user_entry, clock_ms());
	close(h.client);
	if (client >= 0)
		close(client);
	config_release(config);
}

/* The same, and it has sent this and waits for the end of the answers. */
static inline bool run_after(const char *auth, struct users *who, const char *hex)
{
	bool result;

	begin(auth, who);
	net_send_hex(client, hex);
	result = handshake_run(&h);
	shutdown(h.client, SHUT_WR);
	return result;
}

/* All that it was answered is this. */
static inline void expect_answers(const char *hex)
{
	net_expect_hex(client, hex);
	net_expect_end(client);
}

static inline void expect_target(const char *expected)
{
	char text[262];

	assert_string_equal(destination_format(&h.request.dst, text, sizeof(text)), expected);
}

static inline struct session_info published(void)
{
	size_t count;
	struct session_ref *refs = registry_list(registry, &count);
	struct session_info info;

	assert_int_equal(count, 1);
	assert_true(registry_get(registry, &refs[0], &info));
	free(refs);
	return info;
}

#endif
