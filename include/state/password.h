/* password: crypt(3) hashes, made and compared. No state, no lock; slow on purpose (some 50 ms and
 * several MB of memory a call). */
#ifndef STATE_PASSWORD_H
#define STATE_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#define PASSWORD_HASH_SIZE 384 /* CRYPT_OUTPUT_SIZE: any hash with its NUL */

/* A new hash of `password` with a salt of its own, by the method that libcrypt prefers
 * (yescrypt). -1 with errno. */
int password_hash(const char *password, char out[PASSWORD_HASH_SIZE])
	__attribute__((warn_unused_result));

/* What password_matches() takes as long for as for such a hash, and which nothing matches. -1 with
 * errno. */
int password_decoy(char out[PASSWORD_HASH_SIZE]) __attribute__((warn_unused_result));

/* Does `hash` belong to `password`? Compared in constant time. -1 with errno when there is no
 * memory to find out. */
int password_check(const char *password, const char *hash, bool *matches)
	__attribute__((warn_unused_result));

/* The length of the part of a legal hash that says what it costs: its method, and the parameters of
 * that; without the salt. */
size_t password_kind_len(const char *hash);

/* Is it a complete hash of a method that libcrypt knows? */
bool password_hash_is_legal(const char *hash);

#endif
