#!/usr/bin/env python3
"""Stands in front of an engine, and lets its answers come late while a file is there.

slow_engine.py LISTEN ENGINE FILE: LISTEN and ENGINE are unix sockets, FILE says by how many seconds.
"""

import contextlib
import os
import socket
import sys
import threading
import time


def delay(path):
    try:
        with open(path, encoding="ascii") as f:
            return float(f.read())
    except (OSError, ValueError):
        return 0.0


def pump(source, sink, path=None):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            if path is not None:
                time.sleep(delay(path))
            sink.sendall(data)
    for s in (source, sink):
        with contextlib.suppress(OSError):
            s.shutdown(socket.SHUT_RDWR)


def serve(client, engine, path):
    with client, socket.socket(socket.AF_UNIX) as upstream:
        try:
            upstream.connect(engine)
        except OSError:
            return
        asking = threading.Thread(target=pump, args=(client, upstream), daemon=True)
        asking.start()
        pump(upstream, client, path)
        asking.join()


def main():
    listen, engine, path = sys.argv[1:]
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{listen}.new")
        listener.listen(64)
        os.rename(f"{listen}.new", listen)
        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client, engine, path), daemon=True).start()


if __name__ == "__main__":
    main()
