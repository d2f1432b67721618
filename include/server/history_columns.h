/* history_columns: the columns of the tables that have counts, in the order of enum ledger_count.
 * For those who have these tables only. */
#ifndef SERVER_HISTORY_COLUMNS_H
#define SERVER_HISTORY_COLUMNS_H

#include "state/ledger.h"

#define COUNTS                                                                                     \
	"sessions, refused, sent, received, ms, known_sessions, known_sent, known_received, known_ms"
#define SUMS                                                                                       \
	"SUM(sessions), SUM(refused), SUM(sent), SUM(received), SUM(ms), SUM(known_sessions), "    \
	"SUM(known_sent), SUM(known_received), SUM(known_ms)"
#define ADDITIONS                                                                                  \
	"sessions = sessions + excluded.sessions, refused = refused + excluded.refused, "          \
	"sent = sent + excluded.sent, received = received + excluded.received, "                   \
	"ms = ms + excluded.ms, known_sessions = known_sessions + excluded.known_sessions, "       \
	"known_sent = known_sent + excluded.known_sent, "                                          \
	"known_received = known_received + excluded.known_received, "                              \
	"known_ms = known_ms + excluded.known_ms"

_Static_assert(LEDGER_COUNTS == 9, "the columns of the tables are these");

#endif
