/* tmp: where tests put their files: TMPDIR, which tests/run.sh removes whatever becomes of a test.
 */
#ifndef TESTS_TMP_H
#define TESTS_TMP_H

#include <stdio.h>
#include <stdlib.h>

#define TMP_MAX_PATH 80

/* "TMPDIR/NAME-XXXXXX" for mkstemp(3) and mkdtemp(3); /tmp where TMPDIR is not set. Returns `out`.
 */
static inline char *tmp_template(char out[TMP_MAX_PATH], const char *name)
{
	const char *folder = getenv("TMPDIR");

	snprintf(out, TMP_MAX_PATH, "%s/%s-XXXXXX", folder != NULL ? folder : "/tmp", name);
	return out;
}

#endif
