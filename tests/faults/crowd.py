# So many sessions at once through the proxy at PROXY, each to a far side of this program's that sends
# and never reads, as its client does: all that can wait anywhere on the way does.
#
#	crowd.py PROXY COUNT	says "full COUNT" when nothing moves any more, with how many of them
#				were served, and ends with its standard input
import asyncio
import socket
import sys

PIECE = bytes(200000)  # more than the proxy holds of a direction
PATIENCE = 0.5  # seconds without a byte, until nothing moves


class Flood:
    """Writes as much as goes, up to where the kernel alone holds what more there is."""
    moved = 0

    async def run(self, s):
        rest = memoryview(PIECE)
        while len(rest) > 0:
            try:
                sent = s.send(rest)
            except BlockingIOError:
                await asyncio.sleep(0.05)
                continue
            except OSError:
                break
            rest = rest[sent:]
            Flood.moved += sent
            await asyncio.sleep(0)


def small_socket():
    """What waits is to wait at the proxy."""
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    s.setblocking(False)
    return s


def listen():
    s = small_socket()
    s.bind(('127.0.0.1', 0))
    s.listen(4096)
    return s


async def accept(listener, there):
    loop = asyncio.get_running_loop()
    while True:
        s, _ = await loop.sock_accept(listener)
        s.setblocking(False)
        there.append(s)


async def connect(proxy, port):
    """The socket, or None where it was not served."""
    loop = asyncio.get_running_loop()
    s = small_socket()
    try:
        await loop.sock_connect(s, proxy)
        await loop.sock_sendall(s, b'\5\1\0\5\1\0\1\x7f\0\0\1' + port.to_bytes(2, 'big'))
        reply = b''
        while len(reply) < 12:
            more = await loop.sock_recv(s, 12 - len(reply))
            if not more:
                return None
            reply += more
        return s if reply[3] == 0 else None
    except OSError:
        return None


async def await_standstill():
    before = -1
    while Flood.moved != before:
        before = Flood.moved
        await asyncio.sleep(PATIENCE)


async def main():
    host, port = sys.argv[1].split(':')
    listener, there = listen(), []
    tasks = [asyncio.create_task(accept(listener, there))]
    served = 0
    for _ in range(int(sys.argv[2])):
        s = await connect((host, int(port)), listener.getsockname()[1])
        if s is not None:
            there.append(s)
            served += 1
    tasks += [asyncio.create_task(Flood().run(s)) for s in there]
    await await_standstill()
    print('full', served, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
