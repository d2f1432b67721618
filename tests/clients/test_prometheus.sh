#!/usr/bin/env bash
# Prometheus and what stands around it: its checks of the figures and of the alerts, a strict parser
# of OpenMetrics, and a real Prometheus that scrapes a real socks5d with traffic, at which each query
# of the dashboard has data.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/clients/servers.sh
. "$(dirname "$0")/servers.sh"
# shellcheck source=tests/clients/monitor.sh
. "$(dirname "$0")/monitor.sh"

need curl nginx dnsmasq promtool prometheus

METRICS=$ROOT/tests/clients/metrics.py
ALERTS=$ROOT/conf/prometheus/alerts.yml
DASHBOARD=$ROOT/conf/grafana/socks5d.json

# ---- the server ----

web_listens() {
	WEB_FRONT=$(sed -n 's/.* msg="web listening" address=\([^ ]*\).*/\1/p' "$LOG" | head -n 1)
	[[ -n $WEB_FRONT ]]
}

# With an upstream at which nobody is, for names below via.test.
start_with_figures() {
	cat >"$TMP/socks5d.conf" <<-END
		upstream = away socks5://127.0.0.1:$(free_port)
		rule = via away to .via.test
		rule = deny to .denied.test
		metrics_accounts = yes
		ban_exempt = none
		ban = off
	END
	start_monitored -u bob:hidden -c "$TMP/socks5d.conf" --web-listen 127.0.0.1:0
	wait_for 30 web_listens || die "no web's front in the log: $(cat "$LOG")"
	as_alice CONFIG dns_servers "127.0.0.1:$DNS_PORT" >/dev/null || die 'CONFIG dns_servers fails'
}

figures() {
	run_curl "http://$WEB_FRONT/metrics" "$@"
}

# ---- traffic ----

# ask USER:PASSWORD URL: whatever becomes of it, soon.
ask() {
	curl -q -sS --noproxy '' --max-time 2 -x "socks5h://$1@$PROXY" -o /dev/null "$2" 2>/dev/null
}

# An association that sends a datagram which comes back, and one that is none.
send_datagrams() {
	bounded "$PYTHON" -c '
import socket, struct, sys
host, port = sys.argv[1].rsplit(":", 1)
echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
echo.bind(("127.0.0.1", 0))
tcp = socket.create_connection((host, int(port)))
tcp.sendall(b"\5\1\2\1\5alice\6secret")
assert tcp.recv(4) == b"\5\2\1\0"
tcp.sendall(b"\5\3\0\1\0\0\0\0\0\0")
reply = tcp.recv(10)
assert reply[:2] == b"\5\0", reply
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.settimeout(30)
to = (socket.inet_ntoa(reply[4:8]), struct.unpack(">H", reply[8:])[0])
head = b"\0\0\0\1" + socket.inet_aton("127.0.0.1") + struct.pack(">H", echo.getsockname()[1])
udp.sendto(head + b"hello", to)
data, whence = echo.recvfrom(100)
udp.sendto(b"?", to)
echo.sendto(data, whence)
assert udp.recv(100)[10:] == b"hello"
	' "$PROXY"
}

# Something of each kind, again and again, so that everything has a rate.
make_traffic() {
	while :; do
		ask alice:secret "http://127.0.0.1:$WEB_PORT/page.txt"
		ask bob:hidden "http://localhost:$WEB_PORT/random.bin"
		ask bob:wrong "http://127.0.0.1:$WEB_PORT/page.txt"
		ask alice:secret http://127.0.0.1:1/
		ask alice:secret http://a.denied.test/
		ask alice:secret http://a.via.test/
		ask alice:secret http://host.test/
		ask alice:secret http://none.test/
		send_datagrams
		sleep 0.2
	done >/dev/null 2>&1
}

hold_a_session() {
	spawn curl -q -sS --noproxy '' -x "socks5h://alice:secret@$PROXY" -o /dev/null \
		"http://127.0.0.1:$WEB_PORT/slow/random.bin"
	DOWNLOAD=$SPAWNED
}

# ---- the formats ----

# A user whose name has what labels escape.
passes_promtool() {
	as_alice ADD_USER 'caf\é' secret && figures -o "$TMP/text" &&
		bounded promtool check metrics <"$TMP/text" >"$TMP/remarks" 2>&1
	local status=$?
	cat "$TMP/remarks"
	[[ $status == 0 && ! -s $TMP/remarks ]] &&
		grep -F '{account="caf\\x5cé"}' "$TMP/text"
}

passes_a_strict_parser() {
	figures -o "$TMP/text" && figures -o "$TMP/open" -H 'Accept: application/openmetrics-text' &&
		bounded "$PYTHON" "$METRICS" formats "$TMP/text" "$TMP/open"
}

# ---- Prometheus ----

prometheus_config() {
	cat <<-END
		global:
		  scrape_interval: 1s
		  evaluation_interval: 1s
		scrape_configs:
		  - job_name: socks5d
		    static_configs:
		      - targets: ['$WEB_FRONT']
		rule_files: ['$ALERTS']
	END
}

start_prometheus() {
	prometheus_config >"$TMP/prometheus.yml"
	spawn prometheus --config.file="$TMP/prometheus.yml" --storage.tsdb.path="$TMP/tsdb" \
		--web.listen-address=127.0.0.1:0 2>"$TMP/prometheus.log"
	PROMETHEUS=$SPAWNED
	wait_for 60 prometheus_listens && return
	cat "$TMP/prometheus.log"
	die 'Prometheus does not start'
}

prometheus_listens() {
	gone "$PROMETHEUS" && return
	PROMETHEUS_URL=http://$(sed -n 's/.* msg="Listening on" address=//p' "$TMP/prometheus.log" |
		head -n 1)
	[[ $PROMETHEUS_URL != http:// ]]
}

prometheus_says() {
	run_curl -G "$PROMETHEUS_URL/api/v1/$1" --data-urlencode "$2" | grep -F "$3"
}

# In that form alone a unit is told, and the family of a counter has no _total.
is_scraped_as_openmetrics() {
	wait_for 60 prometheus_says query 'query=up{job="socks5d"} == 1' '"value":[' &&
		prometheus_says targets/metadata metric=socks5d_bytes '"unit":"bytes"'
}

dashboard_has_data() {
	bounded "$PYTHON" "$METRICS" dashboard "$DASHBOARD" "$PROMETHEUS_URL"
}

# Whatever is not there yet comes with the next scrapes.
each_query_has_data() {
	wait_for 90 dashboard_has_data || dashboard_has_data
}

alerts_are_evaluated() {
	wait_for 60 "$PYTHON" "$METRICS" rules "$PROMETHEUS_URL"
}

takes_a_password() {
	as_alice CONFIG metrics_from none && fails 22 401 figures --fail &&
		figures -u alice:secret -o "$TMP/text" && grep -q '^socks5d_bytes_total{' "$TMP/text" &&
		wait_for 60 prometheus_says query 'query=up{job="socks5d"} == 0' '"value":['
}

start_nginx 3000000
start_dnsmasq --local-ttl=60
check alert_rules_are_right bounded promtool check rules "$ALERTS"
check alerts_come_when_they_should bounded promtool test rules "$ROOT/tests/clients/alerts_test.yml"
start_with_figures
check promtool_has_no_remark passes_promtool
if "$PYTHON" -c 'import prometheus_client' 2>/dev/null; then
	check a_strict_parser_takes_both_formats passes_a_strict_parser
else
	skip a_strict_parser_takes_both_formats python3-prometheus-client
fi
start_prometheus
check prometheus_scrapes_openmetrics is_scraped_as_openmetrics
hold_a_session # from here on, so that what happens once is seen to have happened
spawn make_traffic
TRAFFIC=$SPAWNED
check each_query_of_the_dashboard_has_data each_query_has_data
check alerts_are_evaluated alerts_are_evaluated
stop "$TRAFFIC" 2>/dev/null
check a_password_opens_where_the_address_does_not takes_a_password
stop "$PROMETHEUS" >/dev/null 2>&1
stop "$DOWNLOAD" 2>/dev/null
check socks5d_stops_cleanly stop_socks5d
finish
