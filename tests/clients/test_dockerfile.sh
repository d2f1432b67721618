#!/usr/bin/env bash
# conf/Dockerfile without docker: its instructions are carried out in folders with a new Debian, as
# far as they are used there (any other one is refused), and what it would start is started as its
# user, with a network of its own: healthy, closed until the first user, and within its limits.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"

need debootstrap unshare git curl python3
[[ $EUID == 0 ]] || skip_all root

LIMIT=1800 # packages are fetched, and all is compiled
IMAGE=debian:bookworm-slim
BASE=$TMP/base
declare -A STAGES=()
STAGE=
WORKDIR=/
AS=root
COUNT=0

# in_stage COMMAND...: in the folder and as the user that there are now.
in_stage() {
	bounded unshare --mount --pid --fork --kill-child sh -c '
		as=$1
		shift
		mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" &&
			exec chroot --userspec="$as" "$0" env -i HOME=/root \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			sh -c "cd \"\$0\" && exec \"\$@\"" "$@"' "$STAGE" "$AS" "$WORKDIR" "$@"
}

# What docker would be sent.
copy_context() {
	(cd "$ROOT" && git ls-files -z --cached --others --exclude-standard |
		tar -c --null --files-from=- --ignore-failed-read 2>/dev/null) | tar -x -C "$1"
}

begin_stage() {
	[[ $1 == "$IMAGE" ]] || { echo "no image $1" && return 1; }
	COUNT=$((COUNT + 1))
	STAGE=$TMP/stage-$COUNT
	WORKDIR=/
	AS=root
	cp -a "$BASE" "$STAGE" && [[ -z ${3:-} ]] || STAGES[$3]=$STAGE
}

# The sources may have wildcards.
copy_files() {
	local to=$STAGE/${*: -1}
	mkdir -p "$to"
	if [[ $1 == --from=* ]]; then
		# shellcheck disable=SC2086
		cp -r "${STAGES[${1#--from=}]}"/$2 "$to"
	else
		[[ $1 == . ]] && copy_context "$to"
	fi
}

# The words of a JSON array, one a line.
words_of() {
	python3 -c 'import json, sys; print("\n".join(json.loads(sys.argv[1])))' "$1"
}

carry_out() {
	echo "$1 $2"
	# shellcheck disable=SC2086 # words
	case $1 in
	FROM) begin_stage $2 ;;
	RUN) in_stage sh -c "$2" ;;
	COPY) copy_files $2 ;;
	WORKDIR) WORKDIR=$2 ;;
	USER) AS=$2:$2 ;;
	VOLUME | EXPOSE | STOPSIGNAL) declare -g "$1=$2" ;;
	HEALTHCHECK) mapfile -t HEALTHCHECK < <(words_of "${2#*CMD }") ;;
	ENTRYPOINT) mapfile -t ENTRYPOINT < <(words_of "$2") ;;
	*) echo "no instruction" && return 1 ;;
	esac
}

builds() {
	local instruction rest
	while read -r instruction rest; do
		carry_out "$instruction" "$rest" </dev/null >>"$TMP/build.log" 2>&1 || {
			tail -n 15 "$TMP/build.log"
			return 1
		}
	done < <(sed -e '/^#/d' -e '/^$/d' "$ROOT/conf/Dockerfile" | sed -e ':a' -e '/\\$/{N;s/\\\n[ \t]*//;ba' -e '}')
}

# ---- what it starts ----

# The limit of files is docker's --ulimit nofile=.
starts() {
	LOG=$TMP/container.log
	spawn prlimit --nofile=1024:1024 unshare --net --mount --pid --fork --kill-child sh -c '
		as=$1
		shift
		ip link set lo up && mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" &&
			exec chroot --userspec="$as" "$0" env -i PATH=/usr/sbin:/usr/bin "$@"' \
		"$STAGE" "$AS" "${ENTRYPOINT[@]}" 2>"$LOG"
	CONTAINER=$SPAWNED
	wait_for 60 has_started && ! gone "$CONTAINER"
}

has_started() {
	gone "$CONTAINER" && return
	FIRST=$(pgrep -P "$CONTAINER") && grep -q 'msg=listening' "$LOG" && is_healthy
}

# As docker exec does: in its namespaces, as its user.
exec_() {
	bounded nsenter --target "$FIRST" --net --mount --pid chroot --userspec="$AS" "$STAGE" \
		env PATH=/usr/sbin:/usr/bin "$@"
}

is_healthy() {
	exec_ "${HEALTHCHECK[@]}"
}

runs_as_nobody_special() {
	[[ $(awk '/^Uid:/ { print $2 }' "/proc/$FIRST/status") == $(awk -F: '$1 == "socks5d" { print $3 }' "$STAGE/etc/passwd") ]] &&
		grep -q '^CapEff:\s*0*$' "/proc/$FIRST/status"
}

asks() {
	bounded nsenter --target "$FIRST" --net curl -q -sS --noproxy '' --max-time 20 \
		-x "socks5h://${1:+$1@}127.0.0.1:$EXPOSE" http://127.0.0.1:8099/page
}

lets_nobody_in_until_there_is_a_user() {
	! asks '' && grep -F 'nobody gets in' "$LOG" &&
		exec_ monitor_client ADD_USER carol - <<<secret && [[ $(asks carol:secret) == 'a page' ]]
}

keeps_users_in_the_volume() {
	grep -q '^carol:' "$STAGE$VOLUME/users"
}

stays_within_limits() {
	grep -E 'msg="4[0-9][0-9] sessions fit" limited_by="the limit of 1024 open files' "$LOG"
}

stops() {
	kill -"${STOPSIGNAL#SIG}" "$FIRST"
	retire "$CONTAINER" && grep -q 'msg=stopped' "$LOG"
}

# SOCKS5D_TEST_BASE is a folder with a new Debian, for those who try often.
{ [[ -n ${SOCKS5D_TEST_BASE:-} ]] && cp -a "$SOCKS5D_TEST_BASE" "$BASE"; } ||
	bounded debootstrap --variant=minbase bookworm "$BASE" >"$TMP/debootstrap.log" 2>&1 || {
	tail -n 5 "$TMP/debootstrap.log"
	skip_all 'a debootstrap that can fetch packages'
}
check it_is_built builds
[[ -n ${ENTRYPOINT:-} ]] || die 'nothing to start'
check it_starts starts
mkdir "$TMP/www" && echo 'a page' >"$TMP/www/page"
spawn nsenter --target "$FIRST" --net python3 -m http.server -b 127.0.0.1 -d "$TMP/www" 8099 >"$TMP/web.log" 2>&1
wait_for 30 nsenter --target "$FIRST" --net curl -q -sS -o /dev/null --noproxy '*' http://127.0.0.1:8099/page 2>/dev/null
check it_is_healthy is_healthy
check it_runs_as_its_user_without_capabilities runs_as_nobody_special
check it_lets_nobody_in_until_there_is_a_user lets_nobody_in_until_there_is_a_user
check users_are_in_the_volume keeps_users_in_the_volume
check it_stays_within_its_limits stays_within_limits
check it_stops_as_docker_asks stops
finish
