#!/bin/sh
# deb.sh SOURCES ARG...: builds the Debian package from SOURCES, what `make dist` has made, beside it:
# conf/debian has to be called debian there. ARG are dpkg-buildpackage's.
set -eu

umask 022
sources=$(realpath "$1")
tree=${sources%.tar.gz}
shift
rm -rf "$tree"
tar -x -C "$(dirname "$sources")" -f "$sources"
cp -r "$tree/conf/debian" "$tree/debian"
cd "$tree"
# Neither a make that has started this one nor a user's flags have a say in it.
exec env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u MAKEOVERRIDES -u DESTDIR -u PREFIX -u O \
	dpkg-buildpackage -us -uc -ui "$@"
