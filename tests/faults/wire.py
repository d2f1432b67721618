"""A link between two network namespaces that does to packets what bad links do.

	wire.py INTERFACE PID PEER-INTERFACE [SEED]

makes a TUN interface here and another one in the network of that process, and carries packets from the
one to the other. A line on standard input says what becomes of them from then on, and is answered by
"done" once it holds:

	loss=3 duplicate=2 reorder=25 delay=10

in percent, and in ms for each way; what is not named is 0. As with tc-netem(8), what is reordered goes
without the delay, past what waits. loss=100 is a cable that was pulled.
"""

import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
CLONE_NEWNET = 0x40000000
MOST = 65536  # bytes of a packet
QUEUE = 20000  # packets under way: what comes then is lost


def open_tun(name):
	fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
	fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
	return fd


def open_tun_of(pid, name):
	"""The device belongs to the network that it is opened in."""
	libc = ctypes.CDLL(None, use_errno=True)
	own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
	other = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
	if libc.setns(other, CLONE_NEWNET) < 0:
		raise OSError(ctypes.get_errno(), "setns")
	fd = open_tun(name)
	if libc.setns(own, CLONE_NEWNET) < 0:
		raise OSError(ctypes.get_errno(), "setns")
	os.close(own)
	os.close(other)
	return fd


class Wire:
	def __init__(self, ends, seed):
		self.across = {ends[0]: ends[1], ends[1]: ends[0]}
		self.random = random.Random(seed)
		self.waiting = []  # a heap of (when, number, end, packet)
		self.number = 0
		self.faults = {"loss": 0.0, "duplicate": 0.0, "reorder": 0.0, "delay": 0.0}

	def has(self, fault):
		return self.random.random() * 100 < self.faults[fault]

	def enter(self, end, packet, now):
		if self.has("loss") or len(self.waiting) >= QUEUE:
			return
		for _ in range(2 if self.has("duplicate") else 1):
			delay = 0 if self.has("reorder") else self.faults["delay"] / 1000
			self.number += 1
			heapq.heappush(self.waiting, (now + delay, self.number, end, packet))

	def read(self, end):
		now = time.monotonic()
		try:
			for _ in range(64):
				self.enter(self.across[end], os.read(end, MOST), now)
		except OSError:  # no more, or the interface is down
			pass

	def send_due(self):
		now = time.monotonic()
		while self.waiting and self.waiting[0][0] <= now:
			_, _, end, packet = heapq.heappop(self.waiting)
			try:
				os.write(end, packet)
			except OSError:  # the interface is down, or full: lost
				pass

	def time_left(self):
		if not self.waiting:
			return None
		return max(0.0, (self.waiting[0][0] - time.monotonic()) * 1000)

	def obey(self, line):
		self.faults = dict.fromkeys(self.faults, 0.0)
		for word in line.split():
			name, value = word.split("=")
			self.faults[name] = float(value)
		if self.faults["loss"] >= 100:
			self.waiting.clear()
		print("done", flush=True)

	def run(self):
		poll = select.poll()
		for fd in (sys.stdin.fileno(), *self.across):
			poll.register(fd, select.POLLIN)
		while True:
			ready = dict(poll.poll(self.time_left()))
			for end in self.across:
				if end in ready:
					self.read(end)
			self.send_due()
			if sys.stdin.fileno() in ready:
				line = sys.stdin.readline()
				if not line:
					return
				self.obey(line)


def main():
	interface, pid, peer = sys.argv[1:4]
	seed = sys.argv[4] if len(sys.argv) > 4 else "0"
	wire = Wire((open_tun(interface), open_tun_of(pid, peer)), seed)
	print("done", flush=True)
	wire.run()


main()
