"""The server under test: its folder and configuration, the process, what its log says and what /proc
knows of it."""
import contextlib
import os
import re
import signal
import socket
import subprocess
import tempfile
import time

PATIENCE = 60
WORKERS = 200
BOSS = "boss"

# Timeouts are short, so that nobody who is silent holds up a rest, and bounds of tables low, so that
# each is reached before anything is measured. All else is as it comes.
CONFIGURATION = """
listen = 127.0.0.1:{port}
monitor_listen = 127.0.0.1:{monitor_port}
monitor_socket = {folder}/monitor.sock
web_listen = 127.0.0.1:{web_port}
users_file = {folder}/users
state_dir = {folder}/state
log_file = {folder}/log
access_log_file = {folder}/access
client_names = {folder}/names
auth = {auth}
clients = 127.0.0.0/9
max_sessions = {workers}
handshake_timeout = 5s
access_log_entries = 5000
dns_servers = 127.0.0.1:{names}
dns_cache = 1000
dns_negative_ttl = 2s
sites_days = 1
metrics_accounts = yes
ban = 5 in 10m for 2s to 8s
ban_exempt = none
client_group = @room 127.1.0.0/25
client_limits = @room rate=5Gbit quota=100GB/day
group_rate = @room 5Gbit
user_defaults = sessions=150
rate_total = none
upstream = office socks5://127.0.0.1:{upstream}
rule = deny from 127.5.0.0/16
rule = via office to .via.test
rule = deny user anonymous port {members}
rule = deny port {denied}
rule = deny to .denied.test
rule = deny to file:{folder}/list
rule = deny to .example.org time mon-fri 08:00-18:00
expect = deny from=127.1.0.1 to=www.denied.test:80
"""

# Warnings and errors that what is done here brings with it, by how they begin.
EXPECTED = [
    r"ban begun", r"monitor login refused", r"web login refused", r"no user has the role admin",
    r"login is required, and there are no users yet", r"client refused by the setting clients",
    r"/\S*/socks5d.conf:\d+: rule \d+: .*: (it never matches: everybody has to log in|who sends addresses )",
    r"reload refused, nothing changed: /\S*/socks5d.conf:\d+: timeout: ",
]  # fmt: skip


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def field(line, name):
    found = re.search(rf' {name}=(?:"((?:[^"\\]|\\.)*)"|(\S*))', line)
    return found[1] or found[2] if found else ""


class Server:
    def __init__(self, program, ports):
        self.folder = tempfile.mkdtemp(prefix="socks5d-soak.")
        self.values = {"folder": self.folder, "workers": WORKERS, "port": free_port(), "monitor_port": free_port(),
                       "web_port": free_port(), **ports}
        self.proxy = ("127.0.0.1", self.values["port"])
        self.monitor = ("127.0.0.1", self.values["monitor_port"])
        self.web = ("127.0.0.1", self.values["web_port"])
        self.monitor_socket = self.path("monitor.sock")
        self.program = program
        self.process = None
        self.log_at = 0
        self.lines = 0
        self.unexpected = []

    def path(self, name):
        return os.path.join(self.folder, name)

    # ---- files ----

    def write(self, name, text):
        """By rename, so that nobody reads half of it."""
        with open(self.path(name + ".new"), "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(self.path(name + ".new"), self.path(name))

    def write_configuration(self, login_wanted, more=""):
        auth = "required" if login_wanted else "optional"
        self.write("socks5d.conf", CONFIGURATION.format(auth=auth, **self.values) + more)

    def write_list(self, names):
        self.write("list", "".join(f"{name}\n" for name in ["always.listed.test", *names]))

    # ---- the process ----

    def start(self):
        os.mkdir(self.path("state"), 0o700)
        self.write("names", "127.1.0.1 tv\n127.1.0.2 phone\n")
        self.write_list([])
        self.write_configuration(False)
        with open(self.path("stderr"), "wb") as stderr:
            self.process = subprocess.Popen([self.program, "-c", self.path("socks5d.conf")],
                                            stdin=subprocess.DEVNULL, stderr=stderr)
        self.await_that(lambda: "web listening" in self.read("log"), "the server's start")

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)

    def is_running(self):
        return self.process.poll() is None

    def stop(self):
        """The status; None where it had to be killed."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(PATIENCE)
        self.kill()
        return None

    def kill(self):
        if self.process and self.is_running():
            self.process.kill()
            self.process.wait()

    def await_no_session(self, name):
        """Of that user, as the monitor's socket tells."""
        def is_gone():
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(self.monitor_socket)
                sock.sendall(b"USERS\nQUIT\n")
                return name not in sock.makefile().read().splitlines()[1].split()

        self.await_that(is_gone, f"the end of all sessions of {name}")

    def await_that(self, holds, what):
        until = time.monotonic() + PATIENCE
        while not holds():
            if not self.is_running():
                raise RuntimeError(f"the server ended with {self.process.returncode}: {self.read('stderr')[-2000:]}")
            if time.monotonic() > until:
                raise TimeoutError(f"waited {PATIENCE} s for {what}")
            time.sleep(0.02)

    # ---- what it says ----

    def read(self, name):
        with contextlib.suppress(FileNotFoundError), open(self.path(name), encoding="utf-8") as file:
            return file.read()
        return ""

    def take_line(self, line):
        self.lines += 1
        if " level=info " in line or " level=debug " in line:
            return
        text = field(line, "msg")
        if not any(re.match(known, text) for known in EXPECTED) and len(self.unexpected) < 100:
            self.unexpected.append(line)

    def said_of(self, dialled):
        """Its line of that connection's session, behind a line's end; "" when there is none."""
        client = " client={}:{} ".format(*getattr(dialled, "address", ("", "")))
        lines = [line for line in self.read("log").splitlines() if client in line]
        return "\n  " + lines[-1] if lines else ""

    def move_logs(self):
        """Renames both, and returns where new ones are to come."""
        paths = [self.path("log"), self.path("access")]
        for path in paths:
            os.rename(path, path + ".1")
        return paths

    def read_moved_log(self):
        for line in self.read("log.1").splitlines():
            self.take_line(line)
        os.remove(self.path("log.1"))
        os.remove(self.path("access.1"))

    def read_rest_of_log(self):
        for line in self.read("log").splitlines():
            self.take_line(line)
        self.unexpected += self.read("stderr").splitlines()

    # ---- what the kernel knows of it ----

    def proc(self, name):
        return os.path.join(f"/proc/{self.process.pid}", name)

    def memory(self):
        """(RSS, PSS) in kB"""
        with open(self.proc("smaps_rollup"), encoding="ascii") as file:
            found = dict(re.findall(r"^(Rss|Pss): +(\d+) kB", file.read(), re.MULTILINE))
        return int(found["Rss"]), int(found["Pss"])

    def descriptors(self):
        return len(os.listdir(self.proc("fd")))

    def threads(self):
        return len(os.listdir(self.proc("task")))

    def cpu_seconds(self):
        with open(self.proc("stat"), encoding="ascii") as file:
            user, system = file.read().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
