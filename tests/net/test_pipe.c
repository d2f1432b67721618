/* pipe and its pool, between socket pairs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/pipe.h"

#include "../base/check.h"
#include "net.h"

static struct fdbudget budget;
static struct pipe_pool pool;
static struct pipe pipe_;
static int source[2], sink[2]; /* [0] is the test's end */

/* ---- what the system grants ---- */

static size_t grants; /* bytes at most for a pipe; 0: as the kernel says */
static int refusal; /* what it says beyond */
static unsigned asked;

/* What fcntl(2) is called where files may be large. */
int __real_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, int argument);

int __wrap_fcntl64(int fd, int command, int argument)
{
	asked += command == F_SETPIPE_SZ;
	if (command == F_SETPIPE_SZ && grants != 0 && (size_t)argument > grants) {
		errno = refusal;
		return -1;
	}
	if (command == F_GETPIPE_SZ && grants != 0 && grants < 65536)
		return (int)grants;
	return __real_fcntl64(fd, command, argument);
}

/* ---- each test ---- */

static int setup(void **state)
{
	(void)state;
	grants = asked = 0;
	budget = (struct fdbudget){.spare = 8};
	pipe_pool_init(&pool, &budget);
	pipe_ = (struct pipe){.pool = NULL};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, source), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sink), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		close(source[i]);
		close(sink[i]);
	}
	assert_int_equal(pool.used, 0);
	assert_int_equal(budget.spare_used, 0);
	return 0;
}

static void half_of_the_spare_descriptors_may_be_pipes(void **state)
{
	struct fdbudget b = {.spare = 23};
	struct pipe_pool p;

	(void)state;
	pipe_pool_init(&p, &b);
	assert_int_equal(p.total, 5);
	b.spare = 3;
	pipe_pool_init(&p, &b);
	assert_int_equal(p.total, 0);
	b.spare = 1000000;
	pipe_pool_init(&p, &b);
	assert_int_equal(p.total, PIPE_MOST);
}

static void bytes_come_out_as_they_went_in(void **state)
{
	(void)state;
	assert_true(pipe_open(&pipe_, &pool));
	assert_int_equal(pool.used, 1);
	assert_int_equal(budget.spare_used, PIPE_DESCRIPTORS);
	net_send(source[0], "abcdef", 6);
	assert_int_equal(pipe_fill(&pipe_, source[1], 4), 4);
	assert_int_equal(pipe_.held, 4);
	assert_int_equal(pipe_drain(&pipe_, sink[1], SIZE_MAX), 4);
	assert_int_equal(pipe_.held, 0);
	net_expect(sink[0], "abcd", 4);
	assert_int_equal(pipe_fill(&pipe_, source[1], 4), 2);
	pipe_close(&pipe_);
	assert_true(net_is_silent(sink[0]));
}

static void nothing_there_and_the_end_are_told_apart(void **state)
{
	(void)state;
	assert_true(pipe_open(&pipe_, &pool));
	assert_int_equal(pipe_fill(&pipe_, source[1], 4), -1);
	assert_int_equal(errno, EAGAIN);
	shutdown(source[0], SHUT_WR);
	assert_int_equal(pipe_fill(&pipe_, source[1], 4), 0);
	pipe_close(&pipe_);
}

static void a_full_pipe_takes_no_more_and_loses_nothing(void **state)
{
	static char bytes[4096];
	size_t sent = 0, received = 0;
	ssize_t n = 0;

	(void)state;
	assert_true(pipe_open(&pipe_, &pool));
	while (n >= 0) {
		net_send(source[0], bytes, sizeof(bytes));
		sent += sizeof(bytes);
		n = pipe_fill(&pipe_, source[1], sizeof(bytes));
		assert_true(sent <= 2 * pipe_.capacity);
	}
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(pipe_.held, sent - sizeof(bytes));
	while (pipe_.held > 0) {
		assert_true(pipe_drain(&pipe_, sink[1], SIZE_MAX) > 0);
		while ((n = recv(sink[0], bytes, sizeof(bytes), 0)) > 0)
			received += (size_t)n;
	}
	assert_int_equal(received, sent - sizeof(bytes));
	pipe_close(&pipe_);
}

static void the_pool_is_bounded(void **state)
{
	struct pipe first, third = {.pool = NULL};

	(void)state;
	assert_int_equal(pool.total, 2);
	assert_true(pipe_open(&first, &pool));
	assert_true(pipe_open(&pipe_, &pool));
	assert_false(pipe_open(&third, &pool));
	assert_null(third.pool);
	assert_int_equal(pool.used, 2);
	pipe_close(&first);
	assert_true(pipe_open(&third, &pool));
	pipe_close(&third);
	pipe_close(&pipe_);
}

static void others_may_have_all_descriptors(void **state)
{
	(void)state;
	assert_true(fdbudget_borrow(&budget, 7));
	assert_false(pipe_open(&pipe_, &pool));
	assert_int_equal(pool.used, 0);
	fdbudget_return(&budget, 7);
}

static size_t number_in(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t n = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%zu", &n), 1);
	fclose(f);
	return n;
}

static void what_is_beyond_all_limits_is_done_without(void **state)
{
	(void)state;
	pool.capacity = (size_t)1 << 31; /* more than even root gets */
	assert_true(pipe_open(&pipe_, &pool));
	assert_true(pipe_.capacity >= 64 * 1024);
	assert_true(pipe_.capacity <= number_in("/proc/sys/fs/pipe-max-size"));
	pipe_close(&pipe_);
}

static void a_pipe_is_as_large_as_the_system_grants(void **state)
{
	static const struct {
		size_t grants;
		int refusal;
		size_t capacity; /* 0: none is opened */
		unsigned asked;
	} rows[] = {
		{PIPE_CAPACITY, EPERM, PIPE_CAPACITY, 1},
		{PIPE_CAPACITY - 1, EPERM, PIPE_CAPACITY / 2, 2},
		{300 * 1024, EPERM, PIPE_CAPACITY / 4, 3},
		{64 * 1024, EPERM, 64 * 1024, 5},
		{8192, EPERM, 0, 5},
		{4096, EPERM, 0, 5},
		{PIPE_CAPACITY - 1, ENOMEM, 64 * 1024, 1}, /* as it was born */
		{4096, ENOMEM, 0, 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		grants = rows[i].grants;
		refusal = rows[i].refusal;
		asked = 0;
		assert_int_equal(pipe_open(&pipe_, &pool), rows[i].capacity != 0);
		assert_int_equal(asked, rows[i].asked);
		assert_int_equal(pool.used, rows[i].capacity != 0);
		if (rows[i].capacity == 0)
			continue;
		assert_int_equal(pipe_.capacity, rows[i].capacity);
		assert_int_equal(fcntl(pipe_.write_end, F_GETPIPE_SZ), rows[i].capacity);
		pipe_close(&pipe_);
	}
}

static void many_pipes_hold_no_more_than_half_of_as_many_large_ones(void **state)
{
	static struct pipe all[PIPE_MOST];
	size_t sum = 0;

	(void)state;
	budget.spare = 4 * PIPE_MOST;
	pipe_pool_init(&pool, &budget);
	for (size_t i = 0; i < PIPE_MOST; i++) {
		assert_true(pipe_open(&all[i], &pool));
		sum += all[i].capacity;
	}
	assert_int_equal(all[PIPE_MOST / 4 - 1].capacity, PIPE_CAPACITY);
	assert_int_equal(all[PIPE_MOST / 2 - 1].capacity, PIPE_CAPACITY / 2);
	assert_int_equal(all[PIPE_MOST - 1].capacity, PIPE_CAPACITY / 4);
	assert_int_equal(sum, PIPE_MOST / 2 * PIPE_CAPACITY);
	/* Whichever goes, the next is as large as may be beside those that are left. */
	pipe_close(&all[0]);
	assert_true(pipe_open(&all[0], &pool));
	assert_int_equal(all[0].capacity, PIPE_CAPACITY / 4);
	for (size_t i = 0; i < PIPE_MOST; i++)
		pipe_close(&all[i]);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(half_of_the_spare_descriptors_may_be_pipes),
		TEST(bytes_come_out_as_they_went_in),
		TEST(nothing_there_and_the_end_are_told_apart),
		TEST(a_full_pipe_takes_no_more_and_loses_nothing),
		TEST(the_pool_is_bounded),
		TEST(others_may_have_all_descriptors),
		TEST(what_is_beyond_all_limits_is_done_without),
		TEST(a_pipe_is_as_large_as_the_system_grants),
		TEST(many_pipes_hold_no_more_than_half_of_as_many_large_ones),
	};

	return cmocka_run_group_tests_name("net/pipe", tests, NULL, NULL);
}
