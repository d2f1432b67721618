/* services: what all sessions share, as one struct. Each part has its own lock, or none. */
#ifndef PROXY_SERVICES_H
#define PROXY_SERVICES_H

#include "base/log.h"
#include "net/fdbudget.h"
#include "net/own.h"
#include "net/pipe.h"
#include "net/resolver.h"
#include "proxy/places.h"
#include "proxy/relay_room.h"
#include "state/access_log.h"
#include "state/history.h"
#include "state/bans.h"
#include "state/holdoff.h"
#include "state/client_names.h"
#include "state/config.h"
#include "state/events.h"
#include "state/hashing.h"
#include "state/kills.h"
#include "state/ledger.h"
#include "state/limit_book.h"
#include "state/login_helper.h"
#include "state/registry.h"
#include "state/shared_users.h"
#include "state/standing.h"
#include "state/stats.h"
#include "state/throughput.h"
#include "state/turnaways.h"
#include "state/users.h"
#include "state/watching.h"

/* All of it outlives the sessions. */
struct services {
	struct config_store *config;
	struct ledger *ledger;
	struct hashing *hashing;
	struct login_helper *login_helper; /* NULL: auth_socket is not set */
	struct users *users;
	struct resolver *resolver;
	struct own *own;
	struct holdoff *holdoff; /* of who guesses administrators' passwords */
	struct bans *bans; /* of clients, at the proxy's doors; NULL: there are none */
	struct registry *registry;
	struct access_log *access_log;
	struct fdbudget budget;
	struct places places;
	struct pipe_pool pipes;
	struct relay_room relay_room;
	struct stats stats;
	struct throughput *throughput;
	struct standing *standing;
	struct limit_book *limits;
	struct cluster *cluster; /* NULL: there are no other nodes */
	struct kills *kills; /* likewise */
	struct shared_users *shared_users; /* NULL: nodes share none */
	struct history *history; /* NULL: nobody keeps one */
	struct events *failures; /* the newest, for whoever asks why */
	struct turnaways turnaways; /* which are among them */
	struct watching watching;
	struct client_names *client_names;
	struct log_limit access_lost_limit, no_port_limit, refused_limit, over_share_limit;
};

#endif
