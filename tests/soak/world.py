"""What all who drive the server share: where it is, whom it knows, when they may go on, and what came
of all they did."""
import collections
import contextlib
import itertools
import random
import threading
import time

from wire import dialled

MOST_WRONG = 1000  # are kept, and shown


class Tally:
    """Counts and times, for the interval that runs and for all. Any thread may add to it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.times = collections.defaultdict(list)
        self.done = collections.Counter()
        self.commands = collections.Counter()
        self.wrong = []
        self.wrong_count = 0

    @contextlib.contextmanager
    def timed(self, door):
        """How long an answer of that door took; none where it was wrong."""
        begun = time.monotonic()
        yield
        with self.lock:
            self.times[door].append(time.monotonic() - begun)

    def add_done(self, action):
        with self.lock:
            self.done[action] += 1

    def add_command(self, word):
        with self.lock:
            self.commands[word.upper()] += 1

    def add_wrong(self, action, why):
        with self.lock:
            self.wrong_count += 1
            if len(self.wrong) < MOST_WRONG:
                self.wrong.append(f"{action}: {why}")
                print(f"{time.strftime('%T')} wrong: {self.wrong[-1]}", flush=True)

    def take_times(self):
        with self.lock:
            times, self.times = self.times, collections.defaultdict(list)
        return times


class Gate:
    """Whoever does something goes through it. While it is closed nobody does anything."""

    def __init__(self):
        self.condition = threading.Condition()
        self.is_open = True
        self.inside = collections.Counter()

    @contextlib.contextmanager
    def passed(self, action):
        with self.condition:
            self.condition.wait_for(lambda: self.is_open)
            self.inside[action] += 1
        try:
            yield
        finally:
            with self.condition:
                self.inside[action] -= 1
                self.condition.notify_all()

    def close(self, patience):
        """Waits until nobody is inside. Returns who is still there after so many seconds."""
        with self.condition:
            self.is_open = False
            self.condition.wait_for(lambda: not +self.inside, patience)
            return list(+self.inside)

    def open(self):
        with self.condition:
            self.is_open = True
            self.condition.notify_all()


class Pace:
    """Turns for all threads at an even rate. Turns that were missed by more than 100 ms are lost, so
    that what was held up for long is not made up for by a storm."""

    def __init__(self, rate):
        self.lock = threading.Lock()
        self.step = 1 / rate
        self.next = time.monotonic()

    def wait(self, stopping):
        with self.lock:
            turn = self.next = max(self.next + self.step, time.monotonic() - 0.1)
        stopping.wait(max(0, turn - time.monotonic()))


class World:
    def __init__(self, server, ports):
        self.server = server
        self.ports = ports
        self.tally = Tally()
        self.gate = Gate()
        self.stopping = threading.Event()
        self.login_wanted = False  # auth = required, else optional; changes while the gate is closed
        self.users = {"alice": "wonderland-1", "bob": "the builder 2", "carol": "christmas-3"}
        self.strangers = itertools.count()  # next() of these is atomic
        self.guesses = itertools.count()

    def at_home(self):
        """An address of a client that is here again and again."""
        return f"127.1.0.{random.randint(1, 250)}"

    def passing_by(self, net):
        """An address of a client that was not here before, or long ago."""
        n = next(self.strangers)
        return f"127.{net}.{n // 250 % 250}.{1 + n % 250}"

    def guesser(self):
        """An address from which one wrong login comes every few minutes. They are not new each time: the
        table of who guesses has places for so many that it would grow for all of the run."""
        return f"127.6.0.{1 + next(self.guesses) % 250}"

    def login(self):
        name = random.choice(list(self.users))
        return name, self.users[name]

    def login_or_none(self):
        return self.login() if self.login_wanted or random.random() < 0.5 else None

    def name(self):
        """Of the origin: one of a few, or one that nobody has asked for yet."""
        if random.random() < 0.7:
            return f"www{random.randint(1, 20)}.soak.test"
        return f"n{random.getrandbits(48):x}.soak.test"

    def run(self, action, function):
        """Once, behind the gate, with whatever comes of it in the tally."""
        with self.gate.passed(action):
            if self.stopping.is_set():
                return
            try:
                function(self)
                self.tally.add_done(action)
            except Exception as e:  # all that can go wrong is an answer of the server's
                self.tally.add_wrong(action, f"{type(e).__name__}: {e}{self.server.said_of(dialled)}")
