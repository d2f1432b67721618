/* settings: the one table of all options, from which the file, the flags, --help, the sample
 * configuration and the manual come; and the values as one struct. No lock: a value type. */
#ifndef STATE_SETTINGS_H
#define STATE_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "state/ban_setting.h"
#include "state/exempt_setting.h"
#include "state/expectation_types.h"
#include "state/limit_types.h"
#include "state/page_settings.h"
#include "state/rate_types.h"
#include "state/rule_types.h"
#include "state/setting_addresses.h"
#include "state/setting_networks.h"
#include "state/setting_scalars.h"
#include "state/shared_setting.h"
#include "state/upstream_types.h"
#include "state/word_types.h"

#define SETTINGS_MOST_PASSWORD_CHECKS 64

/* What clients may speak, as bits. */
enum protocol {
	PROTOCOL_SOCKS5 = 1 << 0,
	PROTOCOL_SOCKS4 = 1 << 1, /* 4a, too */
	PROTOCOL_HTTP = 1 << 2,
};

enum auth_rule {
	AUTH_AUTO, /* login required as soon as there are users */
	AUTH_REQUIRED, /* login required, even when there is no user who could */
	AUTH_OPTIONAL, /* who does not log in, or not rightly, is Anonymous */
	AUTH_NONE, /* everybody is, whatever he says */
};

/* From whom an association passes datagrams on to its client. */
enum udp_filter {
	UDP_FILTER_ADDRESS, /* from addresses that the client has sent to */
	UDP_FILTER_ADDRESS_PORT, /* the same with their ports */
	UDP_FILTER_NONE, /* from anybody */
};

/* Which family of addresses is used first, or only. */
enum prefer {
	PREFER_IPV6,
	PREFER_IPV4,
	PREFER_IPV4_ONLY,
	PREFER_IPV6_ONLY,
};

/* What a browser does that cannot reach the proxy. */
enum pac_fallback {
	PAC_FALLBACK_NONE, /* it says so */
	PAC_FALLBACK_DIRECT, /* it goes without */
};

/* When sessions end that the rules would refuse by now. */
enum recheck_when {
	RECHECK_NO,
	RECHECK_TIME, /* when a rule begins or ends to hold */
	RECHECK_ALL, /* and whenever the rules are others */
};

/* What the server gives up once everything is open. */
enum sandbox {
	SANDBOX_OFF,
	SANDBOX_ON, /* what the kernel and the build have of it */
	SANDBOX_REQUIRED, /* all of it, or no start */
};

/* How sessions move their bytes. */
enum relay_path {
	RELAY_AUTO, /* through buffers; by splice(2), in pipes, once a direction is bulk */
	RELAY_COPY, /* the other two are for tests and measurements */
	RELAY_SPLICE, /* from the first byte that is not in a buffer already, as far as pipes go */
};

/* What a change of a setting has to do beside putting the new value before whoever asks for it from
 * then on, as the bits of its row; server/effects.h does it. */
enum setting_effect {
	EFFECT_LISTENERS = 1 << 0,
	EFFECT_LOG_FILE = 1 << 1, /* is opened */
	EFFECT_LOG_STYLE = 1 << 2, /* level and format */
	EFFECT_ACCESS_LOG_FILE = 1 << 3, /* is opened */
	EFFECT_ACCESS_LOG_ENTRIES = 1 << 4,
	EFFECT_RESOLVER = 1 << 5, /* forgets all names and asks anew */
	EFFECT_PASSWORD_CHECKS = 1 << 6,
	EFFECT_DOOR = 1 << 7, /* who gets in: a warning, perhaps */
	EFFECT_USERS = 1 << 8, /* the file of users is read: of no setting, but of a reload */
	EFFECT_OUTGOING = 1 << 9, /* from where targets are reached: a warning, perhaps */
	EFFECT_PUBLISH = 1 << 10, /* others see the new configuration: of every change */
	EFFECT_RULES = 1 << 11, /* are compiled, their files read */
	EFFECT_UPSTREAMS = 1 << 12, /* the same of them: password files */
	EFFECT_WEB = 1 << 13, /* how browsers come: a warning, perhaps */
	EFFECT_LOGIN_HELPER = 1 << 14, /* how it is asked */
};

/* max_sessions_per_client, where it is no number. */
enum sessions_per_client {
	SESSIONS_PER_CLIENT_NONE = -1, /* no bound */
	SESSIONS_PER_CLIENT_AUTO, /* the last workers are kept for others, proxy/places.h */
};

/* Durations are in milliseconds. Text is never NULL; "" is not set. */
struct settings {
	struct listen_list listen;
	int64_t port;
	int64_t http_via; /* 0 or 1 */
	int64_t protocols; /* of enum protocol, bits */
	struct listen_list monitor_listen; /* one */
	int64_t monitor_port;
	char *monitor_socket;
	int64_t max_monitor_clients;
	int64_t monitor_login_timeout;
	int64_t monitor_timeout;

	struct listen_list web_listen; /* one, or none */
	int64_t max_web_clients;
	struct network_list web_trusted;
	struct word_list web_names;
	struct exempt_clients metrics_from;
	int64_t metrics_accounts; /* 0 or 1 */

	int64_t max_sessions; /* 0: as many as fit */
	int64_t max_sessions_per_client; /* or enum sessions_per_client */
	int64_t backlog;
	int64_t handshake_timeout;
	int64_t connect_timeout;
	int64_t timeout;
	int64_t half_close_timeout;
	int64_t drain_timeout;
	int64_t relay; /* enum relay_path */
	struct rate rate_total;
	struct group_rates group_rates;

	struct host_pair external_address;
	char *external_interface;
	int64_t prefer; /* enum prefer */

	struct host_pair udp_address;
	struct port_range udp_ports;
	struct network_list udp_clients;
	int64_t udp_filter; /* enum udp_filter */
	int64_t udp_timeout;

	struct host_pair bind_address;
	struct port_range bind_ports;
	int64_t bind_timeout;
	int64_t bind_any_peer; /* 0 or 1 */

	int64_t setup_page; /* 0 or 1 */
	struct word_list proxy_name;
	struct word_list pac_direct;
	int64_t pac_fallback; /* enum pac_fallback */

	struct client_rule clients;
	struct network_list proxy_protocol_from;
	struct text_lines rules;
	int64_t otherwise; /* enum rule_action */
	int64_t protect; /* PLACE_BIT() of rule_places.h */
	struct client_groups client_groups;
	struct expectations expect;
	int64_t recheck; /* enum recheck_when */
	struct text_lines upstreams;
	int64_t auth; /* enum auth_rule */
	char *users_file;
	int64_t max_password_checks; /* 0: auto */
	char *auth_socket;
	int64_t auth_cache; /* 0: nothing is remembered */
	int64_t max_auth_questions;
	struct ban_rule ban;
	struct exempt_clients ban_exempt;

	struct limit_default user_defaults;
	struct limit_lines group_defaults;
	struct limit_lines client_limits;
	struct limit_default anonymous_defaults;

	char *dns_servers;
	char *dns_search;
	int64_t dns_cache;
	int64_t dns_negative_ttl;

	char *user;
	int64_t sandbox; /* enum sandbox */
	char *state_dir;
	struct shared_place shared; /* by which nodes share their state; nowhere: they do not */
	char *shared_password_file;
	char *shared_prefix;
	char *node_name; /* "": the host's */
	int64_t shared_users; /* bool: users are the nodes', too */
	int64_t shared_grace; /* ms */
	struct network_list shared_nodes; /* where the monitors of other nodes may be */
	int64_t history_days; /* 0: no history */
	int64_t sites_days; /* 0: no sites in it */

	char *client_names;
	char *access_log_file;
	int64_t access_log_entries;
	char *log_file;
	int64_t log_level; /* enum log_level */
	int64_t log_format; /* enum log_format */
};

/* Rows of the table, and so the size of every array that is indexed by it. */
#define SETTINGS_COUNT 86

extern const struct setting settings_table[SETTINGS_COUNT];

/* The entry called `name`, with _ or - alike; NULL when there is none. */
const struct setting *settings_find(const char *name);

/* All defaults. -1 without memory. */
int settings_init(struct settings *s) __attribute__((warn_unused_result));

/* Frees what the values own. */
void settings_free(struct settings *s);

#endif
