/*
 * bench_relay: what the size of its buffers, and of its pipes, does to the relay.
 *
 * The relay itself, without the sessions around it: each of its threads moves one stream between
 * two TCP connections over loopback, whose far ends are threads of this program. Every size of
 * every path takes its turn in every repetition, and medians are printed; CPU is that of the
 * relay's threads. Usage: bench_relay [-q] [-r REPETITIONS] [-j FILE], -q for a tenth of the bytes.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "figures.h"
#include "net/pipe.h"
#include "proxy/relay.h"
#include "wire.h"

#define KIB 1024u
#define STREAMS_MAX 8
#define REPETITIONS_MAX 25
#define BYTES 1000000000u /* of all streams together */
#define TIMEOUT_S 60

struct point {
	enum relay_path path;
	size_t size; /* of a buffer, or of a pipe */
	size_t streams;
	double rate[REPETITIONS_MAX]; /* MB/s */
	double cpu[REPETITIONS_MAX]; /* s/GB */
};

static const size_t copy_sizes[] = {
	4 * KIB, 8 * KIB, 16 * KIB, 32 * KIB, 64 * KIB, 128 * KIB, 256 * KIB, 1024 * KIB};
static const size_t pipe_sizes[] = {64 * KIB, 128 * KIB, 256 * KIB, 512 * KIB, 1024 * KIB};
static const size_t stream_counts[] = {1, STREAMS_MAX};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define POINTS_MAX ((COUNT(copy_sizes) + COUNT(pipe_sizes)) * COUNT(stream_counts))

/* ---- one stream ---- */

struct stream {
	int source, sink; /* the far ends */
	struct relay relay;
	struct buffer buffers[2];
	struct idle_limits limits;
	struct traffic traffic;
	uint64_t bytes;
	double cpu_s;
	int error;
	pthread_t threads[3];
};

static void fail(struct stream *s)
{
	s->error = errno;
	wire_set_deadline(0);
}

static void *send_all(void *arg)
{
	struct stream *s = arg;

	if (wire_exchange(s->source, s->bytes, 0) < 0)
		fail(s);
	shutdown(s->source, SHUT_WR);
	return NULL;
}

static void *receive_all(void *arg)
{
	struct stream *s = arg;

	if (wire_exchange(s->sink, 0, s->bytes) < 0 || wire_read_end(s->sink) < 0)
		fail(s);
	shutdown(s->sink, SHUT_WR);
	return NULL;
}

static void *relay_all(void *arg)
{
	struct stream *s = arg;
	struct timespec used;

	relay_run(&s->relay);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	s->cpu_s = (double)clock_timespec_ns(&used) / (double)CLOCK_NS_PER_S;
	return NULL;
}

/* The two ends of a connection; -1 with errno. */
static int connect_pair(int *far, int *near)
{
	uint16_t port;
	int listener = wire_listen(&port);

	*far = *near = -1;
	if (listener >= 0)
		*far = wire_connect(port);
	while (*far >= 0 && *near < 0 && wire_check_deadline() == 0)
		*near = wire_accept(listener);
	if (listener >= 0)
		close(listener);
	return *near < 0 ? -1 : 0;
}

static int open_stream(
	struct stream *s, const struct point *p, struct pipe_pool *pipes, uint64_t bytes)
{
	size_t size = p->path == RELAY_COPY ? p->size : 4 * KIB;

	*s = (struct stream){.source = -1,
		.sink = -1,
		.limits = {.timeout = TIMEOUT_S * 1000, .half_close_timeout = TIMEOUT_S * 1000},
		.bytes = bytes,
		.relay = {.client = -1, .target = -1, .path = p->path, .pipes = pipes}};
	for (size_t i = 0; i < 2; i++) {
		void *memory = malloc(size);

		if (memory == NULL)
			return -1;
		buffer_init(&s->buffers[i], memory, size);
	}
	s->relay.to_target = &s->buffers[0];
	s->relay.to_client = &s->buffers[1];
	s->relay.limits = &s->limits;
	s->relay.traffic = &s->traffic;
	if (connect_pair(&s->source, &s->relay.client) < 0)
		return -1;
	return connect_pair(&s->sink, &s->relay.target);
}

static void close_stream(struct stream *s)
{
	wire_reset(s->source);
	wire_reset(s->sink);
	close(s->relay.client);
	close(s->relay.target);
	free(s->buffers[0].memory);
	free(s->buffers[1].memory);
}

/* ---- one run ---- */

static int start_threads(struct stream *s)
{
	static void *(*const work[])(void *) = {receive_all, relay_all, send_all};

	for (size_t i = 0; i < COUNT(work); i++) {
		errno = pthread_create(&s->threads[i], NULL, work[i], s);
		if (errno != 0)
			return -1;
	}
	return 0;
}

/* Runs all streams of the point to their end; -1 with errno. */
static int run_streams(struct stream *streams, size_t count, double *wall_s, double *cpu_s)
{
	uint64_t begun = clock_now_ns();
	int error = 0;

	for (size_t i = 0; i < count; i++) {
		if (start_threads(&streams[i]) < 0)
			return -1;
	}
	*cpu_s = 0;
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < COUNT(streams[i].threads); j++)
			pthread_join(streams[i].threads[j], NULL);
		*cpu_s += streams[i].cpu_s;
		if (streams[i].error != 0)
			error = streams[i].error;
	}
	*wall_s = (double)(clock_now_ns() - begun) / (double)CLOCK_NS_PER_S;
	errno = error;
	return error == 0 ? 0 : -1;
}

static int run_point(struct point *p, size_t repetition, uint64_t bytes)
{
	static struct stream streams[STREAMS_MAX];
	struct fdbudget budget = {.spare = 4 * STREAMS_MAX * PIPE_DESCRIPTORS};
	struct pipe_pool pipes;
	double wall_s = 0, cpu_s = 0;
	size_t opened = 0;
	int rc = 0, error;

	wire_set_deadline(TIMEOUT_S);
	pipe_pool_init(&pipes, &budget);
	pipes.capacity = p->size;
	while (opened < p->streams && rc == 0)
		rc = open_stream(&streams[opened++], p, &pipes, bytes / p->streams);
	if (rc == 0)
		rc = run_streams(streams, p->streams, &wall_s, &cpu_s);
	error = errno;
	while (opened > 0)
		close_stream(&streams[--opened]);
	errno = error;
	if (rc < 0)
		return -1;
	p->rate[repetition] = (double)bytes / wall_s / 1e6;
	p->cpu[repetition] = cpu_s / ((double)bytes / 1e9);
	return 0;
}

/* ---- all of them ---- */

static size_t add_points(struct point *points, size_t n, enum relay_path path, const size_t *sizes,
	size_t count, size_t streams)
{
	for (size_t i = 0; i < count; i++)
		points[n++] = (struct point){.path = path, .size = sizes[i], .streams = streams};
	return n;
}

static size_t make_points(struct point *points)
{
	size_t n = 0;

	for (size_t i = 0; i < COUNT(stream_counts); i++) {
		n = add_points(
			points, n, RELAY_COPY, copy_sizes, COUNT(copy_sizes), stream_counts[i]);
		n = add_points(
			points, n, RELAY_SPLICE, pipe_sizes, COUNT(pipe_sizes), stream_counts[i]);
	}
	return n;
}

static const char *path_word(const struct point *p)
{
	return p->path == RELAY_COPY ? "copy" : "splice";
}

static void print_points(struct point *points, size_t n, size_t repetitions)
{
	printf("path    size KiB  streams    MB/s    s/GB\n");
	for (size_t i = 0; i < n; i++) {
		struct point *p = &points[i];

		printf("%-6s %9zu %8zu %7.0f %7.3f\n", path_word(p), p->size / KIB, p->streams,
			figures_median(p->rate, repetitions), figures_median(p->cpu, repetitions));
	}
}

static int write_json(const char *path, struct point *points, size_t n, size_t repetitions)
{
	FILE *f = fopen(path, "we");
	struct figures_host host;

	if (f == NULL)
		return -1;
	figures_describe_host(&host);
	fprintf(f, "{\"date\":\"%s\",\"system\":\"%s %s %s, %ld CPUs\",\"points\":[", host.date,
		host.name.sysname, host.name.release, host.name.machine, host.cpus);
	for (size_t i = 0; i < n; i++) {
		struct point *p = &points[i];

		fprintf(f,
			"%s\n{\"path\":\"%s\",\"size\":%zu,\"streams\":%zu,\"rate_mb_s\":%.1f,"
			"\"cpu_s_gb\":%.4f}",
			i == 0 ? "" : ",", path_word(p), p->size, p->streams,
			figures_median(p->rate, repetitions), figures_median(p->cpu, repetitions));
	}
	fprintf(f, "\n]}\n");
	return fclose(f);
}

static int measure(struct point *points, size_t n, size_t repetitions, uint64_t bytes)
{
	for (size_t r = 0; r < repetitions; r++) {
		for (size_t i = 0; i < n; i++) {
			if (run_point(&points[(i + r) % n], r, bytes) < 0)
				return -1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct point points[POINTS_MAX];
	size_t n = make_points(points), repetitions = 5;
	const char *json = NULL;
	uint64_t bytes = BYTES;
	int option;

	while ((option = getopt(argc, argv, "qr:j:")) != -1) {
		if (option == 'q')
			bytes = BYTES / 10;
		else if (option == 'r')
			repetitions = (size_t)atoi(optarg);
		else if (option == 'j')
			json = optarg;
		else
			return 2;
	}
	if (repetitions < 1 || repetitions > REPETITIONS_MAX) {
		fprintf(stderr, "bench_relay: -r: a number from 1 to %d\n", REPETITIONS_MAX);
		return 2;
	}
	wire_init();
	if (measure(points, n, repetitions, bytes) < 0) {
		perror("bench_relay");
		return EXIT_FAILURE;
	}
	print_points(points, n, repetitions);
	if (json != NULL && write_json(json, points, n, repetitions) < 0) {
		perror(json);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
