#compdef socks5d
# Completion of socks5d in zsh. Made by `make docs` from the tables of flags, settings
# and commands.

_socks5d() {
	_arguments -s \
		'*'{-h,--help}'[this help]' \
		'*'{-v,--version}'[the version]' \
		'*'{-c+,--config=}'[read the settings below from FILE, a line each: max_sessions = 500]:FILE:_files' \
		'*'{-n,--check}'[check the configuration and exit: status 0, or 2 and why]' \
		'*--doctor[look for what commonly goes wrong, a line each, and exit: status 0 all well, 1 something is wrong]' \
		'*--explain=[say what would become of such a request, and why, and exit: status 0 allowed, 1 denied, 2 it cannot be said]:'\''from=ADDR [user=NAME] to=HOST\:PORT [command=udp] [time="tue 09\:30"]'\'': ' \
		'*--resolve[with --explain: ask name servers]' \
		'*'{-u+,--user=}'[a user who may log in, with the role admin; up to ten]:NAME\:PASS: ' \
		'*'{-l+,--listen=}'[Address to serve on, with or without a port (192.168.1.1, \[::\]:1080)]:ADDR: ' \
		'*'{-p+,--port=}'[Port of the listen addresses that name none; 0 lets the kernel choose]:PORT: ' \
		'*--protocols=[What clients may speak, at each of the listen addresses: socks5, socks4 (4a, too) and http]:LIST:(socks5 socks4 http)' \
		'*--http-via=[yes: servers of plain HTTP requests are told by a field Via that there is a proxy between, and clients likewise]:WORD:(no yes)' \
		'*'{-L+,--monitor-listen=}'[Address that the monitor is served on, for monitor_client]:ADDR: ' \
		'*'{-P+,--monitor-port=}'[Port of the monitor; 0 lets the kernel choose]:PORT: ' \
		'*--monitor-socket=[Unix socket that the monitor is served on as well, at which root and the user that the server runs as are administrators without a login; others log in, and have to be of the file'\''s group]:PATH:_files' \
		'*--max-monitor-clients=[Connections to the monitor at once]:N: ' \
		'*--monitor-login-timeout=[Time to log in to the monitor]:TIME: ' \
		'*--monitor-timeout=[A connection to the monitor ends when for this time no command came, or no byte of an answer could be sent]:TIME: ' \
		'*--web-listen=[Address that administrators'\'' browsers are served on, 127.0.0.1 say, with or without a port; without one it is 8081]:ADDR: ' \
		'*--max-web-clients=[Connections of browsers and programs to web_listen at once, of which an address has eight at most, unless it is this host or one of web_trusted]:N: ' \
		'*--web-trusted=[Networks of web servers that pass browsers on to web_listen]:LIST: ' \
		'*--web-names=[Names by which browsers reach web_listen, such as monitor.example.org, beside addresses and localhost]:LIST: ' \
		'*--metrics-from=[Who gets /metrics of web_listen without a login: loopback, networks such as 192.0.2.0/24, or none]:LIST: ' \
		'*--metrics-accounts=[yes: /metrics also tells of each user and client address what it moves and how many sessions it has: of those that have moved most, as many as are a thousand series]:WORD:(no yes)' \
		'*--max-sessions=[Sessions that run at once, a thread each, all made at start]:N:(auto)' \
		'*--max-sessions-per-client=[Sessions at once of one client address, or of one /64 network of IPv6; its further connections are closed]:N:(auto none)' \
		'*--backlog=[Connections that the kernel keeps waiting while all sessions are taken; listeners opened later follow a change]:N: ' \
		'*--handshake-timeout=[Time for greeting, login and request together]:TIME: ' \
		'*--connect-timeout=[Time for the name lookup and all connection attempts together]:TIME: ' \
		'*--timeout=[A session ends when for this time no byte went either way]:TIME: ' \
		'*--half-close-timeout=[The same once one side has finished sending and the other has not]:TIME: ' \
		'*--drain-timeout=[Time that live sessions get to finish when the server is told to stop]:TIME: ' \
		'*--relay=[auto: a direction that proves to be bulk is spliced by the kernel instead of copied]:WORD:(auto copy splice)' \
		'*--rate-total=[What all sessions together may move, in a second and to clients, such as 100Mbit, with another rate from clients behind a /]:RATE: ' \
		'*--group-rate=[What all members of a group together may move, shared fairly among them, such as @pupils 50Mbit, a line a group]:LIST: ' \
		'*--external-address=[Address of this host from which targets are connected to and sent to, one for IPv4 and one for IPv6; where none is set the kernel chooses]:ADDR: ' \
		'*--external-interface=[Network interface through which targets are reached; empty: whichever the routes say]:NAME: ' \
		'*--prefer=[Family of addresses that is tried first where a name has both, or that alone is used]:WORD:(ipv6 ipv4 ipv4-only ipv6-only)' \
		'*--udp-address=[Address that clients of UDP ASSOCIATE send to, one for IPv4 and one for IPv6; one that is not this host'\''s own, but of the NAT in front of it, is only told]:ADDR: ' \
		'*--udp-ports=[Ports that clients of UDP ASSOCIATE send to, one a client]:RANGE: ' \
		'*--udp-clients=[Networks from which a client of UDP ASSOCIATE may send besides the address of its TCP connection, where NAT makes two of one (containers)]:LIST: ' \
		'*--udp-filter=[Whose datagrams get through to a client of UDP ASSOCIATE]:WORD:(address address-port none)' \
		'*--udp-timeout=[An association (UDP ASSOCIATE) ends when for this time no datagram went either way]:TIME: ' \
		'*--bind-address=[Address that BIND listens on and that clients are told, one for IPv4 and one for IPv6; one that is not this host'\''s own, but of the NAT in front of it, is only told]:ADDR: ' \
		'*--bind-ports=[Ports that BIND listens on, one a client]:RANGE: ' \
		'*--bind-timeout=[Time that BIND waits for the peer'\''s connection]:TIME: ' \
		'*--bind-any-peer=[no: BIND takes a connection from the address only that the client named, unless that was 0.0.0.0 or ::]:WORD:(no yes)' \
		'*--setup-page=[yes: a browser that is pointed at the proxy'\''s own port, http://ADDR:PORT/, gets a page that tells how to set up devices and programs, without a login]:WORD:(no yes)' \
		'*--proxy-name=[Names by which the proxy itself is meant, such as proxy.example.org: who asks for them gets the pages, and these tell the name instead of an address]:LIST: ' \
		'*--pac-direct=[Where browsers that take their settings from proxy.pac or wpad.dat go without the proxy: private (loopback, private, link-local and unique-local addresses), plain (names without a dot), names such as www.example.org or .example.org with all below, networks such as 203.0.113.0/24]:LIST: ' \
		'*--pac-fallback=[What these browsers do that cannot reach the proxy]:WORD:(none direct)' \
		'*--clients=[Who may connect: any, private (loopback, private, link-local and unique-local addresses), networks such as 203.0.113.0/24, or several of these]:LIST: ' \
		'*--proxy-protocol-from=[Networks of load balancers, such as HAProxy, that connect for clients]:LIST: ' \
		'*--rule=[allow, deny or via NAME, and then from, user, to, port, command and time, each with values separated by commas: deny to .example.org, file:/etc/socks5d/blocked time mon-fri 08:00-18:00]:RULE: ' \
		'*--otherwise=[What is done with requests that no rule matches: allow or deny]:WORD:(allow deny)' \
		'*--protect=[Places that no client gets to unless a rule allows it and names them: loopback (for clients that are not on loopback themselves), link-local, metadata (of clouds), multicast, private, own (this host'\''s addresses), rebinding (a public-looking name that comes to a private address)]:LIST:(loopback link-local metadata multicast private own rebinding none)' \
		'*--client-group=[A name for some clients, for rules and limits: @room12 192.168.12.0/24, 192.168.13.5]:GROUP: ' \
		'*--expect=[What the rules and what is protected are to say of a request: deny or allow, from=ADDR, user=NAME unless it is one without a login, to=HOST:PORT or to=NAME@ADDR:PORT with the address that the name is to have, command=udp or bind, and time="tue 09:30" unless it is to hold at all times]:WHAT: ' \
		'*--recheck=[When live sessions that the rules would refuse by now end: time: when a rule'\''s time begins or is over, and when a temporary rule does; all: at reloads and other changes, too; no: never]:WORD:(time all no)' \
		'*--upstream=[A proxy through which rules send requests (via NAME): its name and its URL, or several, of which the first that works is taken: office socks5://10.0.0.1:1080, http://NAME:PASSWORD@10.0.0.2:3128]:LINE: ' \
		'*--auth=[auto: login is required where users_file is set, also while there is nobody in it, or auth_socket, or shared_users, or where users are given with -u; that is decided at start and reload, and a user who is added later does not change it]:WORD:(auto required optional none)' \
		'*'{-U+,--users-file=}'[File of users, NAME:HASH:ROLE a line (HASH as crypt(3), mkpasswd and htpasswd -B make it, or helper: whose password auth_socket knows; ROLE user or admin)]:FILE:_files' \
		'*--max-password-checks=[Slow password hashes computed at once; logins beyond that wait, and addresses take turns]:N:(auto)' \
		'*--auth-socket=[Unix socket of socks5d_auth, which asks a helper program whether a login is right (LDAP, PAM, RADIUS and what else there are helpers for): of each name that users_file has no password of]:PATH:_files' \
		'*--auth-cache=[A login that auth_socket called right is not asked about again for this time; 0: each is]:TIME: ' \
		'*--max-auth-questions=[Logins that auth_socket is asked about at once; others wait, and addresses take turns]:N: ' \
		'*--user-defaults=[What holds for each user, as far as neither the users file nor a group says something else: sessions=50 rate=20Mbit quota=50GB/month]:LIMITS: ' \
		'*--group-defaults=[@GROUP and what holds for each user in it: @pupils sessions=10 quota=1GB/day]:LINE: ' \
		'*--client-limits=[Addresses, networks and groups of clients, and what holds for each client address in them: 192.168.1.50, @room12 rate=2Mbit quota=1GB/day]:LINE: ' \
		'*--anonymous-defaults=[What holds for the sessions without a login of each client address, as far as client_limits says nothing]:LIMITS: ' \
		'*--ban=[So many failed logins in so much time ban the client'\''s address, or the /64 network of IPv6, from the proxy, each time for twice as long, up to the last time]:RULE: ' \
		'*--ban-exempt=[Who is never banned by failed logins: loopback, networks such as 192.168.1.0/24, or none]:LIST: ' \
		'*--dns-servers=[Name servers to ask; empty: those of /etc/resolv.conf, whose changes are followed]:LIST: ' \
		'*--dns-search=[Domains to try behind a short name; empty: those of /etc/resolv.conf]:LIST: ' \
		'*--dns-cache=[Records that the name cache holds, one a name and address family; 0: no cache]:N: ' \
		'*--dns-negative-ttl=[How long it is remembered that a name does not exist]:TIME: ' \
		'*--run-as=[User of this host that the server runs as, when root starts it: he is given the logs and what else it writes, with folders that are for nothing else, and no right of root'\''s is kept]:NAME: ' \
		'*--sandbox=[on: once everything is open the server writes beneath the folders of its logs, users file, state_dir and monitor_socket only, executes nothing, and makes no system call that a proxy has no use for, as far as the kernel can enforce that]:WORD:(on off required)' \
		'*--state-dir=[Folder for what is to outlive the server: what was decided at the monitor (temporary rules, limits, bans), used quotas, and the history of accounts]:DIR:_files -/' \
		'*--history-days=[Days for which it is kept how much each user and each client address has used the proxy, if state_dir is set]:N: ' \
		'*--sites-days=[Days for which it is kept which sites each user and each client address has visited, if state_dir is set]:N: ' \
		'*--shared=[Redis, by which several servers count together what accounts use and run, and share bans: redis://HOST:PORT/DB with USER:PASSWORD@ in front of the host if it wants a login, or unix:PATH]:URL: ' \
		'*--shared-password-file=[File with the password for shared in its first line; empty: what the URL says]:FILE:_files' \
		'*--shared-prefix=[What all names in shared begin with; servers with another one have nothing to do with this one]:WORD: ' \
		'*--node-name=[What this server is called among those that share; each has a name of its own]:WORD: ' \
		'*--shared-users=[Whether users are shared, too: whom ADD_USER adds on one server is known on all within a second, and so is whoever is changed or deleted]:WORD:(no yes)' \
		'*--shared-grace=[Time for which users that servers share may log in while what shared names does not answer, restarts included; then they are refused until it does]:TIME: ' \
		'*--shared-nodes=[Networks in which the monitors of the other servers that share may be]:LIST: ' \
		'*--client-names=[File with the names of clients, which are shown beside their addresses and decide nothing: ADDRESS NAME a line as in /etc/hosts, or the leases of dnsmasq, ISC dhcpd or Kea]:FILE:_files' \
		'*--access-log-file=[File that sessions are logged to when they end, a line each, if their request was answered or the login of a user refused; opened again on SIGHUP; empty: none]:FILE:_files' \
		'*--access-log-entries=[Answered requests, and refused logins of users, that are remembered for the monitor'\''s ACCESS_LOG]:N: ' \
		'*--log-file=[File to log to, opened again on SIGHUP; empty: standard error]:FILE:_files' \
		'*--log-level=[What is logged: this and all that is graver]:WORD:(error warn info debug)' \
		'*--log-format=[text: key=value pairs]:WORD:(text json)'
}

_socks5d "$@"
