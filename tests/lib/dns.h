/* dns: a name server for tests, on UDP and TCP of one port of 127.0.0.1, that can misbehave. */
#ifndef TESTS_DNS_H
#define TESTS_DNS_H

#include <stdbool.h>
#include <stdint.h>

enum dns_behaviour {
	DNS_ANSWER, /* with the addresses; none of the asked type: an empty answer */
	DNS_NXDOMAIN,
	DNS_FORMERR,
	DNS_SERVFAIL,
	DNS_NOTIMP,
	DNS_REFUSED,
	DNS_SILENT, /* never answers */
	DNS_SILENT_AAAA, /* answers for A only */
	DNS_LATE_A, /* holds answers for A back until dns_release() */
	DNS_GARBAGE, /* first a reply with a wrong id, a cut one and noise, then the right one */
	DNS_TRUNCATED, /* says TC over UDP, so that TCP has to be used */
	DNS_TRUNCATED_TWICE, /* and over TCP, with nothing in it */
	DNS_ECHO, /* what comes back is the question */
	DNS_LAME, /* knows nothing, and asks nobody who does */
};

struct dns_record {
	const char *name; /* in lower case; "*.test" is any name that ends so */
	enum dns_behaviour behaviour;
	uint32_t ttl;
	const char *_Atomic addrs; /* "192.0.2.1 2001:db8::1"; may change meanwhile */
};

struct dns;

/* Serves `records`, which end with a NULL name; any other name is NXDOMAIN. */
struct dns *dns_start(const struct dns_record *records);
void dns_stop(struct dns *d);

/* "127.0.0.1:PORT", valid as long as `d`. */
const char *dns_server(const struct dns *d);

/* From now on it answers nothing at all, or as before; it counts all the same. */
void dns_keep_silent(struct dns *d, bool silent);

/* Questions for `name` so far, of both types, repeated ones included; of all names together. */
unsigned dns_questions(struct dns *d, const char *name);
unsigned dns_all_questions(struct dns *d);

/* Source ports that questions came from over UDP, and the most that came from one of them. */
unsigned dns_ports(struct dns *d);
unsigned dns_most_of_one_port(struct dns *d);

/* Waits until there were that many. */
void dns_wait_questions(struct dns *d, const char *name, unsigned at_least);

/* Sends the answers that were held back, and none are from now on. */
void dns_release(struct dns *d);

#endif
