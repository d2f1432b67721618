#!/bin/bash
# Checks the house's floors, from the top of the repository: an area includes itself and those in
# front of it in the list, and every header begins with its one-line card.

areas='base wire net state proxy server monitor web client helper'
programs_may='^(base|wire|net)/' # beside their own

if [[ ! -d src || ! -d include ]]; then
	echo "run it at the top of the repository" >&2
	exit 1
fi

# In one process: there are hundreds of files, and thousands of lines to look at.
find src include -mindepth 2 -maxdepth 2 -type f | sort | awk -v areas="$areas" -v programs_may="$programs_may" '
	BEGIN {
		count = split(areas, names, " ")
		for (i = 1; i <= count; i++)
			place[names[i]] = i
	}

	function complain(text) {
		print text >"/dev/stderr"
		failed = 1
	}

	# `path` is what line `number` of `file`, which belongs to `area`, includes.
	function check_include(file, area, number, path, included) {
		included = path
		sub(/\/.*/, "", included)
		if (!(included in place) || path !~ /\//)
			complain(file ":" number ": \"" path "\" is in no area")
		else if (place[included] > place[area])
			complain(file ":" number ": " area " must not include \"" path "\"")
		else if ((area == "client" || area == "helper") && included != area && path !~ programs_may)
			complain(file ":" number ": " area " must not include the server\047s \"" path "\"")
	}

	function check_card(file, name, first) {
		sub(/\.h$/, "", name)
		if (index(first, "/* " name ": ") != 1 || length(first) == length("/* " name ": "))
			complain(file ":1: does not begin with its card /* " name ": ...")
	}

	{
		file = $0
		split(file, part, "/")
		if (!(part[2] in place)) {
			complain(file ": " part[2] " is no area (" areas ")")
			next
		}
		line = ""
		for (number = 1; (getline line <file) > 0; number++) {
			if (number == 1)
				first = line
			if (line ~ /^[ \t]*#[ \t]*include[ \t]*"/) {
				split(line, quoted, "\"")
				check_include(file, part[2], number, quoted[2])
			}
		}
		close(file)
		if (part[1] == "include")
			check_card(file, part[3], number > 1 ? first : "")
	}

	END { exit failed }'
