"""What is sent through the proxy: bytes that both ends know by a seed, so that each can check them."""
import random

PERIOD = 1_000_003  # a prime: no buffer's size divides it
MOST = 1 << 16  # bytes of a piece
_block = random.Random(1928).randbytes(PERIOD)
_bytes = memoryview(_block + _block[:MOST])


def piece(seed, at, size):
    """size bytes (MOST at most) from offset at of the content with that seed."""
    start = (seed * 7919 + at) % PERIOD
    return _bytes[start : start + size]


def pieces(seed, size):
    """All of it."""
    for at in range(0, size, MOST):
        yield piece(seed, at, min(MOST, size - at))


class Check:
    """Takes a content as it comes and remembers where it first was another one."""

    def __init__(self, seed):
        self.seed = seed
        self.taken = 0
        self.wrong_at = None

    def take(self, data):
        for at in range(0, len(data), MOST):
            part = data[at : at + MOST]
            if self.wrong_at is None and piece(self.seed, self.taken, len(part)) != part:
                self.wrong_at = self.taken
            self.taken += len(part)
