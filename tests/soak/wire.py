"""The client's side of SOCKS5, SOCKS4 and HTTP, as RFC 1928, RFC 1929, the SOCKS4 papers and RFC 9110
have them: a function for each step, which raises Wrong where the answer is none."""
import base64
import http.client
import ipaddress
import socket
import struct
import threading

from targets import receive_exactly

PATIENCE = 30  # seconds for one answer; only a server that hangs needs them
CONNECT, BIND, UDP = 1, 2, 3
GRANTED, FAILED, DENIED, UNREACHABLE, REFUSED, NO_COMMAND, NO_ADDRESS_TYPE = 0, 1, 2, 4, 5, 7, 8
NO_LOGIN, PASSWORD, NO_METHOD = 0, 2, 255


class Wrong(Exception):
    """The server answered something else than it should have."""


def expect(what, got, *wanted):
    if got not in wanted:
        raise Wrong(f"{what}: {got!r}, not {' or '.join(map(repr, wanted))}")


# .address: this end of the last connection of each thread, by which the server's log knows it.
dialled = threading.local()


def dial(address, source):
    sock = socket.socket(socket.AF_INET)
    try:
        sock.settimeout(PATIENCE)
        sock.bind((source, 0))
        sock.connect(address)
        dialled.address = sock.getsockname()
    except BaseException:
        sock.close()
        raise
    return sock


def expect_end(sock):
    """The peer closes, by an end or a reset, without a byte."""
    try:
        data = sock.recv(256)
    except ConnectionResetError:
        return
    if data:
        raise Wrong(f"{data[:40]!r} instead of the end")


# ---- SOCKS5 ----


def put_address(host, port):
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode()
        return struct.pack(">BB", 3, len(name)) + name + struct.pack(">H", port)
    return bytes([1 if address.version == 4 else 4]) + address.packed + struct.pack(">H", port)


def read_address(sock, kind):
    expect("ATYP", kind, 1, 4)
    packed = receive_exactly(sock, 4 if kind == 1 else 16)
    return str(ipaddress.ip_address(packed)), struct.unpack(">H", receive_exactly(sock, 2))[0]


def socks5_choose(sock, *methods):
    sock.sendall(bytes([5, len(methods), *methods]))
    version, method = receive_exactly(sock, 2)
    expect("version", version, 5)
    return method


def socks5_login(sock, name, password):
    """The status of RFC 1929."""
    sock.sendall(b"\1" + bytes([len(name)]) + name.encode() + bytes([len(password)]) + password.encode())
    version, status = receive_exactly(sock, 2)
    expect("version of the login", version, 1)
    return status


def socks5_enter(sock, login):
    """Greets, and logs in where there is a login, as (name, password)."""
    expect("method", socks5_choose(sock, PASSWORD if login else NO_LOGIN), PASSWORD if login else NO_LOGIN)
    if login:
        expect("status of a right login", socks5_login(sock, *login), 0)


def socks5_read_reply(sock):
    version, reply, _, kind = receive_exactly(sock, 4)
    expect("version", version, 5)
    return (reply, *read_address(sock, kind))


def socks5_ask(sock, command, host, port):
    """(REP, BND.ADDR, BND.PORT)"""
    sock.sendall(bytes([5, command, 0]) + put_address(host, port))
    return socks5_read_reply(sock)


def put_datagram(host, port, data):
    return b"\0\0\0" + put_address(host, port) + data


# ---- SOCKS4 ----


def socks4_ask(sock, command, host, port, user=""):
    """Is it granted? Names go as 4a has it."""
    try:
        address, name = socket.inet_aton(host), b""
    except OSError:
        address, name = b"\0\0\0\1", host.encode() + b"\0"
    sock.sendall(struct.pack(">BBH", 4, command, port) + address + user.encode() + b"\0" + name)
    zero, code = receive_exactly(sock, 8)[:2]
    expect("first byte of SOCKS4's reply", zero, 0)
    expect("code of SOCKS4's reply", code, 90, 91, 92, 93)
    return code == 90


# ---- HTTP ----


def http_credentials(login, field="Proxy-Authorization"):
    if not login:
        return ""
    return f"{field}: Basic {base64.b64encode(':'.join(login).encode()).decode()}\r\n"


def http_ask(sock, method, target, host, fields="", body=b""):
    """The answer, of which the head has been read."""
    head = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}"
    if body or method == "POST":
        head += f"Content-Length: {len(body)}\r\n"
    sock.sendall(head.encode() + b"\r\n" + body)
    answer = http.client.HTTPResponse(sock, method=method)
    answer.begin()
    return answer


def http_connect(sock, host, port, login=None):
    """The status; nothing behind the head has been read."""
    target = f"{host}:{port}"
    sock.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{http_credentials(login)}\r\n".encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += receive_exactly(sock, 1)
    return int(head.split()[1])
