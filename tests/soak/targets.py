"""What the proxy connects to, as a process of its own: origins for TCP, HTTP and UDP, a name server,
and another SOCKS server for rules that send requests on.

Prints where each of them is as a line of JSON and serves until standard input ends, so that it never
outlives who started it. A client of the TCP origin says in its first line what it wants:

    ECHO             its own bytes back, until it has finished
    DOWN SEED SIZE   the content with that seed (content.py)
    LATE SEED SIZE   the same, but only when the client has finished sending
    RESET SEED SIZE  the same, and then a reset
    UP SEED SIZE     a word about what the client sends: RIGHT or WRONG

and anything else is a request by HTTP: /content/SEED/SIZE, /chunked/SEED/SIZE, or a POST of the
content to /check/SEED/SIZE.
"""
import json
import socket
import socketserver
import struct
import sys
import threading

import content

PATIENCE = 600  # seconds that a client may be silent, as held sessions are
TTL = 5
NXDOMAIN, SERVFAIL = 3, 2


def reset(sock):
    """Closes so that the peer sees a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def receive_exactly(sock, size):
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise ConnectionError(f"ended after {len(data)} of {size} bytes")
        data += more
    return data


# ---- TCP and HTTP ----


def check_content(file, seed, size):
    check = content.Check(seed)
    while check.taken < size:
        data = file.read1(min(content.MOST, size - check.taken))
        if not data:
            break
        check.take(data)
    return b"RIGHT" if check.taken == size and check.wrong_at is None else b"WRONG"


class Origin(socketserver.StreamRequestHandler):
    timeout = PATIENCE

    def handle(self):
        words = self.rfile.readline(4096).decode("latin-1").split()
        orders = {"ECHO": self.echo, "DOWN": self.send, "LATE": self.send_late, "RESET": self.send_and_reset,
                  "UP": self.receive}
        if not words:
            return
        if words[0] in orders:
            orders[words[0]](*map(int, words[1:]))
        else:
            self.answer_http(words[0], words[1])

    def echo(self):
        while data := self.rfile.read1(content.MOST):
            self.connection.sendall(data)

    def send(self, seed, size):
        for data in content.pieces(seed, size):
            self.connection.sendall(data)

    def send_late(self, seed, size):
        while self.rfile.read1(content.MOST):
            pass
        self.send(seed, size)

    def send_and_reset(self, seed, size):
        self.send(seed, size)
        reset(self.connection)

    def receive(self, seed, size):
        self.connection.sendall(check_content(self.rfile, seed, size) + b"\n")

    def answer_http(self, method, path):
        while self.rfile.readline(4096).strip():
            pass
        _, what, seed, size = path.split("/")
        head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
        if what == "check":
            word = check_content(self.rfile, int(seed), int(size))
            self.connection.sendall(head + b"Content-Length: 5\r\n\r\n" + word)
        elif what == "chunked":
            self.connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
            for data in content.pieces(int(seed), int(size)):
                self.connection.sendall(b"%x\r\n%b\r\n" % (len(data), data))
            self.connection.sendall(b"0\r\n\r\n")
        else:
            self.connection.sendall(head + b"Content-Length: %d\r\n\r\n" % int(size))
            self.send(int(seed), int(size))


# ---- another proxy ----


class Upstream(socketserver.BaseRequestHandler):
    """As much of SOCKS5 as it takes: no login, CONNECT by name or IPv4; all leads to the origin."""

    origin = None

    def handle(self):
        sock = self.request
        sock.settimeout(PATIENCE)
        _, methods = receive_exactly(sock, 2)
        receive_exactly(sock, methods)
        sock.sendall(b"\5\0")
        kind = receive_exactly(sock, 4)[3]
        receive_exactly(sock, (receive_exactly(sock, 1)[0] if kind == 3 else 4) + 2)
        with socket.create_connection(self.origin) as far:
            sock.sendall(b"\5\0\0\1\0\0\0\0\0\0")
            back = threading.Thread(target=self.pump, args=(far, sock), daemon=True)
            back.start()
            self.pump(sock, far)
            back.join()

    @staticmethod
    def pump(one, other):
        try:
            while data := one.recv(content.MOST):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # one of them is gone, and so soon is the other


class Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 1024

    def handle_error(self, request, client_address):
        pass  # clients leave as they like: it is they who say what was wrong


# ---- UDP ----


def echo_datagrams(sock):
    while True:
        data, peer = sock.recvfrom(65536)
        sock.sendto(data, peer)


def answer_names(sock):
    """All names have the address 127.0.0.1 and no IPv6, but missing.* and fails.*."""
    while True:
        question, peer = sock.recvfrom(2048)
        at, labels = 12, []
        while question[at]:
            labels.append(question[at + 1 : at + 1 + question[at]])
            at += 1 + question[at]
        (kind,) = struct.unpack_from(">H", question, at + 1)
        code = {b"missing": NXDOMAIN, b"fails": SERVFAIL}.get(labels[0].lower() if labels else b"", 0)
        answers = 1 if code == 0 and kind == 1 else 0
        reply = question[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, answers, 0, 0) + question[12 : at + 5]
        if answers:
            reply += struct.pack(">HHHIH", 0xC00C, 1, 1, TTL, 4) + bytes([127, 0, 0, 1])
        sock.sendto(reply, peer)


# ---- all of it ----


def start(target, *args):
    threading.Thread(target=target, args=args, daemon=True).start()


def listen(handler):
    listener = Listener(("127.0.0.1", 0), handler)
    start(listener.serve_forever)
    return listener.server_address[1]


def bind_datagrams(serve):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    start(serve, sock)
    return sock.getsockname()[1]


def main():
    ports = {"origin": listen(Origin), "members": listen(Origin), "denied": listen(Origin),
             "datagrams": bind_datagrams(echo_datagrams), "names": bind_datagrams(answer_names)}
    Upstream.origin = ("127.0.0.1", ports["origin"])
    ports["upstream"] = listen(Upstream)
    # Bound, but nobody listens: connections are refused for as long as this runs.
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    ports["closed"] = closed.getsockname()[1]
    print(json.dumps(ports), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
