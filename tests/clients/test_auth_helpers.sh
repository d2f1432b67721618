#!/usr/bin/env bash
# Logins by squid's helpers as Debian has them, through socks5d_auth: each asks a directory that is
# started here, on a host of the test's own, with configuration in a temporary folder.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/clients/host.sh
. "$(dirname "$0")/host.sh"

need python3 openssl

# shellcheck source=tests/clients/auth.sh
. "$(dirname "$0")/auth.sh"

HELPERS=/usr/lib/squid

# coded TEXT: as the protocol writes it.
coded() {
	python3 -c 'import sys, urllib.parse; print(urllib.parse.quote(sys.argv[1], safe="-._~"))' "$1"
}

# login NAME PASSWORD [GROUPS]: what is answered.
login() {
	talk "AUTH $(coded "$1") $(coded "$2")${3:+ groups=$3}"$'\n'
}

# answers ANSWER NAME PASSWORD [GROUPS]
answers() {
	local got
	got=$(login "${@:2}")
	echo "$2: $got, expected $1"
	# shellcheck disable=SC2053 # a pattern
	[[ $got == $1 ]] || { cat "$AUTH_LOG" && return 1; }
}

# ---- files of htpasswd, groups of the host ----

ODD_NAME='b o"b%'
ODD_PASSWORD='p w%20"\'\''ä'

ncsa_works() {
	{
		echo "alice:$(openssl passwd -apr1 s3cret)"
		echo "root:$(openssl passwd -5 s3cret)"
		echo "$ODD_NAME:$(openssl passwd -6 "$ODD_PASSWORD")"
	} >"$TMP/htpasswd"
	start_auth --children 3 --groups "$HELPERS/ext_unix_group_acl -p" \
		"$SOCKET" "$HELPERS/basic_ncsa_auth" "$TMP/htpasswd" &&
		answers OK alice s3cret && answers ERR alice wrong && answers ERR nobody s3cret &&
		answers OK "$ODD_NAME" "$ODD_PASSWORD" && answers ERR "$ODD_NAME" p
}

unix_groups_are_told() {
	answers 'OK groups=root' root s3cret adm,root,no%20such && answers ERR root wrong root &&
		answers OK alice s3cret root
}

# A hundred at once, of which every other one is wrong.
many_are_answered_right() {
	bounded python3 -c '
import socket, sys, threading
wrong = []
def one(i):
	s = socket.socket(socket.AF_UNIX)
	s.connect(sys.argv[1])
	for j in range(3):
		good = (i + j) % 2 == 0
		s.sendall(b"AUTH alice %s\n" % (b"s3cret" if good else b"wrong%d" % i))
		answer = s.makefile().readline()
		if answer != ("OK\n" if good else "ERR\n"):
			wrong.append(answer)
threads = [threading.Thread(target=one, args=(i,)) for i in range(100)]
for t in threads: t.start()
for t in threads: t.join()
print(wrong[:5], len(wrong))
sys.exit(bool(wrong))
' "$SOCKET"
}

# ---- LDAP ----

ldap_config() {
	mkdir -p "$TMP/ldap/data"
	cat >"$TMP/ldap/slapd.conf" <<-END
		include /etc/ldap/schema/core.schema
		include /etc/ldap/schema/cosine.schema
		include /etc/ldap/schema/nis.schema
		include /etc/ldap/schema/inetorgperson.schema
		modulepath /usr/lib/ldap
		moduleload back_mdb
		pidfile $TMP/ldap/pid
		database mdb
		suffix "dc=example,dc=org"
		directory $TMP/ldap/data
		access to attrs=userPassword by anonymous auth
		access to * by * read
	END
	cat >"$TMP/ldap/entries" <<-END
		dn: dc=example,dc=org
		objectClass: dcObject
		objectClass: organization
		dc: example
		o: Example

		dn: ou=people,dc=example,dc=org
		objectClass: organizationalUnit
		ou: people

		dn: uid=carol,ou=people,dc=example,dc=org
		objectClass: inetOrgPerson
		uid: carol
		cn: Carol
		sn: Carol
		userPassword: s3cret pass

		dn: ou=groups,dc=example,dc=org
		objectClass: organizationalUnit
		ou: groups

		dn: cn=Domain Users,ou=groups,dc=example,dc=org
		objectClass: posixGroup
		cn: Domain Users
		gidNumber: 5000
		memberUid: carol

		dn: cn=staff,ou=groups,dc=example,dc=org
		objectClass: posixGroup
		cn: staff
		gidNumber: 5001
		memberUid: dave
	END
	slapadd -f "$TMP/ldap/slapd.conf" -l "$TMP/ldap/entries"
}

ldap_settled() {
	gone "$SLAPD" || (exec 3<>"/dev/tcp/127.0.0.1/389") 2>/dev/null
}

start_slapd() {
	spawn slapd -d 0 -f "$TMP/ldap/slapd.conf" -h ldap://127.0.0.1:389 2>"$TMP/ldap/log"
	SLAPD=$SPAWNED
	wait_for 30 ldap_settled
	! gone "$SLAPD" || { cat "$TMP/ldap/log" && return 1; }
}

ldap_works() {
	ldap_config && start_slapd &&
		start_auth --groups "$HELPERS/ext_ldap_group_acl -b ou=groups,dc=example,dc=org \
			-f '(&(cn=%g)(memberUid=%u))' -h 127.0.0.1" "$SOCKET" \
			"$HELPERS/basic_ldap_auth" -P -b ou=people,dc=example,dc=org -f uid=%s -h 127.0.0.1 &&
		answers OK carol 's3cret pass' && answers ERR carol wrong && answers ERR dave x &&
		answers OK carol 's3cret pass' &&
		answers ERR 'carol)(uid=*' 's3cret pass'
}

# Also who types his name otherwise, which is all the same to uid and not to memberUid.
ldap_groups_are_told() {
	answers 'OK groups=Domain%20Users' carol 's3cret pass' staff,Domain%20Users &&
		answers 'OK groups=Domain%20Users' CAROL 's3cret pass' staff,Domain%20Users
}

# Then it says so, in its own words, and works again by itself.
ldap_comes_and_goes() {
	stop "$SLAPD"
	answers 'BH message=*' carol 's3cret pass' && start_slapd && answers OK carol 's3cret pass'
}

# ---- PAM ----

# Accounts of this host, which is a copy of the real one's.
pam_accounts() {
	echo 'dave:x:4242:4242::/nonexistent:/usr/sbin/nologin' >>/etc/passwd &&
		echo "dave:$(openssl passwd -6 s3cret):19000:0:99999:7:::" >>/etc/shadow &&
		printf '%s\n' 'auth required pam_unix.so nodelay' 'account required pam_unix.so' \
			>/etc/pam.d/socks5d
}

# As the unit does it: a user who may do nothing, in the group shadow.
pam_works() {
	stop_auth || return
	AS='setpriv --no-new-privs --reuid nobody --regid nogroup --groups shadow'
	SOCKET=$TMP/nobodys/auth.sock
	pam_accounts && chmod 711 "$TMP" && install -d -o nobody -g nogroup "$TMP/nobodys" &&
		start_auth "$SOCKET" "$HELPERS/basic_pam_auth" -n socks5d &&
		answers OK dave s3cret && answers ERR dave wrong && answers ERR nobody s3cret
}

# ---- RADIUS ----

radius_config() {
	mkdir -p "$TMP/radius"
	cat >"$TMP/radius/radiusd.conf" <<-END
		libdir = /usr/lib/freeradius
		run_dir = $TMP/radius
		pidfile = $TMP/radius/pid
		log {
			destination = stderr
		}
		security {
			reject_delay = 0
			allow_vulnerable_openssl = yes
		}
		modules {
			pap {
			}
			files {
				filename = $TMP/radius/users
			}
		}
		client local {
			ipaddr = 127.0.0.1
			secret = testing123
			require_message_authenticator = no
		}
		server default {
			listen {
				type = auth
				ipaddr = 127.0.0.1
				port = 1812
			}
			authorize {
				files
				pap
			}
			authenticate {
				Auth-Type PAP {
					pap
				}
			}
		}
	END
	echo "\$INCLUDE /usr/share/freeradius/dictionary" >"$TMP/radius/dictionary"
	echo 'erin Cleartext-Password := "s3cret pass"' >"$TMP/radius/users"
	printf '%s\n' 'server 127.0.0.1' 'secret testing123' 'port 1812' >"$TMP/radius/client"
}

radius_settled() {
	gone "$RADIUS" || grep -q 'Ready to process requests' "$TMP/radius/log"
}

start_freeradius() {
	spawn freeradius -f -l "$TMP/radius/log" -d "$TMP/radius" -D "$TMP/radius" 2>>"$TMP/radius/log"
	RADIUS=$SPAWNED
	wait_for 30 radius_settled
	! gone "$RADIUS" || { cat "$TMP/radius/log" && return 1; }
}

radius_works() {
	radius_config && start_freeradius &&
		start_auth "$SOCKET" "$HELPERS/basic_radius_auth" -f "$TMP/radius/client" -t 5 &&
		answers OK erin 's3cret pass' && answers ERR erin wrong && answers ERR dave s3cret
}

# ---- all the way: a client, the server, the program, a helper ----

gets_page_as() {
	mark_log
	run_curl -o "$TMP/got" -x "socks5h://$1@$PROXY" "http://$WEB/page.txt" &&
		cmp "$TMP/got" "$WWW/page.txt" && logged "user=${1%%:*}" outcome=success
}

is_refused_as() {
	mark_log
	fails 97 '' run_curl -x "socks5h://$1@$PROXY" "http://$WEB/page.txt" &&
		logged outcome=fail "reason=$2"
}

# Who is in the host's group root gets through, and nobody else.
the_server_asks() {
	AS=
	SOCKET=$TMP/auth.sock
	start_auth --groups "$HELPERS/ext_unix_group_acl -p" \
		"$SOCKET" "$HELPERS/basic_ncsa_auth" "$TMP/htpasswd" &&
		start_nginx 1000 || return
	start_socks5d --auth-socket "$SOCKET" --rule 'allow user @root' --otherwise deny
	gets_page_as root:s3cret && is_refused_as root:wrong wrong_password &&
		is_refused_as alice:s3cret target_denied
}

# Whom it knows gets in without the helpers, and others as soon as these are back.
the_server_does_without_for_a_while() {
	stop_auth && gets_page_as root:s3cret && is_refused_as root:wrong2 login_unanswered &&
		start_auth --groups "$HELPERS/ext_unix_group_acl -p" \
			"$SOCKET" "$HELPERS/basic_ncsa_auth" "$TMP/htpasswd" &&
		is_refused_as root:wrong3 wrong_password && stop_socks5d
}

# with PROGRAM HELPER NAME COMMAND...: the check, if both are there.
with() {
	if ! command -v "$1" >/dev/null; then
		skip "$3" "$1"
	elif [[ ! -x $HELPERS/$2 ]]; then
		skip "$3" "squid's $2"
	else
		check "${@:3}"
	fi
}

give_addresses '' lo && prepare_folders || die 'no host of its own'
with openssl basic_ncsa_auth ncsa ncsa_works
with openssl ext_unix_group_acl unix_groups unix_groups_are_told
with openssl basic_ncsa_auth many_at_once many_are_answered_right
with slapd basic_ldap_auth ldap ldap_works
with slapd ext_ldap_group_acl ldap_groups ldap_groups_are_told
with slapd basic_ldap_auth ldap_comes_and_goes ldap_comes_and_goes
with freeradius basic_radius_auth radius radius_works
with setpriv basic_pam_auth pam pam_works
with nginx ext_unix_group_acl the_server_asks the_server_asks
with nginx ext_unix_group_acl the_server_does_without the_server_does_without_for_a_while
check it_ends_and_leaves_no_socket stop_auth
finish
