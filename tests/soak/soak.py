#!/usr/bin/env python3
"""soak: the server as it comes, under everything that it may meet, for minutes or hours.

    soak.py --server build/cc/socks5d --out build/soak --hours 1

Starts the server and what it connects to, fills all tables that have a bound, and then lets clients,
administrators and browsers do what doors.py, monitor.py and page.py have, at an even rate. Every so often
all of them rest: then nothing is open but the held sessions, and memory, descriptors and threads are
noted, with the latencies since the last rest. A row of soak.csv is one such interval; plot.sh draws it.
Between two rests a login is wanted, between the next two it is not.

Ends with a line for each check and "N passed, N failed". The status is 0 when none failed.
"""
import argparse
import csv
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True  # nothing is to be left beside the sources

import doors
import figures
import monitor
import page
from server import Server
from world import Pace, World

HERE = os.path.dirname(os.path.abspath(__file__))
CLIENTS = 24  # threads of visits
RATE = 100  # visits a second of all of them, which leaves most of two processors idle
HELD = 40
PATIENCE = 60  # seconds until all rest
FILLING = 22000  # the newest failures are 10,000, the remembered clients some 4,000
SHORTEST = 2  # minutes: a third of it has intervals of both kinds, with a login and without
DOORS = ["socks5", "socks5-login", "socks5-name", "socks4", "socks4a", "http-connect", "http-plain", "bind", "udp",
         "via", "monitor", "web"]  # fmt: skip
AT_REST = ["rss_kb", "pss_kb", "descriptors", "threads"]
# PSS is drawn only: it moves when other programs that use the same libraries come and go.
JUDGED_FLAT = ["rss_kb", "descriptors", "threads"]
UNDER_LOAD = ["busy_rss_kb", "busy_descriptors", "cpu_percent", "done_per_s", "wrong"]


# ---- who is at work ----


def repeat(world, actions, pause):
    """Each of the actions in turn, until the end."""
    for action in itertools.cycle(actions):
        if world.stopping.wait(pause):
            return
        world.run(action.__name__, action)


def visit_again_and_again(world, pace):
    while not world.stopping.is_set():
        pace.wait(world.stopping)
        doors.visit(world)


def start_all(world):
    pace = Pace(RATE)
    jobs = [(visit_again_and_again, world, pace)] * CLIENTS
    jobs += [(repeat, world, monitor.STORIES, 0.3), (repeat, world, [monitor.look], 1.5),
             (repeat, world, [monitor.enter_wrongly, monitor.half_a_line], 3),
             (repeat, world, [monitor.watch, monitor.watch_slowly], 1),
             (repeat, world, page.VISITS, 0.5)]  # fmt: skip
    threads = [threading.Thread(target=job, args=args, daemon=True) for job, *args in jobs]
    for thread in threads:
        thread.start()
    return threads


# ---- before it is measured ----


def add_users(world):
    with monitor.Console.at_socket(world) as console:
        console.ok("ADD_USER {} {} admin".format(*monitor.BOSS))
        for name, password in {**world.users, "slow": "motion-4", "single": "malt-5",
                               "thrifty": "half-pence-6"}.items():
            console.ok(f"ADD_USER {name} temporary")
            console.ok(f"SET_PASSWORD {name} {password}")
        console.ok("LIMITS slow rate=8Mbit")
        console.ok("LIMITS single sessions=1")
        console.ok("LIMITS thrifty quota=1MB/day")
        console.ok("LIMITS alice groups=pupils")


def touch_all_workers(world):
    """All of them at once, so that each has the memory that a session takes."""
    socks = []
    try:
        for _ in range(world.server.values["workers"] - HELD - 10):
            socks.append(doors.reach_origin(world))
            socks[-1].sendall(b"DOWN 1 300000\n")
        for sock in socks:
            doors.take_content(sock.recv, 1, 300000)
    finally:
        for sock in socks:
            sock.close()


def fill_tables(world, pool=8):
    """With strangers, each of whom is refused: they fill the newest failures, the clients, the access log."""

    def fill(n):
        for _ in range(n):
            world.run("passing_stranger", doors.passing_stranger)

    threads = [threading.Thread(target=fill, args=(FILLING // pool,)) for _ in range(pool)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def warm_up(world):
    add_users(world)
    held = [doors.Held(world, kind) for kind in range(HELD)]
    touch_all_workers(world)
    fill_tables(world)
    return held


# ---- rests ----


class Record:
    """The rows of soak.csv, which is written as they come."""

    def __init__(self, path):
        self.names = ["seconds", "login_wanted", *AT_REST, *UNDER_LOAD]
        self.names += [f"{door}_{what}" for door in DOORS for what in ("n", "p50_ms", "p99_ms")]
        self.rows = []
        self.file = open(path, "w", encoding="ascii", newline="")
        self.writer = csv.DictWriter(self.file, self.names)
        self.writer.writeheader()

    def add(self, row):
        self.rows.append(row)
        self.writer.writerow(row)
        self.file.flush()

    def column(self, name):
        return [row[name] for row in self.rows]

    def close(self):
        self.file.close()


def sessions_now(world):
    with monitor.Console.at_socket(world) as console:
        return int(console.ok("CONNECTIONS")[1].split(":")[1])


def await_rest(world, held):
    """Until nobody does anything, and the server knows it."""
    busy = world.gate.close(PATIENCE)
    if busy:
        world.tally.add_wrong("rest", f"still busy after {PATIENCE} s: {', '.join(busy)}")
    world.server.await_that(lambda: sessions_now(world) == len(held), f"{len(held)} sessions, those that are held")


def await_settled(figure):
    """What sockets and pipes that were just let go of still take is gone when the figure stays."""
    until, last, same = time.monotonic() + 10, None, 0
    while same < 5 and time.monotonic() < until:
        now = figure()
        same = same + 1 if now == last else 0
        last = now
        time.sleep(0.1)
    return last


def note_latencies(row, times):
    for door in DOORS:
        row[f"{door}_n"] = len(times[door])
        for percent in (50, 99):
            value = figures.percentile(times[door], percent)
            row[f"{door}_p{percent}_ms"] = None if value is None else round(value * 1000, 3)


def change_login(world):
    """Turns to the other kind of login, by a reload, while nobody is on the way."""
    world.login_wanted = not world.login_wanted
    world.server.write_configuration(world.login_wanted)
    with monitor.Console.at_socket(world) as console:
        console.ok("RELOAD")


def rest(world, held, row):
    await_rest(world, held)
    note_latencies(row, world.tally.take_times())
    for session in held:
        session.check(world)
    row["descriptors"] = await_settled(world.server.descriptors)
    row["threads"] = world.server.threads()
    row["rss_kb"], row["pss_kb"] = world.server.memory()
    row["login_wanted"] = int(world.login_wanted)
    change_login(world)
    world.tally.take_times()
    world.gate.open()


# ---- the run ----


def run_interval(world, held, seconds, begun):
    """Some seconds of load, then a rest: a row."""
    cpu, wrong = world.server.cpu_seconds(), world.tally.wrong_count
    done, at = world.tally.done.total(), time.monotonic()
    busy_rss, busy_descriptors = [], []
    while time.monotonic() < at + seconds and world.server.is_running():
        world.stopping.wait(0.25)
        busy_rss.append(world.server.memory()[0])
        busy_descriptors.append(world.server.descriptors())
    took = time.monotonic() - at
    row = {"busy_rss_kb": max(busy_rss), "busy_descriptors": max(busy_descriptors),
           "cpu_percent": round(100 * (world.server.cpu_seconds() - cpu) / took, 1),
           "done_per_s": round((world.tally.done.total() - done) / took, 1)}
    rest(world, held, row)
    row["wrong"] = world.tally.wrong_count - wrong
    row["seconds"] = round(time.monotonic() - begun, 1)
    return row


def run(world, held, record, minutes):
    begun, seconds = time.monotonic(), minutes * 60
    interval = min(30, max(4, seconds / 40))
    while time.monotonic() - begun < seconds:
        row = run_interval(world, held, interval, begun)
        record.add(row)
        print("{seconds:7.0f} s  rss {rss_kb} kB  pss {pss_kb} kB  {descriptors} descriptors  {threads} threads  "
              "{done_per_s}/s  {cpu_percent} % CPU  {wrong} wrong".format(**row), flush=True)


def stop_all(world, threads, held):
    world.stopping.set()
    world.gate.open()
    for thread in threads:
        thread.join(PATIENCE)
    for session in held:
        session.close()


# ---- the checks ----


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def add(self, name, holds, why=""):
        self.passed, self.failed = self.passed + bool(holds), self.failed + (not holds)
        print(f"{'ok' if holds else 'not ok'} {name}{': ' if why else ''}{why}")

    def add_list(self, name, wrong, count=None):
        """Nothing may be in it; the first few of what is."""
        self.add(name, not wrong, "; ".join(wrong[:10]) + (f" ({count} in all)" if count else ""))


def check_figures(checks, record):
    for name in JUDGED_FLAT:
        checks.add(f"flat {name}", *figures.is_flat(record.column(name)))
    for door in DOORS:
        checks.add(f"p50 of {door}", *figures.p50_has_held(record.column(f"{door}_p50_ms")))
        checks.add(f"p99 of {door}", *figures.p99_has_held(record.column(f"{door}_p99_ms")))


def check_use(checks, tally, commands):
    wanted = [f.__name__ for f in (*doors.VISITS, *monitor.STORIES, *page.VISITS, monitor.look, monitor.watch,
                                   monitor.watch_slowly, monitor.enter_wrongly, monitor.half_a_line)]
    checks.add_list("everything was done", [name for name in wanted if not tally.done[name]])
    checks.add_list("every command was used", [word for word in commands if not tally.commands[word]])


def list_commands(world):
    with monitor.Console.at_socket(world) as console:
        return [line.split()[0] for line in console.ok("HELP")[1:]]


def judge(checks, world, record, commands, status):
    check_figures(checks, record)
    check_use(checks, world.tally, commands)
    checks.add_list("no wrong answer", world.tally.wrong, world.tally.wrong_count)
    checks.add("the server ends cleanly", status == 0, "" if status == 0 else f"status {status}")
    checks.add_list(f"nothing unexpected in {world.server.lines} lines of the log", world.server.unexpected)


def broken_off_for_memory():
    """How many connections of this machine the kernel has reset since its start because TCP, of all
    programs together, had no memory left."""
    with open("/proc/net/netstat", encoding="ascii") as file:
        names, values = (next(file).split() for _ in range(2))
    return int(dict(zip(names, values)).get("TCPAbortOnMemory", 0))


def show_counts(tally):
    print("done: " + ", ".join(f"{count} {name}" for name, count in sorted(tally.done.items())))
    print("commands: " + ", ".join(f"{count} {word}" for word, count in sorted(tally.commands.items())))


def soak(options, server, ports):
    world, checks, held, threads = World(server, ports), Checks(), [], []
    record = Record(os.path.join(options.out, "soak.csv"))
    commands, status, broken_off = ["HELP"], None, broken_off_for_memory()
    try:
        held = warm_up(world)
        commands = list_commands(world)
        threads = start_all(world)
        run(world, held, record, options.minutes)
    except Exception as e:  # what came before is judged all the same
        checks.add("it ran to its end", False, f"{type(e).__name__}: {e}")
    stop_all(world, threads, held)
    if server.is_running():
        status = server.stop()
    else:
        checks.add("the server ran to the end", False, f"it ended with {server.process.returncode}")
    server.read_rest_of_log()
    record.close()
    draw(options.out)
    show_counts(world.tally)
    if count := broken_off_for_memory() - broken_off:
        print(f"note: the kernel itself has reset {count} connections, since TCP had no memory left on this machine")
    judge(checks, world, record, commands, status)
    return checks


def draw(folder):
    if shutil.which("gnuplot"):
        subprocess.run([os.path.join(HERE, "plot.sh"), folder], check=False)
    else:
        print("not drawn: there is no gnuplot")


def read_number(text):
    number = float(text)
    if not 0 < number < 10000:
        raise ValueError(text)
    return number


read_number.__name__ = "number above 0 and below 10000"  # as argparse calls it


def parse_options():
    parser = argparse.ArgumentParser(description="The server under everything, for a long time.")
    parser.add_argument("--server", required=True, help="the program")
    parser.add_argument("--out", required=True, help="folder for soak.csv and soak.svg")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--hours", type=read_number, default=1)
    length.add_argument("--minutes", type=read_number)
    parser.add_argument("--seed", type=int, default=random.getrandbits(32))
    options = parser.parse_args()
    if options.minutes is None:
        options.minutes = options.hours * 60
    if options.minutes < SHORTEST:
        parser.error(f"a run takes {SHORTEST} minutes at least")
    return options


def main():
    options = parse_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    random.seed(options.seed)
    os.makedirs(options.out, exist_ok=True)
    print(f"{options.minutes:g} minutes, seed {options.seed}", flush=True)
    targets = subprocess.Popen([sys.executable, "-B", os.path.join(HERE, "targets.py")], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    ports = json.loads(targets.stdout.readline())
    server = Server(options.server, ports)
    try:
        server.start()
        checks = soak(options, server, ports)
    finally:
        server.kill()
        targets.stdin.close()
        targets.wait()
        shutil.rmtree(server.folder)
    print(f"{checks.passed} passed, {checks.failed} failed")
    return checks.failed > 0


if __name__ == "__main__":
    sys.exit(main())
