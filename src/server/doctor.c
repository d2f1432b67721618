/*
 * The checks are three tables, and each says a line for what it finds. They ask the host by what
 * probe.h has, so that tests can give the answers. A check needs none of the others; only whether a
 * server with these settings runs already is found out before all of them, since then its ports
 * are taken as they should be.
 */
#include "server/doctor.h"

#include <stdarg.h>
#include <string.h>

#include "net/occupant.h"
#include "base/clock.h"
#include "server/fronts.h"
#include "server/probe.h"

#define ASK_MS 2000 /* the occupant of the monitor's port */

static const char *const verdict_words[DOCTOR_VERDICTS] = {
	[DOCTOR_OK] = "ok", [DOCTOR_WARN] = "warn", [DOCTOR_BAD] = "bad"};

static void print_finding(struct doctor *d, enum doctor_verdict verdict, const char *advice,
	const char *format, va_list ap) __attribute__((format(printf, 4, 0)));

static void print_finding(struct doctor *d, enum doctor_verdict verdict, const char *advice,
	const char *format, va_list ap)
{
	d->found[verdict]++;
	fprintf(d->out, "%-5s %-14s ", verdict_words[verdict], d->topic);
	vfprintf(d->out, format, ap);
	if (advice != NULL)
		fprintf(d->out, " - %s", advice);
	putc('\n', d->out);
	fflush(d->out);
}

void doctor_say(struct doctor *d, enum doctor_verdict verdict, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	print_finding(d, verdict, NULL, format, ap);
	va_end(ap);
}

void doctor_advise(
	struct doctor *d, enum doctor_verdict verdict, const char *advice, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	print_finding(d, verdict, advice, format, ap);
	va_end(ap);
}

static bool is_monitored(const struct settings *s)
{
	struct listen_list places = fronts_places(s, FRONT_MONITOR);

	if (*s->monitor_socket != '\0' && probe_local(s->monitor_socket))
		return true;
	for (size_t i = 0; i < places.count; i++) {
		if (addr_port(&places.addrs[i]) != 0 &&
			occupant_ask(&places.addrs[i], clock_deadline(ASK_MS)) == OCCUPANT_MONITOR)
			return true;
	}
	return false;
}

static void do_checks(struct doctor *d, const struct doctor_check *checks)
{
	for (; checks->topic != NULL; checks++) {
		d->topic = checks->topic;
		checks->look(d);
	}
}

bool doctor_look(struct doctor *d)
{
	d->is_running = is_monitored(&d->config->settings);
	do_checks(d, doctor_host_checks);
	do_checks(d, doctor_shared_checks);
	do_checks(d, doctor_access_checks);
	fprintf(d->out, "%zu wrong, %zu to look at, %zu well\n", d->found[DOCTOR_BAD],
		d->found[DOCTOR_WARN], d->found[DOCTOR_OK]);
	return d->found[DOCTOR_BAD] == 0;
}
