#!/usr/bin/env python3
"""Looks at the text on terminals of many widths, and prints TAP:  layout_test.py

PRECHECK is the program. The widths of characters are those of Python's Unicode tables, not of the program's own.
"""

import itertools
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
import unicodedata

import npy
import safetensors
import terminal

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PRECHECK = os.path.abspath(os.environ.get("PRECHECK", os.path.join(ROOT, "build/precheck")))
WIDTHS = (60, 80, 100, 120, 160, 200)

NAMES = ["w", "a/very/long/name/" * 12, "層.一番目の.とても長い名前の行列.最後の.重み" * 3, "e\u0301" * 30,
         "\x1b[31mred\nline\ttab\u202e", "\U0001f642" * 30, "model.layers.20.post_attention_layernorm.weight", "x" * 59, "\uff21" * 41]

# Each is a command line behind the program, and the exit status.
RUNS = [
    ("weights.npy", 0),
    ("weights.npy --to bf16 -v", 0),
    ("weights.npy --to fp16,bf16,fp8,tf32,fp32,e4m3b11fnuz,e2m22,e2m1 -v", 0),
    ("weights.npy --update 1e-8 --steps 1000", 0),
    ("weights.npy --to fp16 --update weights.npy --update-scale -1e-3 --steps 3 -v", 0),
    ("wide.npy --ema 0.999 --scale 2^-12 --overflow saturate --round stochastic:18446744073709551615", 0),
    ("wide.npy --to fp16,e2m1,e3m4 --scale amax", 0),
    ("wide.npy -v --to fp16,bf16,fp8 --fail-on max_abs<1e300 --fail-on nan>0 --fail-on bf16:sqnr_db<1e9", 1),
    ("exact.npy --fail-on overflow>0", 0),
    ("exact.npy --fail-on overflow>0 --exit-zero --fail-on exact_rate>=0", 0),
    ("double.npy -v --round up", 0),
    ("empty.npy", 0),
    ("nan.npy zero.npy scalar.npy axes.npy", 0),
    ("axes.npy scalar.npy -v --to fp16", 0),
    ("codes.bin --raw e4m3:2x128 --to fp8,e3m4,e2m3", 0),
    ("names.safetensors", 0),
    ("names.safetensors -v --to fp16 --fail-on overflow>=0", 1),
    ("names.safetensors wide.npy --sort size --top 3 --update 1 --fail-on underflow_rate>0.1", 1),
    ("names.safetensors wide.npy copy.safetensors --top 0 --sort name --to bf16", 0),
    ("--list names.safetensors wide.npy copy.safetensors", 0),
    ("--formats", 0),
    ("--help", 0),
]


def floats(count, low, high, seed):
    rng = random.Random(seed)
    return [str(rng.choice((-1, 1)) * rng.uniform(1, 10) * 10.0 ** rng.uniform(low, high)) for _ in range(count)]


def make_files():
    npy.make("weights.npy", "<f4", "30x40", *floats(1200, -6, -1, 1))
    npy.make("wide.npy", "<f4", "50x40", *floats(1900, -44, 37, 2), *["nan"] * 60, *["inf"] * 40)
    npy.make("double.npy", "<f8", "400", *floats(400, -320, 306, 3))
    npy.make("exact.npy", "<f4", "64", *map(str, range(-8, 8)))
    npy.make("empty.npy", "<f4", "0x5")
    npy.make("nan.npy", "<f4", "7", "nan")
    npy.make("zero.npy", "<f2", "9", "0")
    npy.make("scalar.npy", "<f4", "-", "0.1")
    npy.make("axes.npy", "<f4", "x".join("2" * 11 + "1" * 20), *floats(2048, -9, 5, 4))
    with open("codes.bin", "wb") as f:
        f.write(bytes(range(256)))
    rng = random.Random(5)
    tensors = [(name, "F32", [5, 2, 1], struct.pack("<10f", *map(float, floats(10, rng.randint(-9, 1), 6, i))))
               for i, name in enumerate(NAMES)]
    tensors.append(("step" * 40, "I64", [1], bytes(8)))
    with open("names.safetensors", "wb") as f:
        f.write(safetensors.pack(None, tensors))
    with open("copy.safetensors", "wb") as f:
        f.write(safetensors.pack(None, tensors[:1]))


def columns(line):
    return sum(0 if unicodedata.combining(c) or unicodedata.category(c) in ("Mn", "Me", "Cf") else
               2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def show(words, width, *options, locale="C.UTF-8"):
    """What is on the terminal, and the exit status."""
    environment = dict(os.environ, LC_ALL=locale, TERM="xterm")
    written, status = terminal.run([PRECHECK, *words.split(), *options], width, env=environment,
                                   stderr=subprocess.DEVNULL)
    return written, status


def without_colours(written):
    return re.sub(rb"\x1b\[[0-9;]*m", b"", written)


def nothing_wraps():
    for (words, expected), width in itertools.product(RUNS, WIDTHS):
        if words == "--help" and width < 80:
            continue
        written, status = show(words, width)
        if status != expected:
            yield f"{words}: status {status}"
        for line in without_colours(written).decode().split("\n"):
            if columns(line) > width:
                yield f"{words}: {columns(line)} columns on {width}: {line}"


def ascii_in_the_c_locale():
    for words, _ in RUNS:
        written, _ = show(words, 80, locale="C")
        yield from (f"{words}: {line}" for line in written.split(b"\n") if max(line, default=0) >= 0x80)


def complete_without_colour():
    for (words, _), width in itertools.product(RUNS, (80, 200)):
        coloured, _ = show(words, width)
        plain, _ = show(words, width, "--color=never")
        if b"\x1b" in plain:
            yield f"{words}: an escape without colour"
        if without_colours(coloured) != plain:
            yield f"{words}: another text in colour"


RED, YELLOW, GREEN = b"\x1b[31m", b"\x1b[33m", b"\x1b[32m"


def red_is_trouble():
    for words, red, yellow, green in [("exact.npy --to fp16", False, False, True),
                                      ("exact.npy --to fp16 --fail-on overflow>0", False, False, True),
                                      ("exact.npy --to fp16 --fail-on exact>0", True, False, True),
                                      ("exact.npy --to fp16 --update 1e-8", True, False, True),
                                      ("wide.npy --to fp16", True, True, True),
                                      ("nan.npy --to fp16", False, True, False)]:
        written, _ = show(words, 80)
        if (RED in written, YELLOW in written, GREEN in written) != (red, yellow, green):
            yield f"{words}: {[colour in written for colour in (RED, YELLOW, GREEN)]}"


def verdict_comes_first():
    for words, first in [("exact.npy --to fp16 --fail-on overflow>0", "PASS  1 gate holds"),
                         ("exact.npy --to fp16 --fail-on exact>0", "FAIL  1 of 1 gates"),
                         ("exact.npy none.npy --to fp16", "Incomplete: there was trouble, see the messages.")]:
        written, _ = show(words, 80, "--color=never")
        lines = written.decode().split("\n")
        if lines[0] != first:
            yield f"{words}: {lines[0]}"


def wide_pages_are_used():
    for words in ("weights.npy", "weights.npy --to bf16 --update 1e-8 --steps 2", "names.safetensors",
                  "wide.npy --to fp16,bf16"):
        heights = []
        for width in (120, 200):
            lines = show(words, width, "--color=never")[0].decode().split("\n")
            heights.append(len(lines))
            beside = [line for line in lines if re.search(r"\S.* {4,}Magnitudes  2\^k ", line)]
            if bool(beside) != (width == 200):
                yield f"{words}: histograms {'' if beside else 'not '}beside the figures on {width} columns"
        if heights[1] > heights[0] - 15:
            yield f"{words}: {heights[1]} lines on 200 columns, {heights[0]} on 120"


def points_stand_in_line():
    for words, width in (("weights.npy --to bf16,fp16", 80), ("weights.npy", 120), ("weights.npy", 200)):
        text = show(words, width, "--color=never")[0].decode()
        part = re.search(r"^error\b.*\n((?:  .*\n)+)", text, re.M)[1].split("\n")[:-1]
        names = re.search(r"^ +(?:(?:fp16|bf16|e4m3fn|e5m2) *)+", text, re.M)[0].split()
        rows = [line[:22 + 25 * len(names)] for line in part]
        points = [[m.start() for m in re.finditer(r"(?<=\d)\.(?=\d)", row)][:len(names)] for row in rows]
        full = {tuple(p) for p in points if len(p) == len(names)}
        if len(part) != 7 or len(full) != 1:
            yield f"{words} on {width}: {full} in {part}"


CHECKS = [
    ("no line is wider than the terminal", nothing_wraps),
    ("the C locale gets nothing but ASCII", ascii_in_the_c_locale),
    ("without colour the text is the same", complete_without_colour),
    ("red is for what is wrong, yellow for what may be", red_is_trouble),
    ("the verdict is the first line", verdict_comes_first),
    ("on a wide terminal the histograms stand beside the figures", wide_pages_are_used),
    ("decimal points stand under each other", points_stand_in_line),
]


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make_files()
        return tap.run(CHECKS)


if __name__ == "__main__":
    sys.exit(main())
