/* archive: brings to the database (database.h) what is to outlive the server, and takes what is too
 * old out of it. The keeper's thread; no lock. */
#ifndef SERVER_ARCHIVE_H
#define SERVER_ARCHIVE_H

#include <stdbool.h>

#include "proxy/services.h"
#include "server/database.h"

/* Users who were deleted whose sessions are still told from those of who has their name now. */
#define ARCHIVE_FORMER_MAX 256

struct archive;

/* Opens the database in `folder`, and loads what stands into `v->standing`. NULL as
 * database_open() has it. */
struct archive *archive_open(
	const char *folder, struct services *v, char error[DATABASE_ERROR_MAX]);

/* NULL is allowed. */
void archive_close(struct archive *a);

/* Writes all that has changed. -1 when that failed, which is logged: then it is tried again the
 * next time, and archive_problem() says why. `*was_anything`: had anything changed? */
int archive_write(struct archive *a, bool *was_anything);
const char *archive_problem(const struct archive *a);

/* Deletes what is older than the settings say. False when the clock was set since this was asked
 * last, and so is not believed yet: nothing is deleted. */
bool archive_prune(struct archive *a);

struct database *archive_database(struct archive *a);

#endif
