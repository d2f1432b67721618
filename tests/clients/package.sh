#!/usr/bin/env bash
# Debian's package: built from the tarball that make dist makes, twice, in folders with other names
# and under other umasks, which gives the same bytes; lintian has nothing to say about it; and its own
# tests (conf/debian/tests), by autopkgtest in a new Debian that is booted for them.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/clients/boot.sh
. "$(dirname "$0")/boot.sh"

need make git dpkg-buildpackage dh fakeroot
dpkg-query -W -f '${Status}' libcmocka-dev 2>/dev/null | grep -q 'ok installed' || skip_all libcmocka-dev

LIMIT=1800 # all is compiled, some of it on a busy machine
VERSION=$(sed -n '1s/.*(\(.*\)).*/\1/p' "$ROOT/conf/debian/changelog")
FIRST=$TMP/first/build/dist
ELSEWHERE=$TMP/quite/elsewhere # without blanks: behind one dpkg lets paths into what is built
SECOND=$ELSEWHERE/socks5d-$VERSION/build/dist

# A compiler cache would make the same of both.
make_() {
	bounded env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u MAKEOVERRIDES CCACHE_DISABLE=1 \
		make --no-print-directory "$@"
}

builds() {
	(umask 022 && make_ -C "$ROOT" O="$TMP/first" deb) >"$TMP/first.log" 2>&1
	local status=$?
	tail -n 20 "$TMP/first.log"
	return "$status"
}

# The unit tests were part of it.
was_tested() {
	grep '^[0-9]* passed, 0 failed' "$TMP/first.log"
}

# Out of the tarball, where there is no git, by somebody who is afraid of others, elsewhere.
builds_again() {
	mkdir -p "$ELSEWHERE" && tar -x -C "$ELSEWHERE" -f "$FIRST/socks5d-$VERSION.tar.gz" &&
		(umask 077 && cd "$ELSEWHERE/socks5d-$VERSION" && chmod -R go= . &&
			TZ=Pacific/Auckland LC_ALL=C.UTF-8 DEB_BUILD_OPTIONS=nocheck make_ deb) \
			>"$TMP/second.log" 2>&1
	local status=$?
	tail -n 20 "$TMP/second.log"
	return "$status"
}

is_the_same() {
	local file
	for file in "socks5d-$VERSION.tar.gz" "socks5d_$VERSION.tar.xz" "socks5d_${VERSION}_$ARCH.deb" \
		"socks5d-dbgsym_${VERSION}_$ARCH.deb"; do
		cmp "$FIRST/$file" "$SECOND/$file" || return
	done
}

has_the_version() {
	[[ $("$FIRST/socks5d-$VERSION/debian/socks5d/usr/sbin/socks5d" -v) == "socks5d $VERSION" ]] &&
		[[ $(dpkg-deb -f "$FIRST/socks5d_${VERSION}_$ARCH.deb" Version) == "$VERSION" ]]
}

leaves_the_sources_alone() {
	[[ ! -e $ROOT/debian && ! -e $ELSEWHERE/socks5d-$VERSION/debian ]]
}

lintian_is_silent() {
	bounded lintian --allow-root --info --pedantic --display-info --fail-on error,warning,info,pedantic \
		"$FIRST/socks5d_${VERSION}_$ARCH.changes" >"$TMP/lintian" 2>&1
	local status=$?
	cat "$TMP/lintian"
	((status == 0)) && [[ ! -s $TMP/lintian ]]
}

# ---- in a new Debian ----

NEW=${SOCKS5D_TEST_DEBIAN:-$TMP/root} # a folder with one to be used, for those who try often
SUITE=$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")

# With what the package and its tests depend on, and autopkgtest installs by itself: the system that is
# booted has no network.
install_debian() {
	[[ -x $NEW/usr/bin/autopkgtest ]] ||
		bounded debootstrap --variant=minbase \
			--include=systemd,curl,ca-certificates,autopkgtest,dpkg-dev,logrotate,python3 "$SUITE" "$NEW" ||
		return
	dpkg-deb -f "$FIRST/socks5d_${VERSION}_$ARCH.deb" Depends | tr ',' '\n' |
		sed 's/[|(].*//' >"$TMP/depends"
	# shellcheck disable=SC2046 # names
	bounded chroot "$NEW" apt-get update -qq &&
		bounded chroot "$NEW" env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends $(<"$TMP/depends") &&
		rm -rf "$NEW/package" && mkdir -p "$NEW/package/socks5d" &&
		cp "$FIRST/socks5d_${VERSION}_$ARCH.deb" "$NEW/package" &&
		cp -r "$ROOT/conf/debian" "$NEW/package/socks5d"
}

# Its lines are those of the package's own test.
tests_itself() {
	in_system autopkgtest --no-built-binaries --output-dir /package/results \
		"/package/socks5d_${VERSION}_$ARCH.deb" /package/socks5d -- null \
		>"$TMP/autopkgtest" 2>&1
	local status=$?
	grep -E '^(not )?ok|^    |^service|^badpkg' "$TMP/autopkgtest" | tail -n 40 | grep . ||
		tail -n 5 "$TMP/autopkgtest" # not even begun
	((status == 0)) && grep -q '^ok purges$' "$TMP/autopkgtest"
}

ARCH=$(dpkg --print-architecture)
check it_is_built_from_the_tarball builds
[[ -e $FIRST/socks5d_${VERSION}_$ARCH.deb ]] || die 'no package'
check its_unit_tests_have_passed was_tested
check it_is_built_again_from_the_tarball_alone builds_again
check both_are_the_same is_the_same
check the_version_is_the_newest_of_the_news has_the_version
check the_sources_stay_as_they_are leaves_the_sources_alone
if command -v lintian >/dev/null; then
	check lintian_is_silent lintian_is_silent
else
	skip lintian_is_silent lintian
fi
if [[ $EUID != 0 || ! -x $(command -v debootstrap) ]]; then
	skip it_tests_itself_in_a_new_debian 'root, debootstrap'
elif ! install_debian >"$TMP/debootstrap.log" 2>&1; then
	tail -n 5 "$TMP/debootstrap.log"
	skip it_tests_itself_in_a_new_debian 'a debootstrap that can fetch packages'
elif ! boot_system "$NEW"; then
	skip it_tests_itself_in_a_new_debian "a systemd that boots: $(tail -n 2 "$TMP/boot.log")"
else
	check it_tests_itself_in_a_new_debian tests_itself
	sed -n 's/^\(not \)\{0,1\}ok /    &/p' "$TMP/autopkgtest"
	halt_system
fi
finish
