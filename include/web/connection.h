/* connection: one client of the web's front: requests in, one at a time, and answers out. The web's
 * thread's, but for errands (monitor/order.h); no lock. */
#ifndef WEB_CONNECTION_H
#define WEB_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/log.h"
#include "base/writing.h"
#include "monitor/order.h"
#include "monitor/recurring.h"
#include "web/logins.h"
#include "web/watch.h"
#include "wire/http.h"

#define WEB_HEAD_MAX 16384 /* bytes of a request's head */
#define WEB_BODY_MAX 65536
#define WEB_NOTICE_MAX 512
#define WEB_REQUEST_MS 10000 /* until a request is complete */
#define WEB_KEPT_MS 60000 /* until the next one begins */
#define WEB_SEND_MS 30000 /* in which a part of an answer gets out */

struct web_connection;
struct view; /* web/view.h */

/* What all connections share. */
struct web_desk {
	struct server *server;
	struct services *services;
	struct keeper *keeper; /* NULL: nothing is kept */
	struct errands *done; /* what comes back from other threads */
	struct log_limit refused_limit;
	struct recurring recurring;
	struct logins logins;
	struct watch watch;
	unsigned char key[32]; /* of the tokens of forms without a login */
};

enum web_phase {
	WEB_FREE,
	WEB_READING, /* a request, or waits for it */
	WEB_AWAY, /* an errand is under way */
	WEB_GATHERING, /* a long reply is fetched */
	WEB_WRITING,
	WEB_CLOSING, /* the answer went out: reads until the client closes, so that no reset
			overtakes it */
};

/* What is to be sent. Made by web/respond.h. */
struct web_answer {
	unsigned status;
	const char *type; /* of the body; NULL: there is none */
	char fields[1024]; /* further lines of the head */
	size_t fields_len;
	const char *body; /* constant, or `owned` */
	size_t body_len;
	char *owned; /* freed behind it; NULL: nothing is */
};

/* A request that is complete. The slices point into the connection's memory, until the answer is
 * made. */
struct web_request {
	struct http_request head;
	struct http_slice path, query, body;
	struct login_session *session; /* by its cookie; NULL: nobody is logged in */
};

/* A reply that is put together. Made by web/gather.h. */
struct web_gathering {
	struct writing text; /* without a stream nothing is fetched */
	size_t total;
	void (*then)(struct web_connection *c);
};

struct web_connection {
	struct web_desk *desk;
	enum web_phase phase;
	int fd;
	struct peer peer; /* who has connected */
	struct peer client; /* who has sent the request: another one behind web_trusted */
	bool is_told; /* `client` was told by web_trusted */
	bool is_tls; /* it came by TLS, as web_trusted says */
	int64_t deadline;

	uint8_t *in; /* WEB_HEAD_MAX + WEB_BODY_MAX bytes while something is in it; else NULL */
	size_t in_len, seen;
	bool input_ended;
	bool has_continued; /* 100 (Continue) was sent */

	struct web_request request;
	size_t request_len; /* bytes of it in `in` */
	bool is_head, closes; /* of the answer to it */
	struct web_answer answer;
	char head[2560];
	size_t head_len, sent;

	/* of what is under way */
	struct order order;
	struct web_gathering gathering;
	struct view *view; /* a page that is put together; NULL: none is */
	void (*resume)(struct web_connection *c); /* when that is back: makes the answer */
	enum login_result login;
	unsigned refusal; /* the status of one by the command */
	bool as_csv; /* instead of JSON */
	unsigned page_status; /* of the page that is put together */
	char notice[WEB_NOTICE_MAX]; /* what it tells of what was asked for; "": nothing */
	char user[USERS_NAME_MAX + 1];
	size_t user_len;
	char gave[LOGINS_ID_TEXT + 1]; /* the session that gave the command; "": none */
};

/* Takes over the connection `fd`. `c` is free, and zeroed at the first time. */
void connection_open(
	struct web_connection *c, struct web_desk *desk, int fd, const struct peer *peer);

/* What to poll(2) for; 0: nothing now. */
short connection_events(const struct web_connection *c);

/* Is there something to be done for it without anything that poll(2) could tell? */
bool connection_is_busy(const struct web_connection *c);

/* Goes on with what poll(2) reported, or because the deadline may have passed. */
void connection_step(struct web_connection *c, short revents);

/* Whose order that is. */
struct web_connection *connection_of(struct order *o);

/* Does it only wait for its client to ask for something more? */
bool connection_is_idle(const struct web_connection *c);

/* Ends it. With an errand under way it is free only when that is done. */
void connection_close(struct web_connection *c);

#endif
