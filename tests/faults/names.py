# Name servers of every bad kind, on 127.0.0.1, each by UDP and TCP on a port of its own or the one
# that is given. Whatever the name, a right answer is 127.0.0.1; of IPv6 there is none.
#
#	names.py [KIND[:PORT]]...	says "KIND PORT" for each, and then the kind and the name of
#					each question
import os
import socket
import struct
import sys
import threading
import time

A, CNAME, AAAA = 1, 5, 28
RCODES = {'servfail': 2, 'missing': 3, 'refuses': 5, 'formerr': 1}
SLOW = 0.6  # seconds
MANY = 4000  # addresses, of which 65,535 bytes have room for few more


def encode(name):
    return b''.join(bytes([len(part)]) + part for part in name.split(b'.') if part) + b'\0'


def parse(query):
    """Its id, the name, the type, and the question as it came."""
    at, parts = 12, []
    while query[at]:
        parts.append(query[at + 1:at + 1 + query[at]])
        at += 1 + query[at]
    return query[:2], b'.'.join(parts), struct.unpack('>H', query[at + 1:at + 3])[0], query[12:at + 5]


def record(owner, kind, data):
    return owner + struct.pack('>HHIH', kind, 1, 1, len(data)) + data


def answer(ident, question, records, rcode=0, truncated=False, flags=0x8180):
    flags |= rcode | (0x200 if truncated else 0)
    return ident + struct.pack('>HHHHH', flags, 1, len(records), 0, 0) + question + b''.join(records)


def address(owner=b'\xc0\x0c'):
    return record(owner, A, b'\x7f\0\0\1')


def chain(length):
    """Names that are each another's, the last one with an address."""
    names = [b'\xc0\x0c'] + [encode(b'link%d.test' % i) for i in range(length)]
    return [record(names[i], CNAME, names[i + 1]) for i in range(length)] + [address(names[-1])]


def loop(name):
    other = encode(b'other.test')
    return [record(b'\xc0\x0c', CNAME, other), record(other, CNAME, encode(name))]


def right(ident, name, kind, question):
    return answer(ident, question, [address()] if kind == A else [])


def respond(what, query, by_tcp):
    """None is no answer at all."""
    ident, name, kind, question = parse(query)
    good = right(ident, name, kind, question)
    if what in RCODES:
        return answer(ident, question, [], RCODES[what])
    if what.startswith('tcp_') and not by_tcp:
        return answer(ident, question, [], truncated=True)
    if what == 'many' and not by_tcp:
        return answer(ident, question, [], truncated=kind == A)
    if what == 'slow':
        time.sleep(SLOW)
    return {
        'silent': None,
        'truncated': answer(ident, question, [], truncated=True),
        'garbage': os.urandom(200),
        'zeros': bytes(512),
        'tiny': ident,
        'header': good[:12],
        'wrong_id': bytes([ident[0] ^ 1, ident[1]]) + good[2:],
        'wrong_question': answer(ident, encode(b'else.test') + question[-4:], [address()]),
        'wrong_owner': answer(ident, question, [address(encode(b'else.test'))]),
        'echo': query,
        'lame': answer(ident, question, [], flags=0x8100),
        'half': good[:-6],
        'overlong': good[:-6] + b'\xff\xff' + good[-4:],
        'pointer_loop': answer(ident, b'\xc0\x0c' + question[-4:], [address()]),
        'loop': answer(ident, question, loop(name)),
        'self': answer(ident, question, [record(b'\xc0\x0c', CNAME, b'\xc0\x0c')]),
        'chain': answer(ident, question, chain(8)),
        'empty': answer(ident, question, []),
        'many': answer(ident, question, [address()] * MANY if kind == A else []),
    }.get(what, good)


def say(*words):
    print(*words, flush=True)


def serve_udp(what, s):
    while True:
        query, peer = s.recvfrom(65535)
        say(what, parse(query)[1].decode(errors='replace'))
        threading.Thread(target=reply_udp, args=(what, s, query, peer), daemon=True).start()


def reply_udp(what, s, query, peer):
    response = respond(what, query, False)
    if response is not None:
        s.sendto(response, peer)


def read_tcp(s):
    data = b''
    while len(data) < 2 or len(data) < 2 + struct.unpack('>H', data[:2])[0]:
        more = s.recv(65535)
        if not more:
            return None
        data += more
    return data[2:]


def talk_tcp(what, s):
    query = None if what == 'tcp_closes' else read_tcp(s)
    while query is not None:
        if what == 'tcp_silent':
            time.sleep(100000)
        response = respond(what, query, True)
        message = struct.pack('>H', len(response)) + response
        if what == 'tcp_half':
            s.sendall(message[:-5])
            time.sleep(100000)
        if what == 'tcp_breaks':
            s.sendall(message[:-5])
            break
        if what == 'tcp_drips':
            for byte in message:
                s.sendall(bytes([byte]))
                time.sleep(0.005)
        else:
            s.sendall(message)
        query = read_tcp(s)
    s.close()


def serve_tcp(what, listener):
    while True:
        s, _ = listener.accept()
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=talk_tcp, args=(what, s), daemon=True).start()


def start(what, port):
    while True:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(('127.0.0.1', port))
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tcp.bind(udp.getsockname())
            break
        except OSError:  # somebody else's
            if port:
                raise
            udp.close()
            tcp.close()
    tcp.listen()
    threading.Thread(target=serve_udp, args=(what, udp), daemon=True).start()
    threading.Thread(target=serve_tcp, args=(what, tcp), daemon=True).start()
    say(what, udp.getsockname()[1])


for argument in sys.argv[1:]:
    start(*(argument.split(':')[0], int((argument + ':0').split(':')[1])))
say('ready')
while True:
    time.sleep(100000)
