"""Clients of the proxy, by curl, as processes that are ended by the pid they were started with."""

import subprocess


class Clients:
    """`at` are words before each command, such as those that enter a namespace."""

    def __init__(self, proxy, at=()):
        self.proxy = proxy
        self.at = list(at)
        self.started = []

    def words(self, url, user, password, more):
        return [
            *self.at, "curl", "-q", "-sS", "--noproxy", "", "--max-time", "300", "-o", "/dev/null",
            "-w", "%{size_download}", "--proxy", f"socks5h://{self.proxy}",
            *(["--proxy-user", f"{user}:{password}"] if user else []), *more, url,
        ]  # fmt: skip

    def start(self, url, user=None, password="secret", more=()):
        process = subprocess.Popen(
            self.words(url, user, password, more), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.started.append(process)
        return process

    def get(self, url, user=None, password="secret", more=()):
        """The status of curl: 0, or 97 where the proxy refuses."""
        process = self.start(url, user, password, more)
        process.communicate(timeout=60)
        return process.returncode

    def close(self):
        for process in self.started:
            if process.poll() is None:
                process.terminate()
            process.communicate(timeout=60)
