#!/usr/bin/env python3
"""Checks that --help, the manual page, the tables and the tests agree with each other, and prints TAP:  help_test.py

PRECHECK is the program.
"""

import glob
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
MAN = os.path.join(ROOT, "man/precheck.1")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def section(title):
    """A section of the manual page, as source."""
    m = re.search(rf"^\.Sh {title}\n(.*?)(?=^\.Sh |\Z)", read(MAN), re.M | re.S)
    assert m, title
    return m[1]


def plain(source):
    """mdoc without its macros, roughly: for looking up words."""
    return re.sub(r"^\.\w+ ?", "", source, flags=re.M).replace("\\-", "-").replace("\\&", "")


def option_table():
    """{long: (letter or None, argument or None)}"""
    rows = re.findall(r'^OPTION\(\w+, (0|\'\w\'), "([\w-]+)", (NULL|"[^"]*"), \w+, \w+, \w+, ".*"\)$', read("src/cli/options/options.def"), re.M)
    assert len(rows) == len(re.findall(r"^OPTION\(", read("src/cli/options/options.def"), re.M)) > 10
    return {name: (letter.strip("'") if letter != "0" else None, argument.strip('"') if argument != "NULL" else None)
            for letter, name, argument in rows}


def help_table():
    text = subprocess.run([PRECHECK, "--help"], check=True, capture_output=True, text=True).stdout
    rows = re.findall(r"^  (?:-(\w), |    )--([\w-]+)(?:=(\S+))?", text, re.M)
    return {name: (letter or None, argument or None) for letter, name, argument in rows}


def man_table():
    """What the lists of the OPTIONS section begin their items with."""
    rows = re.findall(r"^\.It (?:Fl (\w) , )?Fl -([\w-]+)( Ns = Ns Ar .*)?$", section("OPTIONS"), re.M)
    return {name: (letter or None, argument) for letter, name, argument in rows}


# Each check yields lines about what is wrong.

def help_has_the_options():
    wanted, got = option_table(), help_table()
    if list(wanted) != list(got):
        yield f"not the same, or not in this order: {list(wanted)} and {list(got)}"
    for name in wanted:
        if name in got and wanted[name] != got[name]:
            yield f"--{name}: {got[name]}, not {wanted[name]}"


def man_has_the_options():
    wanted, got = option_table(), man_table()
    if list(wanted) != list(got):
        yield f"not the same, or not in this order: {list(wanted)} and {list(got)}"
    for name, (letter, argument) in wanted.items():
        if name in got and (letter, bool(argument)) != (got[name][0], bool(got[name][1])):
            yield f"--{name}: {got[name]}, not {letter, argument}"


def man_names_no_other_option():
    known = option_table()
    flags = re.findall(r"\bFl (-?[\w-]+)", read(MAN))
    for flag in flags:
        if flag.lstrip("-") not in (known if flag.startswith("-") else {v[0] for v in known.values()}):
            yield f"Fl {flag}"
    for name in re.findall(r"(?<![\w-])--([a-z][\w-]+)", read(MAN)):
        if name not in known:
            yield f"--{name}"


def metrics():
    """(group, name, type)"""
    rows = re.findall(r'^METRIC\(\w+, (\w+), "([\w.]+)", (\w+), ', read("src/report/metrics.def"), re.M)
    assert len(rows) == len(re.findall(r"^METRIC\(", read("src/report/metrics.def"), re.M)) > 20
    return rows


def man_has_the_figures():
    words = {"COUNT": "count", "REAL": "real", "INDEX": "place"}
    wanted = {("" if group == "CAST" else group.lower() + ".") + name: words[kind] for group, name, kind in metrics()}
    got = dict(re.findall(r"^\.It Cm (\S+) Ta (\w+) Ta", section("FIGURES"), re.M))
    for name in sorted(wanted.keys() | got.keys()):
        if wanted.get(name) != got.get(name):
            yield f"{name}: {got.get(name)}, not {wanted.get(name)}"


def man_has_the_other_figures_of_gates():
    rates = [f"{name}_rate" for group, name, kind in metrics() if group == "CAST" and kind == "COUNT"]
    others = re.findall(r'^    \{"([\w.]+)", QUANTITY_', read("src/gate/gate.c"), re.M)
    got = plain(section("GATE RULES")).split()
    for name in rates + others:
        if name not in got:
            yield name
    for sign in re.findall(r'\{"([<>=!]+)", \w+\}', read("src/gate/gate.c")):
        if sign not in got:
            yield sign


def format_rows():
    rows = re.findall(r'^FORMAT\("(\w+)", (NULL|"\w+"), .*, (\d+), "([\w,]*)"\)$', read("src/format/formats.def"), re.M)
    assert len(rows) == len(re.findall(r"^FORMAT\(", read("src/format/formats.def"), re.M)) > 10
    return rows


def man_has_the_formats():
    table = section("FORMATS")
    wanted = {name: bits for name, _, bits, _ in format_rows()}
    got = dict(re.findall(r"^\.It Cm (\w+) Ta (\d+) Ta", table, re.M))
    if list(wanted.items()) != list(got.items()):
        yield f"{got}, not {wanted}"
    aliases = dict(re.findall(r"^\.It Cm (\w+)\n([\w, ]+)$", table, re.M))
    for name, _, _, others in format_rows():
        if aliases.get(name, "") != others.replace(",", ", "):
            yield f"{name}: {aliases.get(name)}, not {others}"


def man_has_the_limits():
    """Precision, exponents and largest number, as --formats prints them."""
    text = subprocess.run([PRECHECK, "--formats"], check=True, capture_output=True, text=True).stdout
    rows = re.findall(r"^\.It Cm (\w+) Ta (\d+) Ta (\d+) Ta (\S+) Ta (\S+) Ta", section("FORMATS").replace("\\-", "-"), re.M)
    if not rows:
        yield "no rows"
    for name, bits, precision, exponents, largest in rows:
        m = re.search(rf"^{name} +(\S+) +(\S+) +(\S+) +(\S+)", text, re.M)
        if not m or m.groups()[:3] != (bits, precision, exponents):
            yield f"{name}: {bits} {precision} {exponents}, not {m and m.groups()}"
            continue
        value = float.fromhex(largest) if largest.startswith("0x") else float(largest)
        if f"{value:.4g}" != f"{float(m[4].replace(',', '')):.4g}":
            yield f"{name}: {largest}, not {m[4]}"


def man_has_the_environment():
    variables = set()
    for path in glob.glob(os.path.join(ROOT, "src/cli/**/*.c"), recursive=True):
        variables |= set(re.findall(r'getenv\("(\w+)"\)', read(path)))
    if not variables:
        yield "no getenv in src/cli: the check sees nothing"
    documented = plain(section("ENVIRONMENT")).split()
    yield from (v for v in sorted(variables) if v not in documented)


def man_is_clean():
    if not shutil.which("mandoc"):
        yield "mandoc is not installed"
        return
    lint = subprocess.run(["mandoc", "-Tlint", "-W", "style", MAN], capture_output=True, text=True)
    yield from (line for line in (lint.stdout + lint.stderr).splitlines() if line)


def man_renders():
    text = subprocess.run(["mandoc", "-Tascii", MAN], check=True, capture_output=True, text=True).stdout
    text = re.sub(r".\x08", "", text)
    if "--fail-on=rule" not in text or "?" in re.sub(r"\$\?|scale help\?|\? +is one character", "", text):
        yield "an option or a character is lost"
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > 86:
            yield f"line {number} has {len(line)} columns"


def examples():
    """(commands and what they print) of the literal blocks: [(command, output)]"""
    for block in re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", section("EXAMPLES"), re.M | re.S):
        block = block.replace("\\e", "\\")
        for command, output in re.findall(r"^\$ ((?:.*[\\|]\n)*.*)\n((?:(?!\$ ).*\n)*)", block, re.M):
            yield block, command, output


def examples_are_true():
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "bin"))
        os.symlink(PRECHECK, os.path.join(folder, "bin/precheck"))
        for name in os.listdir(os.path.join(ROOT, "data")):
            shutil.copy(os.path.join(ROOT, "data", name), folder)
        environment = dict(os.environ, PATH=os.path.join(folder, "bin") + os.pathsep + os.environ["PATH"], LC_ALL="C.UTF-8")
        for _, command, expected in examples():
            count += 1
            got = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True)
            if got.stdout + got.stderr != expected:
                yield f"$ {command}"
                yield from (f"  {line}" for line in (got.stdout + got.stderr).splitlines())
    if count < 5:
        yield f"{count} examples: the check sees nothing"


def every_option_is_tested():
    folder = os.path.join(ROOT, "tests/cli")
    text = "".join(read(os.path.join(folder, name)) for name in os.listdir(folder) if name.endswith((".bats", ".py")))
    for name, (letter, _) in option_table().items():
        if not re.search(rf"(?<![\w-])--{name}(?![\w-])", text) and not (letter and re.search(rf"\s-{letter}\b", text)):
            yield f"--{name}"


CHECKS = [
    ("--help has every option of options.def, in order, and no other", help_has_the_options),
    ("the manual page has every option, in order, and no other", man_has_the_options),
    ("the manual page names no option that there is not", man_names_no_other_option),
    ("the manual page has every figure of metrics.def with its type", man_has_the_figures),
    ("the manual page has the other figures and the comparisons of gates", man_has_the_other_figures_of_gates),
    ("the manual page has every format of formats.def with its aliases", man_has_the_formats),
    ("the manual page has the limits that --formats prints", man_has_the_limits),
    ("the manual page has every environment variable", man_has_the_environment),
    ("the manual page passes mandoc -Tlint", man_is_clean),
    ("the manual page renders in ASCII", man_renders),
    ("the examples print what the manual page says", examples_are_true),
    ("every option is named in a test", every_option_is_tested),
]


def main():
    return tap.run(CHECKS)


if __name__ == "__main__":
    sys.exit(main())
