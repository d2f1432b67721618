#!/usr/bin/env bash
# Analyzes C files, as many at a time as there are processors, each once by each of two that find
# different things: clang-tidy, one of whose checks is clang's static analyzer, and gcc's analyzer.
#
#	tests/lint/analyze.sh FLAG... -- FILE...
#
# Shown is only what they find. LINT_SHORT=1 leaves the files of tests to gcc, which takes a tenth of
# the time.
set -u

# gcc loses sight of memory whose address is in an element of an array, and calls that a leak. Of
# leaks clang's analyzer tells, and so do AddressSanitizer and valgrind.
GCC=(gcc -S -o /dev/null -fanalyzer -Wno-analyzer-malloc-leak -Werror)

if [[ $1 != --one ]]; then
	flags=()
	while [[ $1 != -- ]]; do
		flags+=("$1")
		shift
	done
	shift
	printf '%s\n' "$@" | xargs -n 1 -P "$(nproc)" "$0" --one "${flags[@]}"
	exit
fi

flags=("${@:2:$#-2}")
file=${*: -1}
status=0
case $file in
tests/bench/* | tests/docs/* | tests/faults/* | tests/fuzz/*) ;; # without cmocka
tests/*) flags+=(-include tests/lint/analyzed.h) ;;
esac

# It counts what it does not show.
found=
[[ -n ${LINT_SHORT:-} && $file == tests/* ]] || found=$(clang-tidy -quiet "$file" -- "${flags[@]}" 2>&1) || status=1
[[ $status == 0 ]] || found=$(grep -vE '^[0-9]+ warnings? (and [0-9]+ errors? )?generated\.$' <<<"$found")
by_gcc=$("${GCC[@]}" "${flags[@]}" "$file" 2>&1) || status=1
[[ $status == 0 ]] || printf '%s\n' "$found" "$by_gcc"
exit $status
