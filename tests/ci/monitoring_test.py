#!/usr/bin/env python3
"""Checks that what data/ has for Prometheus and Grafana fits to what `-o prometheus` prints, and prints TAP:

    monitoring_test.py

PRECHECK is the program. promtool is looked for in build/tools too, where tests/packages puts it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PRECHECK = os.path.abspath(os.environ.get("PRECHECK", os.path.join(ROOT, "build/precheck")))
TOOLS = os.pathsep.join([os.path.join(ROOT, "build/tools"), os.environ["PATH"]])
RULES = os.path.join(ROOT, "data/alert-rules.yml")
DASHBOARD = os.path.join(ROOT, "data/grafana-dashboard.json")

# What is scraped gets these from Prometheus.
LABELS_OF_PROMETHEUS = {"instance", "job"}
# Of node_exporter's textfile collector.
OTHER_METRICS = {"node_textfile_mtime_seconds": {"file"}}


def promtool(*arguments):
    """What it complains of, a line each."""
    program = shutil.which("promtool", path=TOOLS)
    if not program:
        raise tap.Skip("promtool is not installed")
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    return (done.stdout + done.stderr).splitlines() if done.returncode else []


def printed():
    """{metric: labels} of reports with all analyses."""
    found = dict(OTHER_METRICS)
    for options in (["--update", "1e-8", "--steps", "2"], ["--ema", "0.999"]):
        text = subprocess.run([PRECHECK, "-v", "-o", "prometheus", *options, os.path.join(ROOT, "data/digits-grad.npy")],
                              check=True, capture_output=True, text=True).stdout
        for name, labels in re.findall(r"^(precheck_\w+)(\{.*\})? \S+$", text, re.M):
            found[name] = set(re.findall(r'(\w+)="', labels)) | LABELS_OF_PROMETHEUS
    assert len(found) > 100
    return found


def panels():
    with open(DASHBOARD, encoding="utf-8") as f:
        return json.load(f)["panels"]


def dashboard_expressions():
    return [(panel["title"], target["expr"]) for panel in panels() for target in panel.get("targets", [])]


def rule_expressions():
    with open(RULES, encoding="utf-8") as f:
        return [("alert-rules.yml", expr) for expr in re.findall(r"^ +expr: (.*)$", f.read(), re.M)]


def labels_of(expr):
    """Those that an expression selects or groups by."""
    found = {name for group in re.findall(r"\{([^}]*)\}", expr) for name in re.findall(r"(\w+)\s*[=!]~?", group)}
    for group in re.findall(r"\b(?:by|ignoring|on|without|group_left)\s*\(([\w, ]*)\)", expr):
        found |= set(re.findall(r"\w+", group))
    return found


# Each check yields lines about what is wrong.

def metrics_are_printed():
    known = printed()
    expressions = dashboard_expressions() + rule_expressions()
    if len(expressions) < 30:
        yield "too few expressions: the check sees nothing"
    for where, expr in expressions:
        names = re.findall(r"\b(?:precheck|node)_\w+", re.sub(r'"[^"]*"', "", expr))
        if not names:
            yield f"{where}: no metric in {expr}"
        for name in names:
            if name not in known:
                yield f"{where}: {name} is not printed"
        have = set.union(*(known.get(name, set()) for name in names))
        for label in sorted(labels_of(expr) - have):
            yield f"{where}: {names} have no label {label}"


def expressions_parse():
    rules = [{"record": f"panel:{number}", "expr": re.sub(r"\$\w+", "x", expr)}
             for number, (_, expr) in enumerate(dashboard_expressions())]
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as f:
        json.dump({"groups": [{"name": "panels", "rules": rules}]}, f)  # JSON is YAML
        f.flush()
        yield from promtool("check", "rules", f.name)


def alert_rules_are_accepted():
    yield from promtool("check", "rules", RULES)


def alerts_fire():
    yield from promtool("test", "rules", os.path.join(ROOT, "tests/ci/alert-rules.yml"))


def alerts_are_tested():
    with open(RULES, encoding="utf-8") as f, open(os.path.join(ROOT, "tests/ci/alert-rules.yml"), encoding="utf-8") as g:
        alerts, tested = re.findall(r"alert: (\w+)", f.read()), g.read()
    if len(alerts) < 5:
        yield "no alerts: the check sees nothing"
    yield from (name for name in alerts if tested.count(f"alertname: {name}") < 2)


def panels_are_in_place():
    """Those of a width of 24, one beside the other."""
    seen, taken = set(), set()
    for panel in panels():
        place = panel["gridPos"]
        if panel["id"] in seen:
            yield f"two panels of id {panel['id']}"
        seen.add(panel["id"])
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        if taken & cells or place["x"] + place["w"] > 24:
            yield f"{panel['title']} is over another, or out of sight"
        taken |= cells


def panels_are_complete():
    with open(DASHBOARD, encoding="utf-8") as f:
        board = json.load(f)
    for member, kind in (("title", str), ("uid", str), ("schemaVersion", int), ("panels", list), ("templating", dict),
                         ("time", dict), ("annotations", dict), ("tags", list), ("version", int)):
        if not isinstance(board.get(member), kind):
            yield f"{member} is no {kind.__name__}"
    known = {p["id"] for p in board["__requires"] if p["type"] == "panel"} | {"row"}
    variables = [v["name"] for v in board["templating"]["list"]]
    for name in ("to", "dtype", "file", "instance", "datasource"):
        if name not in variables or json.dumps(board["panels"]).count(f"${name}") + \
                json.dumps(board["panels"]).count(f"${{{name}}}") == 0:
            yield f"no variable {name}, or no use for it"
    for panel in board["panels"]:
        if panel["type"] not in known:
            yield f"{panel['title']}: a {panel['type']} is not among what is required"
        if panel["type"] == "row":
            continue
        for part in (panel, *panel["targets"]):
            if part.get("datasource") != {"type": "prometheus", "uid": "${datasource}"}:
                yield f"{panel['title']}: another data source"
        for target in panel["targets"]:
            for used in re.findall(r"\$(\w+)", target["expr"]):
                if used not in variables:
                    yield f"{panel['title']}: ${used}"
            for label in re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")):
                if label not in labels_of(target["expr"]):
                    yield f"{panel['title']}: no label {label} for the legend"


def variables_have_values():
    known = printed()
    with open(DASHBOARD, encoding="utf-8") as f:
        queries = re.findall(r'"query": "label_values\((\w+), (\w+)\)"', f.read())
    if len(queries) != 4:
        yield "not the queries"
    for metric, label in queries:
        if label not in known.get(metric, set()):
            yield f"{metric} has no {label}"


CHECKS = [
    ("each metric and label of the dashboard and the alerts is printed", metrics_are_printed),
    ("each expression of the dashboard is PromQL", expressions_parse),
    ("promtool accepts the alert rules", alert_rules_are_accepted),
    ("the alerts fire when they should, and say what they should", alerts_fire),
    ("each alert is tested, when it fires and when it does not", alerts_are_tested),
    ("the panels of the dashboard lie side by side", panels_are_in_place),
    ("the dashboard has all that its panels refer to", panels_are_complete),
    ("the variables of the dashboard have values", variables_have_values),
]


def main():
    return tap.run(CHECKS)


if __name__ == "__main__":
    sys.exit(main())
