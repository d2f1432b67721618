"""A small office that is online, and pictures of the pages meanwhile: see make_pictures.sh."""

import os
import signal
import sys
import time

from browser import Browser
from proxied import Clients

OFFICE = os.environ["OFFICE"]
SECONDS = int(os.environ.get("PICTURES_SECONDS", "180"))

# Who (a desk and a user), what (a site and a rate in bytes a second, ~ and the seconds of a wave), and
# after which hundredth of the time it begins. "up": sent rather than fetched.
SESSIONS = (
    ("21", "anna", "video.example.net", "700000~35", 0),
    ("21", "anna", "mail.example.org", "40", 0),
    ("22", "bernd", "mirror.example.org", "1400000~50", 22),
    ("22", "bernd", "mail.example.org", "30", 3),
    ("22", "bernd", "news.example.com", "2500~12", 10),
    ("23", "clara", "meet.example.com", "310000~9", 8),
    ("23", "clara", "meet.example.com", "up 240", 8),
    ("40", "clara", "mail.example.org", "25", 15),
    ("40", "clara", "www.example.com", "18000~7", 40),
    ("41", "dan", "video.example.net", "450000~20", 48),
    ("41", "dan", "news.example.com", "4000~5", 12),
    ("20", None, "www.example.com", "12000~15", 5),
    ("20", None, "backup.example.net", "up 620", 30),
)

# What comes and goes: refusals among it.
VISITS = (
    ("21", "anna", "www.example.com"),
    ("40", "clara", "news.example.com"),
    ("22", "bernd", "www.example.com"),
    ("22", "bernd", "banner.ads.example"),
    ("41", "dan", "news.example.com"),
    ("20", None, "www.example.com"),
    ("21", "anna", "mail.example.org"),
    ("41", "dan", "pixel.tracker.example"),
    ("23", "clara", "news.example.com"),
    ("31", None, "www.example.com"),
    ("22", "bernd", "news.example.com"),
)


class Office:
    def __init__(self):
        self.clients = Clients(os.environ["PROXY"], os.environ["AT"].split())
        self.begun = time.monotonic()
        self.waiting = sorted(SESSIONS, key=lambda s: s[4])
        self.visits = 0

    def work(self):
        """What is due."""
        seconds = time.monotonic() - self.begun
        now = seconds * 100 / SECONDS
        while self.waiting and self.waiting[0][4] <= now:
            self.begin(*self.waiting.pop(0)[:4])
        if seconds > self.visits * 1.5:
            desk, user, site = VISITS[self.visits % len(VISITS)]
            self.visits += 1
            self.clients.start(f"http://{site}:443/", user, more=self.at(desk))

    @staticmethod
    def at(desk):
        return ("--interface", f"{OFFICE}.{desk}")

    def begin(self, desk, user, site, what):
        if what.startswith("up "):
            more = ("--limit-rate", what[3:] + "k", "-T", "/dev/zero")
            self.clients.start(f"http://{site}:443/up", user, more=(*self.at(desk), *more))
        else:
            self.clients.start(f"http://{site}:443/{what}", user, more=self.at(desk))

    def is_over(self):
        return time.monotonic() - self.begun >= SECONDS


def take_two(browser, folder):
    for path, name in (("/", "now"), ("/sessions", "sessions")):
        browser.go(path)
        browser.wait("rows", lambda: browser.all("tbody tr") and "bit/s" in browser.text)
        time.sleep(6)  # for rates, which are between two looks
        browser.take_picture(os.path.join(folder, name + ".png"), most=1250)


def take_all(browser, folder):
    for path in browser.pages():
        for scheme in ("light", "dark"):
            browser.set_scheme(scheme)
            for width in (360, 1280, 2560):
                browser.resize(width)
                browser.go(path)
                time.sleep(3)
                name = path.strip("/") or "now"
                browser.take_picture(os.path.join(folder, f"{name}-{width}-{scheme}.png"))


def main():
    own, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    office = Office()
    browser = Browser(os.environ["FRONT"], os.path.join(own, "chromium"))
    try:
        browser.log_in("root", "secret")
        while not office.is_over():
            office.work()
            time.sleep(0.2)
        (take_all if os.environ.get("ALL_PICTURES") else take_two)(browser, folder)
    finally:
        browser.close()
        office.clients.close()


if __name__ == "__main__":
    main()
