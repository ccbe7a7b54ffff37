#!/usr/bin/env python3
"""Compare two JSON reports member by member:  compare.py [--ignore MEMBER]... A.json B.json

Counts must be the same integers, reals the same binary64, bit for bit, strings the same; the exact sums must also be in their
canonical form, and a real zero must be printed as 0. The order of members does not matter. The top-level member `version` is
ignored, and those named with --ignore. Prints the first ten paths that differ; status 1 if any does.
"""

import argparse
import json
import re
import struct
import sys

# The members whose numbers are exact integers; below shape, counts and the indices it holds for every element.
INTEGERS = {"elements", "bytes", "nan", "inf", "zero", "overflow", "underflow", "subnormal", "normal", "exact", "count", "bits",
            "first", "shape", "counts", "max_abs_at", "max_rel_at", "index", "lost", "steps", "frozen", "sampled"}
HEXADECIMAL = re.compile(r"0x0p\+0|-?0x1(\.[0-9a-f]*[1-9a-f])?p(\+0|[+-][1-9][0-9]*)")


class Number(str):
    """A number as it is written: what it means depends on the member."""


class Malformed(Exception):
    pass


def load(path):
    def constant(text):
        raise Malformed(f"{path}: {text} is not JSON")

    def members(pairs):
        out = dict(pairs)
        if len(out) != len(pairs):
            raise Malformed(f"{path}: a member occurs twice among {[k for k, _ in pairs]}")
        return out

    with open(path, encoding="utf-8") as f:
        return json.load(f, parse_int=Number, parse_float=Number, parse_constant=constant, object_pairs_hook=members)


def real(text):
    """The binary64 of a real, or what is wrong with it."""
    value = float(text)
    if value in (float("inf"), float("-inf")):
        return "beyond binary64"
    if value == 0 and text != "0":
        return "a zero is printed as 0"
    return struct.pack(">d", value)


def differences(a, b, path, member):
    """Yield (path, a, b) of all that differs. member: the last name on the path."""
    if type(a) is not type(b):
        yield path, a, b
    elif isinstance(a, dict):
        for key in list(a) + [k for k in b if k not in a]:
            if key not in a or key not in b:
                yield f"{path}.{key}", a.get(key, "(absent)"), b.get(key, "(absent)")
            else:
                yield from differences(a[key], b[key], f"{path}.{key}", key)
    elif isinstance(a, list):
        if len(a) != len(b):
            yield f"{path}.length", len(a), len(b)
        for i, (x, y) in enumerate(zip(a, b)):
            yield from differences(x, y, f"{path}[{i}]", member)
    elif isinstance(a, Number):
        if member in INTEGERS:
            if a != b or not re.fullmatch(r"0|-?[1-9][0-9]*", a):
                yield path, a, b
        else:
            x, y = real(a), real(b)
            if x != y or isinstance(x, str):
                yield path, a, b
    elif isinstance(a, str) and (member == "sum" or re.search(r"\.sums\.\w+$", path)):
        if a != b or not HEXADECIMAL.fullmatch(a):
            yield path, a, b
    elif a != b:
        yield path, a, b


def main():
    parser = argparse.ArgumentParser(description="compare two reports of precheck")
    parser.add_argument("--ignore", action="append", default=[], metavar="MEMBER", help="a top-level member to pass over")
    parser.add_argument("a")
    parser.add_argument("b")
    args = parser.parse_args()
    try:
        reports = [load(args.a), load(args.b)]
    except (Malformed, ValueError, OSError) as e:
        print(f"compare: {e}", file=sys.stderr)
        return 1
    for r in reports:
        if isinstance(r, dict):
            for member in ["version"] + args.ignore:
                r.pop(member, None)
    count = 0
    for path, x, y in differences(*reports, "$", None):
        count += 1
        if count <= 10:
            print(f"{path}: {x!s} | {y!s}")
    if count > 10:
        print(f"and {count - 10} more")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
