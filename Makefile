# socks5d: make, make run, make test; `make help` lists the rest.
#
#   CC=clang         another compiler
#   SAN=address      AddressSanitizer and UndefinedBehaviorSanitizer; SAN=thread: ThreadSanitizer
#   SAN=coverage     counts how often each line runs, with gcc; `make coverage` builds and reads it
#   WERROR=1         warnings are errors
#   WITHOUT=state    a server that keeps nothing over restarts, and needs no SQLite
#   WITHOUT=sandbox  a server without a filter of system calls, and libseccomp
#   WITHOUT=shared   a server that shares nothing with others, and hiredis; all: "sandbox shared state"
#   O=DIR            put what is built into DIR/build and DIR/bin
#   AGAIN=1          tests without what says the same of every build, once it has been said of one
#   V=1              show whole commands

SAN ?=
WERROR ?=
WITHOUT ?=
AGAIN ?=
V ?=
Q := $(if $(V),,@)
PREFIX ?= /usr/local
DESTDIR ?=

OUT := $(if $(O),$(O)/)
BIN := $(OUT)bin
empty :=
space := $(empty) $(empty)
BUILD := $(OUT)build/$(notdir $(CC))$(if $(SAN),-$(SAN))$(if $(WITHOUT),-without-$(subst $(space),-,$(sort $(WITHOUT))))
$(if $(filter-out state sandbox shared,$(WITHOUT)),$(error WITHOUT=$(WITHOUT): legal are sandbox, shared and state))
without = $(filter $(1),$(WITHOUT))

# What the programs call themselves is the newest entry of the news.
NEWS := conf/debian/changelog
VERSION := $(shell sed -n '1s/^socks5d .\([0-9][0-9.]*\).*/\1/p' $(NEWS))
GENERATED := $(OUT)build/include
VERSION_HEADER := $(GENERATED)/base/version.h

# The libraries: pkg-config's name and the Debian package with the headers.
LIBRARIES := libcares:libc-ares-dev libcrypt:libcrypt-dev libsodium:libsodium-dev \
	libqrencode:libqrencode-dev $(if $(call without,state),,sqlite3:libsqlite3-dev) \
	$(if $(call without,sandbox),,libseccomp:libseccomp-dev) \
	$(if $(call without,shared),,hiredis:libhiredis-dev)
CLIENT_LIBRARIES := libedit:libedit-dev ncursesw:libncurses-dev
names = $(foreach l,$(1),$(firstword $(subst :, ,$(l))))
packages = $(foreach l,$(1),$(lastword $(subst :, ,$(l))))

# Any compiler will do; the package of one that is not there, which has cc's name but for cc itself.
COMPILER := $(if $(shell command -v $(CC)),,$(patsubst cc,gcc,$(notdir $(CC))))
DEPS := $(COMPILER) pkg-config libc6-dev $(call packages,$(LIBRARIES) $(CLIENT_LIBRARIES))
TEST_DEPS := $(DEPS) libcmocka-dev curl nginx-light iproute2 python3 valgrind tmux \
	$(if $(shell command -v node),,nodejs)
WEB_DEPS := chromium chromium-driver python3-selenium fonts-dejavu-core openssl \
	$(if $(shell command -v npm),,nodejs npm)
HELPER_DEPS := squid slapd ldap-utils freeradius
CLIENT_DEPS := $(TEST_DEPS) netcat-openbsd ncat proxychains4 git openssh-client openssh-server \
	dante-client tnftp python3-pyftpdlib iperf3 python3-socks dnsmasq-base debootstrap \
	firefox-esr python3-pacparser \
	openjdk-17-jdk-headless golang-go golang-golang-x-net-dev wget python3-pip putty-tools \
	emacs-nox fail2ban openssl whois apache2-utils jq haproxy libnginx-mod-stream \
	dante-server microsocks tinyproxy-bin prometheus python3-prometheus-client redis-server zsh fish \
	build-essential debhelper fakeroot lintian $(HELPER_DEPS) $(WEB_DEPS)
FAULT_DEPS := $(TEST_DEPS) strace dnsmasq-base jq whois libfuse3-dev libfaketime
LINT_DEPS := clang clang-format clang-tidy clang-tools cppcheck gcc libclang-rt-14-dev libcmocka-dev \
	libfuse3-dev mandoc $(DEPS)
CLUSTER_DEPS := $(TEST_DEPS) redis-server redis-tools openssl haproxy keepalived bind9-utils python3-pacparser \
	dnsmasq-base faketime libfaketime
BENCH_DEPS := $(DEPS) microsocks dante-server tinyproxy-bin redis-server openssl
PLOT_DEPS := gnuplot-nox jq
SOAK_DEPS := $(DEPS) python3 gnuplot-nox
DEB_DEPS := $(DEPS) build-essential debhelper fakeroot libcmocka-dev

comma := ,
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wswitch-enum \
	$(if $(findstring clang,$(notdir $(CC))),-Wthread-safety) $(if $(WERROR),-Werror)
SANITIZE := $(if $(filter address,$(SAN)),-fsanitize=address$(comma)undefined \
	-fno-sanitize-recover=all) $(if $(filter thread,$(SAN)),-fsanitize=thread)
COVERAGE := $(filter coverage,$(SAN))
# Of the programs' sources only; threads count together. Without optimisation no line is lost in
# another, but gcc knows less of how long strings are.
COUNTING = $(if $(COVERAGE),-DCOUNTS_LINES -Wno-format-truncation \
	$(if $(filter src/%,$<),--coverage -fprofile-update=atomic))

CFLAGS ?= $(if $(COVERAGE),-O0,-O2) -g
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -Iinclude -I$(GENERATED) -pthread $(WARNINGS) $(SANITIZE) $(COUNTING) $(CFLAGS) \
	$(HARDENING)
# Against what a bug could be used for, each as far as the compiler knows it for this machine. That
# variables begin as zeros (-ftrivial-auto-var-init=zero) is not among them: a session would take 900
# instructions more for it, of 26,000; all of these together take 50.
HARDENING = $(eval HARDENING := $(if $(SAN),,$(hardening)))$(HARDENING)
hardening = -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$(if $(call compiles,-O2 -D_FORTIFY_SOURCE=3,$(FORTIFIED)),3,2) \
	-fstack-protector-strong -fPIE \
	$(foreach f,-fstack-clash-protection -fcf-protection -mbranch-protection=standard,$(call compiles,$(f)))
FORTIFIED := \#include <features.h>\n\#if __USE_FORTIFY_LEVEL != 3\n\#error\n\#endif\n
# The flags in $(1), if the compiler takes them without a word, for the source in $(2).
compiles = $(shell printf '$(2)' | $(CC) -Werror $(1) -fsyntax-only -x c - >/dev/null 2>&1 && echo '$(1)')
# Looked up once, and only when something is built: pkg-config may have to be installed first.
LIBS = $(eval LIBS := $(shell pkg-config --libs $(call names,$(LIBRARIES))))$(LIBS)
CLIENT_LIBS = $(eval CLIENT_LIBS := $(shell pkg-config --libs $(call names,$(CLIENT_LIBRARIES))))$(CLIENT_LIBS)
TEST_LIBS = $(eval TEST_LIBS := $(shell pkg-config --libs cmocka))$(TEST_LIBS)
LINK = $(CC) -pthread $(SANITIZE) $(if $(COVERAGE),--coverage) $(if $(SAN),,-pie -Wl$(comma)-z$(comma)relro$(comma)-z$(comma)now) $(LDFLAGS)

# What is built only with something, or only without; and what cannot be tested without.
WITH_STATE := $(addprefix src/server/,database.c history_bound.c history_tables.c)
WITHOUT_STATE := src/server/database_none.c
TESTS_OF_STATE := $(addprefix tests/,daemon/test_explain.c daemon/test_history.c daemon/test_start.c \
	monitor/test_history_commands.c \
	$(addprefix server/test_,archive.c database.c history_tables.c keeper.c))
WITH_SANDBOX := src/server/call_filter.c
WITHOUT_SANDBOX := src/server/call_filter_none.c
TESTS_OF_SANDBOX := tests/server/test_call_filter.c
WITH_SHARED := $(addprefix src/server/,engine.c engine_probe.c engine_reply.c sharing.c sharing_ban_ends.c \
	sharing_ban_names.c sharing_bans.c sharing_batch.c sharing_grace.c sharing_kills.c sharing_part.c \
	sharing_read.c sharing_sweep.c sharing_tell.c sharing_users.c)
WITHOUT_SHARED := src/server/sharing_none.c
TESTS_OF_SHARED := tests/daemon/test_shared.c $(addprefix tests/server/test_,engine.c engine_probe.c sharing.c \
	sharing_bans.c sharing_grace.c sharing_use.c sharing_users.c)

LEFT_OUT := $(if $(call without,state),$(WITH_STATE),$(WITHOUT_STATE)) \
	$(if $(call without,sandbox),$(WITH_SANDBOX),$(WITHOUT_SANDBOX)) \
	$(if $(call without,shared),$(WITH_SHARED),$(WITHOUT_SHARED))
LIB_SOURCES := $(filter-out $(LEFT_OUT),$(wildcard src/*/*.c))
LIB_OBJECTS := $(LIB_SOURCES:%.c=$(BUILD)/%.o)
TEST_SOURCES := $(filter-out $(if $(call without,state),$(TESTS_OF_STATE)) \
	$(if $(call without,sandbox),$(TESTS_OF_SANDBOX)) \
	$(if $(call without,shared),$(TESTS_OF_SHARED)),$(wildcard tests/*/test_*.c))
TESTS := $(TEST_SOURCES:tests/%.c=$(BUILD)/tests/%)
DAEMON_TESTS := $(filter $(BUILD)/tests/daemon/%,$(TESTS))
UNIT_TESTS := $(filter-out $(DAEMON_TESTS),$(TESTS))
TEST_LIB_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/lib/*.c))
BENCH_SOURCES := $(wildcard tests/bench/*.c)
C_FILES := $(wildcard src/*.c src/*/*.c include/*/*.h tests/*/*.c tests/*/*.h)

.PHONY: all build run tests test check coverage test-clients test-faults test-web test-cluster test-package pictures test-valgrind fuzz soak bench bench-results bench-shared plots check-docs docs \
	lint scan format deps deps-test deps-clients deps-faults deps-cluster deps-web deps-lint deps-bench deps-plots deps-soak deps-deb \
	check-units dist deb install uninstall clean help

all: build

build: $(addprefix $(BIN)/,socks5d server monitor_client socks5d_auth)

help:
	@echo 'make             the same as make build'
	@echo 'make build       build bin/socks5d, bin/monitor_client and bin/socks5d_auth; installs nothing'
	@echo 'make check       build, run all tests for which everything is there; installs nothing'
	@echo 'make run         install what is missing, build, serve with conf/socks5d.conf'
	@echo 'make test        install what is missing, build, run all tests'
	@echo 'make test-clients  the same with more real clients: nc, git, ssh, socksify, Chromium and others'
	@echo 'make test-faults  what the machine may do to the server: system calls and memory that fail, and the like'
	@echo 'make test-web    the pages in a real Chromium, with pictures of them in build/web-pictures'
	@echo 'make test-cluster  three servers that share their state by Redis, HAProxy in front of them'
	@echo 'make test-package  the Debian package: built twice, and tried in a Debian that is booted for it'
	@echo 'make pictures    the pictures of the pages that README.md shows'
	@echo 'make coverage    the tests of make test once more, and which share of each file of the server they run'
	@echo 'make test-valgrind  the tests of stopping, with the server under valgrind'
	@echo 'make fuzz        every parser of bytes from outside, FUZZ_SECONDS=60 each'
	@echo 'make soak        the server under everything at once for an hour, and whether it stays as it is (HOURS=8, MINUTES=5)'
	@echo 'make bench       measure beside microsocks, dante and tinyproxy (BENCH="-q" for a quick look)'
	@echo 'make bench-shared  what nodes that share their state ask of Redis'
	@echo 'make bench-results  the same, kept in tests/bench/results as JSON and pictures'
	@echo 'make lint        formatting, static analysis, layers, documents'
	@echo 'make scan        the part of it that is clang'"'"'s analyzer, with pages that explain each find'
	@echo 'make docs        bring sample configuration, manual, completion and src/CONFORMANCE.md up to date'
	@echo 'make install     into DESTDIR$(PREFIX); make uninstall takes it away again'
	@echo 'make dist        the sources of this version as one file, build/dist/socks5d-$(VERSION).tar.gz'
	@echo 'make deb         that, and the Debian package made from it, beside it'
	@echo 'make deps        install the Debian packages that building needs and that are missing'

# ---- programs ----

$(addprefix $(BIN)/,socks5d monitor_client socks5d_auth): $(BIN)/%: $(BUILD)/%
	@mkdir -p $(@D)
	$(Q)cp $< $@.new && mv -f $@.new $@ # also while the old one runs

$(BIN)/server: $(BIN)/socks5d
	$(Q)ln -sf socks5d $@

$(BUILD)/socks5d: $(BUILD)/src/socks5d.o $(if $(COVERAGE),$(BUILD)/tests/lib/counting.o) $(BUILD)/libsocks5d.a
	$(all-there)
	@echo '  LD $@'
	$(Q)$(LINK) -o $@ $^ $(LIBS)

$(BUILD)/monitor_client: $(BUILD)/src/monitor_client.o $(BUILD)/libsocks5d.a
	$(all-there)
	@echo '  LD $@'
	$(Q)$(LINK) -o $@ $^ $(CLIENT_LIBS)

$(BUILD)/socks5d_auth: $(BUILD)/src/socks5d_auth.o $(BUILD)/libsocks5d.a
	$(all-there)
	@echo '  LD $@'
	$(Q)$(LINK) -o $@ $^

$(BUILD)/libsocks5d.a: $(LIB_OBJECTS)
	@echo '  AR $@'
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(VERSION_HEADER): $(NEWS)
	@mkdir -p $(@D)
	$(Q)printf '%s\n' '/* version: what the programs call themselves. From $(NEWS). */' \
		'#ifndef BASE_VERSION_H' '#define BASE_VERSION_H' '' \
		'#define SOCKS5D_VERSION "$(VERSION)"' '' '#endif' >$@.new && mv -f $@.new $@

$(BUILD)/%.o: %.c | $(VERSION_HEADER)
	$(all-there)
	@mkdir -p $(@D)
	@echo '  CC $<'
	$(Q)$(CC) $(ALL_CFLAGS) -Itests/lib -MMD -MP -c -o $@ $<

# What the assembler puts in, which no compiler tells of; files for browsers packed, too, without the
# time, so that a build gives the same bytes each time.
WEB_PAGES := $(wildcard src/web/pages/*)
PACKED := $(patsubst src/web/pages/%,$(OUT)build/pages/%.gz,$(filter-out %.html,$(WEB_PAGES)))
$(BUILD)/src/web/pages.o build/fuzz/src/web/pages.o: $(WEB_PAGES) $(PACKED)
$(BUILD)/src/web/pages.o: ALL_CFLAGS += -DPACKED='"$(OUT)build/pages/"'
build/fuzz/src/web/pages.o: FUZZ_FLAGS += -DPACKED='"$(OUT)build/pages/"'

$(OUT)build/pages/%.gz: src/web/pages/%
	@mkdir -p $(@D)
	$(Q)gzip -9nc $< >$@.new && mv -f $@.new $@

$(BUILD)/src/proxy/pages.o build/fuzz/src/proxy/pages.o: $(wildcard src/proxy/pages/*)

run: deps
	@$(MAKE) --no-print-directory all
	exec $(BIN)/socks5d -c conf/socks5d.conf --web-listen 127.0.0.1:8081

# ---- tests ----

# Faults and time are injected at the linker's hand: the functions that a test puts its own for.
WRAP_MEMORY := calloc malloc realloc reallocarray aligned_alloc strdup strndup
WRAP_PARTS := clock_ms clock_deadline time calloc malloc realloc aligned_alloc server_base
WRAP_DESK := $(WRAP_PARTS) recv send password_hash server_errands server_hashes server_lookups server_set server_reload
WRAP_base/test_grow := reallocarray
WRAP_base/test_hashmap := calloc malloc aligned_alloc
WRAP_base/test_identity := initgroups prctl setfsgid setfsuid setresgid setresuid syscall
WRAP_base/test_lines := read
WRAP_base/test_name_queue := calloc malloc aligned_alloc
WRAP_base/test_sink := writev
WRAP_base/test_wall := clock_gettime
WRAP_base/test_writing := fclose
WRAP_client/test_all_nodes := clock_deadline clock_ms socket_wait
WRAP_client/test_batch := client_ask getdelim link_interrupt_by signals_close
WRAP_client/test_follow := clock_deadline clock_ms signals_next_ending socket_wait
WRAP_monitor/test_admin := calloc malloc realloc aligned_alloc accept4 server_base server_errands server_fronts \
	server_hashes server_keeper server_lookups server_services server_set
WRAP_monitor/test_alarm_commands := $(WRAP_DESK)
WRAP_monitor/test_commands := $(WRAP_PARTS) password_hash server_add_rule server_drop_rule server_set server_reload \
	statistics_each
WRAP_monitor/test_console := $(WRAP_DESK)
WRAP_monitor/test_console_ends := $(WRAP_DESK)
WRAP_monitor/test_history_commands := $(WRAP_DESK) database_commit
WRAP_monitor/test_insight_commands := $(WRAP_DESK)
WRAP_monitor/test_limits_commands := $(WRAP_DESK) server_apply_limits
WRAP_monitor/test_listings := $(WRAP_PARTS)
WRAP_monitor/test_node_commands := $(WRAP_DESK)
WRAP_monitor/test_rule_answers := $(WRAP_PARTS) open_memstream
WRAP_monitor/test_shared_commands := $(WRAP_DESK) server_apply_limits
WRAP_net/test_fdbudget := getrlimit64 opendir setrlimit64 stat64
WRAP_net/test_hosts := read clock_ms clock_deadline calloc malloc aligned_alloc
WRAP_net/test_nameservers := read clock_ms clock_deadline
WRAP_net/test_own := getifaddrs freeifaddrs
WRAP_net/test_pipe := fcntl64
WRAP_net/test_questions := asking_begin asking_due asking_end asking_fds asking_free asking_go_on \
	asking_new asking_repeat asking_set_servers socket_wait
WRAP_net/test_resolver_crowd := eventfd socket calloc pthread_create
WRAP_net/test_resolver_servers := clock_gettime socket_wait
WRAP_net/test_socket := accept4 recv send poll recvmmsg sendmmsg clock_nanosleep clock_deadline
WRAP_proxy/test_balancer := own_has_address socket_read socket_write
WRAP_proxy/test_bind := clock_deadline clock_ms socket_wait socket listen accept4 connect
WRAP_proxy/test_dial := connect
WRAP_proxy/test_dialect_http := socket_read socket_write
WRAP_proxy/test_dialect_socks4 := socket_read socket_write
WRAP_proxy/test_exchange := socket_read
WRAP_proxy/test_handshake := calloc malloc aligned_alloc socket_read socket_write registry_set_user
WRAP_proxy/test_own_pages := open_memstream
WRAP_proxy/test_pace := clock_ms socket_pace socket_unacknowledged socket_unsent
WRAP_proxy/test_pool := session_run clock_ms accept4 pthread_create epoll_ctl epoll_wait mmap64
WRAP_proxy/test_relay := clock_deadline clock_ms socket_wait recv send splice
WRAP_proxy/test_session := clock_deadline clock_ms socket_wait socket_read dial_target bind_listen \
	bind_accept bind_abandon udp_open udp_bound udp_run udp_counts udp_close relay_run target_judge
WRAP_proxy/test_target := hosts_new
WRAP_proxy/test_udp := clock_deadline clock_ms socket_wait socket connect sendmmsg recvmmsg mmap64 \
	madvise target_judge target_way upstream_connect
WRAP_proxy/test_upstream := clock_deadline clock_ms dial_until socket_read socket_wait socket_write
WRAP_proxy/test_watch := clock_ms clock_deadline
WRAP_server/test_addresses := getifaddrs freeifaddrs
WRAP_server/test_archive := database_commit standing_changes time
WRAP_server/test_ban_sweep := janitor_call
WRAP_server/test_call_filter := seccomp_load
WRAP_server/test_capacity := cgroup_memory cgroup_threads_left cgroup_processors sched_getaffinity sysconf getrlimit64 setrlimit64 fopen64 \
	fdbudget_count_open
WRAP_server/test_change := lines_open log_abandon log_prepare log_switch log_message_beside log_set_level \
	log_set_format access_log_open access_log_resize resolver_configure hashing_set_most login_helper_set users_read \
	users_put_into_effect config_publish fdbudget_borrow listeners_open setting_copy
WRAP_server/test_confine := landlock_version landlock_begin landlock_enforce call_filter_is_possible \
	call_filter_install
WRAP_server/test_database := sqlite3_step
WRAP_server/test_doctor := probe_listen probe_connect probe_local probe_name_server probe_clock probe_append \
	probe_read probe_folder occupant_ask capacity_plan capacity_plan_workers own_format confine_possible run_as_check \
	login_helper_try engine_probe
WRAP_server/test_engine_probe := engine_connect engine_ask engine_reply nanosleep probe_clock
WRAP_server/test_fronts := socket occupant_ask
WRAP_server/test_hasher := pthread_create
WRAP_server/test_helper_groups := calloc malloc aligned_alloc
WRAP_server/test_idle := clock_ms
WRAP_server/test_inspection := $(WRAP_MEMORY) doctor_look own_refresh pthread_create
WRAP_server/test_janitor := pthread_create
WRAP_server/test_keeper := $(WRAP_MEMORY) clock_deadline database_commit time
WRAP_server/test_landlock := syscall
WRAP_server/test_limiting := janitor_call users_bar
WRAP_server/test_probe := adjtimex clock_deadline
WRAP_server/test_recheck := clock_ms time registry_list
WRAP_server/test_run_as := identity_become identity_use_for_files
WRAP_server/test_sampling := janitor_call
WRAP_server/test_schedule := clock_ms
WRAP_server/test_server_open := $(WRAP_MEMORY) access_log_fill
WRAP_server/test_shared_accounts := calloc malloc aligned_alloc
WRAP_server/test_shares := janitor_call throttles_list
WRAP_SHARING := clock_ms clock_deadline engine_connect engine_close engine_ask engine_reply engine_here engine_commands
WRAP_server/test_engine := clock_ms clock_deadline
WRAP_server/test_sharing := $(WRAP_SHARING) time
WRAP_server/test_sharing_bans := $(WRAP_SHARING) time own_client_of
WRAP_server/test_sharing_grace := clock_ms time
WRAP_server/test_sharing_use := $(WRAP_SHARING) time
WRAP_server/test_sharing_users := $(WRAP_SHARING)
WRAP_server/test_stopping := _exit clock_ms clock_deadline sigtimedwait
WRAP_server/test_supervision := clock_ms
WRAP_server/test_temporary := time clock_gettime
WRAP_server/test_told := calloc malloc aligned_alloc
WRAP_state/test_access_log := getdelim
WRAP_state/test_cluster := calloc malloc aligned_alloc
WRAP_state/test_cluster_copy := calloc malloc aligned_alloc
WRAP_state/test_events := calloc malloc aligned_alloc
WRAP_state/test_hash_kinds := password_check
WRAP_state/test_hashing := calloc malloc aligned_alloc pthread_cond_clockwait
WRAP_state/test_kept_use := calloc malloc aligned_alloc
WRAP_state/test_list_types := $(WRAP_MEMORY)
WRAP_state/test_login_answers := calloc malloc aligned_alloc
WRAP_state/test_logins := clock_ms pthread_cond_clockwait password_check
WRAP_state/test_ledger := calloc malloc aligned_alloc getifaddrs freeifaddrs limit_book_of_client
WRAP_state/test_ledger_news := calloc malloc aligned_alloc clock_ms
WRAP_state/test_registry := pthread_mutex_lock socket_abort
WRAP_state/test_rule_list_file := $(WRAP_MEMORY)
WRAP_state/test_shared_users := calloc malloc aligned_alloc strdup hashmap_next
WRAP_state/test_standing := calloc malloc aligned_alloc
WRAP_state/test_users := calloc malloc aligned_alloc password_check sodium_memzero
WRAP_state/test_users_file := read
WRAP_web/test_api := $(WRAP_DESK) statistics_each
WRAP_web/test_connection := $(WRAP_DESK) statistics_each
WRAP_web/test_login := $(WRAP_DESK) statistics_each
WRAP_web/test_metrics := $(WRAP_DESK) resolver_cached resolver_counts
WRAP_web/test_own := $(WRAP_DESK) statistics_each
WRAP_web/test_shell := $(WRAP_DESK) statistics_each
WRAP_web/test_view := $(WRAP_DESK) statistics_each
WRAP_web/test_watch := $(WRAP_DESK) statistics_each
WRAP_web/test_web := calloc malloc realloc aligned_alloc accept4 server_base server_fronts server_keeper server_services
wrap = $(foreach f,$(WRAP_$(patsubst $(BUILD)/tests/%,%,$(1))),-Wl,--wrap=$(f))

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(TEST_LIB_OBJECTS) $(BUILD)/libsocks5d.a Makefile
	@echo '  LD $@'
	$(Q)$(LINK) $(call wrap,$@) -o $@ $(filter-out Makefile,$^) $(LIBS) $(TEST_LIBS)

.SECONDARY: $(TESTS:=.o) $(TEST_LIB_OBJECTS)

tests: $(BUILD)/socks5d $(BUILD)/monitor_client $(BUILD)/socks5d_auth $(TESTS) $(BUILD)/gendoc $(BUILD)/judge

# Verdicts for a reference in another language to be compared with.
$(BUILD)/judge: $(BUILD)/tests/state/judge.o $(BUILD)/libsocks5d.a
	@echo '  LD $@'
	$(Q)$(LINK) -o $@ $^ $(LIBS)

test: deps-test
	@$(MAKE) --no-print-directory check

# Programs, and scripts that find out themselves what they lack; CHECKS=... runs some of them only.
# Scripts come first, and then the daemon's tests: they wait more than they work, and take longest.
# Being about what is around the server, scripts are none of what lines are counted for.
CHECKS = $(if $(COVERAGE),,$(if $(AGAIN),,$(SCRIPTS_ONCE)) $(SCRIPTS)) $(DAEMON_TESTS) $(UNIT_TESTS)
CLIENT_SCRIPTS := $(addprefix tests/clients/test_,auth_program.sh curl.sh monitor_client.sh top.sh)
SCRIPTS := $(CLIENT_SCRIPTS) $(addprefix tests/build/test_,examples.sh hardening.sh) tests/state/test_rules_reference.sh
SCRIPTS_ONCE := $(addprefix tests/build/test_,completions.sh install.sh make.sh run.sh) tests/web/test_scripts.sh \
	tests/soak/test_driver.sh
NO_CMOCKA = $(eval NO_CMOCKA := $(shell pkg-config --exists cmocka || echo yes))$(NO_CMOCKA)
checked-programs = $(if $(NO_CMOCKA),,$(filter-out %.sh,$(CHECKS)))
unchecked-programs = $(if $(NO_CMOCKA),$(filter-out %.sh,$(CHECKS)))

check:
	$(all-there)
	@$(MAKE) --no-print-directory tests $(if $(AGAIN),,check-docs) TESTS='$(checked-programs)'
	$(if $(AGAIN),,tests/lint/layers.sh)
	$(if $(AGAIN),,tests/lint/documents.sh)
	@SOCKS5D=$(BUILD)/socks5d \
		LACKING='$(if $(unchecked-programs),unit and daemon tests (needs libcmocka-dev))' \
		tests/run.sh $(filter %.sh,$(CHECKS)) $(checked-programs)

# Those of them that need no network, for those who build packages.
check-units:
	@$(MAKE) --no-print-directory tests TESTS='$(UNIT_TESTS)'
	tests/run.sh $(UNIT_TESTS)

# Which lines the same tests run, counted anew; what they pass and fail is summed up before.
COVERED := $(OUT)build/$(notdir $(CC))-coverage
coverage: deps-test
	@test ! -d $(COVERED) || find $(COVERED) -name '*.gcda' -delete
	@$(MAKE) --no-print-directory check SAN=coverage
	tests/lint/coverage.sh $(COVERED)

test-clients: deps-clients
	@$(MAKE) --no-print-directory $(addprefix $(BUILD)/,socks5d monitor_client socks5d_auth)
	$(WEB_TEST) tests/clients/run.sh $(if $(AGAIN),$(filter-out $(CLIENT_SCRIPTS) $(SCRIPTS_ONCE),$(wildcard tests/clients/test_*.sh tests/web/test_*.sh)))

# What the machine may do to it. FAULTS=... runs some of them only; FAULTS_SHORT=1 takes samples where
# the whole would take minutes.
FAULTS = $(sort $(wildcard tests/faults/test_*.sh))

test-faults: deps-faults
	@$(MAKE) --no-print-directory $(BUILD)/socks5d $(BUILD)/monitor_client $(MEMORY_LIBRARY)
	SOCKS5D=$(BUILD)/socks5d tests/clients/run.sh $(FAULTS)

# Whose allocations fail.
MEMORY_LIBRARY := $(BUILD)/tests/faults/allocations.so
$(MEMORY_LIBRARY): tests/faults/allocations.c
	@mkdir -p $(@D)
	@echo '  LD $@'
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -O2 -g $(WARNINGS) -shared -fPIC -o $@ $<

# The pages in a browser, which test-clients runs, too.
WEB_TEST = SOCKS5D=$(BUILD)/socks5d AXE=$(AXE) PICTURES=$(OUT)build/web-pictures

test-web: deps-web
	@$(MAKE) --no-print-directory $(BUILD)/socks5d
	$(WEB_TEST) tests/clients/run.sh tests/web/test_browser.sh

test-cluster: deps-cluster
	@$(MAKE) --no-print-directory $(BUILD)/socks5d $(BUILD)/monitor_client $(BUILD)/tests/server/test_sharing_users
	SOCKS5D=$(BUILD)/socks5d tests/clients/run.sh tests/cluster/test_*.sh

test-package: deps-clients deps-deb
	@$(MAKE) --no-print-directory $(BUILD)/socks5d
	SOCKS5D=$(BUILD)/socks5d tests/clients/run.sh tests/clients/package.sh

pictures: deps-web
	@$(MAKE) --no-print-directory $(BUILD)/socks5d
	$(WEB_TEST) bash tests/web/make_pictures.sh tests/web/pictures

# The daemon's tests that stop it in every phase, with the daemon under valgrind.
test-valgrind: deps-test
	@$(MAKE) --no-print-directory tests
	SOCKS5D=tests/lint/valgrind.sh SOCKS5D_BINARY=$(BUILD)/socks5d tests/run.sh \
		$(addprefix $(BUILD)/tests/daemon/test_,stop handshake names config monitor monitor_socket udp bind)

# ---- fuzzing: libFuzzer is clang's ----

FUZZ_SECONDS ?= 60
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,build/fuzz/%,\
	$(filter-out $(if $(call without,shared),tests/fuzz/fuzz_shared.c),$(wildcard tests/fuzz/fuzz_*.c)))
# Of the client what needs no terminal.
FUZZ_SOURCES := $(filter-out src/client/%,$(LIB_SOURCES)) src/client/completion.c tests/fuzz/file.c
FUZZ_OBJECTS := $(FUZZ_SOURCES:%.c=build/fuzz/%.o)
FUZZ_FLAGS := -std=c11 -D_GNU_SOURCE -Iinclude -I$(GENERATED) -pthread -O1 -g $(WARNINGS) \
	-fsanitize=address,undefined -fno-sanitize-recover=all

build/fuzz/%.o: %.c | $(VERSION_HEADER)
	@mkdir -p $(@D)
	@echo '  CC $@'
	$(Q)clang $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

build/fuzz/fuzz_%: build/fuzz/tests/fuzz/fuzz_%.o $(FUZZ_OBJECTS)
	@echo '  LD $@'
	$(Q)clang -pthread -fsanitize=fuzzer,address,undefined $(FUZZ_WRAP:%=-Wl$(comma)--wrap=%) -o $@ $^ $(LIBS)

build/fuzz/fuzz_console: FUZZ_WRAP := clock_ms clock_deadline time server_apply_limits server_base server_errands server_hashes server_lookups \
	server_set server_reload server_add_rule server_drop_rule statistics_each password_hash password_decoy password_check

build/fuzz/fuzz_shared: FUZZ_WRAP := clock_ms clock_deadline time engine_connect engine_reply engine_skip

.SECONDARY: $(FUZZ_TARGETS:build/fuzz/%=build/fuzz/tests/fuzz/%.o) $(FUZZ_OBJECTS)

fuzz: deps-lint
	@$(MAKE) --no-print-directory $(FUZZ_TARGETS)
	FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run.sh $(FUZZ_TARGETS)

# ---- soak: an hour before a release, some minutes by MINUTES=4, too; figures and picture stay in build/soak ----

HOURS ?= 1

soak: deps-soak
	@$(MAKE) --no-print-directory $(BUILD)/socks5d
	tests/soak/soak.py $(if $(MINUTES),--minutes $(MINUTES),--hours $(HOURS)) --server $(BUILD)/socks5d --out $(OUT)build/soak

# ---- benchmarks ----

BENCH_CC = $(CC) -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wshadow -pthread

build/bench/bench: $(filter-out tests/bench/bench_%.c,$(BENCH_SOURCES)) $(wildcard tests/bench/*.h)
	@mkdir -p $(@D)
	$(BENCH_CC) -o $@ $(filter %.c,$^)

build/bench/bench_splice: tests/bench/bench_splice.c
	@mkdir -p $(@D)
	$(BENCH_CC) -o $@ $<

build/bench/bench_rates: $(addprefix tests/bench/,bench_rates.c place.c) $(wildcard tests/bench/*.h)
	@mkdir -p $(@D)
	$(BENCH_CC) -o $@ $(filter %.c,$^)

build/bench/bench_listing: $(addprefix tests/bench/,bench_listing.c figures.c origin.c peer.c procs.c \
	socks.c wire.c) $(wildcard tests/bench/*.h)
	@mkdir -p $(@D)
	$(BENCH_CC) -o $@ $(filter %.c,$^)

build/bench/bench_relay: $(addprefix $(BUILD)/tests/bench/,figures.o wire.o)
build/bench/bench_users build/bench/bench_rules build/bench/bench_relay: build/bench/%: $(BUILD)/tests/bench/%.o $(BUILD)/libsocks5d.a
	@mkdir -p $(@D)
	@echo '  LD $@'
	$(Q)$(LINK) -o $@ $^ $(LIBS)

bench: deps-bench
	@$(MAKE) --no-print-directory all build/bench/bench build/bench/bench_splice \
		build/bench/bench_users build/bench/bench_rules build/bench/bench_listing \
		build/bench/bench_rates
	build/bench/bench_users
	build/bench/bench_rules
	build/bench/bench_listing
	build/bench/bench_rates
	build/bench/bench $(BENCH)

# What is kept: the values of a whole run, and the pictures of them.
BENCH_RESULTS := tests/bench/results

bench-results: deps-plots
	@mkdir -p $(BENCH_RESULTS)
	@$(MAKE) --no-print-directory bench BENCH='-j $(BENCH_RESULTS)/bench.json $(BENCH)'
	@$(MAKE) --no-print-directory build/bench/bench_relay
	build/bench/bench_relay -j $(BENCH_RESULTS)/relay.json
	@$(MAKE) --no-print-directory plots

# What sharing costs Redis, with nodes that are real and others that are played.
bench-shared: deps-bench
	@$(MAKE) --no-print-directory all
	@mkdir -p $(BENCH_RESULTS)
	tests/bench/bench_shared.py -j $(BENCH_RESULTS)/redis.json

plots: deps-plots
	tests/bench/plot.sh $(BENCH_RESULTS)

# ---- documents that come from tables, and from marks in the tests ----

GENDOC_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/docs/*.c))

$(BUILD)/gendoc: $(GENDOC_OBJECTS) $(BUILD)/libsocks5d.a
	@echo '  LD $@'
	$(Q)$(LINK) -o $@ $^ $(LIBS)

check-docs: $(BUILD)/gendoc
	$< --check
	tests/docs/conformance.sh --check

docs: $(BUILD)/gendoc
	$<
	tests/docs/conformance.sh

# ---- care ----

format:
	clang-format -i $(C_FILES)

LINT_FLAGS := -D_GNU_SOURCE -Iinclude -I$(GENERATED) -Itests/lib
# A file system of the tests, as its library will have it.
FUSE_FLAGS = $(subst -I,-isystem ,$(shell pkg-config --cflags fuse3))

lint: deps-lint $(VERSION_HEADER)
	clang-format --dry-run -Werror $(C_FILES)
	tests/lint/layers.sh
	tests/lint/documents.sh
	mandoc -T lint -W warning src/*.[178]
	cppcheck -q -j "$$(nproc)" --std=c11 --enable=warning,performance,portability --inline-suppr \
		--error-exitcode=1 $(LINT_FLAGS) src tests
	tests/lint/checkers.sh
	tests/lint/analyze.sh -std=c11 $(LINT_FLAGS) $(FUSE_FLAGS) -- src/*.c src/*/*.c tests/*/*.c

# Clang's analyzer by itself, with pages that show the way to what it finds. It is among what lint does.
scan: deps-lint
	rm -rf $(OUT)build/ccc-analyzer
	scan-build --status-bugs -o $(OUT)build/scan $(MAKE) --no-print-directory all
	@test -e $(OUT)build/ccc-analyzer/monitor_client # its status tells of no failure but bugs

# ---- installing ----

# Each file: its mode, where it is, where it goes. The filter for fail2ban does nothing by itself; the
# jail would, so whether there is to be one is left to the administrator.
MAN := $(PREFIX)/share/man
BASH_COMPLETIONS := $(PREFIX)/share/bash-completion/completions
ZSH_COMPLETIONS := $(PREFIX)/share/zsh/site-functions
FISH_COMPLETIONS := $(PREFIX)/share/fish/vendor_completions.d
MANUALS := $(notdir $(wildcard src/*.[178]))
INSTALLED := \
	755:$(BIN)/socks5d:$(PREFIX)/sbin/socks5d \
	755:$(BIN)/socks5d_auth:$(PREFIX)/sbin/socks5d_auth \
	755:$(BIN)/monitor_client:$(PREFIX)/bin/monitor_client \
	$(foreach m,$(MANUALS),644:$(BUILD)/$(m):$(MAN)/man$(subst .,,$(suffix $(m)))/$(m)) \
	$(foreach p,socks5d monitor_client socks5d_auth, \
		644:conf/completions/$(p).bash:$(BASH_COMPLETIONS)/$(p) \
		644:conf/completions/$(p).zsh:$(ZSH_COMPLETIONS)/_$(p) \
		644:conf/completions/$(p).fish:$(FISH_COMPLETIONS)/$(p).fish) \
	644:$(BUILD)/socks5d.service:$(PREFIX)/lib/systemd/system/socks5d.service \
	644:$(BUILD)/socks5d@.service:$(PREFIX)/lib/systemd/system/socks5d@.service \
	644:$(BUILD)/socks5d_auth.service:$(PREFIX)/lib/systemd/system/socks5d_auth.service \
	644:conf/socks5d.sysusers:$(PREFIX)/lib/sysusers.d/socks5d.conf \
	644:conf/socks5d.tmpfiles:$(PREFIX)/lib/tmpfiles.d/socks5d.conf \
	644:conf/socks5d.logrotate:/etc/logrotate.d/socks5d \
	644:conf/fail2ban/filter.d/socks5d.conf:/etc/fail2ban/filter.d/socks5d.conf \
	644:conf/fail2ban/jail.d/socks5d.conf:$(PREFIX)/share/doc/socks5d/fail2ban/jail.d/socks5d.conf \
	644:conf/dnsmasq/socks5d-wpad.conf:$(PREFIX)/share/doc/socks5d/dnsmasq/socks5d-wpad.conf \
	$(foreach f,grafana/socks5d.json prometheus/alerts.yml,644:conf/$(f):$(PREFIX)/share/doc/socks5d/$(f)) \
	$(foreach f,$(wildcard conf/examples/*/*),644:$(f):$(PREFIX)/share/doc/socks5d/$(f:conf/%=%))
# What is the administrator's once it is there.
KEPT := conf/socks5d.conf:/etc/socks5d/socks5d.conf conf/socks5d_auth.default:/etc/default/socks5d_auth
installed-part = $(word $(1),$(subst :, ,$(2)))

# Folders that are made on the way are for everybody to read, whatever the umask.
define install-file
umask 022; install -D -m $(call installed-part,1,$(1)) $(call installed-part,2,$(1)) '$(DESTDIR)$(call installed-part,3,$(1))'

endef
define remove-file
rm -f '$(DESTDIR)$(call installed-part,3,$(1))'

endef

define keep-file
test -e '$(DESTDIR)$(call installed-part,2,$(1))' || \
	{ umask 022; install -D -m 644 $(call installed-part,1,$(1)) '$(DESTDIR)$(call installed-part,2,$(1))'; }

endef
define remove-unchanged
if cmp -s $(call installed-part,1,$(1)) '$(DESTDIR)$(call installed-part,2,$(1))'; then rm '$(DESTDIR)$(call installed-part,2,$(1))'; fi

endef

# Each time: PREFIX may be another one.
UNITS := $(addprefix $(BUILD)/,socks5d.service socks5d@.service socks5d_auth.service)
PLACED := $(UNITS) $(addprefix $(BUILD)/,$(MANUALS))
.PHONY: $(PLACED)
$(addprefix $(BUILD)/,$(MANUALS)): $(BUILD)/%: src/%
	@mkdir -p $(@D)
	$(Q)sed 's|/usr/local|$(PREFIX)|g' $< >$@

$(BUILD)/socks5d_auth.service: conf/socks5d_auth.service
	@mkdir -p $(@D)
	$(Q)sed 's|/usr/local|$(PREFIX)|' $< >$@

$(BUILD)/socks5d.service: conf/socks5d.service
	@mkdir -p $(@D)
	$(Q)sed 's|/usr/local|$(PREFIX)|$(if $(call without,state),; s| --state-dir [^ ]*||)' $< >$@

# The same for one of several: another configuration, and folders of its own.
$(BUILD)/socks5d@.service: $(BUILD)/socks5d.service
	$(Q)sed -e 's|^Description=.*|& (%i)|' -e 's|/etc/socks5d/socks5d\.conf|/etc/socks5d/%i.conf|' \
		-e 's|%[tS]/socks5d|&-%i|g' -e 's|^[A-Z][a-z]*Directory=socks5d$$|&-%i|' $< >$@

install: all $(PLACED)
	$(foreach f,$(INSTALLED),$(call install-file,$(f)))
	$(foreach f,$(KEPT),$(call keep-file,$(f)))
	$(if $(DESTDIR),,$(install-user))

# The user of the service and the folders that are his, where they are not there yet.
define install-user
getent passwd socks5d >/dev/null || \
	useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin socks5d
	install -d -o socks5d -g socks5d -m 700 /var/lib/socks5d
	install -d -o socks5d -g socks5d -m 750 /var/log/socks5d
endef

# What has been changed or written since stays: the configuration, users, logs.
uninstall:
	$(foreach f,$(INSTALLED),$(call remove-file,$(f)))
	$(foreach f,$(KEPT),$(call remove-unchanged,$(f)))
	for d in /etc/socks5d $(if $(DESTDIR),,/var/lib/socks5d /var/log/socks5d); do \
		! test -d '$(DESTDIR)'"$$d" || rmdir --ignore-fail-on-non-empty '$(DESTDIR)'"$$d"; \
	done

clean:
	rm -rf $(BIN) $(OUT)build

# ---- releases: the sources as a file, and Debian's package of them ----

DIST := $(OUT)build/dist/socks5d-$(VERSION).tar.gz
DEB_FLAGS ?=
# The time of the newest entry of the news, which all files of a release are from.
RELEASED = $(shell date -d "$$(sed -n '/^ -- /{s/.*>  //p;q}' $(NEWS))" +%s)

dist:
	tests/build/dist.sh $(DIST) $(RELEASED)
	@echo $(DIST)

deb: deps-deb dist
	$(foreach p,$(call packages,$(LIBRARIES) $(CLIENT_LIBRARIES)),$(check-control))
	tests/build/deb.sh $(DIST) $(DEB_FLAGS)
	@ls $(dir $(DIST))socks5d_$(VERSION)*

# What is linked is to be among what the package is built with.
define check-control
@grep -q '^ $(p)\>' conf/debian/control || { echo 'conf/debian/control: Build-Depends lacks $(p)'; exit 1; }

endef

# ---- Debian packages ----

# The packages without which nothing can be compiled. Asked once, before the first file is; that there
# are all is quickly said.
MISSING = $(eval MISSING := $(COMPILER) $(shell $(find-missing)))$(strip $(MISSING))
NEEDED := $(LIBRARIES) $(CLIENT_LIBRARIES)
define find-missing
$(CC) -E -include stdio.h -x c /dev/null >/dev/null 2>&1 || echo libc6-dev; \
command -v pkg-config >/dev/null || echo pkg-config; \
pkg-config --exists $(call names,$(NEEDED)) 2>/dev/null || { \
	$(foreach l,$(NEEDED),pkg-config --exists $(call names,$(l)) || echo $(call packages,$(l));) \
} 2>/dev/null
endef

# Ends make with one line.
all-there = $(if $(MISSING),$(error missing: $(MISSING); make deps installs them))

deps:
	@tests/build/packages.sh $(DEPS)
deps-test:
	@tests/build/packages.sh $(TEST_DEPS)
deps-clients:
	@tests/build/packages.sh $(CLIENT_DEPS)
	@$(MAKE) -s --no-print-directory $(AXE)
deps-cluster:
	@tests/build/packages.sh $(CLUSTER_DEPS)
deps-faults:
	@tests/build/packages.sh $(FAULT_DEPS)
deps-web:
	@tests/build/packages.sh $(TEST_DEPS) $(WEB_DEPS)
	@$(MAKE) -s --no-print-directory $(AXE)
deps-lint:
	@tests/build/packages.sh $(LINT_DEPS)
deps-bench:
	@tests/build/packages.sh $(BENCH_DEPS)
deps-deb:
	@tests/build/packages.sh $(DEB_DEPS)
deps-plots:
	@tests/build/packages.sh $(PLOT_DEPS)
deps-soak:
	@tests/build/packages.sh $(SOAK_DEPS)

# axe-core, as tests/web/package-lock.json pins it. Without it, or npm, the tests do without.
AXE := $(OUT)build/axe/node_modules/axe-core/axe.min.js
$(AXE): tests/web/package-lock.json
	@mkdir -p $(OUT)build/axe
	@cp tests/web/package.json tests/web/package-lock.json $(OUT)build/axe
	@npm ci --silent --no-audit --no-fund --prefix $(OUT)build/axe && touch $@ || \
		echo 'axe-core is not to be had from npm: the pages are tested without it'

-include $(FUZZ_OBJECTS:.o=.d) $(FUZZ_TARGETS:build/fuzz/%=build/fuzz/tests/fuzz/%.d)
-include $(LIB_OBJECTS:.o=.d) $(TESTS:=.d) $(TEST_LIB_OBJECTS:.o=.d) $(BUILD)/src/socks5d.d \
	$(BUILD)/src/monitor_client.d $(BUILD)/src/socks5d_auth.d $(GENDOC_OBJECTS:.o=.d) $(BUILD)/tests/state/judge.d
