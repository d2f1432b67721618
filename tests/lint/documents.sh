#!/bin/bash
# Checks what people read first, from the top of the repository: README.md stays short, and links
# from one document to another file lead somewhere.

README_LINES=300
documents=(README.md src/README.md tests/bench/README.md tests/bench/results/README.md)
status=0

complain()
{
	echo "$1" >&2
	status=1
}

# The targets of the links and pictures in Markdown file $1, as NUMBER:TARGET.
links_of()
{
	grep -noE '\]\([^) ]+\)' "$1" | sed -E 's/:\]\((.*)\)$/:\1/'
}

check_links()
{
	local number target

	while IFS=: read -r number target; do
		case $target in
		'#'* | http:* | https:* | mailto:*) continue ;;
		esac
		[[ -e $(dirname "$1")/${target%%#*} ]] || complain "$1:$number: there is no $target"
	done < <(links_of "$1")
}

for document in "${documents[@]}"; do
	if [[ -f $document ]]; then
		check_links "$document"
	else
		complain "$document is missing"
	fi
done

lines=$(wc -l <README.md)
((lines <= README_LINES)) || complain "README.md has $lines lines, more than $README_LINES"
exit $status
