"""A web server whose downloads are even: http://127.0.0.1:PORT/RATE sends RATE bytes a second, in ten
pieces, until the client leaves; RATE~SECONDS comes and goes in waves of that length.

What is sent to it is dropped. It listens on each ADDRESS or ADDRESS:PORT that is given, by itself on one port,
which is printed.
"""

import math
import signal
import socket
import sys
import threading
import time

PIECES = 10  # a second


def rate_at(path, seconds):
    rate, _, wave = path.partition("~")
    if not wave:
        return int(rate)
    return int(rate) * (1 + 0.6 * math.sin(2 * math.pi * seconds / float(wave)))


def send_evenly(client, path):
    begun = time.monotonic()
    for piece in range(1, sys.maxsize):
        client.sendall(b"x" * max(1, int(rate_at(path, piece / PIECES) / PIECES)))
        time.sleep(max(0.0, begun + piece / PIECES - time.monotonic()))


def drop_all(client):
    client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    while client.recv(65536):
        pass


def serve(client):
    try:
        method, path = client.recv(4096).decode("latin-1").split(" ")[:2]
        path = path[1:]
        if method == "PUT":
            drop_all(client)
        client.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n")
        if path[:1].isdigit():
            send_evenly(client, path)
        client.sendall(b"hello\n")
    except (OSError, IndexError, ValueError):
        pass  # the client has left, or asked for nothing that there is
    client.close()


def accept(listener):
    while True:
        client = listener.accept()[0]
        threading.Thread(target=serve, args=(client,), daemon=True).start()


def main():
    port = 0
    for where in sys.argv[1:]:
        address, _, own = where.partition(":")
        listener = socket.create_server((address, int(own or port)), backlog=100)
        port = listener.getsockname()[1]
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
    print(port, flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
