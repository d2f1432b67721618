"""What test_prometheus.sh asks of the figures, with the parsers of python3-prometheus-client.

    metrics.py formats TEXT OPENMETRICS       both files are right, strictly, and tell of the same
    metrics.py dashboard FILE URL             each query of the dashboard has data at that Prometheus
    metrics.py rules URL                      it evaluates all alerts, and none is wrong
"""
import json
import math
import re
import sys
import urllib.parse
import urllib.request


def fail(text):
    print(text)
    sys.exit(1)


# ---- the two formats ----


def read(path):
    with open(path, encoding="utf-8", newline="") as f:
        return f.read()


def series_of(families):
    """The names of all series: with their labels."""
    return {(s.name, tuple(sorted(s.labels.items()))) for f in families for s in f.samples}


def check_histograms(families):
    for f in families:
        if f.type == "histogram":
            buckets = [s.value for s in f.samples if s.name.endswith("_bucket")]
            count = [s.value for s in f.samples if s.name.endswith("_count")]
            if buckets != sorted(buckets) or buckets[-1:] != count:
                fail(f"{f.name}: {buckets}, of {count}")


def formats(text, openmetrics):
    from prometheus_client import parser
    from prometheus_client.openmetrics import parser as strict

    old = list(parser.text_string_to_metric_families(read(text)))
    new = list(strict.text_string_to_metric_families(read(openmetrics)))
    check_histograms(new)
    if series_of(old) != series_of(new):
        fail(series_of(old) ^ series_of(new))
    print(len(new), "families,", len(series_of(new)), "series")


# ---- Prometheus ----


def get(url, path, **parameters):
    query = urllib.parse.urlencode(parameters)
    try:
        with urllib.request.urlopen(f"{url}/api/v1/{path}?{query}", timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as e:
        fail(f"{parameters}: {e.read().decode()}")


VALUES = {"$__rate_interval": "5m", "$__interval": "15s", "$__range": "5m", "$job": "(socks5d)", "$instance": ".+"}


def fill_in(expression):
    """As Grafana does with the variables that the dashboard has."""
    return re.sub(r"\$\w+", lambda m: VALUES[m.group()], expression)


# Of the test's traffic: what does not happen, and what stays at 0.
NOTHING = {"Starts"}
ZERO = {"Banned", "Clients turned away", "Upstreams that work", "Times that it was full", "Pipes"}


def is_as_expected(title, answer):
    values = [float(r["value"][1]) for r in answer["data"]["result"]]
    if title in NOTHING:
        return values == []
    return values != [] and not any(map(math.isnan, values)) and (title in ZERO or max(values) > 0)


def queries(dashboard):
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for annotation in dashboard["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]


def dashboard(path, url):
    seen = 0
    for title, expression in queries(json.loads(read(path))):
        answer = get(url, "query", query=fill_in(expression))
        if not is_as_expected(title, answer):
            fail(f"{title}: {fill_in(expression)}\n{answer}")
        seen += 1
    for variable in json.loads(read(path))["templating"]["list"]:
        metric = re.match(r"label_values\((.*), (\w+)\)$", variable["query"]["query"])
        answer = get(url, "query", query=fill_in(metric.group(1)))
        if not answer["data"]["result"][0]["metric"].get(metric.group(2)):
            fail(f"{variable['name']}: {answer}")
    print(seen, "queries")


def rules(url):
    groups = get(url, "rules")["data"]["groups"]
    states = [(r["name"], r["health"], r.get("lastError", "")) for g in groups for r in g["rules"]]
    if not states or any(health != "ok" for _, health, _ in states):
        fail(states)


if __name__ == "__main__":
    {"formats": formats, "dashboard": dashboard, "rules": rules}[sys.argv[1]](*sys.argv[2:])
