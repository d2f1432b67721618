"""Clients of several servers that share their state, and the origin that they talk to, which sends
back whatever comes: traffic of which every byte is known. One thread, one selector.

	traffic.py move [--from ADDRESS] [--rate BYTES] USER COUNT NODE...
		COUNT sessions, in turn over the nodes (ADDRESS:PORT), together move so many bytes a
		second, both ways together. "live N moved N wrong N ended N seconds S" is printed when
		something of it changes, at most twice a second. A line on standard input has all finish
		what is under way and close; then the same comes once more, behind "end:".
	traffic.py open --pace N USER COUNT NODE...
		tries to open COUNT sessions, N a second, and holds them. "live N refused N" after each;
		then, for each line N on standard input, closes the oldest until N are left; "end"
		ends it.
	traffic.py logins USER COUNT NODE...
		that many logins, one after the other: their median in milliseconds.
	traffic.py datagrams USER COUNT NODE
		that many datagrams there and back by way of an association: the bytes of their payload.
	traffic.py requests USER COUNT NODE
		that many requests by HTTP: the bytes that the origin has got and sent.

The password is "secret". The status is 1 when a byte was lost or is another one.
"""

import argparse
import base64
import os
import selectors
import socket
import statistics
import sys
import time

CHUNK = 4096
PATIENCE = 30  # seconds, for a step that is not expected to wait

# Position-dependent, and longer than what is ever under way: a block that is lost or comes twice shows.
PATTERN = os.urandom(1 << 20)


def pattern(begin, count):
    begin %= len(PATTERN)
    text = PATTERN[begin : begin + count]
    return text if len(text) == count else text + pattern(0, count - len(text))


def place(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


# ---- the origin ----


class Origin:
    """Sends back what comes, and ends when its peer has."""

    def __init__(self, selector):
        self.selector = selector
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.listener.setblocking(False)
        self.address = self.listener.getsockname()
        selector.register(self.listener, selectors.EVENT_READ, self.accept)

    def accept(self, _):
        try:
            peer, _ = self.listener.accept()
        except BlockingIOError:
            return
        peer.setblocking(False)
        pending = bytearray()
        state = {"eof": False}

        def turn(events):
            self.echo(peer, pending, state, events)

        self.selector.register(peer, selectors.EVENT_READ, turn)

    def echo(self, peer, pending, state, events):
        try:
            if events & selectors.EVENT_READ and not state["eof"]:
                data = peer.recv(65536)
                state["eof"] = not data
                pending += data
            if pending:
                del pending[: peer.send(pending)]
        except BlockingIOError:
            pass
        except OSError:
            state["eof"] = True
            pending.clear()
        if state["eof"] and not pending:
            self.selector.unregister(peer)
            peer.close()
            return
        wanted = (0 if state["eof"] else selectors.EVENT_READ) | (selectors.EVENT_WRITE if pending else 0)
        self.selector.modify(peer, wanted, self.selector.get_key(peer).data)


# ---- the client's side of SOCKS5, which blocks until it is through ----


def receive(sock, count):
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise ConnectionError("closed")
        data += more
    return data


def log_in(node, user, source=None):
    """Connected and logged in; ConnectionError or OSError when it is refused."""
    sock = socket.create_connection(node, PATIENCE, source and (source, 0))
    try:
        name = user.encode()
        sock.sendall(b"\x05\x01\x02" + b"\x01" + bytes([len(name)]) + name + b"\x06secret")
        if receive(sock, 2) != b"\x05\x02" or receive(sock, 2) != b"\x01\x00":
            raise ConnectionError("refused")
    except BaseException:
        sock.close()
        raise
    return sock


def ask(sock, command, host, port):
    """Its reply's address; ConnectionError when that is a refusal."""
    sock.sendall(bytes([5, command, 0, 1]) + socket.inet_aton(host) + port.to_bytes(2, "big"))
    reply = receive(sock, 10)
    if reply[1] != 0:
        raise ConnectionError(f"reply {reply[1]}")
    return socket.inet_ntoa(reply[4:8]), int.from_bytes(reply[8:10], "big")


# ---- sessions ----


class Session:
    def __init__(self, node, user, source, selector, begin):
        self.selector = selector
        self.node = node
        self.begin = begin  # of the pattern
        self.sent = self.received = self.wrong = 0
        self.owed = 0  # bytes that it may send
        self.closing = self.closed = False
        self.sock = log_in(node, user, source)

    def connect(self, address):
        ask(self.sock, 1, *address)
        self.sock.setblocking(False)
        self.selector.register(self.sock, selectors.EVENT_READ, self.turn)

    def turn(self, _):
        try:
            data = self.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        if data != pattern(self.begin + self.received, len(data)):
            self.wrong += 1
        self.received += len(data)
        self.finish()

    def push(self, least):
        """What it may send by now, with at most one chunk under way, once it is worth a packet."""
        if self.owed < least:
            return
        room = min(int(self.owed), CHUNK, CHUNK - (self.sent - self.received))
        if room <= 0 or self.closing or self.closed:
            return
        try:
            count = self.sock.send(pattern(self.begin + self.sent, room))
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        self.sent += count
        self.owed -= count

    def end(self):
        self.closing = True
        self.finish()

    def finish(self):
        """All is back: the end may be said. Whoever waits for it hears of it by turn()."""
        if self.closing and not self.closed and self.sent == self.received:
            try:
                self.sock.shutdown(socket.SHUT_WR)
            except OSError:
                self.close()

    def close(self):
        if not self.closed:
            self.selector.unregister(self.sock)
            self.sock.close()
        self.closed = True


def turn_all(selector, seconds):
    for key, events in selector.select(seconds):
        key.data(events)


def open_session(a, selector, origin, i):
    """The origin has its turn only afterwards: its kernel has accepted by then."""
    node = place(a.nodes[i % len(a.nodes)])
    session = Session(node, a.user, a.source, selector, i * 7919)
    try:
        session.connect(origin.address)
    except BaseException:
        session.sock.close()
        raise
    return session


class Lines:
    """Of standard input, as they come."""

    def __init__(self, selector):
        self.pending = b""
        self.has_ended = False
        selector.register(sys.stdin, selectors.EVENT_READ, self.turn)
        self.selector = selector

    def turn(self, _):
        data = os.read(0, 4096)
        self.pending += data
        if not data:
            self.has_ended = True
            self.selector.unregister(sys.stdin)

    def next(self):
        line, found, rest = self.pending.partition(b"\n")
        if not found:
            return None
        self.pending = rest
        return line.decode()


def state_of(sessions, begun):
    live = sum(not s.closed for s in sessions)
    # A session that was cut has bytes under way that the server may have counted or not.
    return (
        f"live {live} moved {sum(s.sent + s.received for s in sessions)}"
        f" wrong {sum(s.wrong for s in sessions)} ended {len(sessions) - live}"
        f" seconds {time.monotonic() - begun:.2f}"
    )


def move(a):
    selector = selectors.DefaultSelector()
    origin = Origin(selector)
    lines = Lines(selector)
    sessions = []
    for i in range(a.count):
        sessions.append(open_session(a, selector, origin, i))
        turn_all(selector, 0)
    begun = last = time.monotonic()
    told = 0.0
    # Each way has half of it, and each session its share.
    share = a.rate / 2 / a.count
    while lines.next() is None and not lines.has_ended and any(not s.closed for s in sessions):
        now = time.monotonic()
        for s in sessions:
            s.owed = min(s.owed + share * (now - last), CHUNK)
            s.push(min(CHUNK, share / 20))
        last = now
        if now - told >= 0.5:
            print(state_of(sessions, begun), flush=True)
            told = now
        turn_all(selector, 0.02)
    for s in sessions:
        s.end()
    end = time.monotonic() + PATIENCE
    cut = sum(s.closed for s in sessions)
    while any(not s.closed for s in sessions) and time.monotonic() < end:
        turn_all(selector, 0.1)
    print("end:", state_of(sessions, begun), "cut", cut, flush=True)
    whole = all(s.sent == s.received for s in sessions)
    return all(s.wrong == 0 for s in sessions) and (whole or cut > 0)


def open_many(a):
    selector = selectors.DefaultSelector()
    origin = Origin(selector)
    lines = Lines(selector)
    sessions = []
    refused = 0
    begun = time.monotonic()

    def close_to(count):
        live = [s for s in sessions if not s.closed]
        for s in live[: len(live) - count]:
            s.close()

    def tell():
        print(f"live {sum(not s.closed for s in sessions)} refused {refused}", flush=True)

    for i in range(a.count):
        while time.monotonic() < begun + i / a.pace:
            turn_all(selector, max(0, begun + i / a.pace - time.monotonic()))
        try:
            sessions.append(open_session(a, selector, origin, i))
        except (ConnectionError, TimeoutError):
            refused += 1
        tell()
    print(f"opened in {time.monotonic() - begun:.2f}", flush=True)
    while not lines.has_ended:
        line = lines.next()
        if line is None:
            turn_all(selector, 0.2)
            continue
        if line == "end":
            break
        close_to(int(line))
        tell()
    return True


# ---- one after the other ----


def logins(a):
    taken = []
    for i in range(a.count):
        begun = time.monotonic()
        log_in(place(a.nodes[i % len(a.nodes)]), a.user, a.source).close()
        taken.append(time.monotonic() - begun)
    print(f"{statistics.median(taken) * 1000:.3f}")
    return True


def datagrams(a):
    target = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    target.bind(("127.0.0.1", 0))
    target.settimeout(PATIENCE)
    control = log_in(place(a.nodes[0]), a.user)
    relay = ask(control, 3, "0.0.0.0", 0)
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(PATIENCE)
    host, port = target.getsockname()
    head = b"\0\0\0\1" + socket.inet_aton(host) + port.to_bytes(2, "big")
    moved = 0
    for i in range(a.count):
        payload = pattern(i * 101, 1 + i * 37 % 1400)
        client.sendto(head + payload, relay)
        data, back = target.recvfrom(65536)
        target.sendto(data, back)
        answer = client.recv(65536)
        if data != payload or answer[10:] != payload:
            return False
        moved += 2 * len(payload)
    control.close()
    print(moved)
    return True


def requests(a):
    """Each by a connection of its own; a head with all fields that a proxy has to leave alone."""
    listener = socket.create_server(("127.0.0.1", 0))
    host, port = listener.getsockname()
    word = base64.b64encode(f"{a.user}:secret".encode()).decode()
    moved = 0
    for i in range(a.count):
        body = pattern(i * 103, 1000 + i)
        client = socket.create_connection(place(a.nodes[0]), PATIENCE)
        client.sendall(
            f"POST http://{host}:{port}/{i} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n"
            f"Proxy-Authorization: Basic {word}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        listener.settimeout(PATIENCE)
        origin, _ = listener.accept()
        origin.settimeout(PATIENCE)
        got = b""
        while b"\r\n\r\n" not in got or len(got.split(b"\r\n\r\n", 1)[1]) < len(body):
            got += origin.recv(65536)
        answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        origin.sendall(answer)
        origin.close()
        back = b""
        while more := client.recv(65536):
            back += more
        client.close()
        if not got.endswith(body) or not back.endswith(body):
            return False
        moved += len(got) + len(answer)
    print(moved)
    return True


def main():
    verbs = {
        "move": move,
        "open": open_many,
        "logins": logins,
        "datagrams": datagrams,
        "requests": requests,
    }
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=verbs)
    parser.add_argument("--from", dest="source")
    parser.add_argument("--rate", type=float, default=1e6)
    parser.add_argument("--pace", type=float, default=10)
    parser.add_argument("user")
    parser.add_argument("count", type=int)
    parser.add_argument("nodes", nargs="+")
    a = parser.parse_args()
    sys.exit(0 if verbs[a.verb](a) else 1)


if __name__ == "__main__":
    main()
