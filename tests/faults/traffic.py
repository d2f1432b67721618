"""What is carried through the proxy while something is wrong, and what it is compared with.

	traffic.py serve ADDRESS

is a far side: TCP and UDP on one port, which it prints. A connection's first line says what it wants:

	GET SEED SIZE GO	so many bytes of that seed, and the end; where GO is 1 the second half is
				sent when the client has sent a byte
	PUT			takes all, answers its digest
	TALK			sends back what it gets
	FLOOD			sends zeros for ever
	CALL ADDRESS PORT SEED SIZE
				connects to that and sends as many bytes of that seed
	HUSH			sends a byte, and nothing more, whatever comes

Datagrams are sent back.

	traffic.py use PROXY TARGET [--login NAME:PASSWORD] [--size N] [--halfway]
		[--monitor ADDRESS:PORT --web ADDRESS:PORT] KIND=N...

has so many sessions of each kind at once and compares what they carry; a line each that failed, or
"N right". With --halfway, each does the first half; then "halfway" is printed, and a line is read from
standard input before the second one.

	traffic.py hold PROXY TARGET [...] KIND=N...

has such sessions get to where they wait, prints "ready", and keeps them until a line is read. The
kinds are below.
"""

import argparse
import hashlib
import random
import re
import socket
import sys
import threading
import time

LIMIT = 120  # seconds that anything may take


def content(seed, size):
	return random.Random(str(seed)).randbytes(size)


def digest(data):
	return hashlib.sha256(data).hexdigest()


def address_of(text):
	host, port = text.rsplit(":", 1)
	return host.strip("[]"), int(port)


def read_exactly(sock, size):
	data = bytearray()
	while len(data) < size:
		piece = sock.recv(min(size - len(data), 1 << 18))
		if not piece:
			raise EOFError(f"the end after {len(data)} of {size} bytes")
		data += piece
	return bytes(data)


def read_all(sock):
	data = bytearray()
	while piece := sock.recv(1 << 18):
		data += piece
	return bytes(data)


def read_line(sock):
	line = bytearray()
	while not line.endswith(b"\n"):
		line += read_exactly(sock, 1)
	return line.decode().strip()


def expect(what, got, wanted):
	if got != wanted:
		short = lambda value: repr(value)[:80]
		raise ValueError(f"{what}: {short(got)}, expected {short(wanted)}")


# ---- the far side ----


def answer_get(sock, seed, size, go):
	data = content(seed, int(size))
	half = len(data) // 2
	sock.sendall(data[:half])
	if go == "1":
		read_exactly(sock, 1)
	sock.sendall(data[half:])


def answer_put(sock):
	sock.sendall(digest(read_all(sock)).encode())


def answer_talk(sock):
	while piece := sock.recv(1 << 16):
		sock.sendall(piece)


def answer_flood(sock):
	while True:
		sock.sendall(bytes(1 << 16))


def answer_hush(sock):
	sock.sendall(b".")
	read_all(sock)
	time.sleep(3600)


def answer_call(sock, address, port, seed, size):
	with socket.create_connection((address, int(port)), LIMIT) as peer:
		peer.sendall(content(seed, int(size)))
		peer.shutdown(socket.SHUT_WR)
		read_all(peer)


ANSWERS = {
	"GET": answer_get,
	"PUT": answer_put,
	"TALK": answer_talk,
	"FLOOD": answer_flood,
	"CALL": answer_call,
	"HUSH": answer_hush,
}


def answer(sock):
	with sock:
		try:
			words = read_line(sock).split()
			ANSWERS[words[0]](sock, *words[1:])
			sock.shutdown(socket.SHUT_WR)
			read_all(sock)
		except (OSError, EOFError):
			pass  # a session that was ended


def start(function, *args):
	thread = threading.Thread(target=function, args=args, daemon=True)
	thread.start()
	return thread


def answer_datagrams(sock):
	while True:
		data, sender = sock.recvfrom(65536)
		try:
			sock.sendto(data, sender)
		except OSError:
			pass  # the link is down


def serve(host):
	listener = socket.create_server((host, 0), family=family_of(host), backlog=1024)
	port = listener.getsockname()[1]
	datagrams = socket.socket(family_of(host), socket.SOCK_DGRAM)
	datagrams.bind((host, port))
	start(answer_datagrams, datagrams)
	print(port, flush=True)
	while True:
		start(answer, listener.accept()[0])


def family_of(host):
	return socket.AF_INET6 if ":" in host else socket.AF_INET


# ---- SOCKS5 ----

CONNECT, BIND, ASSOCIATE = 1, 2, 3


def put_address(address):
	host, port = address
	family = family_of(host)
	kind = b"\x04" if family == socket.AF_INET6 else b"\x01"
	return kind + socket.inet_pton(family, host) + port.to_bytes(2, "big")


def read_address(sock):
	kind = read_exactly(sock, 1)[0]
	expect("ATYP", kind in (1, 4), True)
	family, size = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
	host = socket.inet_ntop(family, read_exactly(sock, size))
	return host, int.from_bytes(read_exactly(sock, 2), "big")


class Refused(Exception):
	pass


def read_reply(sock):
	version, code, _ = read_exactly(sock, 3)
	address = read_address(sock)
	expect("VER", version, 5)
	if code != 0:
		raise Refused(f"REP {code}")
	return address


def log_in(sock, login):
	name, password = (word.encode() for word in login.split(":", 1))
	sock.sendall(b"\x05\x01\x02")
	expect("METHOD", read_exactly(sock, 2), b"\x05\x02")
	sock.sendall(bytes([1, len(name)]) + name + bytes([len(password)]) + password)
	expect("login", read_exactly(sock, 2), b"\x01\x00")


def greet(options):
	sock = socket.create_connection(options.proxy, LIMIT)
	if options.login:
		log_in(sock, options.login)
	else:
		sock.sendall(b"\x05\x01\x00")
		expect("METHOD", read_exactly(sock, 2), b"\x05\x00")
	return sock


def ask(options, command, target):
	sock = greet(options)
	sock.sendall(bytes([5, command, 0]) + put_address(target))
	return sock, read_reply(sock)


def connect(options, line):
	sock, _ = ask(options, CONNECT, options.target)
	sock.sendall(line.encode() + b"\n")
	return sock


# ---- sessions whose content is compared ----


def use_download(options, seed, middle):
	with connect(options, f"GET {seed} {options.size} 1") as sock:
		data = content(seed, options.size)
		half = len(data) // 2
		expect("first half", digest(read_exactly(sock, half)), digest(data[:half]))
		middle()
		sock.sendall(b"g")
		expect("second half", digest(read_all(sock)), digest(data[half:]))


def use_upload(options, seed, middle):
	with connect(options, "PUT") as sock:
		data = content(seed, options.size)
		half = len(data) // 2
		sock.sendall(data[:half])
		middle()
		sock.sendall(data[half:])
		sock.shutdown(socket.SHUT_WR)
		expect("digest", read_all(sock).decode(), digest(data))


def use_talk(options, seed, middle):
	"""Both ways at once, and small messages in turns."""
	with connect(options, "TALK") as sock:
		for turn in range(20):
			if turn == 10:
				middle()
			word = content(f"{seed}-{turn}", 100)
			sock.sendall(word)
			expect("echo", read_exactly(sock, len(word)), word)
		data = content(seed, options.size // 2)
		sender = start(lambda: (sock.sendall(data), sock.shutdown(socket.SHUT_WR)))
		expect("echo of all", digest(read_all(sock)), digest(data))
		sender.join()


def exchange_datagram(sock, relay, head, data):
	"""What is lost is sent again; what comes twice or late is passed over."""
	end = time.monotonic() + LIMIT
	while time.monotonic() < end:
		try:
			sock.sendto(head + data, relay)
			while sock.recv(65536) != head + data:
				pass
			return
		except (TimeoutError, socket.timeout):
			pass
		except OSError:  # the link is down
			time.sleep(0.05)
	raise TimeoutError("no datagram comes back")


def associate(options):
	control, relay = ask(options, ASSOCIATE, ("0.0.0.0", 0))
	sock = socket.socket(family_of(relay[0]), socket.SOCK_DGRAM)
	sock.settimeout(0.3)
	return control, sock, relay


def use_udp(options, seed, middle):
	control, sock, relay = associate(options)
	head = b"\x00\x00\x00" + put_address(options.target)
	with control, sock:
		for turn, size in enumerate((1, 100, 1400, 4000, 1200, 8000)):
			if turn == 3:
				middle()
			exchange_datagram(sock, relay, head, content(f"{seed}-{turn}", size))


def use_bind(options, seed, middle):
	listening, told = ask(options, BIND, (options.target[0], 0))
	with listening, connect(options, f"CALL {told[0]} {told[1]} {seed} {options.size}") as caller:
		peer = read_reply(listening)
		expect("who came", peer[0], options.target[0])
		data = content(seed, options.size)
		half = len(data) // 2
		expect("first half", digest(read_exactly(listening, half)), digest(data[:half]))
		middle()
		expect("second half", digest(read_all(listening)), digest(data[half:]))
		caller.shutdown(socket.SHUT_WR)


def fetch(address, request, fields="", form=""):
	"""The head and the body of the answer, which is whole."""
	with socket.create_connection(address, LIMIT) as sock:
		head = f"{request} HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\nConnection: close\r\n{fields}"
		if form:
			head += "Content-Type: application/x-www-form-urlencoded\r\n"
			head += f"Content-Length: {len(form)}\r\n"
		sock.sendall(f"{head}\r\n{form}".encode())
		head, _, body = read_all(sock).partition(b"\r\n\r\n")
		length = re.search(rb"(?i)content-length: *([0-9]+)", head)
		expect("length", len(body), int(length[1]) if length else 0)
		return head.decode(), body


def log_in_to_page(options):
	name, password = options.login.split(":", 1)
	head, _ = fetch(options.web, "POST /login", "Sec-Fetch-Site: same-origin\r\n",
		f"name={name}&password={password}")
	cookie = re.search("(?i)set-cookie: *([^;]*)", head)
	expect("cookie", cookie is not None, True)
	return f"Cookie: {cookie[1]}\r\n"


def use_page(options, seed, middle):
	"""The administrator's page: a script of it, and the settings, which come alike each time."""
	fields, first = log_in_to_page(options), None
	for turn in range(4):
		if turn == 2:
			middle()
		answers = [fetch(options.web, f"GET {path}", fields) for path in ("/app.js", "/api/settings")]
		for head, _ in answers:
			expect("status", head.split("\r\n")[0], "HTTP/1.1 200 OK")
		bodies = [digest(body) for _, body in answers]
		first = first or bodies
		expect("script and settings", bodies, first)


def log_in_to_monitor(options):
	sock = socket.create_connection(options.monitor, LIMIT)
	read_line(sock)
	sock.sendall(options.login.encode() + b"\n")
	expect("welcome", read_line(sock).startswith("OK Welcome"), True)
	return sock


def read_answer(sock):
	lines = []
	while line := read_line(sock):
		lines.append(line)
	return lines


def use_monitor(options, seed, middle):
	"""Long listings, which come alike each time, and whose last line is the last."""
	with log_in_to_monitor(options) as sock:
		first = None
		for turn in range(6):
			if turn == 3:
				middle()
			sock.sendall(b"HELP\nSETTINGS\n")
			listing = read_answer(sock) + read_answer(sock)
			first = first or listing
			expect("listing", listing, first)
		expect("settings", sum(line.startswith("name:") for line in first) > 50, True)


USES = {
	"download": use_download,
	"upload": use_upload,
	"talk": use_talk,
	"udp": use_udp,
	"bind": use_bind,
	"page": use_page,
	"monitor": use_monitor,
}


# ---- sessions that wait ----


def hold_silent(options):
	return [socket.create_connection(options.proxy, LIMIT)]


def hold_greeting(options):
	return [greet(options)]


def hold_idle(options):
	sock = connect(options, "TALK")
	sock.sendall(b"word")
	expect("echo", read_exactly(sock, 4), b"word")
	return [sock]


def hold_half(options):
	"""The client has finished, and the target has not."""
	sock = connect(options, "HUSH")
	read_exactly(sock, 1)
	sock.shutdown(socket.SHUT_WR)
	return [sock]


def hold_flood(options):
	"""A client that does not read what comes without an end."""
	sock = connect(options, "FLOOD")
	read_exactly(sock, 1)
	return [sock]


def hold_udp(options):
	control, sock, relay = associate(options)
	head = b"\x00\x00\x00" + put_address(options.target)
	exchange_datagram(sock, relay, head, b"word")
	return [control, sock]


def hold_bind(options):
	return [ask(options, BIND, (options.target[0], 0))[0]]


def hold_connect(options):
	"""A listener whose queue is full, so that the kernel does not answer."""
	listener = socket.create_server((options.proxy[0], 0), backlog=0)
	address = listener.getsockname()
	queue = [socket.socket() for _ in range(4)]
	for sock in queue:
		sock.setblocking(False)
		sock.connect_ex(address)
	asking = greet(options)
	asking.sendall(bytes([5, CONNECT, 0]) + put_address(address))
	return [listener, asking, *queue]


def hold_name(options):
	"""A name server that is silent."""
	server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	server.bind(("127.0.0.1", 0))
	with log_in_to_monitor(options) as monitor:
		monitor.sendall(f"CONFIG dns_servers 127.0.0.1:{server.getsockname()[1]}\n".encode())
		expect("answer", read_answer(monitor)[0].startswith("OK"), True)
	name = b"www.example.org"
	asking = greet(options)
	asking.sendall(bytes([5, CONNECT, 0, 3, len(name)]) + name + b"\x00\x50")
	return [server, asking]


def hold_page(options):
	sock = socket.create_connection(options.web, LIMIT)
	sock.sendall(b"GET /app.js HTTP/1.1\r\n")
	return [sock]


def hold_monitor(options):
	return [log_in_to_monitor(options)]


def hold_watch(options):
	"""Nothing happens that it could be told of."""
	sock = log_in_to_monitor(options)
	sock.sendall(b"WATCH user=nobody\n")
	expect("answer", read_line(sock).startswith("OK"), True)
	return [sock]


def hold_monitor_login(options):
	sock = socket.create_connection(options.monitor, LIMIT)
	read_line(sock)
	return [sock]


def hold_monitor_listing(options):
	"""Asks for more than the kernel's buffers take, and reads none of it."""
	sock = log_in_to_monitor(options)
	sock.settimeout(0.5)
	try:
		while True:
			sock.sendall(b"SETTINGS\n" * 100)
	except (TimeoutError, socket.timeout):
		return [sock]


HOLDS = {name[len("hold_"):]: function for name, function in list(globals().items())
	if name.startswith("hold_")}


# ---- the whole ----


class Middle:
	"""Where sessions wait for each other."""

	def __init__(self, count, is_wanted):
		self.is_wanted = is_wanted
		self.left = count
		self.condition = threading.Condition()

	def arrive(self):
		with self.condition:
			self.left -= 1
			self.condition.notify_all()

	def wait(self):
		if self.is_wanted:
			self.arrive()
			go_on.wait(LIMIT)

	def await_all(self):
		with self.condition:
			self.condition.wait_for(lambda: self.left <= 0, LIMIT)


go_on = threading.Event()


def run_use(kind, number, options, middle, failures):
	try:
		USES[kind](options, f"{kind}-{number}", middle.wait)
	except (OSError, EOFError, ValueError, Refused, IndexError) as error:
		failures.append(f"{kind} {number}: {type(error).__name__}: {error}")
		middle.arrive()


def use(options):
	sessions = [(kind, i) for kind, count in options.kinds for i in range(count)]
	middle, failures = Middle(len(sessions), options.halfway), []
	threads = [start(run_use, kind, i, options, middle, failures) for kind, i in sessions]
	if options.halfway:
		middle.await_all()
		print("halfway", flush=True)
		sys.stdin.readline()
		go_on.set()
	for thread in threads:
		thread.join()
	for line in failures:
		print(line)
	print(f"{len(sessions) - len(failures)} right", flush=True)
	return 1 if failures else 0


def hold(options):
	held = [HOLDS[kind](options) for kind, count in options.kinds for _ in range(count)]
	print("ready", flush=True)
	sys.stdin.readline()
	del held
	return 0


def kind_of(text):
	kind, count = text.split("=")
	return kind, int(count)


def main():
	parser = argparse.ArgumentParser()
	parser.add_argument("mode", choices=("serve", "use", "hold"))
	parser.add_argument("proxy", type=str)
	parser.add_argument("target", type=address_of, nargs="?")
	parser.add_argument("kinds", type=kind_of, nargs="*")
	parser.add_argument("--login")
	parser.add_argument("--size", type=int, default=200000)
	parser.add_argument("--halfway", action="store_true")
	parser.add_argument("--monitor", type=address_of)
	parser.add_argument("--web", type=address_of)
	options = parser.parse_intermixed_args()
	if options.mode == "serve":
		serve(options.proxy)
	options.proxy = address_of(options.proxy)
	return use(options) if options.mode == "use" else hold(options)


sys.exit(main())
