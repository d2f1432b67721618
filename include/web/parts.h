/* parts: whose answers each page shows (web/view.h). Constant; no lock. */
#ifndef WEB_PARTS_H
#define WEB_PARTS_H

#include "web/view.h"

extern const struct view_part parts_now[], parts_sessions[], parts_users[], parts_rules[],
	parts_log[], parts_settings[], parts_own[];

#endif
