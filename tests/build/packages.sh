#!/bin/sh
# Installs those of the Debian packages given as arguments that are missing, and does nothing when
# none is. No service that comes with them is started, now or at the next boot: the programs are
# wanted, not a web server on port 80.
#
# PACKAGES_POLICY is the file that Debian's packages ask whether they may start services.
set -u

is_installed() {
	dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}

all_installed() {
	dpkg-query -W -f '${Package}\n' | sort -u
}

# The services of package $1, one a line.
services_of() {
	dpkg-query -L "$1" 2>/dev/null | sed -nE \
		-e 's,^(/usr)?/lib/systemd/system/([^/@]*\.(service|socket|timer))$,\2,p' \
		-e 's,^/etc/init\.d/(.*),\1.service,p' | sort -u
}

disable_service() {
	systemctl disable -q "$1" 2>/dev/null
	update-rc.d "${1%.service}" disable 2>/dev/null
}

# The root's part.
install_all() {
	policy=${PACKAGES_POLICY:-/usr/sbin/policy-rc.d}
	before=$(mktemp) || return
	trap 'rm -f "$before"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	all_installed >"$before"
	if [ ! -e "$policy" ]; then
		trap 'rm -f "$before" "$policy"' EXIT
		printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" || return
	fi
	apt-get update -qq &&
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
			"$@" >/dev/null
	status=$?
	all_installed | comm -13 "$before" - | while read -r package; do
		services_of "$package"
	done | while read -r service; do
		disable_service "$service"
	done
	return $status
}

# sudo asks for a password only where there is somebody to ask, and says nothing by itself.
may_sudo() {
	command -v sudo >/dev/null || return
	sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v 2>/dev/null; }
}

if [ "${1:-}" = --as-root ]; then
	shift
	install_all "$@"
	exit
fi

missing=
for package; do
	is_installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ]; then
	sudo=
elif may_sudo; then
	sudo=sudo
else
	echo "packages are missing; as root: apt-get install --no-install-recommends$missing" >&2
	exit 1
fi
echo "installing:$missing"
# shellcheck disable=SC2086 # names without blanks
exec $sudo sh "$0" --as-root $missing
