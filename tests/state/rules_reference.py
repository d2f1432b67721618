#!/usr/bin/env python3
"""Compares what build/.../judge says with a second reading of the same rules, written for shortness.

Usage: rules_reference.py JUDGE [CASES [SEED]]. The cases are the same in every run."""
import datetime
import ipaddress
import random
import subprocess
import sys

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
RANGES = {
    "loopback": ["127.0.0.0/8", "0.0.0.0/8", "::1/128"],
    "link-local": ["169.254.0.0/16", "fe80::/10"],
    "metadata": ["169.254.169.254/32", "100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::254/128"],
    "multicast": ["224.0.0.0/4", "255.255.255.255/32", "ff00::/8"],
    "private": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
}
RANGES = {k: [ipaddress.ip_network(n) for n in v] for k, v in RANGES.items()}
TOLD_FIRST = ["metadata", "loopback", "link-local", "multicast", "private"]


def holds(net, addr):
    return net.version == addr.version and addr in net


def in_place(word, addr):
    words = ["private", "link-local"] if word == "private" else [word]
    if word == "private" and (addr == ipaddress.ip_address("::1") or holds(RANGES["loopback"][0], addr)):
        return True
    return any(holds(n, addr) for w in words for n in RANGES[w])


def within(addr):
    """The IPv4 address within an IPv6 one."""
    if addr.version == 4:
        return None
    n = int(addr)
    if addr in ipaddress.ip_network("2002::/16"):
        return ipaddress.ip_address((n >> 80) & 0xFFFFFFFF)
    if addr in ipaddress.ip_network("64:ff9b::/96") or (n >> 32 == 0 and n > 1):
        return ipaddress.ip_address(n & 0xFFFFFFFF)
    return None


def fits_name(value, name):
    return name == value or (value[0] == "." and ("." + name).endswith(value))


def is_word(value):
    return value in RANGES or value == "literal"


def is_net(value):
    return ":" in value or value.replace(".", "").replace("/", "").isdigit()


def fits_time(value, when):
    parts = value.split()
    days = parts[0].split("-") if parts[0][0].isalpha() else ["mon", "sun"]
    first, last = DAYS.index(days[0]), DAYS.index(days[-1])
    on = {(first + i) % 7 for i in range((last - first) % 7 + 1)}
    hours = parts[-1] if parts[-1][0].isdigit() else "00:00-24:00"
    begin, end = [int(t[:2]) * 60 + int(t[3:]) for t in hours.split("-")]
    minute, day = when.hour * 60 + when.minute, when.weekday()
    if begin < end:
        return day in on and begin <= minute < end
    return (day in on and minute >= begin) or ((day - 1) % 7 in on and minute < end)


def ask(rule, r, addr):
    """yes, no or maybe."""
    answers = []
    for keyword, values in rule[1].items():
        if keyword == "from":
            ok = any(in_place(v, r["from"]) if v in ("loopback", "private")
                     else holds(ipaddress.ip_network(v), r["from"]) for v in values)
        elif keyword == "user":
            ok = any((v == "anonymous") if r["user"] is None else
                     v == "known" or v == r["user"] or (v[0] == "@" and v[1:] in r["groups"])
                     for v in values)
        elif keyword == "command":
            ok = r["command"] in values
        elif keyword == "port":
            ok = any(int(v.split("-")[0]) <= r["port"] <= int(v.split("-")[-1]) for v in values)
        elif keyword == "time":
            ok = any(fits_time(v, r["when"]) for v in values)
        else:
            ok = any((v == "literal" and r["name"] is None) or
                     (r["name"] is not None and not is_word(v) and not is_net(v)
                      and fits_name(v, r["name"].lower().rstrip("."))) for v in values)
            places = [v for v in values if v in RANGES or is_net(v)]
            if not ok and addr is None:
                ok = "maybe" if places else False
            elif not ok:
                ok = any(in_place(v, addr) if v in RANGES else
                         holds(ipaddress.ip_network(v), addr) for v in places)
        answers.append(ok)
    return "no" if False in answers else "maybe" if "maybe" in answers else "yes"


def names(rule, addr, word):
    inside = [n for n in RANGES[word] if holds(n, addr)]
    return any(v == word or (is_net(v) and holds(ipaddress.ip_network(v), addr) and
                             any(ipaddress.ip_network(v).subnet_of(n) for n in inside))
               for v in rule[1].get("to", []))


def judge_as(s, r, addr):
    guarded = [w for w in TOLD_FIRST if addr is not None and w in s["protect"] and
               any(holds(n, addr) for n in RANGES[w]) and
               not (w == "loopback" and (holds(RANGES[w][0], r["from"]) or int(r["from"]) == 1))]
    lacking, maybe = guarded, False
    for i, rule in enumerate(s["rules"]):
        answer = ask(rule, r, addr)
        if answer == "maybe":
            maybe = maybe or rule[0] == "allow"
        elif answer == "yes":
            closed = [w for w in guarded if not names(rule, addr, w)]
            if rule[0] == "allow" and closed:
                lacking = closed
                continue
            return rule[0] == "allow" or maybe, str(i + 1)
    if guarded:
        return maybe, "protect:" + lacking[0]
    return s["otherwise"] == "allow" or maybe, "otherwise"


def judge(s, r):
    addr = r["addr"]
    if addr is not None and addr.version == 6 and addr.ipv4_mapped:
        addr = addr.ipv4_mapped
    verdict = judge_as(s, r, addr)
    inner = within(addr) if addr is not None else None
    if verdict[0] and inner is not None:
        other = judge_as(s, r, inner)
        verdict = verdict if other[0] else other
    more = " !" if verdict[0] and addr is None else ""
    return ("allow " if verdict[0] else "deny ") + verdict[1] + more


ADDRS = ["10.1.2.3", "127.0.0.1", "0.1.2.3", "169.254.169.254", "169.254.1.1", "224.0.0.1",
         "255.255.255.255", "93.184.216.34", "192.168.1.5", "172.16.0.9", "100.100.100.200", "::1",
         "fe80::1", "ff02::1", "fc00::7", "fd00:ec2::254", "2001:db8::7", "2002:a01:203::",
         "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::5db8:d822", "::a01:203", "::ffff:127.0.0.1",
         "2002:a9fe:a9fe::1", "::e000:1"]
NETS = ["0.0.0.0/0", "10.0.0.0/8", "10.1.2.0/24", "127.0.0.0/8", "126.0.0.0/7", "127.0.0.1", "::/0",
        "169.254.0.0/16", "169.254.169.254", "2002::/16", "64:ff9b::/96", "fe80::/10", "fe80::/16",
        "192.168.0.0/16", "224.0.0.0/3", "224.0.0.0/4", "::1", "fc00::/7", "2000::/3", "0.0.0.0/1"]
NAMES = ["example.org", "www.example.org", "a.b.example.org", "notexample.org", "org", "WWW.example.ORG.",
         "example.com", "x.y", "ample.org"]
VALUES = {
    "from": ["loopback", "private"] + NETS[:8] + ["192.168.1.0/24", "2001:db8::/32"],
    "user": ["alice", "bob", "@a", "@b", "anonymous", "known"],
    "to": [".example.org", "www.example.org", ".org", "example.com", ".y", "literal", "loopback",
           "link-local", "metadata", "multicast", "private"] + NETS,
    "port": ["80", "443", "1-1023", "1024-65535", "79-81"],
    "command": ["connect", "bind", "udp"],
    "time": ["mon-fri 08:00-18:00", "sat", "22:00-06:00", "sun 23:00-24:00", "fri-mon", "tue 22:30-01:15"],
}


def some_rule(rng):
    keywords = {}
    for keyword in rng.sample(sorted(VALUES), rng.choice([0, 1, 1, 2, 2, 3])):
        values = VALUES[keyword]
        keywords[keyword] = rng.sample(values, rng.randint(1, min(3, len(values))))
    return rng.choice(["allow", "deny"]), keywords


def text_of(rule):
    return " ".join([rule[0]] + [k + " " + ", ".join(v) for k, v in rule[1].items()])


def some_request(rng):
    at = 1795392000 + rng.randrange(14 * 24 * 60) * 60
    name = rng.choice([None] + NAMES)
    return {"from": ipaddress.ip_address(rng.choice(["192.168.1.5", "127.0.0.1", "::1", "2001:db8::7", "10.1.2.3"])),
            "user": rng.choice([None, "alice", "bob"]), "groups": rng.choice([[], ["a"], ["a", "b"]]),
            "command": rng.choice(["connect", "udp"]), "name": name, "port": rng.choice([22, 80, 443, 8080]),
            "addr": ipaddress.ip_address(rng.choice(ADDRS)) if name is None or rng.random() < .7 else None,
            "at": at, "when": datetime.datetime.fromtimestamp(at, datetime.timezone.utc)}


def line_of(r):
    return "ask %s %s %s %s %s %s %d %d" % (
        r["from"], r["user"] or "-", ",".join(r["groups"]) or "-", r["command"], r["name"] or "=",
        r["addr"] or "-", r["port"], r["at"])


def main():
    cases = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 7)
    lines, expected, about = [], [], []
    for _ in range(cases):
        s = {"rules": [some_rule(rng) for _ in range(rng.randint(0, 6))],
             "otherwise": rng.choice(["allow", "deny"]),
             "protect": rng.choice([["loopback", "link-local", "metadata", "multicast"], [],
                                    ["private"], ["loopback", "private"]])}
        lines += ["new", "set otherwise " + s["otherwise"],
                  "set protect " + (", ".join(s["protect"]) or "none")]
        lines += ["add rule " + text_of(rule) for rule in s["rules"]]
        for _ in range(10):
            r = some_request(rng)
            lines.append(line_of(r))
            about.append("\n".join(map(text_of, s["rules"])) + "\n" + lines[-1])
            expected.append(judge(s, r))
    got = subprocess.run([sys.argv[1]], input="\n".join(lines) + "\n", text=True, check=True,
                         stdout=subprocess.PIPE, env={"TZ": "UTC"}).stdout.splitlines()
    if len(got) != len(expected):
        sys.exit("%d answers to %d questions: %s" % (len(got), len(expected), got[-1]))
    for one, other, what in zip(got, expected, about):
        if one != other:
            sys.exit("%s\n%s instead of %s" % (what, one, other))
    print("%d verdicts are the same" % len(got))


main()
