# shellcheck shell=bash
# The blocks of README.md, or of README, for the tests that run them. A block is a paragraph of lines that are
# indented by four blanks.
#
#	readme_blocks FOLDER		each of them as FOLDER/NUMBER.block, by the line it begins in; what it
#					stands under is in FOLDER/NUMBER.section
#	readme_commands SECTION		those of one section, a command a line, without comments

README=${README:-$ROOT/README.md}

readme_blocks() {
	awk -v folder="$1" '
		/^## / { section = substr($0, 4) }
		!/^    / { name = "" }
		/^    / {
			if (name == "") {
				name = sprintf("%s/%03d", folder, NR)
				print section >(name ".section")
			}
			print substr($0, 5) >(name ".block")
		}' "$README"
}

# What a shell would not run of line $1 is left away, blanks in front included.
without_comment() {
	sed -E 's/ +# .*$//' <<<"$1"
}

readme_commands() {
	local folder block line
	folder=$(mktemp -d "$TMP/blocks.XXXXXX") && readme_blocks "$folder"
	for block in "$folder"/*.block; do
		[[ $(<"${block%.block}.section") == "$1" ]] || continue
		while IFS= read -r line; do
			without_comment "$line"
		done <"$block"
	done
}
