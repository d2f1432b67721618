/* nameservers: whom to ask, in which order, and for which names: the options or resolv.conf(5), and
 * who has kept silent. The caller's lock; but where they come from: a mutex. */
#ifndef NET_NAMESERVERS_H
#define NET_NAMESERVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "net/followed.h"

#define NAMESERVERS_MAX 32 /* further ones are not asked */
#define NAMESERVERS_SEARCH_MAX 8 /* domains */
#define NAMESERVERS_NAME_MAX 512 /* bytes of a name with a domain behind it, its NUL included */
#define NAMESERVERS_SILENT_MS 30000 /* how long one that did not answer is asked last */

struct nameservers;
struct nameservers_source;

/* With both lists empty, and what they leave open from the file at `path`, resolv.conf(5); a
 * missing one is empty. What cannot be read is said (followed.h), and tried again. NULL without
 * memory. */
struct nameservers_source *nameservers_source_new(const char *path, followed_say *say);
void nameservers_source_free(struct nameservers_source *s);

/* "192.0.2.1, [2001:db8::1]:5353" and "lan, example.org"; where one is empty, and for the rest, it
 * is what the file says. Any thread. -1 without memory. */
int nameservers_source_set(struct nameservers_source *s, const char *servers, const char *search)
	__attribute__((warn_unused_result));

/* The servers, when others than before may be meant: at first, after nameservers_source_set(), and
 * when resolv.conf(5) has changed, which is looked at once a second. NULL: they stay, could not be
 * read, or another thread reads them. Needs a descriptor for the moment. */
struct nameservers *nameservers_follow(struct nameservers_source *s);

/* NULL is allowed. */
void nameservers_free(struct nameservers *n);

size_t nameservers_count(const struct nameservers *n);
const struct addr *nameservers_addr(const struct nameservers *n, size_t i);

/* A number for nameservers_pick(), one a question: "options rotate" has each begin with another
 * server. */
size_t nameservers_turn(struct nameservers *n);

/* The server to ask next, of those whose bit is not in `except`: in the order of the list, those
 * that have kept silent last. nameservers_count() when there is none. */
size_t nameservers_pick(const struct nameservers *n, uint32_t except, size_t turn, int64_t now);

/* Server `i` said something, whatever it was. */
void nameservers_note_answer(struct nameservers *n, size_t i, int64_t now);

/* Server `i` did not answer what it was asked at the time `asked`. It has kept silent, unless it
 * has answered anything since. */
void nameservers_note_silence(struct nameservers *n, size_t i, int64_t asked, int64_t now);

/* The name to ask for at step 0, 1, 2... of the search for `name`: by itself and with each domain,
 * by itself first when it has dots enough. False behind the last one. */
bool nameservers_name(
	const struct nameservers *n, const char *name, size_t step, char out[NAMESERVERS_NAME_MAX]);

#endif
