/* said: what is logged meanwhile, for a test to look at. */
#ifndef TESTS_BASE_SAID_H
#define TESTS_BASE_SAID_H

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "check.h"
#include "tmp.h"

static char said_path[TMP_MAX_PATH], said[4096];

static inline void said_begin(void)
{
	assert_int_equal(close(mkstemp(tmp_template(said_path, "said"))), 0);
	assert_int_equal(log_open(said_path), 0);
}

/* From here on it is in `said`, as far as it fits. */
static inline void said_end(void)
{
	FILE *file = fopen(said_path, "re");

	log_close();
	assert_non_null(file);
	said[fread(said, 1, sizeof(said) - 1, file)] = '\0';
	fclose(file);
	unlink(said_path);
}

#endif
