# shellcheck shell=bash
# Sourced by tests of faults, which take long. FAULTS_SHORT=1 takes samples.
#
#	is_short		will samples do?
#	in_full COMMAND...	where they do not

is_short() {
	[[ -n ${FAULTS_SHORT:-} ]]
}

in_full() {
	is_short || "$@"
}
