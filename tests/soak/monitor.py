"""What administrators do at the monitor: every command that HELP lists, over TCP and at the unix socket.

LOOKS are commands that change nothing. STORIES change something, and see by a client of the proxy that
it holds; each leaves everything as it was."""
import contextlib
import os
import random
import socket
import threading
import time

import doors
from targets import receive_exactly
from wire import CONNECT, DENIED, GRANTED, Wrong, dial, expect, expect_end, socks5_choose, socks5_login

PATIENCE = 60
HERE = doors.HERE
BOSS = ("boss", "the.admin-0")


class Console:
    """One connection to the monitor; after open() or log_in() it takes commands."""

    def __init__(self, world, sock):
        self.world = world
        sock.settimeout(PATIENCE)
        self.sock = sock
        self.file = sock.makefile("rb")

    @classmethod
    def at_socket(cls, world):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(world.server.monitor_socket)
        console = cls(world, sock)
        expect("greeting", console.read_line()[:11], "OK Welcome ")
        return console

    @classmethod
    def by_login(cls, world, name, password):
        """And the answer to the login."""
        console = cls(world, socket.create_connection(world.server.monitor))
        console.read_line()
        console.send(f"{name}:{password}")
        return console, console.read_line()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.sock.close()

    def send(self, line):
        self.sock.sendall(line.encode() + b"\n")

    def read_line(self):
        return self.file.readline().decode("utf-8", "strict").rstrip("\n")

    def ask(self, line):
        """The status line and the others. It is timed as the monitor's door."""
        with self.world.tally.timed("monitor"):
            self.send(line)
            lines = [self.read_line()]
            while last := self.read_line():
                lines.append(last)
        if not lines[0].startswith(("OK", "ERR")):
            raise Wrong(f"{line}: {lines[0]!r}")
        self.world.tally.add_command(line.split()[0])
        return lines

    def ok(self, line):
        lines = self.ask(line)
        if not lines[0].startswith("OK"):
            raise Wrong(f"{line}: {lines[0]!r}")
        return lines

    def err(self, line):
        lines = self.ask(line)
        if not lines[0].startswith("ERR ") or len(lines) > 1:
            raise Wrong(f"{line}: {lines!r} instead of a refusal")


# ---- what changes nothing ----

LOOKS = [
    "STATS", "CONNECTIONS", "CONNECTIONS alice", "CONNECTIONS 127.1.0.0/24", "USERS", "CONFIG", "CONFIG timeout",
    "ACCESS_LOG", "ACCESS_LOG alice", "ACCESS_LOG * 50", "ACCESS_LOG 127.1.0.7 today", "HELP", "ACCOUNTS", "CLIENTS",
    "LIMITS", "LIMITS slow", "LIMITS @room", "GUESTS", "BANS", "RULES", "UPSTREAMS", "SETTINGS", "SETTINGS time",
    "TRAFFIC", "TRAFFIC 600 60", "USAGE", "USAGE alice today", "DAYS", "DAYS *", "SITES * today", "SITES alice",
    "WHY * 200", "WHY alice", "ALARMS", "VERSION",
    "EXPLAIN from=127.1.0.9 user=alice to=www1.soak.test:80",
    "EXPLAIN from=127.5.0.9 to=127.0.0.1:80 command=udp",
]  # fmt: skip
MISTAKES = ["NOTHING", "CONFIG timeout never", "KILL x", "ADD_USER alice twice", "DEL_USER nobody.here", "STATS 1",
            "ALLOW * * forever", "BAN 300.1.2.3", "LIMITS alice rate=5", "EXPLAIN to=x",
            "NODES", "SHARE_USER alice"]  # fmt: skip # the server is alone


def look(world):
    """All of them in any order, at one door or the other, and some that are refused."""
    console = Console.at_socket(world) if random.random() < 0.5 else enter_as_boss(world)
    with console:
        for line in random.sample(LOOKS, len(LOOKS)):
            console.ok(line)
        for line in MISTAKES:
            console.err(line)
        leave(world, console)


def enter_as_boss(world):
    console, answer = Console.by_login(world, *BOSS)
    expect("login at the monitor", answer, "OK Welcome boss")
    return console


def leave(world, console):
    console.send("QUIT")
    expect("farewell", console.read_line(), "OK Goodbye")
    expect("what follows it", console.read_line(), "")
    world.tally.add_command("QUIT")


def enter_wrongly(world):
    """Of the two answers the second is for whom was wrong too often."""
    console, answer = Console.by_login(world, "alice", f"wrong {random.getrandbits(32)}")
    with console:
        expect("answer to a wrong login", answer, "ERR Invalid credentials", "ERR Too many failed logins")


def half_a_line(world):
    with Console.at_socket(world) as console:
        console.sock.sendall(b"STA")


def watch(world, pause=0):
    """For two seconds; what was sent is well-formed, and so is the end."""
    with Console.at_socket(world) as console:
        console.send("WATCH")
        expect("first line of WATCH", console.read_line()[:12], "OK Watching:")
        ending = threading.Timer(2, console.send, ["enough"])
        ending.start()
        time.sleep(pause)
        while line := console.read_line():
            expect("an event", line[:6], "event:")
        ending.join()
        console.ok("VERSION")
        world.tally.add_command("WATCH")


def watch_slowly(world):
    """Without reading anything meanwhile."""
    watch(world, pause=2)


# ---- stories: users ----


def tries(world, login, source, host=HERE, port=None):
    """What becomes of a request: 'refused' for the login, or REP."""
    with dial(world.server.proxy, source) as sock:
        expect("method", socks5_choose(sock, 2), 2)
        if socks5_login(sock, *login) != 0:
            expect_end(sock)
            return "refused"
        return doors.socks5_ask(sock, CONNECT, host, port or world.ports["origin"])[0]


def expect_kept_out(world, login, source):
    """Where no login is wanted he is Anonymous, whom the members' port refuses."""
    got = tries(world, login, source, port=world.ports["members"])
    expect("who may not log in", got, *(["refused"] if world.login_wanted else [DENIED, "refused"]))


def expect_let_in(world, login, source):
    expect("who may log in", tries(world, login, source, port=world.ports["members"]), GRANTED)


def open_session(world, login, source):
    sock = doors.reach(world, "socks5-login", HERE, world.ports["origin"], login, source)
    sock.sendall(b"ECHO\n.")
    expect("echo", receive_exactly(sock, 1), b".")
    return sock


def life_of_a_user(world):
    name, source = f"temp{random.getrandbits(32)}", world.passing_by(4)
    first, second = (name, "first password"), (name, "second password")
    with Console.at_socket(world) as console:
        console.ok(f"ADD_USER {name} first-password")
        console.ok(f"SET_PASSWORD {name} {first[1]}")
        expect_let_in(world, first, source)
        console.ok(f"SET_PASSWORD {name} {second[1]}")
        expect_kept_out(world, first, source)
        expect_let_in(world, second, source)
        console.ok(f"LIMITS {name} sessions=5 rate=20Mbit quota=1GB/day")
        with open_session(world, second, source) as sock:
            console.ok(f"DISABLE {name}")
            expect_end(sock)
        expect_kept_out(world, second, source)
        console.ok(f"ENABLE {name}")
        with open_session(world, second, source) as sock:
            console.ok(f"KILL_USER {name}")
            expect_end(sock)
        console.ok(f"SET_ROLE {name} admin")
        console.ok(f"SET_ROLE {name} user")
        console.ok(f"USAGE {name}")
        console.ok(f"DEL_USER {name}")
        expect_kept_out(world, second, source)
        console.ok(f"FORGET {name}")


def guest(world):
    source = world.passing_by(4)
    with Console.at_socket(world) as console:
        words = console.ok("GUEST 1 rate=20Mbit")[1].split()
        name, password = (word.split(":", 1)[1] for word in words[:2])
        expect_let_in(world, (name, password), source)
        console.ok("GUESTS")
        console.ok(f"DEL_USER {name}")
        expect_kept_out(world, (name, password), source)


def quota(world):
    """A session of a user who may move a megabyte ends there, by a reset that may overtake the last of it,
    and he is refused until it is reset."""
    login = ("thrifty", "half-pence-6")
    with Console.at_socket(world) as console:
        console.ok("QUOTA thrifty reset")
        with doors.reach(world, "socks5-login", HERE, world.ports["origin"], login) as sock:
            sock.sendall(b"DOWN 3 3000000\n")
            taken = 0
            with contextlib.suppress(ConnectionResetError):
                while data := sock.recv(65536):
                    taken += len(data)
        if taken > 1_010_000:
            raise Wrong(f"{taken} bytes came of a quota of 1 MB")
        expect("who has used it up", tries(world, login, world.at_home()), DENIED)
        console.ok("QUOTA thrifty +1MB")
        console.ok("QUOTA thrifty reset")
        expect("who has it anew", tries(world, login, world.at_home()), GRANTED)


def kill(world):
    with Console.at_socket(world) as console, open_session(world, world.login(), source := world.passing_by(4)) as sock:
        (line,) = console.ok(f"CONNECTIONS {source}")[1:]
        console.ok("KILL " + line.split()[0].removeprefix("id:"))
        expect_end(sock)


# ---- stories: clients and rules ----


def limits_of_a_client(world):
    source, login = world.passing_by(4), world.login()
    with Console.at_socket(world) as console:
        console.ok(f"LIMITS {source} sessions=1 rate=20Mbit")
        console.ok(f"LIMITS {source} sessions=default rate=default")
        with open_session(world, login, source) as sock:
            console.ok(f"DISABLE {source}")
            expect_end(sock)
        expect("REP of a client who is disabled", tries(world, login, source), DENIED, "refused")
        console.ok(f"ENABLE {source}")
        expect("REP of one who is enabled", tries(world, login, source), GRANTED)
        console.ok(f"LIMITS {source}")
        console.ok(f"FORGET {source}")


def ban(world):
    source, login = world.passing_by(4), world.login()
    with Console.at_socket(world) as console:
        with open_session(world, login, source) as sock:
            console.ok(f"BAN {source} 1h")
            expect_end(sock)
        with dial(world.server.proxy, source) as sock:
            expect_end(sock)
        expect("is it listed", any(source in line for line in console.ok("BANS")), True)
        console.ok(f"UNBAN {source}")
        expect("REP afterwards", tries(world, login, source), GRANTED)


def earn_a_ban(world):
    """By wrong passwords, five in ten minutes, which is told and is over in some seconds."""
    source = world.passing_by(3)
    for n in range(5):
        with dial(world.server.proxy, source) as sock:
            doors.login_fails(world, sock, "alice", f"guess {n}")
    with Console.at_socket(world) as console:
        # What was refused counts when its connection is closed.
        world.server.await_that(lambda: any(source in line for line in console.ok("BANS")), f"a ban of {source}")
        with dial(world.server.proxy, source) as sock:
            expect_end(sock)
        if random.random() < 0.5:
            console.ok(f"UNBAN {source}")


def temporary_rules(world):
    source, login, denied = world.passing_by(4), world.login(), world.ports["denied"]
    with Console.at_socket(world) as console:
        with open_session(world, login, source) as sock:
            rule = console.ok(f"DENY {source} {HERE} 1h")[0].split()[2]
            expect_end(sock)
        expect("REP of what is denied", tries(world, login, source), DENIED)
        console.ok(f"DROP_RULE {rule}")
        expect("REP of what is not any more", tries(world, login, source), GRANTED)
        rule = console.ok(f"ALLOW {source} {HERE} 1h")[0].split()[2]
        expect("REP of what is allowed", tries(world, login, source, port=denied), GRANTED)
        console.ok(f"DROP_RULE {rule}")
        expect("REP of what is not any more", tries(world, login, source, port=denied), DENIED)
        # One that ends by itself.
        rule = console.ok(f"DENY {source} .soak.test 1s")[0].split()[2]
        world.server.await_that(lambda: not any(line.startswith(f"rule:{rule} ") for line in console.ok("RULES")),
                                f"the end of {rule}")


# ---- stories: settings, reloads, logs ----


def settings(world):
    with Console.at_socket(world) as console:
        for name, values in (("connect_timeout", ("20s", "30s")), ("max_password_checks", ("4", "auto")),
                             ("rate_total", ("10Gbit", "none")), ("http_via", ("yes", "no"))):
            for value in values:
                console.ok(f"CONFIG {name} {value}")
        console.ok("LOG_LEVEL debug")
        console.ok("LOG_LEVEL info")


def reload_list(world):
    """A name comes to a list that rules name and goes again, by RELOAD and by a signal."""
    name, login = f"turn{random.getrandbits(32)}.soak.test", world.login()

    def answer():
        return tries(world, login, world.at_home(), name)

    with Console.at_socket(world) as console:
        world.server.write_list([name])
        console.ok("RELOAD CUT" if random.random() < 0.3 else "RELOAD")
        expect("REP of what is listed", answer(), DENIED)
        world.server.write_list([])
        world.server.hang_up()
        world.server.await_that(lambda: answer() == GRANTED, "a reload by SIGHUP")


def refused_reload(world):
    """A configuration with a mistake changes nothing."""
    with Console.at_socket(world) as console:
        world.server.write_configuration(world.login_wanted, "timeout = soon\n")
        try:
            console.err("RELOAD")
        finally:
            world.server.write_configuration(world.login_wanted)
        console.ok("RELOAD")


def rotate_logs(world):
    """As logrotate does: renamed, and told by a signal or RELOAD."""
    files = world.server.move_logs()
    if random.random() < 0.5:
        with Console.at_socket(world) as console:
            console.ok("RELOAD")
    else:
        world.server.hang_up()
    world.server.await_that(lambda: all(map(os.path.exists, files)), "new log files")
    world.server.read_moved_log()


STORIES = [life_of_a_user, guest, quota, kill, limits_of_a_client, ban, earn_a_ban, temporary_rules, settings,
           reload_list, refused_reload, rotate_logs]  # fmt: skip
