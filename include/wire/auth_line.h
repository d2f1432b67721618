/* auth_line: the lines by which socks5d asks socks5d_auth whether a login is right, and what is
 * answered. Pure; no state, no lock. */
#ifndef WIRE_AUTH_LINE_H
#define WIRE_AUTH_LINE_H

#include <stdbool.h>
#include <stddef.h>

/*	AUTH NAME PASSWORD[ groups=NAME,NAME...]
 *	OK[ user=NAME][ groups=NAME,NAME...]	it is right
 *	ERR					it is wrong
 *	BH[ message=TEXT]			nobody can say
 *
 * An LF ends each, a blank stands between two words, and every byte of a name, password or text is
 * %XX but for RFC 3986's unreserved ones. A connection carries one question at a time; who closes
 * it gives up. Words of the form KEY=VALUE that are not known are passed over.
 */

#define AUTH_LINE_FIELD_MAX 255 /* bytes of a name, password or text, as in RFC 1929 */
#define AUTH_LINE_GROUPS_MAX 2047 /* bytes of a list of groups */
#define AUTH_LINE_MAX 8192 /* bytes of any line, and room to write it */
#define AUTH_LINE_LOGIN_MAX (6 * AUTH_LINE_FIELD_MAX + 8) /* of one that asks for no groups */

#define AUTH_LINE_MORE 0
#define AUTH_LINE_MALFORMED (-1)

struct auth_question {
	char name[AUTH_LINE_FIELD_MAX + 1];
	char password[AUTH_LINE_FIELD_MAX + 1];
	char groups[AUTH_LINE_GROUPS_MAX + 1]; /* "a,b": is he in them? */
};

enum auth_verdict { AUTH_OK, AUTH_ERR, AUTH_BH };

struct auth_answer {
	enum auth_verdict verdict;
	char user[AUTH_LINE_FIELD_MAX + 1]; /* what he is called; "": as was asked */
	char groups[AUTH_LINE_GROUPS_MAX +
		1]; /* "a,b": those that he is in, of those in question */
	char message[AUTH_LINE_FIELD_MAX + 1]; /* why nobody can say */
};

/* Is a control byte among these (below 0x20, or 0x7f)? */
bool auth_line_has_control(const char *bytes, size_t len);

/* Can these `len` bytes be a name or a password that somebody is asked about? Not when they are
 * none or too many, or a control byte is among them: an empty password is what many directories
 * take for no login at all, and welcome. */
bool auth_line_can_ask(const char *bytes, size_t len);

/* Writes the question, for groups if there are some in "a,b" (NULL: none). How many bytes; 0 when
 * name or password cannot be asked about, the groups are no list of names, or it does not fit. */
size_t auth_line_put_question(
	const char *name, const char *password, const char *groups, char *out, size_t size);

/* Writes the answer, cutting no word: 0 when it does not fit, or a word has control bytes. */
size_t auth_line_put_answer(const struct auth_answer *a, char *out, size_t size);

/* Look for a line in the `n` bytes at `p`: how many bytes it takes with its LF (> 0),
 * AUTH_LINE_MORE when it is not complete yet, or AUTH_LINE_MALFORMED when it is none to the letter
 * or cannot become one any more; then `out` is not to be looked at. */
int auth_line_parse_question(const char *p, size_t n, struct auth_question *out);
int auth_line_parse_answer(const char *p, size_t n, struct auth_answer *out);

/* Steps through "a,b" with NULL for `*cursor` at first; false at the end. */
bool auth_line_next_group(const char *groups, const char **cursor, const char **group, size_t *len);

#endif
