/* sharing_batch: facts of accounts that are told many at once, for sharing's own files. Its
 * thread's; no lock. */
#ifndef SERVER_SHARING_BATCH_H
#define SERVER_SHARING_BATCH_H

#define SHARING_BATCH_FACTS 100 /* in one command at most */

struct sharing;
struct sharing_batch;

/* Nothing is in it. NULL without memory. */
struct sharing_batch *sharing_batch_new(void);

/* NULL is allowed. */
void sharing_batch_free(struct sharing_batch *b);

/* What is added from now on is of that kind and stands in the hash `key`: HSET puts it there, HDEL
 * takes it away. */
void sharing_batch_begin(struct sharing *s, const char *command, const char *kind, const char *key);

/* The value of an account, whose name has no blank, in at most a few hundred bytes; it is sent when
 * there are enough. One that no batch has room for is nobody's, and passed over. Both end what is
 * under way where it fails: -1 with the reason in `error`. */
int sharing_batch_add(struct sharing *s, const char *account, const char *value, char *error)
	__attribute__((warn_unused_result));

/* Sends what was added; replies are still to come. */
int sharing_batch_end(struct sharing *s, char *error) __attribute__((warn_unused_result));

#endif
