#!/usr/bin/env python3
"""Checks what --write writes for some formats against tests/oracle/oracle.py:  write_check.py FORMAT...

PRECHECK is the program; files go to the current folder. Prints what differs; status 1 if anything does.
"""

import os
import random
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../oracle")]
import generate  # noqa: E402
import npy  # noqa: E402
import oracle  # noqa: E402

MODES = ["nearest-even", "nearest-away", "toward-zero", "up", "down", "stochastic:9"]
DESCR = {"fp16": "<f2", "bf16": "<V2", "tf32": "<f4", "fp32": "<f4"}  # by name; the others by size
wrong = 0


def differ(what, got, expected):
    global wrong
    if got != expected:
        wrong += 1
        if wrong <= 10:
            print(f"{what}: {str(got)[:200]}, not {str(expected)[:200]}")


def descr_of(fmt):
    return DESCR.get(fmt.name) or {1: "|V1", 2: "<V2", 4: "<u4"}[fmt.code_bytes]


def codes_of(rng, fmt, dtype):
    """Hard numbers for the format and every kind of special one."""
    source = oracle.SOURCES[dtype]
    inf, sign = source.inf_code(False), source.sign_bit
    codes = generate.hard_numbers(rng, fmt.name, dtype, 20) + generate.log_uniform(rng, dtype, 20)
    codes += [0, sign, inf, inf | sign, inf + 1, inf + 1 | sign, source.nan_code(False), source.nan_code(True), 1]
    codes += [1 | sign, source.max_code(False), source.max_code(True)]
    rng.shuffle(codes)
    return codes[:len(codes) // 3 * 3]


def write(source, target, fmt, mode, *more):
    subprocess.run([os.environ["PRECHECK"], source, "-q", "--to", fmt.name, "--round", mode, "-w", target, *more],
                   check=True, stderr=subprocess.DEVNULL)


def check(fmt):
    rng = random.Random(fmt.name)
    for i, mode in enumerate(MODES):
        dtype = ("f32", "f64", "f32", "f16", "bf16", "f64")[i]
        codes = codes_of(rng, fmt, dtype)
        shape, fortran = [3, len(codes) // 3], i % 2 == 1
        data = generate.pack(codes, dtype)
        with open("in.npy", "wb") as f:
            f.write(generate.npy_header(generate.DESCR[dtype], shape, fortran) + data)
        tensor = oracle.Tensor("in.npy", "", dtype, shape, oracle.decode(data, dtype), fortran)
        for overflow, scale in (("inf", None), ("saturate", "2^-9"), ("inf", "amax")):
            name, _, seed = mode.partition(":")
            options = oracle.Options([fmt], name, int(seed or 0), overflow == "saturate", scale)
            expected = oracle.write_bytes(tensor, fmt, options)
            more = ["--overflow", overflow] + (["--scale", scale] if scale else [])
            what = f"{fmt.name} {dtype} {mode} {' '.join(more)}"
            write("in.npy", "out.npy", fmt, mode, *more)
            descr, order, written_shape, written = npy.load("out.npy")
            differ(what, (descr, order, list(written_shape)), (descr_of(fmt), fortran, shape))
            differ(what, written.hex(), expected.hex())
        write("in.npy", "out.bin", fmt, mode, *more)
        with open("out.bin", "rb") as f:
            differ(f"{what} bare", f.read().hex(), expected.hex())


def all_formats():
    """Those of formats.def, and some that are bound at run time."""
    with open(os.path.join(HERE, "../../src/format/formats.def"), encoding="utf-8") as f:
        return re.findall(r'^FORMAT\("(\w+)"', f.read(), re.M) + ["e6m9", "e3m1", "e2m5", "e5m11", "e2m23", "e8m20"]


def main():
    for name in sys.argv[1:] or all_formats():
        check(oracle.find_format(name))
    if wrong:
        print(f"{wrong} differences")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
