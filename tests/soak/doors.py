"""What clients do at the proxy's port. Each function here is one visit, from a new connection to its
end, and says by Wrong (or any other exception) that the server did not answer as it should have.
VISITS has how often each of them comes."""
import random
import socket
import threading

import content
from targets import receive_exactly, reset
from wire import (BIND, CONNECT, DENIED, GRANTED, NO_ADDRESS_TYPE, NO_COMMAND, NO_LOGIN, NO_METHOD, PASSWORD,
                  REFUSED, UDP, UNREACHABLE, Wrong, dial, expect, expect_end, http_ask, http_connect,
                  http_credentials, put_datagram, read_address, socks4_ask, socks5_ask, socks5_choose, socks5_enter,
                  socks5_login, socks5_read_reply)

HERE = "127.0.0.1"


# ---- ways in ----


def enter(world, login, source=None):
    """A connection by SOCKS5 that may ask for something."""
    sock = dial(world.server.proxy, source or world.at_home())
    try:
        socks5_enter(sock, login)
    except BaseException:
        sock.close()
        raise
    return sock


def reach(world, door, host, port, login=None, source=None):
    """A connection through the proxy."""
    with world.tally.timed(door):
        sock = enter(world, login, source)
        try:
            expect("REP", socks5_ask(sock, CONNECT, host, port)[0], GRANTED)
        except BaseException:
            sock.close()
            raise
    return sock


def reach_origin(world, source=None):
    return reach(world, "socks5-login", HERE, world.ports["origin"], world.login(), source)


def ask_once(world, login, host, port, command=CONNECT, source=None):
    """REP of a request after which the connection ends."""
    with enter(world, login, source) as sock:
        return socks5_ask(sock, command, host, port)[0]


# ---- what is sent, once there is a way ----


def echo(sock):
    """Bytes and back, and a clean end of both directions."""
    data = random.randbytes(random.choice((1, 64, 64, 1500, 20000)))
    sock.sendall(b"ECHO\n" + data)
    expect("the echo", receive_exactly(sock, len(data)) == data, True)
    sock.shutdown(socket.SHUT_WR)
    expect("what follows the echo", sock.recv(256), b"")


def take_content(read, seed, size):
    check = content.Check(seed)
    while data := read(content.MOST):
        check.take(data)
    expect("bytes that came", check.taken, size)
    expect("place of the first wrong byte", check.wrong_at, None)


def some_content(most):
    return random.randrange(1000), random.randint(1, most)


# ---- visits that are served ----


def socks5(world):
    if world.login_wanted:
        with dial(world.server.proxy, world.at_home()) as sock:
            expect("method without a login", socks5_choose(sock, NO_LOGIN), NO_METHOD)
            expect_end(sock)
        return
    with reach(world, "socks5", HERE, world.ports["origin"]) as sock:
        echo(sock)


def socks5_logged_in(world):
    with reach_origin(world) as sock:
        echo(sock)


def socks5_by_name(world):
    with reach(world, "socks5-name", world.name(), world.ports["origin"], world.login_or_none()) as sock:
        echo(sock)


def socks5_all_at_once(world):
    """Greeting, login, request and first bytes in one segment."""
    name, password = (word.encode() for word in world.login())
    data = random.randbytes(300)
    with dial(world.server.proxy, world.at_home()) as sock:
        sock.sendall(b"\5\1\2\1" + bytes([len(name)]) + name + bytes([len(password)]) + password + b"\5\1\0\1" +
                     socket.inet_aton(HERE) + world.ports["origin"].to_bytes(2, "big") + b"ECHO\n" + data)
        expect("method and status", receive_exactly(sock, 4), b"\5\2\1\0")
        expect("REP", socks5_read_reply(sock)[0], GRANTED)
        expect("the echo", receive_exactly(sock, len(data)) == data, True)


def via_upstream(world):
    with reach(world, "via", f"host{random.randint(1, 9)}.via.test", 80, world.login_or_none()) as sock:
        echo(sock)


def by_socks4(world, door, host):
    with dial(world.server.proxy, world.at_home()) as sock:
        if world.login_wanted:
            expect("SOCKS4 where a login is wanted", socks4_ask(sock, CONNECT, host, world.ports["origin"], "alice"),
                   False)
            return
        with world.tally.timed(door):
            expect("SOCKS4", socks4_ask(sock, CONNECT, host, world.ports["origin"], "someone"), True)
        echo(sock)


def socks4(world):
    by_socks4(world, "socks4", HERE)


def socks4a(world):
    by_socks4(world, "socks4a", world.name())


def http_tunnel(world):
    with dial(world.server.proxy, world.at_home()) as sock:
        with world.tally.timed("http-connect"):
            expect("status", http_connect(sock, HERE, world.ports["origin"], world.login_or_none()), 200)
        echo(sock)


def http_plain(world):
    seed, size = some_content(50000)
    host, what = f"{world.name()}:{world.ports['origin']}", random.choice(("content", "chunked"))
    with dial(world.server.proxy, world.at_home()) as sock:
        with world.tally.timed("http-plain"):
            answer = http_ask(sock, "GET", f"http://{host}/{what}/{seed}/{size}", host,
                              http_credentials(world.login_or_none()))
        with answer:
            expect("status", answer.status, 200)
            take_content(answer.read, seed, size)


def http_post(world):
    seed, size = some_content(50000)
    host = f"{HERE}:{world.ports['origin']}"
    with dial(world.server.proxy, world.at_home()) as sock:
        with http_ask(sock, "POST", f"http://{host}/check/{seed}/{size}", host,
                      http_credentials(world.login_or_none()), b"".join(content.pieces(seed, size))) as answer:
            expect("status", answer.status, 200)
            expect("what the origin says", answer.read(), b"RIGHT")


def bind(world):
    with enter(world, world.login_or_none()) as sock:
        with world.tally.timed("bind"):
            reply, host, port = socks5_ask(sock, BIND, HERE, 0)
            expect("first REP", reply, GRANTED)
            peer = socket.create_connection((host, port))
            with peer:
                peer.settimeout(sock.gettimeout())
                expect("second REP", socks5_read_reply(sock), (GRANTED, *peer.getsockname()))
                data = random.randbytes(100)
                peer.sendall(data)
                expect("the peer's bytes", receive_exactly(sock, 100), data)
                sock.sendall(data)
                expect("the client's bytes", receive_exactly(peer, 100), data)


def associate(world, sock, source):
    """The socket of an association, which sends to the port that it was told."""
    reply, host, port = socks5_ask(sock, UDP, "0.0.0.0", 0)
    expect("REP", reply, GRANTED)
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.settimeout(sock.gettimeout())
    datagrams.bind((source, 0))
    datagrams.connect((host, port))
    return datagrams


def exchange_datagram(datagrams, host, port, data):
    datagrams.send(put_datagram(host, port, data))
    answer = datagrams.recv(65536)
    expect("head of the datagram", answer[:4], b"\0\0\0\1")
    expect("the datagram's echo", answer[10:] == data, True)


def udp(world):
    source = world.at_home()
    with enter(world, world.login_or_none(), source) as sock, associate(world, sock, source) as datagrams:
        with world.tally.timed("udp"):
            exchange_datagram(datagrams, HERE, world.ports["datagrams"], random.randbytes(64))
        exchange_datagram(datagrams, world.name(), world.ports["datagrams"], random.randbytes(1200))
        datagrams.send(b"\0\0")  # which is none
        datagrams.send(put_datagram(HERE, world.ports["denied"], b"denied"))
        exchange_datagram(datagrams, HERE, world.ports["datagrams"], random.randbytes(9000))


# ---- much at once, either way ----


def download(world):
    seed, size = some_content(3_000_000)
    with reach_origin(world) as sock:
        sock.sendall(f"DOWN {seed} {size}\n".encode())
        take_content(sock.recv, seed, size)


def download_paced(world):
    """By a user who has a rate."""
    seed, size = 7, 200_000
    with reach(world, "socks5-login", HERE, world.ports["origin"], ("slow", "motion-4")) as sock:
        sock.sendall(f"DOWN {seed} {size}\n".encode())
        take_content(sock.recv, seed, size)


def upload(world):
    seed, size = some_content(3_000_000)
    with reach_origin(world) as sock:
        sock.sendall(f"UP {seed} {size}\n".encode())
        for data in content.pieces(seed, size):
            sock.sendall(data)
        expect("what the origin says", receive_exactly(sock, 6), b"RIGHT\n")


def half_close(world):
    """The client has finished when the answer begins."""
    seed, size = some_content(200_000)
    with reach_origin(world) as sock:
        sock.sendall(f"LATE {seed} {size}\n".encode())
        sock.shutdown(socket.SHUT_WR)
        take_content(sock.recv, seed, size)


# ---- visits that are refused ----


def denied(world):
    login = world.login_or_none()
    expect("REP of a port", ask_once(world, login, HERE, world.ports["denied"]), DENIED)
    expect("REP of a name", ask_once(world, login, "www.denied.test", 80), DENIED)
    expect("REP of the proxy itself", ask_once(world, login, *world.server.proxy), DENIED)
    with dial(world.server.proxy, world.at_home()) as sock:
        expect("status", http_connect(sock, "www.denied.test", 443, world.login()), 403)


def members_only(world):
    expect("REP of a user", ask_once(world, world.login(), HERE, world.ports["members"]), GRANTED)
    if not world.login_wanted:
        expect("REP of Anonymous", ask_once(world, None, HERE, world.ports["members"]), DENIED)


def unreachable(world):
    login = world.login_or_none()
    expect("REP of a closed port", ask_once(world, login, HERE, world.ports["closed"]), REFUSED)
    expect("REP of no name", ask_once(world, login, f"missing.x{random.randrange(99)}.test", 80), UNREACHABLE)
    expect("REP of a failing name", ask_once(world, login, "fails.soak.test", 80), UNREACHABLE)


def unsupported(world):
    login = world.login_or_none()
    expect("REP of a command", ask_once(world, login, HERE, 80, command=9), NO_COMMAND)
    with enter(world, login) as sock:
        sock.sendall(b"\5\1\0\7\0\0\0\0\0\0")
        expect("REP of an address type", receive_exactly(sock, 4)[1], NO_ADDRESS_TYPE)
        read_address(sock, 1)


def login_fails(world, sock, name, password):
    """A wrong login, which is served as Anonymous where no login is wanted."""
    expect("method", socks5_choose(sock, NO_LOGIN, PASSWORD), PASSWORD)
    status = socks5_login(sock, name, password)
    if world.login_wanted:
        expect("is a wrong login refused", status != 0, True)
        expect_end(sock)
    else:
        expect("status of a wrong login", status, 0)
        expect("REP of Anonymous", socks5_ask(sock, CONNECT, HERE, world.ports["members"])[0], DENIED)


def wrong_login(world):
    name = random.choice(("alice", "bob", "nobody", "x" * 255))
    with dial(world.server.proxy, world.guesser()) as sock:
        login_fails(world, sock, name, f"wrong {random.getrandbits(32)}")


def wrong_login_http(world):
    wrong = ("alice", f"wrong {random.getrandbits(32)}")
    with dial(world.server.proxy, world.guesser()) as sock:
        expect("status", http_connect(sock, HERE, world.ports["members"], wrong), 407)


def one_too_many(world):
    """A user who may have one session."""
    login = ("single", "malt-5")
    with one_too_many.turn, enter(world, login) as first:
        expect("REP of the first", socks5_ask(first, CONNECT, HERE, world.ports["origin"])[0], GRANTED)
        expect("REP of the second", ask_once(world, login, HERE, world.ports["origin"]), DENIED)
        echo(first)
        world.server.await_no_session("single")


one_too_many.turn = threading.Lock()


def not_a_client(world):
    """From where the setting clients lets nobody in."""
    with dial(world.server.proxy, f"127.200.0.{random.randint(1, 250)}") as sock:
        expect_end(sock)


def passing_stranger(world):
    """New each time, so that tables of clients are always full, and refused by a rule for its address,
    whatever it asks for, so that what is remembered of it has any size."""
    source, host = world.passing_by(5), "stranger." * random.randint(1, 20) + "test"
    if world.login_wanted:
        expect("REP", ask_once(world, world.login(), host, 80, source=source), DENIED)
        return
    with dial(world.server.proxy, source) as sock:
        expect("SOCKS4", socks4_ask(sock, CONNECT, host, 80), False)


# ---- visits of those who do not behave ----


def silent(world):
    """Says nothing until its time is over."""
    with dial(world.server.proxy, world.at_home()) as sock:
        expect_end(sock)


def half_a_greeting(world):
    beginning = random.choice((b"\5", b"\5\2\0", b"\5\1\2\1\5al", b"\4\1\0\x50\x7f", b"GET / HT"))
    with dial(world.server.proxy, world.at_home()) as sock:
        sock.sendall(beginning)
        if random.random() < 0.5:
            reset(sock)


def garbage(world):
    """No dialect's first byte: closed at once."""
    with dial(world.server.proxy, world.at_home()) as sock:
        sock.sendall(b"\x16\x03" + random.randbytes(200))
        expect_end(sock)


def reset_by_client(world):
    with reach_origin(world) as sock:
        sock.sendall(b"DOWN 1 5000000\n")
        receive_exactly(sock, 10000)
        reset(sock)


def reset_by_target(world):
    """Is a reset for the client, too, and nothing wrong comes before it."""
    check = content.Check(2)
    with reach_origin(world) as sock:
        sock.sendall(b"RESET 2 300000\n")
        try:
            while data := sock.recv(content.MOST):
                check.take(data)
        except ConnectionResetError:
            expect("place of the first wrong byte", check.wrong_at, None)
            return
        raise Wrong(f"a clean end after {check.taken} bytes instead of a reset")


def leave_early(world):
    """While the answer is on its way."""
    with enter(world, world.login_or_none()) as sock:
        sock.sendall(b"\5\1\0\1\x7f\0\0\1" + world.ports["origin"].to_bytes(2, "big"))
        reset(sock)


# ---- pages of the proxy's own port ----


def own_pages(world):
    host = "%s:%d" % world.server.proxy
    for path, wanted in (("/", b"<!DOCTYPE html>"), ("/proxy.pac", b"FindProxyForURL"), ("/healthz", b"ok")):
        with dial(world.server.proxy, world.at_home()) as sock, http_ask(sock, "GET", path, host) as answer:
            expect(f"status of {path}", answer.status, 200)
            expect(f"what it should be in {path}", wanted.lower() in answer.read().lower(), True)


# How many of all visits each of them is.
VISITS = {
    socks5: 12, socks5_logged_in: 12, socks5_by_name: 10, socks5_all_at_once: 4, via_upstream: 3, socks4: 5,
    socks4a: 5, http_tunnel: 6, http_plain: 6, http_post: 3, bind: 3, udp: 4, download: 2, upload: 2,
    download_paced: 0.3, half_close: 2, denied: 2, members_only: 2, unreachable: 2, unsupported: 1,
    wrong_login: 0.5, wrong_login_http: 0.5, one_too_many: 0.5, not_a_client: 2, passing_stranger: 6, silent: 0.5,
    half_a_greeting: 2, garbage: 2, reset_by_client: 1, reset_by_target: 1, leave_early: 2, own_pages: 1,
}  # fmt: skip


def visit(world):
    function = random.choices(list(VISITS), list(VISITS.values()))[0]
    world.run(function.__name__, function)


# ---- sessions that stay ----


class Held:
    """One that is open from the beginning to the end, and has to work at each rest."""

    def __init__(self, world, kind):
        source = f"127.7.0.{1 + kind}"
        self.datagrams = None
        if kind % 8 == 7:
            self.sock = enter(world, world.login(), source)
            self.datagrams = associate(world, self.sock, source)
        else:
            self.sock = reach(world, "socks5-login", HERE, world.ports["origin"], world.login(), source)
            self.sock.sendall(b"ECHO\n")

    def check(self, world):
        data = random.randbytes(500)
        if self.datagrams:
            exchange_datagram(self.datagrams, HERE, world.ports["datagrams"], data)
            return
        self.sock.sendall(data)
        expect("echo of a held session", receive_exactly(self.sock, len(data)) == data, True)

    def close(self):
        self.sock.close()
        if self.datagrams:
            self.datagrams.close()
