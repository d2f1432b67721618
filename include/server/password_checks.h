/* password_checks: how many slow password hashes this host computes at once. No state, no lock. */
#ifndef SERVER_PASSWORD_CHECKS_H
#define SERVER_PASSWORD_CHECKS_H

#include "state/settings.h"

/* By max_password_checks; auto: as many as there are processors for us, and as fit into a 16th of
 * the memory; at least 1. */
unsigned password_checks_most(const struct settings *s);

#endif
