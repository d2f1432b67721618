"""What people do with the pages, one thing after the other, in one browser.

Printed is what tests/clients/lib.sh prints, and at last how many passed, failed and were skipped.
A check that fails leaves a picture of what was there: failed-NAME.png.
"""

import os
import re
import signal
import sys
import time
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

# Lines of the console that belong to what is tried.
# What the page's scripts have asked for first is there.
LOADED = """
    return document.readyState === "complete" &&
        performance.getEntriesByType("resource").some((e) => e.name.includes("/api/"));
"""

FAILED = "Failed to load resource: the server responded with a status of "
EXPECTED = (
    f"/login - {FAILED}403",  # a wrong password
    f"/api/config - {FAILED}400",  # a value that is not legal
    f"/sessions - {FAILED}403",  # who is no administrator
    f"/own - {FAILED}4",  # a wrong old password
)


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

    def markup_in_a_name_is_text(self):
        b = self.browser
        name = "<b>bold</b>&amp;"
        equal("adding", b.fetch("/api/add_user", "POST", (name, "secret"))[0], 200)
        b.go("/users")
        b.wait("row with markup as text", lambda: b.row(name))
        equal("bold elements", b.all("main b"), [])

    def a_setting_is_changed(self):
        b = self.browser
        b.go("/settings")
        b.button("Change connect_timeout").click()
        b.write("Value", "nonsense")
        b.answer("Change").click()
        b.wait("refusal in words", lambda: b.all("dialog[open] [role=alert]"))
        b.write("Value", "25s")
        b.answer("Change").click()
        b.wait("the new value", lambda: b.row("connect_timeout", "25s"))
        answer = b.fetch("/api/settings?arg=connect_timeout")[2]
        demand(f"the server says {answer}", '"value":25' in answer)

    def explain_says_what_decides(self):
        b = self.browser
        b.go("/rules")
        self.explain("blocked.example:443")
        b.wait("denial", lambda: "It would be denied" in b.text)
        demand("no step tells of the rule", "deny to blocked.example" in b.one("#explanation").text)
        self.explain(WEB)
        b.wait("permission", lambda: "It would be allowed" in b.text)

    def explain(self, target):
        b = self.browser
        b.write("From", "192.168.1.20")
        b.write("User", "alice")
        b.write("To", target)
        b.button("Explain").click()

    def a_refusal_says_why(self):
        b = self.browser
        equal("curl", self.clients.get("http://blocked.example/", "alice"), 97)
        b.go("/rules")
        row = b.wait("row of the refusal", lambda: b.row("alice", "blocked.example:80"))
        row.find_element(By.XPATH, ".//button[normalize-space()='Why']").click()
        told = b.one("dialog[open]").text
        demand(f"the rule is not in {told!r}", "deny to blocked.example" in told)
        b.answer("Close").click()

    # ---- the log ----

    def the_log_is_read_as_it_goes_on(self):
        b = self.browser
        b.go("/log")
        b.wait("live part", lambda: "Nothing has happened" in b.text)
        equal("curl", self.clients.get(f"http://{WEB}/", "bob"), 0)
        b.wait("end of bob's session", lambda: b.row("bob", WEB, "ends"))
        b.button("Pause").click()
        equal("curl", self.clients.get(f"http://{WEB}/", "alice"), 0)
        b.wait("count of what waits", lambda: "have come since" in b.text)
        demand("what waits is shown", not self.is_watched("alice"))
        b.button("Go on").click()
        b.wait("what has waited", lambda: self.is_watched("alice"))

    def is_watched(self, user):
        return any(user in row.text for row in self.browser.all("#watch-table tbody tr"))

    def the_access_log_can_be_saved(self):
        b = self.browser
        b.go("/log")
        link = b.link("The access log")
        status, kind, text = b.fetch(link.get_attribute("href"))
        equal("status", status, 200)
        demand(f"it is {kind}", kind.startswith("text/csv"))
        demand(f"alice is not in {text[:300]!r}", "alice" in text and WEB in text)

    def times_are_the_browser_s_own(self):
        """Nine hours after UTC, of what happened a moment ago."""
        b = self.browser
        b.set_time_zone("Asia/Tokyo")
        try:
            b.go("/users")
            row = b.wait("row of alice", lambda: b.row("alice"))
            told = re.search(r"(\d\d):(\d\d):\d\d", row.text)
            demand(f"no time in {row.text!r}", told)
            minutes = int(told[1]) * 60 + int(told[2])
            now = int(time.time()) // 60 + 9 * 60
            demand(f"{told[0]} is not now in Tokyo", (now - minutes) % 1440 < 30)
            b.go("/log")
            b.wait("the same in the log", lambda: told[0][:5] in b.one("#entries-table").text)
        finally:
            b.set_time_zone("")

    # ---- who is no administrator ----

    def a_logout_ends_it(self):
        b = self.browser
        b.go("/")
        b.button("Log out").click()
        b.wait("login", lambda: b.path == "/login")
        b.go("/sessions")
        equal("path", b.path, "/login")

    def a_user_sees_only_his_own_page(self):
        b = self.browser
        self.download = self.clients.start(f"http://{WEB}/50000", "bob")
        b.log_in("alice", "secret")
        b.wait("page", lambda: b.all("nav a[href]"))
        equal("pages", b.pages(), ["/own"])
        b.go("/own")
        b.wait("her usage", lambda: re.search(r"Today\s+(Down\s+)?[\d.]+\s[kM]?B", b.text))
        demand("others are told of", "bob" not in b.text and "root" not in b.text)
        b.go("/sessions")
        demand("she sees the sessions", "bob" not in b.text and not b.all("table"))
        self.download.terminate()

    def a_user_changes_his_password(self):
        b = self.browser
        b.go("/own")
        self.change_password("wrong", "new-secret", "new-secret")
        b.wait("refusal", lambda: b.all("[role=alert]"))
        self.change_password("secret", "new-secret", "new-secret")
        b.wait("confirmation", lambda: b.all("[role=status]") and not b.all("[role=alert]"))
        equal("old password", self.clients.get(f"http://{WEB}/", "alice", "secret"), 97)
        equal("new password", self.clients.get(f"http://{WEB}/", "alice", "new-secret"), 0)
        b.go("/own")
        equal("path", b.path, "/own")

    def change_password(self, old, new, again):
        b = self.browser
        b.write("Old password", old)
        b.write("New password", new)
        b.write("New password again", again)
        b.button("Change it").click()

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
        b = self.browser
        self.download = self.clients.start(f"http://{WEB}/300000~9", "alice")
        for path in b.pages():
            b.go(path)
            b.wait("what is asked for", lambda: b.run(LOADED))
            for width in WIDTHS:
                b.resize(width)
                for scheme in SCHEMES:
                    b.set_scheme(scheme)
                    self.take_picture_of(path, scheme, width)
        b.set_scheme("light")
        b.resize(1280)
        self.download.terminate()

    def take_picture_of(self, path, scheme, width):
        b = self.browser
        b.breathe()
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
            b.go(path)
            b.wait("what is asked for", lambda: b.run(LOADED))
            for scheme in SCHEMES:
                b.set_scheme(scheme)
                b.breathe()
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
            self.markup_in_a_name_is_text,
            self.a_setting_is_changed,
            self.explain_says_what_decides,
            self.a_refusal_says_why,
            self.the_log_is_read_as_it_goes_on,
            self.the_access_log_can_be_saved,
            self.times_are_the_browser_s_own,
            self.without_scripts_all_can_be_read,
            self.take_pictures,
            self.axe_finds_nothing_serious,
            self.a_logout_ends_it,
            self.a_user_sees_only_his_own_page,
            self.a_user_changes_his_password,
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
