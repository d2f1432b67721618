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
FLAGS = os.environ.get("BROWSER_FLAGS", "").splitlines()

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
        self.browser = Browser(FRONT, os.path.join(folder, "chromium"), FLAGS)
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

    def it_is_in_the_table(self):
        b = self.browser
        b.go("/sessions")
        row = b.wait("row of the download", lambda: b.row("alice", WEB))
        b.wait("rate in the row", lambda: "Mbit/s" in (b.row("alice", WEB) or row).text)

    def columns_stay_where_they_are(self):
        """While the numbers in them change."""
        b = self.browser
        b.go("/sessions")
        b.wait("row of the download", lambda: b.row("alice", WEB))
        text, places = b.row("alice", WEB).text, self.places_of_columns()
        for _ in range(3):
            text = b.wait("news in the row", lambda: self.news_of("alice", text))
            equal("places of the columns", self.places_of_columns(), places)

    def news_of(self, word, text):
        row = self.browser.row(word, WEB)
        return row.text if row and row.text != text else None

    def places_of_columns(self):
        return [e.rect["x"] for e in self.browser.all("main thead th")]

    def it_is_ended_there(self):
        b = self.browser
        b.go("/sessions")
        self.button_to_end("alice").click()
        b.answer("End").click()
        b.wait("end of the download", lambda: self.download.poll() is not None)
        demand("curl did not notice", self.download.returncode != 0)
        b.wait("empty table", lambda: not b.row("alice", WEB))

    def button_to_end(self, user):
        b = self.browser
        row = b.wait(f"row of {user}", lambda: b.row(user, WEB))
        return row.find_element(By.XPATH, ".//button[starts-with(normalize-space(), 'End')]")

    def it_is_ended_by_keys_alone(self):
        b = self.browser
        b.driver.delete_all_cookies()
        self.download = self.clients.start(f"http://{WEB}/100000", "bob")
        b.go("/login")
        b.tab_to(lambda e: e.get_attribute("name") == "name", "the name")
        b.press("root", Keys.TAB, "secret", Keys.ENTER)
        b.wait("page Now", lambda: b.path == "/")
        b.tab_to(lambda e: e.text == "Sessions" and e.tag_name == "a", "Sessions")
        b.press(Keys.ENTER)
        b.wait("row of bob", lambda: b.path == "/sessions" and b.row("bob", WEB))
        b.tab_to(lambda e: e.tag_name == "button" and "bob" in self.row_around(e), "End")
        b.press(Keys.ENTER)
        b.wait("dialog", lambda: b.all("dialog[open]"))
        b.tab_to(lambda e: e.text == "End" and self.is_in_dialog(e), "the dialog's End")
        b.press(Keys.ENTER)
        b.wait("end of the download", lambda: self.download.poll() is not None)

    @staticmethod
    def row_around(element):
        rows = element.find_elements(By.XPATH, "./ancestor::tr")
        return rows[0].text if rows else ""

    @staticmethod
    def is_in_dialog(element):
        return bool(element.find_elements(By.XPATH, "./ancestor::dialog"))

    def told_rate(self, direction, which):
        """Mbit/s, of the plot's label: Last: Down 1.6 Mbit/s, Up 3 kbit/s. Most: ..."""
        label = self.browser.one("svg.plot").get_attribute("aria-label")
        match = re.search(rf"{which}: .*?{direction} ([\d.]+)\s([kMG]?)bit/s", label)
        if not match:
            return 0.0
        return float(match[1]) * {"": 1e-6, "k": 1e-3, "M": 1, "G": 1e3}[match[2]]

    def line(self, name):
        return self.browser.one(f"svg.plot path.line.{name}").get_attribute("d")

    # ---- what is changed ----

    def a_user_who_is_added_may_use_the_proxy(self):
        b = self.browser
        equal("curl of nobody", self.clients.get(f"http://{WEB}/", "carol", "for-carol"), 97)
        b.go("/users")
        b.button("Add a user …").click()
        b.write("Name", "carol")
        b.write("Password", "for-carol")
        b.answer("Add").click()
        b.wait("row of carol", lambda: b.row("carol"))
        equal("curl of carol", self.clients.get(f"http://{WEB}/", "carol", "for-carol"), 0)
        equal("wrong password", self.clients.get(f"http://{WEB}/", "carol", "wrong"), 97)

    def without_scripts_all_can_be_read(self):
        b = self.browser
        paths = b.pages()
        words = {
            "/": "Sessions",
            "/sessions": WEB,
            "/users": "carol",
            "/rules": "blocked.example",
            "/log": WEB,
            "/settings": "max_sessions",
            "/own": "root",
        }
        self.download = self.clients.start(f"http://{WEB}/100000", "alice")
        try:
            b.set_scripts(False)
            for path in paths:
                b.go(path)
                word = words.get(path, "socks5d")
                b.wait(f"word {word!r}", lambda word=word: word in self.read_again())
                demand(f"{path} does not say that scripts are off", "JavaScript" in b.text)
        finally:
            b.set_scripts(True)
            self.download.terminate()

    def read_again(self):
        self.browser.driver.refresh()
        return self.browser.text

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

    def all(self, names):
        """Those of these names, or all."""
        if not names and not os.path.exists(AXE):
            self.skip("axe_finds_nothing_serious", "axe-core from npm")
        for check in (
            self.a_wrong_password_is_refused_in_words,
            self.an_administrator_logs_in,
            self.a_download_is_in_the_plot,
            self.it_is_in_the_table,
            self.columns_stay_where_they_are,
            self.it_is_ended_there,
            self.it_is_ended_by_keys_alone,
            self.a_user_who_is_added_may_use_the_proxy,
            self.without_scripts_all_can_be_read,
            self.take_pictures,
            self.axe_finds_nothing_serious,
            self.nobody_else_was_asked,
            self.the_console_is_silent,
        ):
            if names and check.__name__ not in names:
                continue
            if check != self.axe_finds_nothing_serious or os.path.exists(AXE):
                self.run(check)


def main():
    os.makedirs(PICTURES, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    checks = Checks(sys.argv[1])
    try:
        checks.all(sys.argv[2:])
    finally:
        checks.close()
    print(checks.passed, checks.failed, checks.skipped)


if __name__ == "__main__":
    main()
