/* keeper: the thread that owns the database (database.h): it brings to the disk what is to outlive
 * the server. Nobody waits for it; a mutex guards what it is told. */
#ifndef SERVER_KEEPER_H
#define SERVER_KEEPER_H

#include <stdbool.h>
#include <stddef.h>

#include "proxy/services.h"
#include "server/database.h"
#include "server/errands.h"

/* Killed at any moment the server loses no more than what came in this time, and in the one that
 * the disk takes. */
#define KEEPER_PERIOD_MS 8000

struct keeper;

/* Opens the database in `folder` (database_open()), loads what stands into `v->standing`, which is
 * kept from then on, and makes `v->history`, which is so until keeper_close(). No thread yet. NULL
 * as database_open() has it. */
struct keeper *keeper_open(const char *folder, struct services *v, char error[DATABASE_ERROR_MAX]);

/* Starts the thread. -1 with errno. */
int keeper_start(struct keeper *k) __attribute__((warn_unused_result));

/* Where errands wait for it. Valid until keeper_close(). */
struct errands *keeper_errands(struct keeper *k);

/* Something has changed that is to be kept: within KEEPER_PERIOD_MS it is. From any thread; returns
 * at once. NULL is allowed. */
void keeper_call(struct keeper *k);

/* The file at `path` was read well: a copy of it is made (state/copies.h). From any thread; returns
 * at once. NULL is allowed. */
void keeper_copy_file(struct keeper *k, const char *path);

/* The keeper's thread: all that there is to be kept is on the disk when it returns. -1 with the
 * reason in `why` when it is not; then it is tried again. */
int keeper_write(struct keeper *k, char why[DATABASE_ERROR_MAX]);

/* The keeper's thread: what it owns, to be read after keeper_write(), or changed. */
struct database *keeper_database(struct keeper *k);

/* Ends the thread, if it was started, when all is written that there is; the errands that wait are
 * left. NULL is allowed. */
void keeper_stop(struct keeper *k);

/* Closes and frees everything, after keeper_stop(). NULL is allowed. */
void keeper_close(struct keeper *k);

#endif
