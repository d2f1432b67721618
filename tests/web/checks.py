"""What people do with the pages, one thing after the other, in one browser.

Printed is what tests/clients/lib.sh prints, and at last how many passed, failed and were skipped.
A check that fails leaves a picture of what was there: failed-NAME.png.
"""

import os
import re
import signal
import sys
import traceback

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from browser import Browser, Failure
from proxied import Clients

FRONT = os.environ["FRONT"]  # http://ADDRESS:PORT
WEB = os.environ["WEB"]  # ADDRESS:PORT of origin.py
PICTURES = os.environ["PICTURES"]
AXE = os.environ["AXE"]

WIDTHS = (360, 1280, 2560)
SCHEMES = ("light", "dark")
ADMIN_PAGES = ("Now", "Sessions", "Users", "Rules", "Log", "Settings", "Own")

# Lines of the console that belong to what is tried.
EXPECTED = ("/login - Failed to load resource: the server responded with a status of 403",)


def demand(what, condition):
    if not condition:
        raise Failure(what)


def equal(what, got, wanted):
    demand(f"{what}: {got!r}, not {wanted!r}", got == wanted)


def first_line(problem):
    return (str(problem) or type(problem).__name__).splitlines()[0]


class Checks:
    def __init__(self, folder):
        self.passed = self.failed = self.skipped = 0
        self.browser = Browser(FRONT, os.path.join(folder, "chromium"))
        self.clients = Clients(os.environ["PROXY"])
        self.download = None

    def close(self):
        self.clients.close()
        self.browser.close()

    def run(self, check):
        name = check.__name__
        try:
            check()
        except Exception as problem:  # whatever it is, the others have their turn
            self.failed += 1
            print(f"not ok {name}: {problem if isinstance(problem, Failure) else first_line(problem)}")
            if not isinstance(problem, Failure):
                for frame in traceback.extract_tb(problem.__traceback__):
                    print(f"    {os.path.basename(frame.filename)}:{frame.lineno}: {frame.line}")
            self.keep_picture(f"failed-{name}")
        else:
            self.passed += 1
            print(f"ok {name}")
        sys.stdout.flush()

    def skip(self, name, need):
        self.skipped += 1
        print(f"skipped: {os.environ.get('CHECKS', 'checks')} {name} (needs {need})")

    def keep_picture(self, name):
        try:
            self.browser.take_picture(os.path.join(PICTURES, name + ".png"))
        except Exception as problem:
            print(f"    no picture: {first_line(problem)}")

    # ---- in and out ----

    def a_wrong_password_is_refused_in_words(self):
        b = self.browser
        b.log_in("root", "wrong")
        b.wait("refusal", lambda: "Name or password is wrong." in b.text)
        equal("path", b.path, "/login")

    def an_administrator_logs_in(self):
        b = self.browser
        b.log_in("root", "secret")
        b.wait("page Now", lambda: b.path == "/" and b.all("nav a[href]"))
        equal("title", b.one("h1").text, "Now")

    # ---- what goes on ----

    def a_download_is_in_the_plot(self):
        b = self.browser
        self.download = self.clients.start(f"http://{WEB}/200000", "alice")
        b.go("/")
        # 200 kB a second, which the plot says for those who do not see it, too.
        b.wait("download in the plot", lambda: 1 < self.told_rate("Down", "Last") < 3)
        demand("the line is flat", len(set(re.findall(r" (\d+\.\d)", self.line("is-down")))) > 1)

    def told_rate(self, direction, which):
        """Mbit/s, of the plot's label: Last: Down 1.6 Mbit/s, Up 3 kbit/s. Most: ..."""
        label = self.browser.one("svg.plot").get_attribute("aria-label")
        match = re.search(rf"{which}: .*?{direction} ([\d.]+)\s([kMG]?)bit/s", label)
        if not match:
            return 0.0
        return float(match[1]) * {"": 1e-6, "k": 1e-3, "M": 1, "G": 1e3}[match[2]]

    def line(self, name):
        return self.browser.one(f"svg.plot path.line.{name}").get_attribute("d")

    # ---- how it looks ----

    def take_pictures(self):
        for path in self.browser.pages():
            for scheme in SCHEMES:
                self.browser.set_scheme(scheme)
                for width in WIDTHS:
                    self.take_picture_of(path, scheme, width)
        self.browser.set_scheme("light")
        self.browser.resize(1280)

    def take_picture_of(self, path, scheme, width):
        b = self.browser
        b.resize(width)
        b.go(path)
        b.wait("title", lambda: b.all("h1"))
        name = path.strip("/") or "now"
        b.take_picture(os.path.join(PICTURES, f"{name}-{width}-{scheme}.png"))
        over = b.run(
            "const e = document.scrollingElement; return e.scrollWidth - e.clientWidth;"
        )
        demand(f"{path} is {over} px too wide for {width} px", over <= 0)

    # ---- who sees less, or nothing ----

    def axe_finds_nothing_serious(self):
        """On any page, in either scheme: what it calls serious or critical."""
        b = self.browser
        found = []
        with open(AXE, encoding="utf-8") as file:
            axe = file.read()
        for path in b.pages():
            for scheme in SCHEMES:
                b.set_scheme(scheme)
                b.go(path)
                b.wait("title", lambda: b.all("h1"))
                found += [f"{path} {scheme} {line}" for line in self.ask_axe(axe)]
        b.set_scheme("light")
        demand("axe finds\n    " + "\n    ".join(found), not found)

    def ask_axe(self, axe):
        b = self.browser
        if not b.run("return typeof axe === 'object';"):
            b.run(axe + "; window.axe = axe;")
        violations = b.driver.execute_async_script(
            """
            const done = arguments[0];
            axe.run(document, { resultTypes: ["violations"] }).then(
                (result) => done(result.violations), (error) => done([{ id: String(error),
                    impact: "critical", nodes: [] }]));
            """
        )
        return [
            f"{v['id']} ({v['impact']}) at {', '.join(str(n['target'][0]) for n in v['nodes'][:3])}"
            for v in violations
            if v["impact"] in ("serious", "critical")
        ]

    # ---- at last ----

    def nobody_else_was_asked(self):
        equal("requests to others", self.browser.foreign_requests(), [])

    def the_console_is_silent(self):
        equal("console", self.browser.complaints(EXPECTED), [])

    def all(self):
        if not os.path.exists(AXE):
            self.skip("axe_finds_nothing_serious", "axe-core from npm")
        for check in (
            self.a_wrong_password_is_refused_in_words,
            self.an_administrator_logs_in,
            self.a_download_is_in_the_plot,
            self.take_pictures,
            self.axe_finds_nothing_serious,
            self.nobody_else_was_asked,
            self.the_console_is_silent,
        ):
            if check != self.axe_finds_nothing_serious or os.path.exists(AXE):
                self.run(check)


def main():
    os.makedirs(PICTURES, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    checks = Checks(sys.argv[1])
    try:
        checks.all()
    finally:
        checks.close()
    print(checks.passed, checks.failed, checks.skipped)


if __name__ == "__main__":
    main()
