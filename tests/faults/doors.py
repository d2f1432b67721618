"""Goes through every door of a server once, or through those that are named, all at the same time.

    doors.py DOOR...            all of them, or some: a line each, "DOOR served", "DOOR refused: WHY"
                                or "DOOR WRONG: WHAT"
    doors.py --list             their names

Where the server is comes from the environment: PROXY, MONITOR, FRONT (ADDRESS:PORT each),
MONITOR_SOCKET; NAMES=yes says that its name server knows *.faults.test for 127.0.0.1. The far sides are
made here. The status is 0 when all were served, 1 when some were refused, and 3 when one got something
else than was sent: a refusal is no wrong answer, and bytes that are cut off are where the length is told.
"""
import hashlib
import http.client
import os
import re
import socket
import socketserver
import struct
import sys
import threading
import urllib.parse

PATIENCE = float(os.environ.get("PATIENCE", "5"))  # seconds for each step of a client
USER, PASSWORD = "alice", "secret"
BALANCER = "127.0.0.9"  # one of proxy_protocol_from
VIA = 4  # the last number of the address behind an upstream


class Refused(Exception):
    pass


class Wrong(Exception):
    pass


def some_bytes(count, seed=b"faults"):
    """The same each time, and no byte like the one 32 before."""
    block = b"".join(hashlib.sha256(seed + bytes([i])).digest() for i in range(64))
    return (block * (count // len(block) + 1))[:count]


# ---- far sides ----


class Page(socketserver.StreamRequestHandler):
    """An HTTP server with as many bytes as the path says; a POST comes back."""

    def handle(self):
        while (line := self.rfile.readline(65536)) not in (b"", b"\r\n"):
            method, path, _ = line.split(b" ", 2)
            length = 0
            while (field := self.rfile.readline(65536)) not in (b"", b"\r\n"):
                name, _, value = field.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            body = self.rfile.read(length) if method == b"POST" else some_bytes(int(path.rpartition(b"/")[2]))
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)


class EchoDatagram(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        sock.sendto(data, self.client_address)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # the proxy has broken it off


def serve(cls, address, handler):
    server = cls(address, handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


# ---- what a client does ----


class Stream:
    """A connection to the server."""

    def __init__(self, address, source=None):
        if isinstance(address, str):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(PATIENCE)
            self.sock.connect(address)
        else:
            self.sock = socket.create_connection(address, PATIENCE, source)

    def send(self, data):
        self.sock.sendall(data)

    def read(self, count):
        data = b""
        while len(data) < count:
            piece = self.sock.recv(min(count - len(data), 1 << 20))
            if not piece:
                raise Refused("ended early")
            data += piece
        return data

    def read_until(self, end):
        data = b""
        while not data.endswith(end):
            data += self.read(1)
        return data

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()


def expect(got, wanted, what):
    if got != wanted:
        raise Wrong(f"{what}: {got[:80]!r}, {len(got)} bytes, in place of {wanted[:80]!r}, {len(wanted)}")


def where(name):
    host, _, port = os.environ[name].rpartition(":")
    return host, int(port)


def address_of(host, port):
    try:
        return b"\1" + socket.inet_aton(host) + struct.pack(">H", port)
    except OSError:
        return b"\3" + bytes([len(host)]) + host.encode() + struct.pack(">H", port)


def socks5_reply(s):
    version, status, _, kind = s.read(4)
    if version != 5 or kind not in (1, 4):
        raise Wrong(f"a reply of version {version} with type {kind}")
    if status != 0:
        raise Refused(f"REP {status}")
    host = s.read(4 if kind == 1 else 16)
    return socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6, host), struct.unpack(">H", s.read(2))[0]


def socks5_login(s, name, password):
    s.send(b"\5\1\2")
    method = s.read(2)
    if method != b"\5\2":
        raise Refused("no method")
    s.send(b"\1" + bytes([len(name)]) + name.encode() + bytes([len(password)]) + password.encode())
    if s.read(2) != b"\1\0":
        raise Refused("login")


def socks5_request(s, host, port, command=1):
    s.send(bytes([5, command, 0]) + address_of(host, port))
    return socks5_reply(s)


def socks5(s, host, port, command=1):
    s.send(b"\5\1\0")
    if s.read(2) != b"\5\0":
        raise Refused("no method")
    return socks5_request(s, host, port, command)


def get(s, size, prefix=""):
    """A download that is compared."""
    s.send(f"GET {prefix}/{size} HTTP/1.1\r\nHost: far.test\r\nConnection: close\r\n\r\n".encode())
    head = s.read_until(b"\r\n\r\n")
    status = head.split(b" ")[1:2]
    if status != [b"200"]:
        if status and status[0][:1] in b"45" and prefix:
            raise Refused(f"HTTP {status[0].decode()}")
        raise Wrong(f"{head[:80]!r}")
    expect(s.read(size), some_bytes(size), "download")


def fresh_name(label):
    """One that no cache has."""
    if os.environ.get("NAMES") != "yes":
        return "localhost"
    return f"{label}-{os.urandom(4).hex()}.faults.test"


class Doors:
    def __init__(self):
        self.page = serve(Server, ("0.0.0.0", 0), Page)
        self.echo = serve(Server, ("127.0.0.1", 0), Echo)
        self.datagrams = serve(socketserver.ThreadingUDPServer, ("127.0.0.1", 0), EchoDatagram)
        self.proxy = where("PROXY")

    # ---- the proxy's ----

    def socks5(self):
        with Stream(self.proxy) as s:
            socks5(s, "127.0.0.1", self.page)
            get(s, 2000)

    def login(self):
        with Stream(self.proxy) as s:
            socks5_login(s, USER, PASSWORD)
            socks5_request(s, "127.0.0.1", self.page)
            get(s, 2000)

    def stale_login(self):
        """With a password that has to be hashed to see that it is none, and is passed over then."""
        with Stream(self.proxy) as s:
            socks5_login(s, USER, "stale" + os.urandom(2).hex())
            socks5_request(s, "127.0.0.1", self.page)
            get(s, 2000)

    def name(self):
        with Stream(self.proxy) as s:
            socks5(s, fresh_name("socks5"), self.page)
            get(s, 2000)

    def no_name(self):
        """A name that nobody knows."""
        with Stream(self.proxy) as s:
            try:
                socks5(s, fresh_name("none").replace("faults.test", "invalid"), self.page)
            except Refused:
                return
            raise Wrong("connected to a name that there is not")

    def bulk(self):
        with Stream(self.proxy) as s:
            socks5(s, "127.0.0.1", self.page)
            get(s, 6000000)

    def upload(self):
        data = some_bytes(1500000)
        with Stream(self.proxy) as s:
            socks5(s, "127.0.0.1", self.echo)
            threading.Thread(target=self.send_all, args=(s.sock, data), daemon=True).start()
            expect(s.read(len(data)), data, "echo")
            if s.sock.recv(1) != b"":
                raise Wrong("more than was sent")

    @staticmethod
    def send_all(sock, data):
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # who reads sees it, too

    def socks4(self):
        with Stream(self.proxy) as s:
            host = fresh_name("socks4").encode()
            s.send(b"\4\1" + struct.pack(">H", self.page) + b"\0\0\0\1me\0" + host + b"\0")
            reply = s.read(8)
            if reply[0] != 0 or not 90 <= reply[1] <= 93:
                raise Wrong(f"{reply!r}")
            if reply[1] != 90:
                raise Refused(f"CD {reply[1]}")
            get(s, 2000)

    def connect(self):
        with Stream(self.proxy) as s:
            s.send(f"CONNECT {fresh_name('connect')}:{self.page} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            head = s.read_until(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 "):
                raise Wrong(f"{head[:80]!r}")
            if not head.startswith(b"HTTP/1.1 200 "):
                raise Refused(head.split(b"\r")[0].decode())
            get(s, 2000)

    def forward(self):
        with Stream(self.proxy) as s:
            get(s, 100000, f"http://127.0.0.1:{self.page}")

    def balancer(self):
        with Stream(self.proxy, (BALANCER, 0)) as s:
            s.send(b"PROXY TCP4 192.168.7.33 192.168.7.1 4000 1080\r\n")
            socks5(s, "127.0.0.1", self.page)
            get(s, 2000)

    def upstream(self):
        with Stream(self.proxy) as s:
            socks5(s, f"127.0.0.{VIA}", self.page)
            get(s, 2000)

    def unreachable(self):
        with Stream(self.proxy) as s:
            try:
                socks5(s, "127.0.0.1", 1)
            except Refused:
                return
            raise Wrong("connected to a port where nobody listens")

    def bind(self):
        data = some_bytes(20000)
        with Stream(self.proxy) as s:
            host, port = socks5(s, "127.0.0.1", self.page, command=2)
            with Stream((host, port)) as peer:
                socks5_reply(s)
                peer.send(data)
                expect(s.read(len(data)), data, "from the peer")
                s.send(data)
                expect(peer.read(len(data)), data, "to the peer")

    def udp(self):
        with Stream(self.proxy) as s, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
            u.settimeout(0.3)
            relay = socks5(s, "0.0.0.0", 0, command=3)
            sent = []
            for host in ("127.0.0.1", fresh_name("udp")):
                self.exchange_datagrams(u, relay, b"\0\0\0" + address_of(host, self.datagrams), sent)

    @staticmethod
    def exchange_datagrams(u, relay, header, sent):
        """Ten of them, and some may be lost, or come late."""
        new = [some_bytes(100, os.urandom(4)) for _ in range(10)]
        sent += new
        came = 0
        for _ in range(int(PATIENCE / 0.3) + 1):
            if came:
                return
            for data in new:
                u.sendto(header + data, relay)
            try:
                while came < 10:
                    answer = u.recv(2000)
                    if answer[10:] not in sent:
                        raise Wrong(f"datagram {answer[:40]!r}")
                    came += answer[10:] in new
            except socket.timeout:
                pass
        raise Refused("no datagram")

    def pages(self):
        for path in ("/", "/proxy.pac", "/healthz"):
            self.browse(self.proxy, path)

    # ---- the administrators' ----

    # Of what two of them do at once each has its own, #; ? says that it may be refused.
    COMMANDS = (
        "STATS", "CONNECTIONS", "USERS", "CONFIG", "CONFIG timeout 900", "ACCESS_LOG", "ACCESS_LOG * 5", "HELP",
        "ACCOUNTS", "?DEL_USER bob#", "ADD_USER bob# builder", "SET_ROLE bob# admin", "LIMITS bob# sessions=50",
        "QUOTA bob# reset", "DEL_USER bob#", "LOG_LEVEL info", "TRAFFIC", "SETTINGS", "CLIENTS", "UPSTREAMS", "RULES",
        "ALLOW * a#.example.org 1m", "DENY * b#.example.org 1m", "DROP_RULE *", "LIMITS", "WHY *",
        "EXPLAIN from=127.0.0.1 to=127.0.0.1:80", "?ENABLE 192.0.2.#", "DISABLE 192.0.2.#", "ENABLE 192.0.2.#",
        "BANS", "BAN 198.51.100.# 1m", "UNBAN 198.51.100.#", "USAGE", "DAYS", "SITES", "?FORGET 192.168.7.33", "ALARMS",
        "RELOAD", "VERSION",
    )

    def monitor(self):
        with Stream(where("MONITOR")) as s:
            s.read_until(b"\n")
            s.send(f"{USER}:{PASSWORD}\n".encode())
            welcome = s.read_until(b"\n")
            if not welcome.startswith(b"OK Welcome"):
                raise Refused(welcome.decode())
            self.give_commands(s, "1")

    def monitor_socket(self):
        with Stream(os.environ["MONITOR_SOCKET"]) as s:
            s.read_until(b"\n")
            self.give_commands(s, "2")

    def give_commands(self, s, number):
        refused = []
        for command in self.COMMANDS:
            s.send(command.lstrip("?").replace("#", number).encode() + b"\n")
            reply = s.read_until(b"\n\n")
            if not reply.startswith((b"OK", b"ERR ")):
                raise Wrong(f"{command}: {reply[:80]!r}")
            if not reply.startswith(b"OK") and command[0] != "?":
                refused.append(f"{command}: {reply.decode().strip()}")
        if refused:
            raise Refused("; ".join(refused))

    def web(self):
        front = where("FRONT")
        page, cookies = self.browse(front, "/login")
        token = re.search(r'name="?token"? value="?([0-9a-zA-Z_-]+)', page)
        if not token:
            raise Refused("no form")
        form = urllib.parse.urlencode({"name": USER, "password": PASSWORD, "token": token.group(1)})
        cookies = self.browse(front, "/login", cookies, form)[1]
        for path in ("/", "/sessions", "/users", "/rules", "/log", "/settings", "/own", "/app.js"):
            self.browse(front, path, cookies)
        for path in ("session", "stats", "accounts", "settings", "access_log.csv"):
            self.browse(front, "/api/" + path, cookies)

    def metrics(self):
        text = self.browse(where("FRONT"), "/metrics")[0]
        if not text.startswith("# ") or not text.endswith("\n"):
            raise Wrong(text[-80:])

    @staticmethod
    def browse(address, path, cookies="", form=None):
        """A page, whose length is told, and what cookies there are then."""
        link = http.client.HTTPConnection(*address, timeout=PATIENCE)
        try:
            fields = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
            link.request("GET" if form is None else "POST", path, form, fields)
            answer = link.getresponse()
            text = answer.read().decode()
        finally:
            link.close()
        if answer.status >= 400 and answer.status != 404:
            raise Refused(f"{path}: HTTP {answer.status}")
        if answer.status not in (200, 303):
            raise Wrong(f"{path}: HTTP {answer.status}")
        if answer.status == 200 and answer.getheader("Content-Length") is None and "chunked" not in (
                answer.getheader("Transfer-Encoding") or ""):
            raise Wrong(f"{path}: no length")
        given = [c.split(";")[0] for c in answer.headers.get_all("Set-Cookie", [])]
        return text, "; ".join(given) or cookies


HELPERS = ("send_all", "exchange_datagrams", "give_commands", "browse")
DOORS = [name for name in vars(Doors) if name.islower() and name[0] != "_" and name not in HELPERS]


def try_door(doors, name, results):
    try:
        getattr(doors, name)()
        results[name] = "served"
    except Wrong as e:
        results[name] = f"WRONG: {e}"
    except (Refused, OSError, http.client.HTTPException) as e:
        results[name] = f"refused: {type(e).__name__} {e}"


def main(names):
    doors = Doors()
    results = {name: "refused: took too long" for name in names}
    threads = [threading.Thread(target=try_door, args=(doors, name, results), daemon=True) for name in names]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    for name in names:
        print(name, results[name])
    if any("WRONG" in r for r in results.values()):
        return 3
    return 0 if all(r == "served" for r in results.values()) else 1


if __name__ == "__main__":
    if sys.argv[1:] == ["--list"]:
        print(*DOORS, sep="\n")
    else:
        status = main(sys.argv[1:] or DOORS)
        sys.stdout.flush()
        os._exit(status)  # threads of the far sides may still be at it
