"""A headless Chromium, driven as a person would: by what is written on the page.

Fields are found by their labels, buttons and links by their names, so that a control without one is
not found at all. Nothing sleeps: what is waited for is a state of the page, and every wait has an
end that only a failure reaches.
"""

import base64
import json
import os
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

PICTURE_MOST = 4000  # px of its height
WAIT_S = 30  # that something may take which is about to happen


class Failure(Exception):
    """What a check has to say about the page."""


def quoted(text):
    """As XPath wants it."""
    return "'%s'" % text if "'" not in text else '"%s"' % text


def fields_named(label):
    text = quoted(label)
    control = "(self::input or self::select or self::textarea)"
    return (
        f"//*[{control}][@id=//label[normalize-space()={text}]/@for]"
        f"|//label[normalize-space()={text} or normalize-space(text()[1])={text}]"
        "//*[self::input or self::select or self::textarea]"
        f"|//*[{control}][@aria-label={text}]"
    )


def buttons_named(name):
    text = quoted(name)
    return (
        f"//button[normalize-space()={text} or @aria-label={text}]"
        f"|//*[@role='button'][normalize-space()={text} or @aria-label={text}]"
        f"|//summary[normalize-space()={text}]"
        f"|//input[@type='submit'][@value={text}]"
    )


class Browser:
    """One window with a profile of its own, which `close` ends with its driver."""

    def __init__(self, base, folder, more=()):
        self.base = base
        self.requests = []  # the addresses of all that was asked for
        self.statuses = {}  # of what was answered, by address
        self.messages = []  # of the console
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for word in (
            "--headless=new",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--no-default-browser-check",
            "--no-first-run",
            "--password-store=basic",
            "--lang=en-US",
            f"--user-data-dir={folder}",
            *more,
        ):
            options.add_argument(word)
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.set_page_load_timeout(WAIT_S)
        self.driver.set_script_timeout(WAIT_S)
        self.resize(1280)
        self.driver.get("about:blank")
        self.forget()

    def close(self):
        self.driver.quit()

    # ---- the window ----

    def call(self, command, **parameters):
        return self.driver.execute_cdp_cmd(command, parameters)

    def resize(self, width, height=900):
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def set_scheme(self, scheme):
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )

    def set_time_zone(self, name):
        self.call("Emulation.setTimezoneOverride", timezoneId=name)

    def set_scripts(self, on):
        self.call("Emulation.setScriptExecutionDisabled", value=not on)

    def take_picture(self, path, most=PICTURE_MOST):
        """Of the whole page, up to so much of its height."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {
            "x": 0,
            "y": 0,
            "width": size["width"],
            "height": min(size["height"], most),
            "scale": 1,
        }
        data = self.call(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip
        )["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    # ---- the page ----

    def go(self, path):
        self.driver.get(self.base + path)

    @property
    def path(self):
        return urlsplit(self.driver.current_url).path

    @property
    def text(self):
        return self.driver.find_element(By.TAG_NAME, "body").text

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def fetch(self, path, method="GET", parameters=()):
        """What a script of the page gets: status, type and text."""
        return self.driver.execute_async_script(
            """
            const [path, method, parameters, done] = arguments;
            const token = document.querySelector("#logout input[name=token]").value;
            const options = { method, headers: { "X-Token": token } };
            if (method === "POST") {
                options.headers["Content-Type"] = "application/json";
                options.body = JSON.stringify(parameters);
            }
            fetch(path, options).then(async (r) =>
                done([r.status, r.headers.get("Content-Type"), await r.text()]));
            """,
            path,
            method,
            list(parameters),
        )

    def all(self, selector):
        by = By.XPATH if selector.startswith(("/", "(")) else By.CSS_SELECTOR
        return [e for e in self.driver.find_elements(by, selector) if e.is_displayed()]

    def one(self, selector, what=None):
        return self.wait(what or selector, lambda: (self.all(selector) or [None])[0])

    def field(self, label):
        return self.one(fields_named(label), f"a field {label!r}")

    def button(self, name):
        return self.one(buttons_named(name), f"a button {name!r}")

    def answer(self, name):
        """The button of that name of the dialog that is open."""
        dialog = "//dialog[@open]"
        return self.one(
            f"{dialog}//button[normalize-space()={quoted(name)}]", f"a dialog's button {name!r}"
        )

    def link(self, name):
        return self.one(f"//a[normalize-space()={quoted(name)}]", f"a link {name!r}")

    def write(self, label, text):
        field = self.field(label)
        field.clear()
        field.send_keys(text)

    def choose(self, label, text):
        self.field(label).find_element(By.XPATH, f"./option[normalize-space()={quoted(text)}]").click()

    def press(self, *keys):
        """Keys, wherever the focus is."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def focus(self):
        return self.driver.switch_to.active_element

    def tab_to(self, is_there, what, most=400):
        """By Tab alone."""
        for _ in range(most):
            try:
                if is_there(self.focus()):
                    return self.focus()
            except StaleElementReferenceException:
                pass
            self.press(Keys.TAB)
        raise Failure(f"Tab does not lead to {what}")

    def row(self, *words):
        """The row of a table that has all of these in it, or None."""
        for row in self.all("tbody tr"):
            try:
                text = row.text
            except StaleElementReferenceException:
                return None
            if all(word in text for word in words):
                return row
        return None

    def wait(self, what, look, seconds=WAIT_S):
        """What `look` returns, once that is something. The page may change under its hands, or be
        on its way to another one."""
        end = self.now() + seconds
        while True:
            try:
                found = look()
            except WebDriverException:
                found = None
            if found:
                return found
            if self.now() > end:
                raise Failure(f"there is no {what} on {self.driver.current_url}: {self.shown()!r}")
            self.breathe()

    def shown(self):
        try:
            return self.text[:400]
        except WebDriverException as problem:
            return problem.msg

    @staticmethod
    def now():
        return os.times().elapsed

    def breathe(self):
        """Until the page has painted once more; a page without scripts has nothing to wait for."""
        try:
            self.driver.execute_async_script(
                "const done = arguments[0]; setTimeout(() => done(), 50);"
            )
        except WebDriverException:
            pass

    # ---- logging in and out ----

    def log_in(self, name, password):
        self.go("/login")
        self.write("Name", name)
        self.write("Password", password)
        self.button("Log in").click()

    def pages(self):
        """The paths that the navigation leads to, in its order."""
        paths = []
        for link in self.all("nav a[href]"):
            path = urlsplit(link.get_attribute("href")).path
            if path not in paths:
                paths.append(path)
        return paths

    # ---- what the devtools have seen ----

    def forget(self):
        """All that was seen so far, such as the browser's own first page."""
        self.collect()
        self.requests, self.statuses, self.messages = [], {}, []

    def collect(self):
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
            elif message["method"] == "Network.responseReceived":
                response = message["params"]["response"]
                self.statuses[response["url"]] = response["status"]
        self.messages += self.driver.get_log("browser")

    def foreign_requests(self):
        """To anybody but the server; what the page has in itself is no request."""
        self.collect()
        own = urlsplit(self.base)
        return sorted(
            {
                url
                for url in self.requests
                if urlsplit(url).scheme not in ("data", "blob", "about", "chrome")
                and urlsplit(url)[:2] != own[:2]
            }
        )

    def complaints(self, expected=()):
        """Errors of the console, policy violations among them, but those with an expected text."""
        self.collect()
        return [
            m["message"]
            for m in self.messages
            if m["level"] in ("SEVERE", "WARNING")
            and not any(text in m["message"] for text in expected)
        ]
