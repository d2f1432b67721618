"""Kills a server again and again while everything that it keeps is being changed, and compares what is
there afterwards with what was acknowledged before.

	killed.py SOCKS5D FOLDER ROUNDS [SEED [LONG]]

Each round starts the server on what the last one left, compares, has several clients change users, bans,
rules, limits and quotas, move bytes that count, and reload, and kills it at a random moment, which may be
while it starts. What was answered OK has to be there, what was not may be; nothing is half there. Every so
often (LONG, none where it is 0) a round lasts for long enough that bytes which were counted have to be on
the disk: at most 10 s of counting may be lost.

A round's seed is printed where something is wrong, and has the same things tried at the same moment as far
as the machine allows: killed.py SOCKS5D FOLDER 1 SEED.
"""

import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time

LIMIT = 60  # seconds that anything may take
LOST = 10  # seconds of counting that a kill may cost
PAGE = 4096  # a write that is killed ends where one does, if not at its end

# What a line is when it is whole.
LOG_LINE = re.compile(rb'time=\d{4}-\d\d-\d\dT[0-9:.]+[+-]\d{4} level=(error|warn|info|debug) msg=("(\\.|[^"\\])*"|[^" ]+)'
	rb'( [a-z0-9_]+=("(\\.|[^"\\])*"|[^" ]*))*')
ACCESS_LINE = re.compile(rb"\d{4}-\d\d-\d\dT[0-9:]+[+-]\d{4} \S+ \S+ \S+ \S+ (SUCCESS|FAIL)( \S+)* \d+")
USERS_LINE = re.compile(r"([^:]+):(\$[^:]+):(user|admin)(?::(.*))?")


class Wrong(Exception):
	"""The server has done something that it must not."""


class Ended(Exception):
	"""It was killed meanwhile."""


def expect(what, got, wanted):
	if got != wanted:
		raise Wrong(f"{what}: {got!r}, expected {wanted!r}")


def expect_one_of(what, got, wanted):
	if got not in wanted:
		raise Wrong(f"{what}: {got!r}, expected one of {wanted!r}")


# ---- the server ----


class Server:
	def __init__(self, program, folder):
		self.program, self.folder = program, folder
		self.process = None

	def path(self, name):
		return os.path.join(self.folder, name)

	def start(self):
		with open(self.path("stderr"), "wb") as stderr:
			self.process = subprocess.Popen(
				[self.program, "-c", self.path("conf")], stdin=subprocess.DEVNULL, stderr=stderr)

	def kill(self):
		ended = self.process.poll()
		self.process.send_signal(signal.SIGKILL)
		self.process.wait()
		said = self.said()
		if ended is not None or "Sanitizer" in said or "runtime error" in said:
			raise Wrong(f"it ended with status {ended}: {said}")

	def said(self):
		with open(self.path("stderr"), "rb") as file:
			return file.read().decode(errors="replace")

	def connect(self):
		sock = socket.socket(socket.AF_UNIX)
		sock.settimeout(LIMIT)
		try:
			sock.connect(self.path("monitor"))
		except OSError:
			sock.close()
			raise
		return sock

	def await_monitor(self):
		end = time.monotonic() + LIMIT
		while time.monotonic() < end:
			if self.process.poll() is not None:
				raise Wrong(f"it does not start again, status {self.process.returncode}: {self.said()}")
			try:
				return Monitor(self.connect())
			except (OSError, Ended):
				time.sleep(0.01)
		raise Wrong("it does not listen")


class Monitor:
	def __init__(self, sock):
		self.sock, self.data = sock, b""
		expect("greeting", self.line().startswith("OK Welcome"), True)

	def line(self):
		while b"\n" not in self.data:
			try:
				piece = self.sock.recv(65536)
			except ConnectionError:
				piece = b""
			if not piece:
				self.sock.close()
				raise Ended
			self.data += piece
		line, _, self.data = self.data.partition(b"\n")
		return line.decode()

	def ask(self, request):
		"""All lines of the answer."""
		try:
			self.sock.sendall(request.encode() + b"\n")
		except OSError:
			self.sock.close()
			raise Ended from None
		lines = [self.line()]
		while line := self.line():
			lines.append(line)
		return lines

	def do(self, request):
		"""The status line of what has to go well."""
		status = self.ask(request)[0]
		if not status.startswith("OK"):
			raise Wrong(f"{request}: {status}")
		return status


def fields_of(line):
	fields = {}
	for word in line.split(" "):
		name, _, value = word.partition(":")
		fields[name] = value
		if name == "text":
			fields[name] = line.split("text:", 1)[1]
			break
	return fields


# ---- what was acknowledged ----


class Book:
	"""What may be there: of each thing one value, or two while a change has not been answered."""

	def __init__(self):
		self.entries = {}

	def legal(self, key):
		return self.entries.get(key, [None])

	def value(self, key):
		return self.legal(key)[0]

	def keys(self):
		return [key for key in self.entries if self.value(key) is not None]

	def change(self, monitor, request, key, value):
		old = self.value(key)
		self.entries[key] = [old, value]
		status = monitor.do(request)
		self.entries[key] = [value]
		return status

	def compare(self, what, seen):
		"""All that is there; from here on it is what counts."""
		for key in set(self.entries) | set(seen):
			expect_one_of(f"{what} {key}", seen.get(key), self.legal(key))
		self.entries = {key: [value] for key, value in seen.items()}


class Actor:
	"""Changes things of one kind, one after the other."""

	def __init__(self, server):
		self.server = server
		self.book = Book()
		self.answered = []  # (command, about) of what was acknowledged, to be found in the log

	def change(self, monitor, request, key, value):
		words = request.split(" ")
		status = self.book.change(monitor, request, key, value)
		self.answered.append((words[0], words[1]))
		return status

	def act(self, monitor, rng):
		raise NotImplementedError

	def verify(self, monitor, rng):
		raise NotImplementedError


class Users(Actor):
	"""(password, role, limits)."""

	def pick(self, monitor, rng):
		name = f"user{rng.randrange(12)}"
		old = self.book.value(name)
		password = f"secret-{rng.randrange(10**9)}"
		if old is None:
			role = rng.choice(("user", "admin"))
			admin = " admin" if role == "admin" else ""
			return f"ADD_USER {name} {password}{admin}", name, (password, role, "none")
		if old[2] == "disabled=yes":
			return f"ENABLE {name}", name, (old[0], old[1], "none")
		rate = f"{rng.randrange(2, 1000)}Mbit"
		role = "admin" if old[1] == "user" else "user"
		changes = [
			(f"SET_PASSWORD {name} {password}", (password, old[1], old[2])),
			(f"SET_ROLE {name} {role}", (old[0], role, old[2])),
			(f"LIMITS {name} rate={rate}", (old[0], old[1], f"rate={rate}")),
			(f"LIMITS {name} rate=default", (old[0], old[1], "none")),
			(f"DEL_USER {name}", None),
		]
		if old[2] == "none":
			changes.append((f"DISABLE {name}", (old[0], old[1], "disabled=yes")))
		request, new = rng.choice(changes)
		return request, name, new

	def act(self, monitor, rng):
		self.change(monitor, *self.pick(monitor, rng))

	def password_of(self, name, rng):
		"""Which of those that may be is the right one."""
		legal = [value[0] for value in self.book.legal(name) if value is not None]
		if len(set(legal)) == 1 and rng.random() < 0.8:
			return legal[0]
		for password in legal:
			if logs_in(self.server, name, password):
				return password
		raise Wrong(f"{name} cannot log in with any of {legal}")

	def verify(self, monitor, rng):
		seen = {}
		accounts = users_of(monitor)
		for name, role, limits in accounts:
			if not name.startswith("user"):
				continue
			may_log_in = limits != "disabled=yes"
			legal = [value[0] for value in self.book.legal(name) if value is not None]
			expect(f"{name} was added", legal != [], True)
			seen[name] = (self.password_of(name, rng) if may_log_in else legal[0], role, limits)
		self.book.compare("user", seen)
		compare_users_file(self.server, accounts)


class Guests(Actor):
	"""Their names are the server's: of what was not answered there may be one."""

	def __init__(self, server):
		super().__init__(server)
		self.is_asking = False

	def act(self, monitor, rng):
		names = self.book.keys()
		if len(names) > 5:
			name = rng.choice(names)
			self.change(monitor, f"DEL_USER {name}", name, None)
			return
		self.is_asking = True
		name = monitor.do("GUEST 5").split(" ")[2]
		self.is_asking = False
		self.book.entries[name] = [True]
		self.answered.append(("GUEST", "5"))

	def verify(self, monitor, rng):
		seen = {fields_of(line)["name"]: True for line in monitor.ask("GUESTS")[1:]}
		more = [name for name in seen if name not in self.book.entries]
		expect_one_of("guests that nobody was told of", len(more), range(self.is_asking + 1))
		self.is_asking = False
		for name in more:
			self.book.entries[name] = [True]
		self.book.compare("guest", seen)


class Bans(Actor):
	"""Until when: "-" is for good, else that there is an end."""

	def act(self, monitor, rng):
		client = f"10.7.0.{rng.randrange(1, 20)}"
		if self.book.value(client) is None:
			end = rng.choice(("", " 2h"))
			self.change(monitor, f"BAN {client}{end}", client, "an end" if end else "-")
		else:
			self.change(monitor, f"UNBAN {client}", client, None)

	def verify(self, monitor, rng):
		seen = {}
		for line in monitor.ask("BANS")[1:]:
			fields = fields_of(line)
			seen[fields["client"]] = "-" if fields["until"] == "-" else "an end"
		self.book.compare("ban", seen)


class Rules(Actor):
	"""Temporary ones, by their texts; the newest is the first."""

	def __init__(self, server):
		super().__init__(server)
		self.words = {}  # text: t1, ...
		self.order = []  # oldest first

	def act(self, monitor, rng):
		texts = self.book.keys()
		if len(texts) > 8:
			text = rng.choice(texts)
			self.change(monitor, f"DROP_RULE {self.words[text]}", text, None)
			self.order.remove(text)
			return
		verb, site = rng.choice(("allow", "deny")), f".n{rng.randrange(10**6)}.example"
		text = f"{verb} to {site}"
		self.order.append(text)
		status = self.change(monitor, f"{verb.upper()} * {site} 2h", text, True)
		self.words[text] = status.split(" ")[2]

	def verify(self, monitor, rng):
		seen, self.words = {}, {}
		for line in monitor.ask("RULES")[1:]:
			fields = fields_of(line)
			if fields["from"] == "temporary":
				seen[fields["text"]] = True
				self.words[fields["text"]] = fields["rule"]
		self.book.compare("rule", seen)
		self.order = [text for text in self.order if text in seen]
		expect("order of rules", list(reversed(seen)), self.order)


class ClientLimits(Actor):
	def act(self, monitor, rng):
		client, rate = f"10.8.0.{rng.randrange(1, 10)}", f"{rng.randrange(2, 1000)}Mbit"
		if self.book.value(client) is not None and rng.random() < 0.3:
			self.change(monitor, f"LIMITS {client} rate=default", client, None)
		else:
			self.change(monitor, f"LIMITS {client} rate={rate}", client, rate)

	def verify(self, monitor, rng):
		seen = {}
		for number in range(1, 10):
			client = f"10.8.0.{number}"
			fields = fields_of(monitor.ask(f"LIMITS {client}")[1])
			if "rate" in fields:
				seen[client] = fields["rate"]
		self.book.compare("limits of", seen)


class Grants(Actor):
	"""What a quota has grown by."""

	QUOTA = 10**9

	def act(self, monitor, rng):
		left = self.book.value("grantee")
		if rng.random() < 0.2:
			self.change(monitor, "QUOTA grantee reset", "grantee", self.QUOTA)
		else:
			self.change(monitor, "QUOTA grantee +1MB", "grantee", left + 10**6)

	def verify(self, monitor, rng):
		left = int(fields_of(monitor.ask("LIMITS grantee")[1])["left"])
		if not self.book.entries:
			self.book.entries = {"grantee": [left]}
		self.book.compare("quota of", {"grantee": left})


class Reloads(Actor):
	"""Another rule in the configuration, and other files for the logs."""

	def __init__(self, server):
		super().__init__(server)
		self.number = 0

	def act(self, monitor, rng):
		self.number += 1
		write_config(self.server, f"rule = deny to .c{self.number}.example")
		for log in ("log", "access"):
			if rng.random() < 0.3:
				os.rename(self.server.path(log), self.server.path(f"{log}.{self.number}"))
		self.change(monitor, "RELOAD", "rule", self.number)
		time.sleep(rng.random() / 10)

	def change(self, monitor, request, key, value):
		monitor.do(request)

	def verify(self, monitor, rng):
		texts = [fields_of(line)["text"] for line in monitor.ask("RULES")[1:]]
		if self.number > 0:
			expect("rule of the file", f"deny to .c{self.number}.example" in texts, True)


ACTORS = (Users, Guests, Bans, Rules, ClientLimits, Grants, Reloads)


# ---- bytes that count ----


class Traffic:
	"""What one user has moved: what is certain, and what may have been at most."""

	def __init__(self, server, echo):
		self.server, self.echo = server, echo
		self.lock = threading.Lock()
		self.done = []  # (when, bytes) in this round
		self.least = self.most = 0

	def note(self, size):
		with self.lock:
			self.done.append((time.monotonic(), size))

	def intend(self, size):
		with self.lock:
			self.most += size

	def run(self, rng):
		try:
			while True:
				self.run_session(rng)
		except (OSError, Ended):
			pass

	def run_session(self, rng):
		with socks_login(self.server, "payer", "secret") as sock:
			expect("login", sock is not None, True)
			request = b"\x05\x01\x00\x01\x7f\x00\x00\x01" + self.echo.to_bytes(2, "big")
			sock.sendall(request)
			expect("reply", receive(sock, 10)[1], 0)
			for _ in range(rng.randrange(1, 10)):
				data = rng.randbytes(rng.randrange(1, 20000))
				self.intend(2 * len(data))
				sock.sendall(data)
				expect("echo", receive(sock, len(data)) == data, True)
				self.note(2 * len(data))

	def end_round(self, killed_at):
		self.least += sum(size for when, size in self.done if when < killed_at - LOST)
		self.done = []

	def verify(self, monitor):
		used = int(fields_of(monitor.ask("LIMITS payer")[1])["used"])
		answer = monitor.ask("USAGE payer month")[1:]
		fields = fields_of(answer[0]) if answer else {"sent": 0, "received": 0}
		for what, got in (("used of the quota", used),
				("history", int(fields["sent"]) + int(fields["received"]))):
			if not self.least <= got <= self.most:
				raise Wrong(f"{what}: {got}, expected {self.least} to {self.most}")
		# What was there once is not forgotten.
		self.least = max(self.least, used)


def receive(sock, size):
	data = b""
	while len(data) < size:
		piece = sock.recv(size - len(data))
		if not piece:
			raise Ended
		data += piece
	return data


class NoLogin:
	def __enter__(self):
		return None

	def __exit__(self, *_):
		pass


def socks_login(server, name, password):
	sock = socket.create_connection(("127.0.0.1", server.port), LIMIT)
	name, password = name.encode(), password.encode()
	try:
		sock.sendall(b"\x05\x01\x02")
		expect("METHOD", receive(sock, 2), b"\x05\x02")
		sock.sendall(bytes([1, len(name)]) + name + bytes([len(password)]) + password)
		if receive(sock, 2) == b"\x01\x00":
			return sock
	except BaseException:
		sock.close()
		raise
	sock.close()
	return NoLogin()


def logs_in(server, name, password):
	with socks_login(server, name, password) as sock:
		return sock is not None


def serve_echo():
	listener = socket.create_server(("127.0.0.1", 0), backlog=256)

	def answer(sock):
		try:
			with sock:
				while piece := sock.recv(65536):
					sock.sendall(piece)
		except OSError:
			pass

	def accept():
		while True:
			start(answer, listener.accept()[0])

	start(accept)
	return listener.getsockname()[1]


def start(function, *args):
	thread = threading.Thread(target=function, args=args, daemon=True)
	thread.start()
	return thread


# ---- files ----


def free_port():
	with socket.create_server(("127.0.0.1", 0)) as sock:
		return sock.getsockname()[1]


def write_config(server, rule=""):
	path = server.path("conf")
	with open(path + ".new", "w", encoding="ascii") as file:
		file.write(f"""listen = 127.0.0.1:{server.port}
monitor_listen = 127.0.0.1:{server.monitor_port}
monitor_socket = {server.path("monitor")}
users_file = {server.path("users")}
state_dir = {server.path("state")}
log_file = {server.path("log")}
access_log_file = {server.path("access")}
max_sessions = 50
protect = none
{rule}
""")
	os.rename(path + ".new", path)


def users_of(monitor):
	users = []
	for line in monitor.ask("ACCOUNTS")[1:]:
		fields = fields_of(line)
		limits = ";".join(word for word in fields["limits"].split(";") if not word.startswith("used="))
		users.append((fields["name"], fields["role"], limits))
	return sorted(users)


def compare_users_file(server, accounts):
	entries = []
	with open(server.path("users"), encoding="ascii") as file:
		text = file.read()
	expect("end of the users file", text[-1:], "\n")
	for line in text.splitlines():
		match = USERS_LINE.fullmatch(line)
		if match is None:
			raise Wrong(f"users file: {line!r}")
		limits = ";".join((match[4] or "none").split(" "))
		entries.append((match[1], match[3], limits))
	expect("users file", sorted(entries), accounts)


def check_database(server):
	"""A copy, since the server is to do by itself what there is to do to it."""
	copy = server.path("copy")
	shutil.rmtree(copy, ignore_errors=True)
	shutil.copytree(server.path("state"), copy)
	if os.path.exists(os.path.join(copy, "socks5d.db")):
		with sqlite3.connect(os.path.join(copy, "socks5d.db")) as database:
			expect("integrity", database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
		database.close()
	for name in os.listdir(server.path("state")):
		expect_one_of("in state_dir", name,
			("socks5d.db", "socks5d.db-wal", "socks5d.db-shm", "socks5d.db-journal", "lock"))


class Logs:
	"""Read to the end once, each file from where it was read to last."""

	def __init__(self, server):
		self.server = server
		self.read_to = {}  # inode: bytes

	def new_lines(self, prefix):
		for name in os.listdir(self.server.folder):
			if name != prefix and not name.startswith(prefix + "."):
				continue
			with open(self.server.path(name), "rb") as file:
				inode = os.fstat(file.fileno()).st_ino
				begin = self.read_to.get(inode, 0)
				file.seek(begin)
				data = file.read()
			self.read_to[inode] = begin + len(data)
			yield from self.lines_of(name, begin, data)

	def lines_of(self, name, begin, data):
		"""The kernel may end a write that is killed at the end of a page; then a line ends there,
		and the next one has a line of its own."""
		for line in data.splitlines(keepends=True):
			begin += len(line)
			yield name, line.rstrip(b"\n"), begin - line.endswith(b"\n")

	def verify(self, prefix, pattern):
		lines = []
		for name, line, end in self.new_lines(prefix):
			if line and pattern.fullmatch(line) is None and end % PAGE != 0:
				raise Wrong(f"{name}: torn: {line!r}, which ends at {end}")
			lines.append(line)
		return lines


def verify_logs(logs, actors):
	lines = logs.verify("log", LOG_LINE)
	logs.verify("access", ACCESS_LINE)
	for line in lines:
		if b" level=error " in line:
			raise Wrong(f"log: {line.decode()}")
	for actor in actors:
		for command, about in actor.answered:
			want = f"command={command} about={about} answer=OK".encode()
			expect(f"{want.decode()} in the log", any(want in line for line in lines), True)
		actor.answered = []


# ---- a round ----


class Trial:
	def __init__(self, program, folder):
		self.server = Server(program, folder)
		self.server.port, self.server.monitor_port = free_port(), free_port()
		os.mkdir(self.server.path("state"))
		write_config(self.server)
		self.actors = [kind(self.server) for kind in ACTORS]
		self.traffic = Traffic(self.server, serve_echo())
		self.logs = Logs(self.server)
		self.wrong = []

	def prepare(self):
		"""The users that are there from the beginning."""
		with open(self.server.path("users"), "w", encoding="ascii"):
			os.chmod(self.server.path("users"), 0o600)
		self.server.start()
		monitor = self.server.await_monitor()
		for name, quota in (("boss", None), ("payer", "1TB/month"), ("grantee", "1GB/month")):
			monitor.do(f"ADD_USER {name} secret" + (" admin" if name == "boss" else ""))
			if quota:
				monitor.do(f"LIMITS {name} quota={quota}")
		self.server.kill()

	def run_actor(self, actor, rng):
		try:
			monitor = Monitor(self.server.connect())
			while True:
				actor.act(monitor, rng)
		except (OSError, Ended):
			pass
		except Wrong as error:
			self.wrong.append(f"{type(actor).__name__}: {error}")

	def run_traffic(self, rng):
		try:
			self.traffic.run(rng)
		except Wrong as error:
			self.wrong.append(f"traffic: {error}")

	def verify(self, rng):
		monitor = self.server.await_monitor()
		for actor in self.actors:
			actor.verify(monitor, rng)
		self.traffic.verify(monitor)
		monitor.sock.close()

	def live(self, rng, seconds):
		end = time.monotonic() + seconds
		seed = rng.randrange(10**9)
		threads = [start(self.run_actor, actor, random.Random(seed + i))
			for i, actor in enumerate(self.actors)]
		threads += [start(self.run_traffic, random.Random(seed - i)) for i in range(1, 4)]
		time.sleep(max(0, end - time.monotonic()))
		killed_at = time.monotonic()
		self.server.kill()
		for thread in threads:
			thread.join(LIMIT)
		self.traffic.end_round(killed_at)

	def run_round(self, rng, is_long):
		self.server.start()
		if rng.random() < 0.15:
			time.sleep(rng.random() / 20)  # it starts
			self.server.kill()
		else:
			self.verify(rng)
			self.live(rng, LOST + 2 + rng.random() * 2 if is_long else rng.random() ** 2)
		check_database(self.server)
		verify_logs(self.logs, self.actors)
		if self.wrong:
			raise Wrong("; ".join(self.wrong))


def main():
	program, folder, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
	seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(10**9)
	long = int(sys.argv[5]) if len(sys.argv) > 5 else 0
	trial = Trial(program, folder)
	trial.prepare()
	for number in range(rounds):
		try:
			trial.run_round(random.Random(seed + number), long > 0 and number % long == long - 1)
		except Wrong as error:
			print(f"round {number}, seed {seed + number} (begun with {seed}): {error}")
			return 1
		finally:
			if trial.server.process.poll() is None:
				trial.server.process.kill()
	trial.server.start()
	trial.verify(random.Random(seed))
	trial.server.process.terminate()
	expect("status", trial.server.process.wait(LIMIT), 0)
	verify_logs(trial.logs, trial.actors)
	print(f"{rounds} rounds, seed {seed}")
	return 0


sys.exit(main())
