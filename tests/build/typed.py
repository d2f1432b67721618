#!/usr/bin/env python3
"""typed.py EXPECTED KEYS SHELL...: types KEYS (\\t for Tab, \\r for Enter) at the prompt "ready> " of
SHELL, which has a terminal, and waits until that shows what EXPECTED, a regular expression, matches.
What was shown is printed; the status is 0 when it was that."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

LIMIT = 30  # seconds


def wait_for(terminal, shown, expected, end):
    while not re.search(expected, shown):
        if not select.select([terminal], [], [], max(0, end - time.monotonic()))[0]:
            return shown, False
        try:
            shown += os.read(terminal, 65536)
        except OSError:  # the shell has ended
            return shown, False
    return shown, True


def main():
    expected, keys = sys.argv[1].encode(), sys.argv[2].encode().decode("unicode_escape").encode()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(sys.argv[3], sys.argv[3:])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 100, 1000, 0, 0))
    end = time.monotonic() + LIMIT
    shown, good = wait_for(terminal, b"", rb"ready> ", end)
    if good:
        os.write(terminal, keys)
        shown, good = wait_for(terminal, b"", expected, end)
    print(shown.decode(errors="replace"))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    sys.exit(not good)


main()
