"""A network between servers and their engine, which can fail: link.py PORT

Listens on a port of 127.0.0.1 that it prints, and carries each connection to PORT there. Lines on
standard input say how it is from then on:

	pass	as it comes
	slow N	all that comes arrives N milliseconds later
	lost	nothing arrives any more, and nobody hears that it does not; connecting takes forever, too,
		once the kernel's queue of one is full
	cut	all connections end now; then as it is
	end
"""

import os
import selectors
import socket
import sys
import time

selector = selectors.DefaultSelector()


class Link:
    def __init__(self, port):
        self.port = port
        self.delay = 0.0
        self.is_lost = False
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.listener.setblocking(False)
        self.pairs = []  # (socket, the other one)
        self.on_way = []  # (when, socket, data)
        selector.register(self.listener, selectors.EVENT_READ, self.accept)
        print(self.listener.getsockname()[1], flush=True)

    def accept(self, listener):
        try:
            near, _ = listener.accept()
        except BlockingIOError:
            return
        try:
            far = socket.create_connection(("127.0.0.1", self.port))
        except OSError:
            near.close()
            return
        for one, other in ((near, far), (far, near)):
            self.pairs.append((one, other))
            selector.register(one, selectors.EVENT_READ, self.carry)

    def carry(self, one):
        other = next(b for a, b in self.pairs if a is one)
        try:
            data = one.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.drop(one, other)
            return
        self.on_way.append((time.monotonic() + self.delay, other, data))

    def drop(self, *both):
        self.pairs = [p for p in self.pairs if p[0] not in both]
        self.on_way = [w for w in self.on_way if w[1] not in both]
        for sock in both:
            if sock.fileno() >= 0:
                if not self.is_lost:
                    selector.unregister(sock)
                sock.close()

    def deliver(self):
        """Returns how long until the next is due."""
        while self.on_way and not self.is_lost and self.on_way[0][0] <= time.monotonic():
            _, sock, data = self.on_way.pop(0)
            try:
                sock.sendall(data)
            except OSError:
                self.drop(sock, next(b for a, b in self.pairs if a is sock))
        if self.is_lost or not self.on_way:
            return None
        return max(0, self.on_way[0][0] - time.monotonic())

    def lose(self, is_lost):
        """Who is not read from is not told of either."""
        if is_lost == self.is_lost:
            return
        for sock in [self.listener] + [p[0] for p in self.pairs]:
            if is_lost:
                selector.unregister(sock)
            else:
                selector.register(sock, selectors.EVENT_READ, self.accept if sock is self.listener else self.carry)
        self.is_lost = is_lost

    def obey(self, line):
        word, _, number = line.partition(" ")
        if word == "cut":
            while self.pairs:
                self.drop(*self.pairs[0])
            return
        self.lose(word == "lost")
        self.delay = float(number or 0) / 1000


def main():
    link = Link(int(sys.argv[1]))
    selector.register(sys.stdin, selectors.EVENT_READ, None)
    pending = ""
    while True:
        for key, _ in selector.select(link.deliver()):
            if key.data is not None:
                key.data(key.fileobj)
                continue
            data = os.read(0, 4096).decode()
            pending += data
            while "\n" in pending:
                line, pending = pending.split("\n", 1)
                if line == "end":
                    return
                link.obey(line)
            if not data:
                return


main()
