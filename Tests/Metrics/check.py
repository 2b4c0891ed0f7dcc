#!/usr/bin/env python3
"""Holds the metrics of both daemons, the alerts and the dashboard against each other, and against Prometheus's own
tools: promtool, and the strict parser of PyPI's `prometheus_client`.

usage: check.py BIN_DIR
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

from prometheus_client.openmetrics.parser import text_string_to_metric_families

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Torture"))
from daemons import Site  # noqa: E402

BIN = pathlib.Path(sys.argv[1])
RULES, DASHBOARD = ROOT / "config/prometheus-rules.yaml", ROOT / "config/grafana-dashboard.json"
failures = 0
checks = 0


def check(name, holds, detail=""):
    global failures, checks
    checks += 1
    if not holds:
        failures += 1
        print(f"FAILED {name}: {detail}")


def promtool(name, *arguments, text=None):
    """Runs promtool, which must succeed."""
    result = subprocess.run(["promtool", *arguments], input=text, capture_output=True, text=True)
    check(f"promtool {name}", result.returncode == 0, result.stdout + result.stderr)
    return result


def metrics(site, *options):
    """What `acmsctl metrics` prints, which must succeed and say nothing else."""
    result = subprocess.run([str(BIN / "acmsctl"), "metrics", *options], env=site.environment,
                            capture_output=True, text=True)
    check(f"acmsctl metrics {options}", result.returncode == 0 and not result.stderr, result.stderr)
    return result.stdout


def live_text(*options):
    """What `acmsctl metrics` prints beside daemons that have accepted a booking, refused another and committed the first."""
    with tempfile.TemporaryDirectory(prefix="acms-") as directory:
        site = Site(BIN, f"{directory}/site")
        front, worker = site.start_front(), site.start_worker()
        try:
            peer = site.peer("Bookings")
            booking = dict(userId="u", apartmentId="a", startDate="2027-01-01", endDate="2027-01-05")
            results = peer.call("CreateApartmentBookings", inputs=[booking, booking])["results"]
            peer.call("AwaitBooking", id=results[0]["id"])
            peer.close()
            return [metrics(site, *option) for option in options]
        finally:
            front.stop()
            worker.stop()
            site.close()


def names_in(expression):
    return set(re.findall(r"\bacms_\w+", re.sub(r'"[^"]*"', "", expression)))


def sample_names(text):
    """The names of all samples that the text may ever have, by its TYPE lines."""
    names = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M):
        names |= {f"{name}{suffix}" for suffix in (("_bucket", "_sum", "_count") if kind == "histogram" else ("",))}
    return names


def labels_in(text):
    return {name: set(re.findall(r'(\w+)="', labels)) for name, labels in re.findall(r"^(\w+)(?:\{(.*)\})? ", text, re.M)}


def alert_expressions():
    """The expressions of the rules by the alerts' names; promtool has read the file as YAML before."""
    text = RULES.read_text()
    alerts = re.findall(r"- alert: (\w+)\n\s+expr: (.*?)\n\s+(?:for|labels):", text, re.S)
    check("each alert has an expression", len(alerts) == text.count("- alert: "), alerts)
    return dict(alerts)


def panels():
    dashboard = json.loads(DASHBOARD.read_text())
    found = dashboard["panels"]
    check("the panels' ids differ", len({panel["id"] for panel in found}) == len(found))
    cells = [(panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y) for panel in found
             for x in range(panel["gridPos"]["w"]) for y in range(panel["gridPos"]["h"])]
    check("no panel lies on another", len(set(cells)) == len(cells))
    check("no panel is wider than the page", max(x for x, _ in cells) < 24)
    variables = {variable["name"] for variable in dashboard["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]\w*)", DASHBOARD.read_text()))
    check("each variable of the dashboard is declared", used <= variables, used - variables)
    return {f'{panel["title"]} {target["refId"]}': target["expr"] for panel in found for target in panel["targets"]}


def prometheus_reads(expressions):
    """promtool has no verb for an expression; as rules, it reads them."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        rules = [{"record": f"panel:{number}", "expr": expression.replace("$instance", ".*")}
                 for number, expression in enumerate(expressions)]
        json.dump({"groups": [{"name": "panels", "rules": rules}]}, file)
        file.flush()
        promtool("check rules of the dashboard", "check", "rules", file.name)


plain, strict = live_text([], ["--openmetrics"])
result = promtool("check metrics", "check", "metrics", text=plain)
check("promtool has no remark", not result.stdout + result.stderr, result.stdout + result.stderr)
try:
    families = list(text_string_to_metric_families(strict))
    check("OpenMetrics has the same families", len(families) == len(re.findall("^# TYPE", plain, re.M)), len(families))
    check("each family has a help", all(family.documentation for family in families))
except ValueError as error:
    check("OpenMetrics", False, error)
check("both daemons are in it", all(f'acms_up{{daemon="{daemon}"}} 1\n' in plain for daemon in ("front", "worker")), plain)

promtool("check rules", "check", "rules", str(RULES))
promtool("test rules", "test", "rules", str(RULES.with_name("prometheus-rules-test.yaml")))
alerts, expressions = alert_expressions(), panels()
prometheus_reads(expressions.values())
known, labels = sample_names(plain), labels_in(plain)
for name, expression in (alerts | expressions).items():
    check(f"{name} uses what the daemons measure", names_in(expression) <= known, names_in(expression) - known)
    for metric, matchers in re.findall(r"\b(acms_\w+)\{([^}]*)\}", expression):
        wanted = set(re.findall(r"(\w+)[=!]~?\"", matchers)) - {"instance"}
        check(f"{name}: the labels of {metric}", metric not in labels or wanted <= labels[metric], wanted)
tested = RULES.with_name("prometheus-rules-test.yaml").read_text()
for alert in alerts:
    check(f"a test of {alert} that is silent", f"alertname: {alert}, exp_alerts: []" in tested)
    check(f"a test of {alert} that fires", re.search(rf"alertname: {alert}\n\s+exp_alerts:\n", tested))
print(f"Metrics: {checks - failures} passed, {failures} failed")
sys.exit(1 if failures else 0)
