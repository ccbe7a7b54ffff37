#!/usr/bin/env python3
"""Reads a report of some kind and compares it with the JSON of the same run:  kinds.py KIND FILE JSON

Says what is wrong, and ends with 1 then. All but what reads CSV, XML and JSON is written from the
formats' own definitions.
"""

import csv
import io
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser


def check(holds, *what):
    if not holds:
        sys.exit(f"{what}")


def is_unruly(character):
    code = ord(character)
    return (code < 0x20 or 0x7F <= code < 0xA0 or code == 0x61C or code in (0x200E, 0x200F) or
            0x2028 <= code <= 0x202E or 0x2066 <= code <= 0x2069)


def escaped(text, which):
    return "".join("".join(f"\\x{b:02x}" for b in c.encode()) if which(c) else c for c in text)


def printable(text):
    """Of a name as JSON has it."""
    return escaped(text, is_unruly)


def flat(members, path=""):
    """{dotted path: value} of the figures in an object."""
    for name, value in members.items():
        if isinstance(value, dict):
            yield from flat(value, f"{path}{name}.")
        else:
            yield path + name, value


# Members that are no figures, and so are in JSON alone.
OTHERS = re.compile(r"sums[.]|relative_error[.]|input[.](sum$|exponents[.])")


def figures(tensor, cast):
    merged = {**{k: v for k, v in cast.items() if k not in ("to", "bits", "scale")}, "input": tensor["input"]}
    return {k: v for k, v in flat(merged) if not OTHERS.match(k)}


def failing(report, level):
    return [g for g in report["gates"] if not g["pass"] and g["level"] == level]


def ndjson(text, report):
    *lines, last = [json.loads(line) for line in text.removesuffix("\n").split("\n")]
    check(lines == report["tensors"], "not the tensors")
    rest = dict(report)
    del rest["tensors"]
    check(list(last.items()) == list(rest.items()), "not the rest")


def cell_is(cell, value):
    if value is None:
        return cell == ""
    if isinstance(value, list):
        return cell == json.dumps(value)
    return cell == str(value) if isinstance(value, (str, int)) else float(cell) == value


def csv_name(cell):
    check(cell[:1] not in tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20") or cell == "", cell, "is a formula")
    return cell.removeprefix("'")


def csv_(text, report):
    check(re.fullmatch(r'(?:(?:[^"\r\n,]*|"(?:[^"\r\n]|"")*")(?:,|\r\n))*', text), "not RFC 4180")
    titles, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    check(len(set(titles)) == len(titles), "a title twice")
    wanted = [(t, c) for t in report["tensors"] for c in t["casts"]]
    check(len(rows) == len(wanted), len(rows), "rows")
    for row, (tensor, cast) in zip(rows, wanted):
        check(len(row) == len(titles), row)
        got = dict(zip(titles, row))
        check(csv_name(got.pop("file")) == printable(tensor["file"]), row[0], tensor["file"])
        check(csv_name(got.pop("name")) == printable(tensor["name"]), row[1], tensor["name"])
        check(got.pop("shape") == "x".join(map(str, tensor["shape"])), row[3])
        known = {k: tensor[k] for k in ("dtype", "elements")} | {k: cast[k] for k in ("to", "bits", "scale")}
        known |= figures(tensor, cast)
        for name, value in known.items():
            if value is None and name not in got:  # no member of a member
                continue
            check(cell_is(got.pop(name), value), name, row)
        check(not any(got.values()), "more than in JSON", got)


def junit(text, report):
    root = ElementTree.fromstring(text.encode())
    check(root.tag == "testsuites" and [s.tag for s in root] == ["testsuite"] * len(root), "not suites")
    for suite in (root, *root):
        for tag, count in (("testcase", "tests"), ("failure", "failures"), ("error", "errors")):
            check(len(list(suite.iter(tag))) == int(suite.get(count)), count, suite.attrib)
    rules = list(dict.fromkeys(g["rule"] for g in report["gates"]))
    check([s.get("name") for s in root] == ["trouble"] + [xml(r) for r in rules], "not the rules")
    cases = [c for suite in list(root)[1:] for c in suite]
    check(len(cases) == len(report["gates"]), "not the gates")
    for case, gate in zip(cases, report["gates"]):
        check(case.get("name") == xml(gate["rule"]) + " in " + gate["to"], case.attrib, gate)
        where = xml(gate["file"]) + ("/" if gate["name"] else "") + xml(gate["name"])
        check(case.get("classname") == where, case.attrib, gate)
        wanted = [] if gate["pass"] else ["failure" if gate["level"] == "error" else "system-out"]
        check([e.tag for e in case] == wanted, case.attrib, gate)


def xml(text):
    return escaped(printable(text), lambda c: c in "\ufffe\uffff")


LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"')
SAMPLE = re.compile(rf'([a-z_][a-z0-9_]*)(?:\{{((?:{LABEL.pattern},?)+)\}})? ([+-]Inf|-?[0-9.]+(?:e-?[0-9]+)?)')


def labels_of(text):
    """As a key: the value alone of a single label, None without any."""
    found = {m[1]: re.sub(r"\\(.)", r"\1", m[2]) for m in LABEL.finditer(text or "")}
    return tuple(found.items()) if len(found) > 1 else next(iter(found.values()), None)


def families(text):
    """{name: {labels: value}}, with what promtool and the text format ask of each family."""
    found, name = {}, None
    check(text.endswith("\n"), "the last line does not end")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ")[2]
            check(name not in found and len(line.split(" ", 3)[3]) > 3, line)
            check(not re.search(r"_(total|count|sum|bucket|info|gauge|counter)$|__|_$", name), line)
            found[name] = None
        elif line.startswith("# TYPE "):
            check(line == f"# TYPE {name} gauge" and found[name] is None, line)
            found[name] = {}
        else:
            sample = SAMPLE.fullmatch(line)
            check(sample and sample[1] == name, line)
            labels = labels_of(sample[2])
            check(labels not in found[name], "twice:", line)
            found[name][labels] = float(sample[5])
    check(all(found.values()), "a family without a sample")
    return found


def family_of(prefix, name):
    """A figure's name, as JSON has it, in Prometheus."""
    return (prefix if "." in name else f"{prefix}cast_") + name.replace(".", "_")


def numbers(tensor, cast):
    for name, value in figures(tensor, cast).items():
        if value is not None and not isinstance(value, list) and not re.search(r"_at([.]|$)", name):
            yield name, float(value)


def prometheus(text, report):
    found = families(text)
    for name, count in (("gates", len(report["gates"])), ("tensors", len(report["tensors"])),
                        ("gate_failures", len(failing(report, "error"))),
                        ("gate_warnings", len(failing(report, "warn"))),
                        ("skipped_tensors", len(report["skipped"])),
                        ("elements", sum(t["elements"] for t in report["tensors"])), ("complete", 1)):
        check(found.pop(f"precheck_{name}") == {None: count}, name)
    sizes = report["checkpoint"]
    check(found.pop("precheck_bytes", {}) == {s["dtype"]: s["bytes"] for s in sizes["dtypes"]}, "bytes")
    check(found.pop("precheck_bytes_after") == {s["to"]: s["bytes"] for s in sizes["after"]}, "bytes_after")
    found = {re.sub("_elements$", "", name): values for name, values in found.items()}
    for cast in report["total"]:
        for name, value in numbers({"input": {}}, cast):
            check(found[family_of("precheck_", name)].pop(cast["to"]) == value, name, value)
    if any(name.startswith("precheck_tensor_") for name in found):
        prometheus_tensors(found, report)
    left = {name for name, values in found.items() if values}
    check(all(name.startswith("precheck_input_") for name in left), "more than in JSON", left)


def prometheus_tensors(found, report):
    copies = {}
    for tensor in report["tensors"]:
        place = (printable(tensor["file"]), printable(tensor["name"]))
        copies[place] = copies.get(place, 0) + 1
        labels = {"file": place[0], "tensor": place[1], "dtype": tensor["dtype"]}
        if copies[place] > 1:
            labels = {"file": place[0], "tensor": place[1], "copy": str(copies[place]), "dtype": tensor["dtype"]}
        for index, cast in enumerate(tensor["casts"]):
            for name, value in numbers(tensor, cast):
                of_input = name.startswith("input.")
                if of_input and index:
                    continue
                key = tuple((labels if of_input else {**labels, "to": cast["to"]}).items())
                check(found[family_of("precheck_tensor_", name)].pop(key, None) == value, name, key, value)


def percent(text):
    return re.sub("%([0-9A-F]{2})", lambda m: chr(int(m[1], 16)), text)


def github(text, report):
    lines = text.splitlines()
    check(text == "" or text.endswith("\n"), "the last line does not end")
    for word, level in (("error", "error"), ("warning", "warn")):
        mine = [line for line in lines if line.startswith(f"::{word} ")]
        gates = {(printable(g["file"]), printable(g["rule"]), g["to"], printable(g["name"])): g
                 for g in failing(report, level)}
        shown = mine if len(gates) <= 10 else mine[:-1]
        check(len(shown) == min(len(gates), 10 if len(gates) <= 10 else 9), word, len(shown))
        check(shown == mine or mine[-1] == f"::{word} title=precheck::{len(gates) - 9} more", mine[-1:])
        for line in shown:
            m = re.fullmatch(r"::\w+ file=([^:,%]*(?:%..[^:,%]*)*),title=([^:,%]*(?:%..[^:,%]*)*)::(.*)", line)
            check(m, line)
            file, rule, said = map(percent, m.groups())
            to = re.fullmatch(r".* in (\w+) \(value \S+\)", said)
            check(to, said)
            names = [k[3] for k in gates if k[:3] == (file, rule, to[1])]
            check(any(said.startswith(f"{name or file}: {rule} in ") for name in names), line)
    check(all(re.match("::(error|warning) ", line) for line in lines), lines)


def markdown(text, report):
    """Outside of code spans there are words and numbers of ours, and the marks of tables, lists and headings."""
    columns = None
    for line in text.split("\n"):
        outside = re.sub(r"`[^`|]+`", "X", line)
        check(re.fullmatch(r"(?:### |- |\*\*(?=Inc.*\*\*$)|\| )?(?:[\w ,;:.^+%()/|-]|\\[\\`*_<>\[\]&|~#$@]|\*\*$)*", outside),
              line)
        if line.startswith("|"):
            cells = len(re.sub(r"\\\|", "", outside).split("|"))
            check(columns in (None, cells), columns, line)
            columns = cells
        else:
            columns = None
    for gate in failing(report, "error")[:1]:
        check(code(gate["rule"]) in text, gate)
    for cast_index, cast in enumerate(report["total"]):
        for name, value in figures({"input": {}}, cast).items():
            if isinstance(value, int):
                row = re.search(rf"^\| `{re.escape(name)}` \|(.*)\|$", text, re.M)
                check(row and row[1].split("|")[cast_index].strip() == f"{value:,}", name, value)
    verdict = {"pass": "PASS", "fail": "FAIL", None: None}[report["verdict"]]
    check(text.startswith(f"### precheck: {verdict}, " if verdict else "### precheck\n"), "no verdict")
    check(text.count("\n- ") == len(report["advice"]), "not the advice")


def code(text):
    return "`" + escaped(printable(text), lambda c: c in "`|") + "`"


# Elements of HTML that have no end, and those that the page may have beside them and SVG's.
VOID = {"meta", "input", "wbr"}
KNOWN = VOID | set("""html head title style body header main footer section article h1 h2 h3 p a b span small code ul li dl div dt dd
    table caption thead tbody tr th td details summary fieldset legend label figure figcaption script
    svg g rect path text tspan""".split())
ATTRIBUTES = set("""lang charset http-equiv content name class id href scope aria-label aria-labelledby aria-hidden role type
    checked data-title viewbox height width preserveaspectratio x y d dy transform text-anchor""".split())


class Tree(HTMLParser):
    """Checks that every element ends where it should; collects what is in them."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.links, self.texts, self.scripts = [], set(), [], [], []

    def handle_starttag(self, tag, attributes):
        check(tag in KNOWN and all(name in ATTRIBUTES for name, _ in attributes), tag, attributes)
        given = dict(attributes)
        check(len(given) == len(attributes), "an attribute twice:", attributes)
        if "id" in given:
            check(given["id"] not in self.ids, "an id twice:", given)
            self.ids.add(given["id"])
        if "href" in given:
            check(tag == "a" and re.fullmatch(r"#t\d+", given["href"]), given)
        if tag == "tr":
            self.texts.append("")
        if tag == "script":
            self.scripts.append(given.get("type"))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        check(self.open and self.open.pop() == tag, tag, "ends what is not open:", self.open)

    def handle_comment(self, data):
        check(False, "a comment:", data)

    def handle_data(self, data):
        if self.texts:
            self.texts[-1] += data
        if self.open[-1:] == ["script"] and self.scripts[-1]:
            self.data = json.loads(data)


def html_value(value):
    """As the script reads it back."""
    if value in ("", "inf", "-inf") or value.startswith("["):
        return value
    return float(value.replace(",", ""))


def close_to(cell, value):
    if value is None:
        return cell == ""
    got = html_value(cell)
    if isinstance(value, list):
        return got == ("" if value == [] else json.dumps(value))
    return got == value or abs(got - value) <= 0.0005 * abs(value)


def html_figures(members, names, cells, of_total):
    known = dict(flat(members))
    check(len(names) == len(cells), cells)
    for name, cell in zip(names, cells):
        if not (of_total and name.endswith("_at")):
            check(close_to(cell, known.get(name)), name, cell, known.get(name))
    missing = [k for k in known if k not in names and not OTHERS.match(k) and not k.startswith("sum")
               and not (of_total and "_at." in k) and not (known[k] is None and "smallest" in k)]
    check(not missing, "not there:", missing)


def html(text, report):
    tree = Tree()
    tree.feed(text)
    tree.close()
    check(not tree.open and text.startswith("<!DOCTYPE html>"), tree.open)
    check(tree.scripts == ["application/json", None], tree.scripts)
    check(not any(is_unruly(c) and c != "\n" for c in text), "a control character")
    data = tree.data
    inputs = [m[1] for m in data["metrics"] if m[0] == "input"]
    casts = [(m[0] + "." if m[0] else "") + m[1] for m in data["metrics"] if m[0] != "input"]
    check([f["name"] for f in data["formats"]] == [c["to"] for c in report["total"]], "formats")
    for said, cast in zip(data["total"]["casts"], report["total"]):
        html_figures(figures({"input": {}}, cast), casts, said["figures"].split("|"), True)
    file = None
    check(sorted(t["id"] for t in data["tensors"]) == list(range(len(report["tensors"]))), "not the tensors")
    for said in data["tensors"]:
        tensor = report["tensors"][said["id"]]
        file = said.get("file", file)
        check(file == printable(tensor["file"]), file, tensor["file"])
        check(said["name"] in (printable(tensor["name"]), printable(tensor["file"]),
                               printable(f"{tensor['file']}: {tensor['name']}")), said["name"])
        check((said["dtype"], said["shape"], said["elements"]) ==
              (tensor["dtype"], json.dumps(tensor["shape"]), tensor["elements"]), said)
        html_figures({k: v for k, v in tensor["input"].items() if k != "exponents"}, inputs, said["input"].split("|"), False)
        check(same_bins(said["exponents"], tensor["input"]["exponents"]), said["exponents"])
        for one, cast in zip(said["casts"], tensor["casts"]):
            html_figures(figures({"input": {}}, cast), casts, one["figures"].split("|"), False)
            check(same_bins(one["errors"], cast["relative_error"]) and one["exact"] == cast["relative_error"]["exact"], one)
    rows = " ".join(tree.texts)
    for gate in failing(report, "error")[:1]:
        check(printable(gate["rule"]) in rows, gate)
    verdict = {"pass": "Pass", "fail": "Fail", None: None}[report["verdict"]]
    check((f'<span class="stamp">{verdict}</span>' in text) == bool(verdict) and text.count('"stamp"') <= 1, "no verdict")


def same_bins(said, histogram):
    return said[1:] == histogram["counts"] and (len(said) == 1 or said[0] == histogram["first"])


KINDS = {"ndjson": ndjson, "csv": csv_, "junit": junit, "prometheus": prometheus, "github": github, "markdown": markdown,
         "html": html}


def main():
    kind, path, other = sys.argv[1:]
    with open(path, encoding="utf-8", newline="") as f, open(other, encoding="utf-8") as g:
        KINDS[kind](f.read(), json.load(g))


if __name__ == "__main__":
    main()
