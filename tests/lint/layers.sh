#!/bin/bash
# Checks the house's floors, from the top of the repository: an area includes itself and those in
# front of it in the list, and every header begins with its one-line card.

areas=(base wire net state proxy server monitor web client helper)
programs_may='^(base|wire|net)/' # beside their own
status=0

complain()
{
	echo "$1" >&2
	status=1
}

# The place of area $1 in the list; nothing when it is none.
place_of()
{
	local i

	for i in "${!areas[@]}"; do
		[[ ${areas[i]} == "$1" ]] && echo "$i"
	done
}

# Looks at all `#include "..."` of file $1, which belongs to area $2.
check_includes()
{
	local own included number path

	own=$(place_of "$2")
	while IFS=: read -r number path; do
		included=$(place_of "${path%%/*}")
		if [[ -z $included || $path != */* ]]; then
			complain "$1:$number: \"$path\" is in no area"
		elif ((included > own)); then
			complain "$1:$number: $2 must not include \"$path\""
		elif [[ $2 == client || $2 == helper ]] && [[ $path != "$2"/* && ! $path =~ $programs_may ]]; then
			complain "$1:$number: $2 must not include the server's \"$path\""
		fi
	done < <(sed -nE '/^[ \t]*#[ \t]*include[ \t]*"/ { s/[^"]*"([^"]*)".*/\1/; =; p }' "$1" |
		paste -d : - -)
}

check_card()
{
	local name first

	name=$(basename "$1" .h)
	IFS= read -r first <"$1"
	[[ $first == "/* $name: "?* ]] || complain "$1:1: does not begin with its card /* $name: ..."
}

[[ -d src && -d include ]] || complain "run it at the top of the repository"

for file in src/*/* include/*/*; do
	area=$(basename "$(dirname "$file")")
	[[ -f $file ]] || continue
	if [[ -z $(place_of "$area") ]]; then
		complain "$file: $area is no area (${areas[*]})"
		continue
	fi
	check_includes "$file" "$area"
	[[ $file == include/* ]] && check_card "$file"
done
exit $status
