#!/usr/bin/env python3
"""What sharing (shared = ...) costs the Redis that servers share their state by.

Three real nodes say what they send; then as many as are wanted are played by this program, which
speaks as they do. Redis' own CPU time is what counts: its one thread carries so much in a second.
Everything runs on this machine, by unix sockets, in a folder that is removed afterwards.

    tests/bench/bench_shared.py [--server bin/socks5d] [--nodes N] [--active N] [--users N] [-j FILE]
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

BEAT_S = 5.0
TURN_S = 0.25
BATCH = 100  # accounts in a command (src/server/sharing_batch.c)
KEPT = b"10000"
LIMIT_S = 120


# ---- Redis ----


def command(*words):
    words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


PING = command("PING", "end-of-it")
PONG = b"$9\r\nend-of-it\r\n"


class Link:
    """A connection that sends many commands and takes all replies as bytes."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(LIMIT_S)
        self.sock.connect(path)

    def ask(self, data):
        """Sends while it receives, so neither side's buffers fill up. The replies."""
        data = memoryview(data + PING)
        self.sock.setblocking(False)
        got, end = [], b""
        until = time.monotonic() + LIMIT_S
        try:
            while not end.endswith(PONG):
                if time.monotonic() > until:
                    raise TimeoutError("Redis does not answer")
                busy = False
                if data:
                    with contextlib.suppress(BlockingIOError):
                        data = data[self.sock.send(data[: 1 << 18]) :]
                        busy = True
                with contextlib.suppress(BlockingIOError):
                    piece = self.sock.recv(1 << 20)
                    if not piece:
                        raise ConnectionError("Redis has gone")
                    got.append(piece)
                    end = (end + piece)[-len(PONG) :]
                    busy = True
                if not busy:
                    time.sleep(0.0005)
        finally:
            self.sock.settimeout(LIMIT_S)
        return b"".join(got)[: -len(PONG)]

    def text(self, *words):
        return self.ask(command(*words)).decode(errors="replace")

    def number(self, *words):
        return int(self.text(*words).lstrip(":").strip())


class Meter:
    """What Redis has done between two moments."""

    FIELDS = {
        "commands": "total_commands_processed",
        "in": "total_net_input_bytes",
        "out": "total_net_output_bytes",
    }

    def __init__(self, link):
        self.link = link
        self.start = self.read()

    def read(self):
        info = dict(re.findall(r"^(\w+):([\d.]+)\r?$", self.link.text("INFO", "everything"), re.M))
        now = {k: float(info[v]) for k, v in self.FIELDS.items()}
        now["cpu"] = float(info["used_cpu_user_main_thread"]) + float(
            info["used_cpu_sys_main_thread"]
        )
        now["memory"] = float(info["used_memory"])
        now["time"] = time.monotonic()
        return now

    def stop(self):
        now = self.read()
        return {k: now[k] - self.start[k] for k in now}


def wait_until(what, is_so, seconds=LIMIT_S):
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            sys.exit(f"bench_shared: {what}: not within {seconds} s")
        time.sleep(0.05)


class Engine:
    def __init__(self, folder):
        self.path = os.path.join(folder, "redis")
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.path, "--save", "", "--appendonly"]
            + ["no", "--dir", folder, "--maxclients", "1000", "--client-output-buffer-limit"]
            + ["normal", "0", "0", "0"],
            stdout=subprocess.DEVNULL,
        )
        wait_until("redis-server", lambda: os.path.exists(self.path))
        self.link = Link(self.path)

    def measure(self, work):
        meter = Meter(self.link)
        work()
        return meter.stop()

    def end(self):
        end_process(self.process)


def end_process(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


# ---- real nodes ----


class Node:
    def __init__(self, server, folder, name, users):
        self.folder = os.path.join(folder, name)
        self.log = os.path.join(self.folder, "log")
        self.monitor = os.path.join(self.folder, "monitor")
        self.client = os.path.join(os.path.dirname(server), "monitor_client")
        os.makedirs(os.path.join(self.folder, "state"), 0o700)
        conf = os.path.join(self.folder, "conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write(
                f"listen = 127.0.0.1\nport = 0\nmonitor_port = 0\nmonitor_socket = {self.monitor}\n"
                f"log_file = {self.log}\nmax_sessions = 500\nmax_sessions_per_client = none\n"
                f"state_dir = {self.folder}/state\nauth = none\nnode_name = {name}\n"
                f"shared = unix:{folder}/redis\nshared_users = {'yes' if users else 'no'}\n"
                "client_limits = 127.0.0.0/8 sessions=100 quota=900TB/month\n"
            )
        with open(os.path.join(self.folder, "output"), "wb") as output:
            self.process = subprocess.Popen(
                [server, "-c", conf], stdout=output, stderr=subprocess.STDOUT
            )
        wait_until(f"{name} does not join", lambda: self.says("joined the other nodes"))
        wait_until(f"{name} does not listen", lambda: self.says("msg=listening"))
        port = re.search(r"msg=listening address=127\.0\.0\.1:(\d+)", self.read_log())
        self.port = int(port.group(1))

    def read_log(self):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def says(self, text):
        return text in self.read_log()

    def run(self, *words):
        subprocess.run(
            [self.client, "--socket", self.monitor, *words],
            check=True,
            timeout=LIMIT_S,
            stdout=subprocess.DEVNULL,
        )

    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        end_process(self.process)


class Echo:
    """The target of sessions."""

    def __init__(self):
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            peer, _ = self.sock.accept()
            with peer:
                peer.sendall(peer.recv(64))


def visit(node, echo, source):
    """A session of the account that the address is: 64 bytes there and back."""
    with socket.socket() as s:
        s.settimeout(LIMIT_S)
        s.bind((f"127.1.{source // 250}.{source % 250 + 1}", 0))
        s.connect(("127.0.0.1", node.port))
        s.sendall(b"\5\1\0")
        assert s.recv(2) == b"\5\0"
        s.sendall(b"\5\1\0\1\x7f\0\0\1" + echo.port.to_bytes(2, "big"))
        assert s.recv(10)[1] == 0
        s.sendall(b"x" * 64)
        while s.recv(64):
            pass


def per(measured, what, count):
    """Of what was measured, beside what a rest of that time costs, for one of so many."""
    return {k: round((measured[k] - what.get(k, 0)) / count, 3) for k in ("commands", "in", "out")}


def measure_nodes(server, folder, engine):
    echo = Echo()
    nodes = [Node(server, folder, f"real{i}", True) for i in range(3)]
    result = {}

    def wait_beats(beats):
        time.sleep(beats * BEAT_S)

    def rest_of(measured):
        return {k: v * measured["time"] for k, v in rest.items()}

    try:
        wait_beats(1)
        measured = engine.measure(lambda: wait_beats(4))
        rest = {k: measured[k] / measured["time"] for k in ("commands", "in", "out")}
        result["at rest, a node and second"] = {k: round(v / 3, 1) for k, v in rest.items()}

        def act():
            for _ in range(3):
                begun = time.monotonic()
                for source in range(200):
                    visit(nodes[0], echo, source)
                time.sleep(max(0.0, BEAT_S - (time.monotonic() - begun)))
            wait_beats(1.5)

        measured = engine.measure(act)
        result["an account that was active in a beat, of three nodes"] = per(
            measured, rest_of(measured), 600
        )

        def ban():
            for i in range(30):
                nodes[0].run("BAN", f"192.0.2.{i + 1}", "1h")
            wait_beats(0.5)

        measured = engine.measure(ban)
        result["a ban, of three nodes"] = per(measured, rest_of(measured), 30)

        def add():
            for i in range(30):
                nodes[0].run("ADD_USER", f"real{i}", "a-long-enough-secret")
            wait_beats(0.5)

        measured = engine.measure(add)
        result["a user who is added, of three nodes"] = per(measured, rest_of(measured), 30)
    finally:
        for node in nodes:
            node.end()
    return result


# ---- nodes that are played ----


def name_of(i):
    return b"user%07d" % i


def use_of(beat):
    return b"1793491200 %d 0 0" % (1234567890 + beat * 1000)


def batches_of(node, accounts, beat):
    """What one node tells of so many accounts in a beat: their uses, as src/server/sharing_tell.c."""
    out = []
    for first in range(0, accounts, BATCH):
        names = [name_of(node * accounts + i) for i in range(first, min(first + BATCH, accounts))]
        words = [w for n in names for w in (n, use_of(beat))]
        out.append(command("HSET", b"socks5d:use:node%03d" % node, *words))
        lines = b"".join(n + b" " + use_of(beat) + b"\n" for n in names)
        out.append(
            command(
                *("XADD", "socks5d:events", "MAXLEN", "~", KEPT, "*", "i", b"%016d" % node),
                *("k", "use", "n", b"node%03d" % node, "m", lines),
            )
        )
    return b"".join(out)


def beat_of(node, beat):
    name = b"node%03d" % node
    return b"".join(
        [
            command("SET", "socks5d:epoch", "0123456789abcdef", "NX"),
            command("GET", "socks5d:epoch"),
            command("HSCAN", "socks5d:nodes", "0", "COUNT", "1000"),
            command(
                *("HSET", "socks5d:nodes", name),
                b"%016d 0.1.0 1795694400 100 4000 %d 192.0.2.1:4000" % (node, beat),
            ),
            command("SADD", "socks5d:parts", name),
            command("PEXPIRE", b"socks5d:live:" + name, "15000"),
            command("HSCAN", "socks5d:users", "0", "COUNT", "200"),
        ]
    )


EVENT_ID = re.compile(rb"\$\d+\r\n(\d{13}-\d+)\r\n")


class Played:
    def __init__(self, path, number):
        self.number = number
        self.link = Link(path)
        self.last = b"$"

    def read(self):
        """The events since the last time; how many bytes."""
        total = 0
        while True:
            got = self.link.ask(
                command("XREAD", "COUNT", "200", "STREAMS", "socks5d:events", self.last)
            )
            total += len(got)
            ids = EVENT_ID.findall(got)
            if ids:
                self.last = ids[-1]
            if len(ids) < 200:
                return total


def populate(link, users, hash_text):
    for first in range(0, users, 20000):
        out = []
        for i in range(first, min(first + 20000, users), 1000):
            words = []
            for k in range(i, min(i + 1000, users)):
                words += [name_of(k), b"1795798057000 node001 " + hash_text + b":quota=10GB/month"]
            out.append(command("HSET", "socks5d:users", *words))
        link.ask(b"".join(out))


def unit(engine, work, count):
    measured = engine.measure(work)
    return {
        "cpu_us": round(measured["cpu"] * 1e6 / count, 3),
        "in": round(measured["in"] / count, 1),
        "out": round(measured["out"] / count, 1),
    }


def measure_units(engine, users):
    """Redis' CPU for each of what nodes ask of it."""
    link, result = engine.link, {}
    link.ask(b"".join(beat_of(n, 0) for n in range(100)))
    idle = command("XREAD", "COUNT", "200", "STREAMS", "socks5d:events", "$")

    def ask_each(commands):
        for c in commands:
            link.ask(c)

    beats = [beat_of(n, b) for b in range(10) for n in range(100)]
    result["turn"] = unit(engine, lambda: ask_each([idle] * 4000), 4000)
    result["beat, among 100 nodes"] = unit(engine, lambda: ask_each(beats), 1000)
    start = time.time()
    data = batches_of(1, 100000, 1)
    result["account told"] = unit(engine, lambda: link.ask(data), 100000)
    first = b"%d-0" % (int(start * 1000) - 1)
    reader = Played(engine.path, 0)

    def read_all():
        for _ in range(5):
            reader.last = first
            reader.read()

    result["account heard by a node"] = unit(engine, read_all, 500000)
    single = b"".join(
        command("HSET", "socks5d:use:single", name_of(i), use_of(1))
        + command(
            *("XADD", "socks5d:single", "MAXLEN", "~", "100000", "*", "i", "0123456789abcdef"),
            *("k", "use", "n", "node001", "a", name_of(i), "v", use_of(1)),
        )
        for i in range(50000)
    )
    result["account told, each by itself"] = unit(engine, lambda: link.ask(single), 50000)
    reads = command("XREAD", "COUNT", "1000", "STREAMS", "socks5d:single", "0-0") * 100
    result["account heard, each by itself"] = unit(engine, lambda: link.ask(reads), 100000)
    link.text("DEL", "socks5d:single", "socks5d:use:single", "socks5d:events", "socks5d:use:node001")
    gets = b"".join(command("HGET", "socks5d:users", name_of(i % users)) for i in range(100000))

    def scan():
        cursor = b"0"
        while True:
            got = link.ask(command("HSCAN", "socks5d:users", cursor, "COUNT", "1000"))
            cursor = re.match(rb"\*2\r\n\$\d+\r\n(\d+)\r\n", got).group(1)
            if cursor == b"0":
                return

    result["user read when a node joins"] = unit(engine, scan, users)
    result["user asked for when a node joins"] = unit(engine, lambda: link.ask(gets), 100000)
    return result


def measure_memory(engine, users, hash_text):
    link, result = engine.link, {}
    measured = engine.measure(lambda: populate(link, users, hash_text))
    result["user"] = round(measured["memory"] / users)
    measured = engine.measure(lambda: link.ask(batches_of(1, 100000, 1)))
    result["account used on a node, and its last event"] = round(measured["memory"] / 100000)
    link.text("DEL", "socks5d:events")
    result["account used on a node"] = round(
        link.number("MEMORY", "USAGE", "socks5d:use:node001", "SAMPLES", "1000") / 100000
    )
    return result


def play(engine, nodes, active, seconds):
    """So many nodes, each with so many accounts that are active in each beat. Those that tell, and
    those that read, take turns as they would; how far behind they come says whether Redis, or this
    program beside it, carries it."""
    played = [Played(engine.path, n) for n in range(nodes)]
    data = [batches_of(n, active, 1) for n in range(nodes)]
    for p in played:
        p.link.ask(beat_of(p.number, 1))
        p.last = b"%d-0" % int(time.time() * 1000)
    meter = Meter(engine.link)
    beats = late = heard = 0
    begun = time.monotonic()
    turn = 0
    while time.monotonic() - begun < seconds:
        due = begun + turn * TURN_S
        now = time.monotonic()
        late = max(late, now - due)
        time.sleep(max(0.0, due - now))
        for p in played:
            if p.number % 20 == turn % 20:
                p.link.ask(beat_of(p.number, turn) + data[p.number])
                beats += 1
            heard += p.read()
        turn += 1
    measured = meter.stop()
    for p in played:
        p.link.sock.close()
    wall = measured["time"]
    share = beats / (nodes * wall / BEAT_S)  # of what was to be told
    return {
        "nodes": nodes,
        "active": active,
        "carried": round(min(1.0, share), 2),
        "late_s": round(late, 2),
        "cpu": round(measured["cpu"] / wall, 3),
        "commands_s": round(measured["commands"] / wall),
        "in_s": round(measured["in"] / wall),
        "out_s": round(measured["out"] / wall),
    }


def measure_joining(server, folder, users):
    node = Node(server, folder, "joining", True)
    begun = time.monotonic()
    try:
        wait_until(
            "a node that joins", lambda: node.says("the users are those of the other nodes"), 300
        )
        line = re.search(r"users are those.*", node.read_log()).group(0)
        return {
            "users": users,
            "ms": int(re.search(r"\bms=(\d+)", line).group(1)),
            "seconds": round(time.monotonic() - begun, 1),
            "node_cpu_s": round(node.cpu(), 1),
        }
    finally:
        node.end()


# ---- the table ----


def reckon(units, memory, nodes, active, users):
    """`active`: accounts that are active in a beat, over all nodes together."""
    told = active / BEAT_S
    heard = told * (nodes - 1)
    load = [
        (nodes / TURN_S, units["turn"]),
        (nodes / BEAT_S, units["beat, among 100 nodes"]),
        (told, units["account told"]),
        (heard, units["account heard by a node"]),
    ]
    return {
        "nodes": nodes,
        "active": active,
        "users": users,
        "commands_s": round(nodes / TURN_S + nodes * 7 / BEAT_S + 2 * told / BATCH),
        "in_s": round(sum(n * u["in"] for n, u in load)),
        "out_s": round(sum(n * u["out"] for n, u in load)),
        "cpu": round(sum(n * u["cpu_us"] for n, u in load) / 1e6, 3),
        "memory_mb": round(
            (users * memory["user"] + active * memory["account used on a node"] * 2) / 1e6
        ),
    }


def show(title, rows):
    print(f"\n{title}")
    for name, row in rows.items():
        print(f"  {name:52}", "  ".join(f"{k} {v}" for k, v in row.items()))


def make_hash():
    done = subprocess.run(
        ["openssl", "passwd", "-6", "a-long-enough-secret"], check=True, capture_output=True
    )
    return done.stdout.strip()


def measure(args, folder):
    engine = Engine(folder)
    out = {"redis": engine.link.text("INFO", "server").split("redis_version:")[1].split()[0]}
    try:
        out["real"] = measure_nodes(os.path.abspath(args.server), folder, engine)
        show("real nodes: commands, and bytes to and from Redis, for", out["real"])
        engine.link.text("FLUSHALL")
        hash_text = make_hash()
        out["memory"] = measure_memory(engine, args.users, hash_text)
        print("\nbytes of memory in Redis for each")
        for name, value in out["memory"].items():
            print(f"  {name:52} {value}")
        out["units"] = measure_units(engine, args.users)
        show("Redis' CPU (microseconds) and bytes for each", out["units"])
        out["joining"] = measure_joining(os.path.abspath(args.server), folder, args.users)
        print("\na node joins:", out["joining"])
        out["played"] = [
            play(engine, args.nodes, active, 15) for active in sorted({100, 1000, args.active})
        ]
        print("\nplayed nodes, each with so many accounts active in each beat (cpu: of a processor)")
        for row in out["played"]:
            print(" ", row)
        out["reckoned"] = [
            reckon(out["units"], out["memory"], nodes, active, users)
            for nodes in (3, 10, 30, 100)
            for active, users in ((100, 1000), (10000, 100000), (100000, 1000000), (1000000, 1000000))
        ]
        print("\nreckoned from these (active: accounts in a beat, over all nodes)")
        for row in out["reckoned"]:
            print(" ", row)
    finally:
        engine.end()
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", default="bin/socks5d")
    parser.add_argument("--nodes", type=int, default=100, help="that are played")
    parser.add_argument("--active", type=int, default=10000, help="accounts of each in a beat")
    parser.add_argument("--users", type=int, default=1000000, help="in Redis")
    parser.add_argument("-j", metavar="FILE", help="the same as JSON")
    args = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="socks5d-shared.")
    try:
        out = measure(args, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if args.j:
        with open(args.j, "w", encoding="ascii") as f:
            json.dump(out, f, indent=1)
            f.write("\n")


if __name__ == "__main__":
    main()
