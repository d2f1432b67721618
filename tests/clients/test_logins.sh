#!/usr/bin/env bash
# Programs that offer a login that nobody asked for (Java, stale passwords, a random name for each
# connection), and programs that ask their user for one as soon as the proxy would take it (PuTTY,
# Emacs): what auth = optional and auth = none are for. Each of them by itself where it is there.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"

need curl nginx

# with PROGRAM NAME COMMAND...: the check, if the program is there.
with() {
	local program=$1
	shift
	if command -v "$program" >/dev/null; then
		check "$@"
	else
		skip "$1" "$program"
	fi
}

# page_as FIELDS ARG...: the page comes, and the log has these fields, parted by blanks.
page_as() {
	local fields
	read -ra fields <<<"$1"
	shift
	mark_log
	run_curl -o "$TMP/got" "$@" -x "socks5h://$PROXY" "http://$WEB/page.txt" &&
		cmp "$TMP/got" "$WWW/page.txt" && logged outcome=success "${fields[@]}"
}

refused_for() {
	mark_log
	fails 97 '' run_curl -x "socks5h://$PROXY" "${@:2}" "http://$WEB/page.txt" &&
		logged outcome=fail "reason=$1"
}

# ---- Java: sends the name of its user and an empty password where it may log in ----

# What is asked for is the certificate of a server that has none: that the proxy connected it is
# enough, and the log tells.
java_as() {
	local fields
	read -ra fields <<<"$1"
	mark_log
	bounded keytool -J-DsocksProxyHost=127.0.0.1 "-J-DsocksProxyPort=${PROXY##*:}" \
		-J-DsocksNonProxyHosts= -printcert -sslserver "$WEB"
	logged "target=$WEB" outcome=success "${fields[@]}"
}

# ---- PySocks: a name and a password of its own for each connection ----

random_names() {
	mark_log
	bounded /usr/bin/python3 -c "
import os, socks
for i in range(5):
    s = socks.socksocket()
    s.set_proxy(socks.SOCKS5, '127.0.0.1', ${PROXY##*:}, True, os.urandom(8).hex(), os.urandom(8).hex())
    s.settimeout(30)
    s.connect(('127.0.0.1', $WEB_PORT))
    s.sendall(b'GET /page.txt HTTP/1.0\r\n\r\n')
    assert s.recv(12) == b'HTTP/1.1 200'
" && logged user=Anonymous login=ignored outcome=success
}

# ---- PuTTY's plink ----

# The far side is no ssh server: the proxy's part is over by then.
plink_is_not_asked() {
	mkdir -p "$HOME/.putty/sessions"
	printf '%s\n' HostName=127.0.0.1 "PortNumber=$WEB_PORT" Protocol=ssh ProxyMethod=2 \
		ProxyHost=127.0.0.1 "ProxyPort=${PROXY##*:}" ProxyLocalhost=1 \
		>"$HOME/.putty/sessions/far"
	mark_log
	bounded plink -batch -v -load far true >"$TMP/plink.out" 2>&1
	cat "$TMP/plink.out"
	! grep -qi 'proxy.*\(username\|password\)' "$TMP/plink.out" &&
		logged "target=$WEB" user=Anonymous outcome=success
}

# ---- Emacs ----

emacs_is_not_asked() {
	mark_log
	bounded emacs --batch -Q --eval "
(progn
  (require 'socks)
  (setq socks-server '(\"proxy\" \"127.0.0.1\" ${PROXY##*:} 5)
        socks-noproxy nil
        socks-password nil)
  (let ((got \"\")
        (p (socks-open-network-stream \"x\" nil \"127.0.0.1\" $WEB_PORT)))
    (set-process-filter p (lambda (_ text) (setq got (concat got text))))
    (process-send-string p \"GET /page.txt HTTP/1.0\\r\\n\\r\\n\")
    (while (and (process-live-p p) (accept-process-output p 30)))
    (princ got)))" >"$TMP/emacs.out" 2>&1
	cat "$TMP/emacs.out"
	grep -q 'served by nginx' "$TMP/emacs.out" && logged "target=$WEB" user=Anonymous outcome=success
}

start_nginx 1000
start_socks5d -u alice:secret --auth optional
check optional_right_login page_as user=alice -U alice:secret
check optional_no_login page_as user=Anonymous
check optional_stale_password page_as 'user=Anonymous login=ignored' -U alice:old
check optional_unknown_name page_as 'user=Anonymous login=ignored' -U bob:guess
check optional_empty_password page_as 'user=Anonymous login=ignored' -U alice:
with keytool optional_java java_as 'user=Anonymous login=ignored'
if /usr/bin/python3 -c 'import socks' 2>/dev/null; then
	check optional_random_names random_names
else
	skip optional_random_names python3-socks
fi
check optional_stops stop_socks5d

start_socks5d -u alice:secret --auth none
check none_no_login page_as user=Anonymous
check none_right_login page_as user=Anonymous -U alice:secret
check none_stale_password page_as user=Anonymous -U alice:old
with keytool none_java java_as user=Anonymous
with plink none_plink plink_is_not_asked
with emacs none_emacs emacs_is_not_asked
check none_stops stop_socks5d

start_socks5d -u alice:secret
check required_right_login page_as user=alice -U alice:secret
check required_stale_password refused_for wrong_password -U alice:old
check required_empty_password refused_for wrong_password -U alice:
check required_no_login refused_for no_method
check required_stops stop_socks5d
finish
