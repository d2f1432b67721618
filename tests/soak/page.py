"""What comes to web_listen: a browser that logs in, looks at all pages and posts, a program that asks
/api, Prometheus, a balancer, and those who may not."""
import http.cookies
import json
import random
import re
import socket
import urllib.parse

from monitor import BOSS
from wire import PATIENCE, Wrong, expect, http_ask, http_credentials

PAGES = ["/", "/sessions", "/users", "/rules", "/log", "/settings", "/own", "/base.css", "/app.js", "/table.js",
         "/plot.js", "/format.js", "/dialog.js", "/page_now.js", "/icon.svg"]  # fmt: skip
READ = ["stats", "connections", "users", "config", "access_log?arg=*&arg=50", "help", "accounts", "clients", "limits",
        "guests", "bans", "rules", "upstreams", "settings", "traffic", "usage", "days", "sites", "why?arg=*",
        "alarms", "version", "connections.csv", "accounts.csv"]  # fmt: skip


class Visit:
    """One kept connection to the web's front."""

    def __init__(self, world):
        self.world = world
        self.sock = socket.create_connection(world.server.web, PATIENCE)
        self.host = "%s:%d" % world.server.web
        self.cookies = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def ask(self, method, path, fields="", body=b""):
        """(status, fields, body)"""
        if self.cookies:
            fields += "Cookie: " + "; ".join(f"{k}={v}" for k, v in self.cookies.items()) + "\r\n"
        with self.world.tally.timed("web"):
            answer = http_ask(self.sock, method, path, self.host, fields, body)
            data = answer.read()
        for line in answer.headers.get_all("Set-Cookie", []):
            for name, morsel in http.cookies.SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        answer.close()
        return answer.status, answer.headers, data

    def get(self, path, fields="", wanted=200):
        status, _, data = self.ask("GET", path, fields)
        expect(f"status of {path}", status, wanted)
        return data

    def post(self, path, fields="", body=b"", wanted=200):
        status, _, data = self.ask("POST", path, fields, body)
        expect(f"status of {path}: {data[:80]!r}", status, wanted)
        return data

    def post_form(self, path, wanted, **values):
        return self.post(path, "Content-Type: application/x-www-form-urlencoded\r\n",
                         urllib.parse.urlencode(values).encode(), wanted)

    def log_in(self, name, password, wanted=303):
        token = re.search(rb'name="?token"? value="([^"]+)"', self.get("/login"))
        if not token:
            raise Wrong("no token in /login")
        self.post_form("/login", wanted, name=name, password=password, token=token[1].decode())


def browser(world):
    with Visit(world) as visit:
        visit.log_in(*BOSS)
        for path in PAGES:
            visit.get(path)
        session = json.loads(visit.get("/api/session"))
        expect("who is logged in", session["user"], BOSS[0])
        cursor = json.loads(visit.get("/api/watch"))["cursor"]
        for word in READ:
            visit.get(f"/api/{word}")
        json.loads(visit.get(f"/api/watch?after={cursor}"))
        visit.post("/api/config", f"Content-Type: application/json\r\nX-Token: {session['token']}\r\n",
                   b'["http_via","no"]')
        visit.post_form("/logout", 303, token=session["token"])
        visit.get("/api/stats", wanted=401)


def own_page(world):
    """Of a user who is no administrator."""
    name, password = world.login()
    with Visit(world) as visit:
        visit.log_in(name, password)
        visit.get("/own")
        visit.get("/sessions", wanted=403)
        visit.get(f"/api/usage?arg={name}")


def program(world):
    basic = http_credentials(BOSS, "Authorization")
    with Visit(world) as visit:
        for word in random.sample(READ, 6):
            visit.get(f"/api/{word}", basic)
        visit.post("/api/log_level", basic + "Content-Type: application/json\r\n", b'["info"]')
        visit.get("/api/kill?arg=1", basic, wanted=405)
        visit.get("/api/nothing", basic, wanted=404)
        visit.get("/api/stats", wanted=401)


def prometheus(world):
    with Visit(world) as visit:
        for accept in ("text/plain;version=0.0.4", "application/openmetrics-text;version=1.0.0"):
            data = visit.get("/metrics", f"Accept: {accept}\r\n")
            expect("sessions in /metrics", b"\nsocks5d_sessions_active" in data, True)
        expect("health", visit.get("/healthz").strip(), b"ok")


def rude(world):
    """Half a request, a wrong Host, no request at all."""
    with Visit(world) as visit:
        visit.sock.sendall(b"GET /metrics HTTP/1.1\r\nHost:")
    with Visit(world) as visit:
        visit.host = "www.example.org"
        visit.get("/metrics", wanted=421)
    with Visit(world) as visit:
        visit.sock.sendall(b"\0\1\2\3\r\n\r\n")
        visit.sock.recv(4096)


VISITS = [browser, own_page, program, prometheus, rude]
