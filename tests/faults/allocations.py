"""Has each allocation of a server fail in turn, by allocations.c, and looks at what comes of it.

    allocations.py start STEP COMMAND...   starts COMMAND again and again, until no allocation of its start fails
    allocations.py doors STEP PID DOOR...  at doors of a server that runs, as doors.py has them
    allocations.py commands STEP PID       commands of the monitor, by its socket

Of the allocations each STEPth is tried. A line on each failure; the status says whether there were any.
FAULTS_SHOW=1 shows what was tried, and FAULTS_COMMANDS=REGEX tries some commands only.
MEMORY_FILE is what allocations.c shares with us, and where the doors are doors.py says.
"""
import contextlib
import mmap
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time

import doors

FRAMES = 12
WORDS = 6 + FRAMES
FAIL_AT, FAIL_COUNT, ASKED, FAILED, ALIVE, FRAME_COUNT = range(6)
FOREVER = 1 << 40
PATIENCE = 20  # seconds for what is to come soon
WARM_UP = 3  # runs after which caches are as full as they get


class Tally:
    """struct tally of allocations.c."""

    def __init__(self, path):
        with open(path, "r+b") as f:
            f.truncate(8 * WORDS)
            self.map = mmap.mmap(f.fileno(), 8 * WORDS)

    def __getitem__(self, i):
        return struct.unpack_from("q", self.map, 8 * i)[0]

    def __setitem__(self, i, value):
        struct.pack_into("q", self.map, 8 * i, value)

    def fail(self, first, count=1):
        """From now on; 0: none does."""
        self[FAIL_AT] = 0
        self[FAIL_COUNT] = count
        self[ASKED] = self[FAILED] = self[FRAME_COUNT] = 0
        self[FAIL_AT] = first

    def place(self):
        """Where the first that failed was asked for."""
        return [f"{self[6 + i]:#x}" for i in range(self[FRAME_COUNT]) if 0 < self[6 + i] < 1 << 32]


problems = 0


def report(text, tally=None):
    global problems
    problems += 1
    print(text, *(["at", *tally.place()] if tally else []), flush=True)


def eventually(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True


# ---- the start ----


def read_new(path, offset):
    with contextlib.suppress(FileNotFoundError), open(path, errors="replace") as f:
        f.seek(offset)
        return f.read()
    return ""


def start_once(tally, command, first, count):
    """How it ended: its status, and what it said, in its log, too."""
    log = os.environ["LOG"]
    offset = os.path.getsize(log) if os.path.exists(log) else 0
    environment = dict(os.environ, LD_PRELOAD=os.environ["MEMORY_LIBRARY"], MEMORY_SPARES="libseccomp")
    tally[ALIVE] = 0
    tally.fail(first, count)
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, text=True) as server:
        eventually(lambda: server.poll() is not None or "try it:" in read_new(log, offset))
        if count > 1:
            tally[FAIL_AT] = 0
        server.send_signal(signal.SIGTERM)
        try:
            said = server.communicate(timeout=PATIENCE)[1]
        except subprocess.TimeoutExpired:
            server.kill()
            said = "took too long to end"
        return server.returncode, said + read_new(log, offset)


def judge_start(first, status, said, tally, alive):
    if status not in (0, 1, 2):
        report(f"allocation {first}: status {status}: {said[-300:]}", tally)
    elif status != 0 and not re.search("memory|state_dir|temporarily unavailable", said, re.I):
        report(f"allocation {first}: status {status} without a reason: {said[-300:]!r}", tally)
    elif tally[ALIVE] > alive:
        report(f"allocation {first}: {tally[ALIVE]} are left at the end, not {alive}", tally)


def try_start(tally, step, command):
    status, said = start_once(tally, command, 0, 1)
    if status != 0:
        return report(f"does not start: {said}")
    alive, asked = tally[ALIVE], tally[ASKED]
    for count in (1, FOREVER):
        for first in range(1, asked + 1, step):
            status, said = start_once(tally, command, first, count)
            judge_start(first, status, said, tally, alive)
    print(f"{asked} allocations, {alive} left at the end", flush=True)


# ---- a server that runs ----


class Server:
    def __init__(self, tally, pid):
        self.tally = tally
        self.pid = pid

    def lives(self):
        return os.path.exists(f"/proc/{self.pid}/fd/0") and open(f"/proc/{self.pid}/stat").read().split()[2] != "Z"

    def is_at_rest(self):
        """No session, and nobody who allocates."""
        before = self.tally[ASKED], self.tally[ALIVE]
        time.sleep(0.01)
        return before == (self.tally[ASKED], self.tally[ALIVE])

    def settle(self):
        eventually(self.is_at_rest)


def sweep(server, name, step, prepare, attempt):
    """attempt() with each allocation failing in turn; prepare() goes before. Neither may raise."""
    tally = server.tally
    for _ in range(WARM_UP):
        prepare()
        attempt(False)
    server.settle()
    alive, first, runs = tally[ALIVE], 1, 0
    while server.lives():
        prepare()
        server.settle()
        tally.fail(first)
        attempt(True)
        server.settle()
        failed = tally[FAILED]
        tally[FAIL_AT] = 0
        runs += 1
        if not server.lives() or failed == 0:
            break
        first += step
    if not server.lives():
        return report(f"{name}: the server has ended at allocation {first}", tally)
    prepare()
    attempt(False)
    server.settle()
    if os.environ.get("FAULTS_SHOW"):
        print(f"{name}: {first - 1} allocations, {tally[ALIVE] - alive} more than before", flush=True)
    if tally[ALIVE] - alive > 20 + runs / 4:  # caches have their days
        report(f"{name}: {runs} runs leave {tally[ALIVE] - alive} allocations behind")


def try_doors(server, step, names):
    all_doors = doors.Doors()

    def attempt_at(name):
        def attempt(may_fail):
            results = {}
            doors.try_door(all_doors, name, results)
            if "WRONG" in results[name] or (not may_fail and results[name] != "served"):
                report(f"{name} {results[name]}", server.tally)
        return attempt

    for _ in range(40):
        attempt_at("socks5")(False)  # more than the log in memory holds
    for name in filter(lambda _: server.lives(), names):
        sweep(server, name, step, lambda: None, attempt_at(name))


# ---- commands ----

# What goes before, the command, and a reply that has a text exactly when the command was obeyed.
COMMANDS = (
    ("", "STATS", "", ""), ("", "CONNECTIONS", "", ""), ("", "USERS", "", ""), ("", "CONFIG", "", ""),
    ("CONFIG timeout 100", "CONFIG timeout 900", "CONFIG timeout", ":15m"),
    ("CONFIG dns_search a.example.org", "CONFIG dns_search b.example.org", "CONFIG dns_search", "b.example.org"),
    ("CONFIG rule allow to y.example.org", "CONFIG rule deny to x.example.org", "CONFIG rule", "x.example.org"),
    ("", "ACCESS_LOG", "", ""), ("", "ACCOUNTS", "", ""),
    ("DEL_USER carl", "ADD_USER carl pass", "ACCOUNTS", "name:carl "),
    ("ADD_USER carl pass", "DEL_USER carl", "ACCOUNTS", "!name:carl "),
    ("ADD_USER carl pass;SET_ROLE carl user", "SET_ROLE carl admin", "ACCOUNTS", "name:carl role:admin"),
    ("ADD_USER carl pass", "SET_PASSWORD carl other", "", ""),
    ("", "SETTINGS", "", ""), ("", "CLIENTS", "", ""), ("", "UPSTREAMS", "", ""), ("", "RULES", "", ""),
    ("DROP_RULE *", "DENY * c.example.org 1h", "RULES", "c.example.org"),
    ("DENY * c.example.org 1h", "DROP_RULE *", "RULES", "!c.example.org"),
    ("", "EXPLAIN from=127.0.0.1 to=x.faults.test:80", "", ""),
    ("", "LIMITS", "", ""), ("LIMITS alice sessions=8", "LIMITS alice sessions=7", "LIMITS alice", "sessions:7"),
    ("", "QUOTA alice reset", "", ""), ("ENABLE 192.0.2.9", "DISABLE 192.0.2.9", "LIMITS 192.0.2.9", "disabled:yes"),
    ("DISABLE 192.0.2.9", "ENABLE 192.0.2.9", "LIMITS 192.0.2.9", "!disabled:yes"),
    ("UNBAN *", "BAN 198.51.100.9 1h", "BANS", "198.51.100.9"),
    ("BAN 198.51.100.9 1h", "UNBAN *", "BANS", "!198.51.100.9"),
    ("", "WHY *", "", ""), ("", "USAGE", "", ""), ("", "DAYS", "", ""), ("", "SITES", "", ""), ("", "ALARMS", "", ""),
    ("", "TRAFFIC", "", ""), ("", "RELOAD", "", ""),
)


class Monitor:
    """The monitor by its socket; a connection that the server gives up is made again."""

    def __init__(self):
        self.link = None

    def ask(self, command):
        """"" when the connection ended before the whole reply was there."""
        try:
            if self.link is None:
                self.link = doors.Stream(os.environ["MONITOR_SOCKET"])
                self.link.read_until(b"\n")
            self.link.send(command.encode() + b"\n")
            return self.link.read_until(b"\n\n").decode()
        except (OSError, doors.Refused):
            self.link = None
            return ""

    def insist(self, command):
        return self.ask(command) or self.ask(command)


def try_command(server, step, row):
    before, command, look, wanted = row
    monitor = Monitor()

    def prepare():
        for c in filter(None, before.split(";")):
            monitor.insist(c)

    def is_in_force():
        return (wanted.lstrip("!") in monitor.insist(look)) != wanted.startswith("!")

    def attempt(may_fail):
        reply = monitor.ask(command)
        server.settle()
        server.tally[FAIL_AT] = 0
        if not reply.startswith("OK"):
            if not may_fail:
                report(f"{command}: {reply[:200]!r}")
            elif reply and not re.search("memory", reply, re.I):
                report(f"{command}: {reply[:200]!r}", server.tally)
        if look and reply and reply.startswith(("OK", "ERR Done, but")) != is_in_force():
            report(f"{command}: {reply[:200]!r}, and it is {'' if is_in_force() else 'not '}so", server.tally)

    sweep(server, command, step, prepare, attempt)


def main(what, step, *arguments):
    tally = Tally(os.environ["MEMORY_FILE"])
    if what == "start":
        try_start(tally, int(step), arguments)
    elif what == "doors":
        try_doors(Server(tally, arguments[0]), int(step), arguments[1:])
    else:
        server = Server(tally, arguments[0])
        for row in COMMANDS:
            if server.lives() and re.search(os.environ.get("FAULTS_COMMANDS", "."), row[1]):
                try_command(server, int(step), row)
    return problems > 0


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # threads of the far sides may still be at it
