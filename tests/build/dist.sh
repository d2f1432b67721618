#!/bin/sh
# dist.sh FILE EPOCH: the sources as they lie here, in FILE, a .tar.gz with one folder of its name in
# it. Of a clone that is what git knows, changes included; of an unpacked FILE all but what is built.
# The same sources make the same bytes, whoever packs them, when and where: each file is from EPOCH.
set -eu

name=$(basename "$1" .tar.gz)
files=$(mktemp)
trap 'rm -f "$files"' EXIT

if [ -e .git ]; then
	git ls-files -z
else
	find . -path ./build -prune -o -path ./bin -prune -o ! -type d -printf '%P\0'
fi | LC_ALL=C sort -z >"$files"

mkdir -p "$(dirname "$1")"
tar -c --null --files-from="$files" --transform="s,^,$name/,S" --format=gnu --mtime="@$2" \
	--owner=0 --group=0 --numeric-owner --mode=u+w,go-w,a+rX | gzip -9n >"$1.new"
mv -f "$1.new" "$1"
