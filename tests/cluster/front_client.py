#!/usr/bin/env python3
"""A client behind a balancer that asks for what no balancer carries.

    udp CLIENT PROXY NODE TARGET PORT   a datagram there and back, by the node that the reply names
    bind CLIENT PROXY NODE TARGET       prints the port at the node that a peer is to come to, and
                                        answers what comes from it
    peer TARGET NODE PORT               that peer
    echo TARGET                         prints its port, and sends datagrams back

The address in the replies has to be NODE's. The status is 0 when all went well.
"""
import socket
import struct
import sys

TIMEOUT = 30
PROXY_PORT = 1080
CONNECT_FAMILY = 1  # ATYP of IPv4


def receive(s, count):
    data = b""
    while len(data) < count:
        more = s.recv(count - len(data))
        if not more:
            sys.exit("closed behind %r" % data)
        data += more
    return data


def read_reply(s, node):
    """The port in a reply that succeeds and names the node."""
    head = receive(s, 4)
    if head[:2] != b"\x05\x00" or head[3] != CONNECT_FAMILY:
        sys.exit("reply %r" % head)
    address = socket.inet_ntoa(receive(s, 4))
    port, = struct.unpack("!H", receive(s, 2))
    if node is not None and address != node:
        sys.exit("told %s:%d, not %s" % (address, port, node))
    return port


def place(address, port):
    return struct.pack("!B4sH", CONNECT_FAMILY, socket.inet_aton(address), port)


def ask(client, proxy, command, address, port):
    s = socket.create_connection((proxy, PROXY_PORT), TIMEOUT, (client, 0))
    s.sendall(b"\x05\x01\x02")
    if receive(s, 2) != b"\x05\x02":
        sys.exit("no login wanted")
    s.sendall(b"\x01\x08student1\x06secret")
    if receive(s, 2) != b"\x01\x00":
        sys.exit("login refused")
    s.sendall(bytes([5, command, 0]) + place(address, port))
    return s


def udp(client, proxy, node, target, port):
    s = ask(client, proxy, 3, "0.0.0.0", 0)
    relay = read_reply(s, node)
    d = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    d.settimeout(1)
    d.bind((client, 0))
    for _ in range(TIMEOUT):
        d.sendto(b"\0\0\0" + place(target, int(port)) + b"hello", (node, relay))
        try:
            data, source = d.recvfrom(1000)
        except socket.timeout:
            continue
        if source != (node, relay) or data != b"\0\0\0" + place(target, int(port)) + b"hello":
            sys.exit("%r from %r" % (data, source))
        return
    sys.exit("no datagram came back")


def bind(client, proxy, node, target):
    s = ask(client, proxy, 2, target, 0)
    print(read_reply(s, node), flush=True)
    read_reply(s, target)
    s.sendall(receive(s, 5)[::-1])
    s.shutdown(socket.SHUT_WR)
    receive_end(s)


def receive_end(s):
    if s.recv(1) != b"":
        sys.exit("more than was sent")


def peer(target, node, port):
    s = socket.create_connection((node, int(port)), TIMEOUT, (target, 0))
    s.sendall(b"hello")
    if receive(s, 5) != b"olleh":
        sys.exit("something else came back")


def echo(target):
    d = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    d.bind((target, 0))
    print(d.getsockname()[1], flush=True)
    while True:
        data, source = d.recvfrom(1000)
        d.sendto(data, source)


if __name__ == "__main__":
    {"udp": udp, "bind": bind, "peer": peer, "echo": echo}[sys.argv[1]](*sys.argv[2:])
