#!/usr/bin/env python3
"""Compares precheck's JSON with the oracle's on many small files, and prints TAP:  oracle_test.py

PRECHECK is the program. PRECHECK_TEST_SEED makes other files; the seed is printed, so that a failure can be had again. With
PRECHECK_TEST_KEEP=DIR, the files and both reports of each case stay there.
"""

import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import compare  # noqa: E402

SEED = os.environ.get("PRECHECK_TEST_SEED", "1")
PRECHECK = os.path.abspath(os.environ.get("PRECHECK", os.path.join(HERE, "../../build/precheck")))
LARGE_GROUPS = ("hard", "pattern", "scale", "update", "ema", "steps")
SHOWN = 5  # differences of a case, and failing cases of a group


def script(name, *args):
    subprocess.run([sys.executable, os.path.join(HERE, name), *args], check=True, stdout=subprocess.DEVNULL)


def run(args, directory):
    """What went wrong, or None, and what was printed."""
    got = subprocess.run([PRECHECK, "--json", *args], cwd=directory, capture_output=True, timeout=60)
    if got.returncode != 0:
        return f"status {got.returncode}: {got.stderr.decode(errors='replace').strip()}", got.stdout
    return None, got.stdout


def without_incidentals(report):
    """A report with what need not be the same left out: of the settings about updates, only that
    there are any has to be told, and the oracle gives no advice."""
    report.pop("version", None)
    report.pop("advice")
    settings = report["settings"]
    if "update" in settings:
        settings["update"] = "given"
    for name in ("update_scale", "ema", "steps"):
        settings.pop(name, None)
    return report


def compare_reports(ours, theirs):
    """The differences as lines."""
    try:
        reports = [compare.load(ours), compare.load(theirs)]
    except (compare.Malformed, ValueError, OSError) as e:
        return [str(e)]
    reports = map(without_incidentals, reports)
    lines = [f"{path}: {a!s} | {b!s}" for path, a, b in compare.differences(*reports, "$", None)]
    return lines[:SHOWN] + ([f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else [])


def check(case, inputs, expected, ours):
    """What is wrong with a case, as lines."""
    wrong, printed = run(case["args"], inputs)
    if wrong:
        return [wrong]
    path = os.path.join(ours, case["name"] + ".json")
    with open(path, "wb") as f:
        f.write(printed)
    lines = compare_reports(path, os.path.join(expected, case["name"] + ".json"))
    # What this processor has beyond the plain C code must not show.
    wrong, scalar = run([*case["args"], "--isa", "scalar"], inputs)
    if wrong:
        lines.append(f"--isa scalar: {wrong}")
    elif scalar != printed:
        lines.append("--isa scalar prints something else")
    return lines


def refereed(case, inputs):
    """What is wrong with a case in the eyes of precheck's own reference, as lines."""
    wrong, _ = run([*case["args"], "--reference"], inputs)
    return [wrong] if wrong else []


def group_of(name):
    """The first word, and for the large groups the second."""
    words = name.split("-")
    return "-".join(words[:2]) if words[0] in LARGE_GROUPS else words[0]


def tell(number, what, wrong):
    """A line of TAP, and the cases that failed with the lines about each; true if there are any."""
    print(f"{'not ok' if wrong else 'ok'} {number} - {what}")
    for case, lines in wrong[:SHOWN]:
        print(f"# {case['name']}: precheck --json {' '.join(case['args'])}")
        for line in lines:
            print(f"#   {line}")
    if len(wrong) > SHOWN:
        print(f"# and {len(wrong) - SHOWN} more")
    sys.stdout.flush()
    return bool(wrong)


def test(directory):
    inputs, expected, ours = (os.path.join(directory, d) for d in ("inputs", "expected", "ours"))
    os.makedirs(ours, exist_ok=True)
    script("generate.py", inputs, "--seed", SEED)
    script("oracle.py", "--manifest", inputs, expected)
    with open(os.path.join(inputs, "manifest.json"), encoding="utf-8") as f:
        cases = json.load(f)

    groups = {}
    for case in cases:
        groups.setdefault(group_of(case["name"]), []).append(case)
    print(f"# {len(cases)} cases, PRECHECK_TEST_SEED={SEED}")
    print(f"1..{len(groups) + 1}")
    failed = False
    for number, (group, members) in enumerate(groups.items(), 1):
        wrong = [(case, lines) for case in members if (lines := check(case, inputs, expected, ours))]
        failed |= tell(number, f"{group}: {len(members)} as the oracle has them", wrong)
    wrong = [(case, lines) for case in cases if (lines := refereed(case, inputs))]
    return tell(len(groups) + 1, "--reference agrees with all of them", wrong) or failed


def main():
    keep = os.environ.get("PRECHECK_TEST_KEEP")
    if keep:
        return test(keep)
    with tempfile.TemporaryDirectory() as directory:
        return test(directory)


if __name__ == "__main__":
    sys.exit(main())
