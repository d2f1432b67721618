#!/bin/bash
# Checks what people read first, from the top of the repository: README.md stays short, links from
# one document to another file lead somewhere, and manuals show what they quote.

README_LINES=300
documents=(README.md src/README.md src/CONFORMANCE.md tests/bench/README.md tests/bench/results/README.md tests/soak/README.md)
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

# mdoc(7) takes a word of a quotation that is called like a macro for one, and shows the rest without
# it: "OK No active users" needs \& in front of "No". Ns and the quotes of a pair are meant.
macros='Ac|Ad|An|Ao|Ap|Aq|Ar|At|Bc|Bo|Bq|Brc|Bro|Brq|Bsx|Bx|Cd|Cm|Dc|Do|Dq|Dv|Dx|Ec|Em|En|Eo|Er|Es|Ev'
macros+='|Fa|Fc|Fl|Fn|Fo|Ft|Fx|Ic|In|Li|Lk|Ms|Mt|Nd|Nm|No|Nx|Oc|Oo|Op|Ot|Ox|Pa|Pc|Pf|Po|Qc|Ql|Qo|Qq'
macros+='|Sc|So|Sq|St|Sx|Sy|Ta|Tn|Ux|Va|Vt|Xc|Xo|Xr'

check_quotations()
{
	local line

	while read -r line; do
		complain "$line: a macro's name in a quotation needs \\& in front"
	done < <(grep -HnE "^\.(Pq )?Ql( .*)? ($macros)( |\$)" "$1")
}

for manual in src/*.[178]; do
	check_quotations "$manual"
done

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
