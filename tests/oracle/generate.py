#!/usr/bin/env python3
"""Write a varied set of small inputs and the runs to make of them:  generate.py OUTDIR [--seed N]

OUTDIR/manifest.json is a list of {"name", "args"}; args are those of precheck and of oracle.py alike, with files relative to
OUTDIR. The same seed gives the same bytes. All data are made as codes of the source dtype, so nothing is rounded on the way
and every code, also of NaNs, can occur.
"""

import argparse
import itertools
import json
import math
import os
import random
from fractions import Fraction

import exact
import oracle
import updates
from exact import find_format
from oracle import SOURCES

NAMED = list(exact.FORMATS)
GENERIC = ["e8m22", "e8m1", "e2m5", "e5m7", "e7m3", "e3m1", "e8m20", "e2m2", "e2m23", "e3m23", "e4m1", "e5m1", "e6m9",
           "e7m1", "e8m11", "e4m10", "e5m11"]
MODES = ["nearest-even", "nearest-away", "toward-zero", "up", "down", "stochastic:1"]
SEEDS = ["stochastic", "stochastic:0", "stochastic:1", "stochastic:42", "stochastic:4294967296",
         "stochastic:18446744073709551615"]
SCALES = ["2^-1023", "2^-200", "2^-5", "2^0", "2^7", "2^300", "2^1023", "amax"]
DESCR = {"f64": "<f8", "f32": "<f4", "f16": "<f2", "bf16": "<V2"}


# -------------------------------------------------------------------------------------------------
# Writers

def pack(codes, dtype, big_endian=False):
    size = oracle.item_size(dtype)
    return b"".join(c.to_bytes(size, "big" if big_endian else "little") for c in codes)


def npy_header(descr, shape, fortran=False, version=1, text=None):
    if text is None:
        axes = "".join(f"{n}, " for n in shape) if len(shape) != 1 else f"{shape[0]},"
        text = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': ({axes.rstrip(' ')}), }}"
        text += " " * (-(len(text) + 1 + (10 if version == 1 else 12)) % 64) + "\n"
    data = text.encode("utf-8" if version == 3 else "latin-1")
    return b"\x93NUMPY" + bytes((version, 0)) + len(data).to_bytes(2 if version == 1 else 4, "little") + data


class Set:
    def __init__(self, directory):
        self.directory, self.cases = directory, []

    def file(self, name, data):
        path = os.path.join(self.directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)
        return name

    def npy(self, name, codes, dtype, shape=None, descr=None, big_endian=False, **header):
        """A file of these codes in storage order."""
        descr = descr or DESCR[dtype]
        if big_endian:
            descr = ">" + descr[1:]
        shape = [len(codes)] if shape is None else shape
        return self.file(name, npy_header(descr, shape, **header) + pack(codes, dtype, big_endian))

    def case(self, name, files, **options):
        """options: those of precheck, by their long names; None for one that is not given."""
        args = [files] if isinstance(files, str) else list(files)
        for option, value in options.items():
            if isinstance(value, (list, tuple)):
                value = ",".join(value)
            if value is not None:
                args.append(f"--{option.replace('_', '-')}={value}")
        name = name.replace("^", "").replace(":", "-")  # a report's file can have this name
        assert name not in [c["name"] for c in self.cases], name
        self.cases.append({"name": name, "args": args})


# -------------------------------------------------------------------------------------------------
# Data: lists of codes of a source dtype

def encode(value, dtype):
    """The code of the nearest number of the dtype, or M."""
    return exact.cast(Fraction(value), SOURCES[dtype], saturate=True).code


def exact_code(value, dtype):
    """The code of exactly this number, or None."""
    c = exact.cast(value, SOURCES[dtype], "toward-zero")
    return c.code if c.value == value else None


def with_sign(rng, codes, dtype):
    return [c | SOURCES[dtype].sign_bit if rng.random() < 0.5 else c for c in codes]


def neighbours(code, dtype):
    """A positive number's code and those of the numbers next to it."""
    return [c for c in (code - 1, code, code + 1) if 0 <= c <= SOURCES[dtype].max_code(False)]


def any_bits(rng, dtype, count):
    return [rng.randrange(1 << SOURCES[dtype].width) for _ in range(count)]


def log_uniform(rng, dtype, count):
    """Uniform over the binades, those of the subnormals included."""
    s = SOURCES[dtype]
    out = []
    for _ in range(count):
        top = rng.randint(s.qmin, s.emax)
        if top >= s.emin:
            code = ((top - s.emin + 1) << s.ybits) | rng.randrange(1 << s.ybits)
        else:
            bit = top - s.qmin
            code = 1 << bit | rng.randrange(1 << bit)
        out.append(min(code, s.max_code(False)))
    return with_sign(rng, out, dtype)


def hard_numbers(rng, fmt, dtype, count, scale=0):
    """Numbers of fmt / 2^scale, midpoints between them, the thresholds of overflow and of underflow; and the numbers next to
    each in the dtype, as far as it has them."""
    f = find_format(fmt)
    unit, top = Fraction(2) ** f.qmin, Fraction(2) ** f.max_q
    values = [f.largest, f.largest + top / 2, f.largest + top, Fraction(2) ** (f.emax + 1), f.largest - top / 2,
              unit / 4, unit / 2, unit, unit * 3 / 2, unit * 5 / 2, Fraction(2) ** f.emin, Fraction(2) ** f.emin - unit / 2]
    s = SOURCES[dtype]
    low, high = max(f.qmin, s.qmin + scale), min(f.max_q, s.max_q + s.ybits + scale)  # quanta that the source can show
    for _ in range(count):
        q = rng.randint(low, max(low, high))
        n = rng.choice((rng.randrange(1 << f.ybits, 1 << f.p), (1 << f.p) - 1, 1 << f.ybits))
        values.append((n + rng.choice((Fraction(0), Fraction(1, 2), Fraction(1, 2), Fraction(1, 4), Fraction(3, 4))))
                      * Fraction(2) ** q)
    codes = []
    for v in values:
        code = exact_code(v / Fraction(2) ** scale, dtype)
        if code is not None:
            codes += neighbours(code, dtype)
    codes = with_sign(rng, codes, dtype) or [0]
    rng.shuffle(codes)
    return codes


def patterns(rng, dtype):
    """name: codes."""
    s = SOURCES[dtype]
    n = 61
    inf = s.inf_code(False)
    cancel = []
    for code in (rng.randrange(1, s.max_code(False)) for _ in range(30)):
        cancel += [code, code | s.sign_bit]
    representable = [exact_code(m * Fraction(2) ** e, dtype) for _, _, m, e in
                     (exact.FORMATS["e4m3fn"].decode(rng.randrange(127)) for _ in range(n))]
    weights = [encode(rng.gauss(0, 0.02), dtype) for _ in range(n)]
    near_one = [encode(1, dtype) + rng.randint(-2, 2) for _ in range(n)]
    mixed = log_uniform(rng, dtype, n)
    for i in range(0, n, 9):
        mixed[i] = rng.choice((0, s.sign_bit, inf, inf | s.sign_bit, inf + 1, inf | 1 << (s.ybits - 1)))
    return {
        "weights": weights,
        "log-uniform": log_uniform(rng, dtype, n),
        "any-bits": any_bits(rng, dtype, n),
        "mixed": mixed,
        "constant": [encode(0.1, dtype)] * n,
        "zeros": with_sign(rng, [0] * n, dtype),
        "nan-only": with_sign(rng, [inf + rng.randrange(1, 1 << s.ybits) for _ in range(n)], dtype),
        "inf-only": with_sign(rng, [inf] * n, dtype),
        "nan-and-inf": with_sign(rng, [inf + rng.randrange(2) for _ in range(n)], dtype),
        "subnormal-only": with_sign(rng, [rng.randrange(1, 1 << s.ybits) for _ in range(n)], dtype),
        "one-huge": [rng.randrange(1, 1 << s.ybits) for _ in range(n - 1)] + [s.max_code(True)],
        "huge-first": [s.max_code(False)] + [encode(1e-6 * rng.random(), dtype) for _ in range(n)],
        "cancel": cancel,
        "cancel-almost": [c + (i % 2 if i > 1 else 0) for i, c in enumerate(cancel)],
        "exact": with_sign(rng, representable, dtype),
        "largest": with_sign(rng, [s.max_code(False) - rng.randrange(3) for _ in range(n)], dtype),
        "near-one": with_sign(rng, near_one, dtype),
    }


def shape_of(rng, count):
    """Some shape with this many elements."""
    shape = []
    for d in (2, 3, 5, 7):
        if count % d == 0 and len(shape) < 3 and rng.random() < 0.5:
            shape.append(d)
            count //= d
    return shape + [count]


# -------------------------------------------------------------------------------------------------
# The set

def formats(rng, count):
    return rng.sample(NAMED + GENERIC, count)


def some_mode(rng):
    return rng.choice(MODES[:5] + [rng.choice(SEEDS)])


def hard_cases(out, rng):
    """Every format in every mode, on what is hard for it."""
    for i, fmt in enumerate(NAMED + GENERIC):
        files = {d: out.npy(f"hard-{fmt}-{d}.npy", hard_numbers(rng, fmt, d, 14), d) for d in ("f32", "f64")}
        for j, mode in enumerate(MODES):
            dtype = ("f32", "f64")[(i + j) % 2]
            out.case(f"hard-{fmt}-{dtype}-{mode}", files[dtype], to=[fmt, rng.choice([n for n in NAMED if n != fmt])],
                     round=mode if mode[0] != "s" else rng.choice(SEEDS), overflow=rng.choice((None, "inf", "saturate")))


def pattern_cases(out, rng):
    for dtype in ("f32", "f64", "f16", "bf16"):
        for name, codes in patterns(rng, dtype).items():
            file = out.npy(f"pattern-{name}-{dtype}.npy", codes, dtype, shape_of(rng, len(codes)))
            out.case(f"pattern-{name}-{dtype}", file, to=rng.choice((None, formats(rng, 4))), round=some_mode(rng),
                     overflow=rng.choice((None, "saturate")), scale=rng.choice((None, None, None, rng.choice(SCALES))))
    # Every exponent of binary64, where a rounding through binary32 or a narrow accumulator would show.
    codes = []
    for value in (1.0, 2.0 ** -10, 2.0 ** -14, 464.0, 65520.0, 2.0 ** -25, 2.0 ** -150):
        codes += neighbours(encode(value, "f64"), "f64")
    codes += [encode(float.fromhex("0x1.0000000000001p-10"), "f64"), 1, exact.FP64.max_code(False)]
    file = out.npy("double-rounding.npy", codes + [c | exact.FP64.sign_bit for c in codes], "f64")
    for mode in MODES:
        out.case(f"double-rounding-{mode}", file, to="fp16,bf16,fp8,fp32,tf32", round=mode)
    file = out.npy("all-binades.npy", log_uniform(rng, "f64", 700), "f64", [7, 100])
    for mode in MODES:
        for overflow in ("inf", "saturate"):
            out.case(f"all-binades-{mode}-{overflow}", file, to=["fp32", "e4m3fn", *formats(rng, 1)], round=mode,
                     overflow=overflow)
    # Saturating all but everything: the ratio under sqnr_db is within 2^-1000, 2^-2000 of one.
    file = out.npy("all-lost.npy", [exact.FP64.max_code(False), encode(1e-300, "f64")], "f64")
    for scale in ("2^0", "2^40", "2^60", "2^1023"):
        out.case(f"all-lost-{scale}", file, to="e2m1,e4m3fn,fp16,bf16", overflow="saturate", scale=scale)
    # Exact powers of ten under sqnr_db: truncating, only the first number has an error, e = 15/16 and 15/128, and the others
    # are there to make the sum of all squares 10 e^2 and 100 e^2.
    for db, parts, den, fmt in ((10, (47, 6, 2, 1), 16, "e8m1"), (20, (143, 44, 10, 3, 2, 1, 1), 128, "e4m3fn")):
        file = out.npy(f"exactly-{db}-db.npy", [encode(Fraction(n, den), "f32") for n in parts], "f32")
        out.case(f"exactly-{db}-db", file, to=fmt, round="toward-zero")
    out.case("exactly-0-db", out.npy("exactly-0-db.npy", log_uniform(rng, "f32", 9), "f32"), to="e2m1", scale="2^-1000")


def length_cases(out, rng):
    for n in (0, 1, 7, 8, 9, 63, 64, 65, 2047, 2048, 2049, 5000):
        codes = [encode(rng.gauss(0, 0.05), "f32") if i % 3 else c for i, c in enumerate(log_uniform(rng, "f32", n))]
        out.case(f"length-{n}-f32", out.npy(f"length-{n}-f32.npy", codes, "f32"), to=None if n < 100 else "bf16,e4m3fn")
        codes = log_uniform(rng, "f64", n) if n < 1000 else [encode(rng.gauss(0, 1), "f64") for _ in range(n)]
        out.case(f"length-{n}-f64", out.npy(f"length-{n}-f64.npy", codes, "f64", shape_of(rng, n)), to="fp16,e5m2",
                 round=some_mode(rng), overflow=rng.choice((None, "saturate")))
    for n in (2047, 2049):
        codes = any_bits(rng, "f16", n)
        out.case(f"length-{n}-f16", out.npy(f"length-{n}-f16.npy", codes, "f16"), to="e4m3fnuz,e3m4", round="stochastic:3")
    # The same |e| and the same ratio far apart: the first place counts, in whichever block.
    codes = [encode(1, "f32")] * 5000
    for i in (2049, 2047, 4100, 4999):
        codes[i] = encode(Fraction(257, 256), "f32") | (0x80000000 if i % 2 else 0)
    out.case("first-of-equals", out.npy("first-of-equals.npy", codes, "f32", [50, 100]), to="bf16,e5m2")
    out.case("first-of-equals-fortran", out.npy("first-of-equals-f.npy", codes, "f32", [50, 100], fortran=True), to="bf16,e5m2")


def scale_cases(out, rng):
    for scale in SCALES:
        k = 0 if scale == "amax" else int(scale[2:])
        for i in range(6):
            fmt = rng.choice(NAMED + GENERIC)
            dtype = "f64" if abs(k) > 150 else ("f64", "f32")[i % 2]
            codes = hard_numbers(rng, fmt, dtype, 14, k)
            codes += log_uniform(rng, dtype, 8)
            out.case(f"scale-{scale}-{i}", out.npy(f"scale-{scale.replace('^', '')}-{i}.npy", codes, dtype),
                     to=[fmt, *rng.sample([n for n in NAMED if n != fmt], 2)], round=MODES[i], scale=scale,
                     overflow=rng.choice((None, "saturate")))
    # amax next to a power of two times M and its rounding boundary, with the other sign larger or smaller.
    for fmt in ("e4m3fn", "e5m2", "e2m1", "fp16", "e4m3fnuz", "e8m1", "e2m2"):
        f = find_format(fmt)
        for at, edge in enumerate((f.largest, f.largest + Fraction(2) ** f.max_q / 2, f.largest + Fraction(2) ** f.max_q)):
            codes = neighbours(encode(edge * Fraction(2) ** rng.randint(-300, 300), "f64"), "f64")
            big = [codes[rng.randrange(3)], rng.choice(codes) | exact.FP64.sign_bit]
            data = big + [encode(rng.gauss(0, 1e-3), "f64") for _ in range(5)]
            file = out.npy(f"amax-{fmt}-{at}.npy", data, "f64")
            out.case(f"amax-{fmt}-{at}", file, to=[fmt, "bf16"], scale="amax", round=rng.choice(MODES))
            out.case(f"amax-{fmt}-{at}-directed", file, to=[fmt, "e3m4"], scale="amax", round=rng.choice(("up", "down")))
    # K beyond what binary64 can show.
    tiny = out.npy("amax-tiny.npy", [1, 3, exact.FP64.sign_bit | 2], "f64")
    huge = out.npy("amax-huge.npy", [exact.FP64.max_code(True), 1], "f64")
    none = out.npy("amax-none.npy", [0, exact.FP64.sign_bit, exact.FP64.inf_code(False)], "f64")
    empty = out.npy("amax-empty.npy", [], "f64", [0, 3])
    for mode in ("nearest-even", "up", "stochastic:5"):
        out.case(f"amax-extremes-{mode}", [tiny, huge, none, empty], to="bf16,e4m3fn,fp32,e2m1", scale="amax", round=mode)
    out.case("amax-one-scale", [tiny, tiny], to="bf16", scale="amax")


def container_cases(out, rng):
    codes = log_uniform(rng, "f32", 24)
    for version in (1, 2, 3):
        out.case(f"npy-v{version}", out.npy(f"npy-v{version}.npy", codes, "f32", [4, 6], version=version))
    for dtype in ("f16", "f32", "f64"):
        data = log_uniform(rng, dtype, 24)
        for big in (False, True):
            for fortran in (False, True):
                name = f"order-{dtype}-{'be' if big else 'le'}-{'f' if fortran else 'c'}"
                out.case(name, out.npy(f"{name}.npy", data, dtype, [2, 3, 4], big_endian=big, fortran=fortran),
                         to="fp16,e5m2", scale="2^-3")
    for descr, dtype in (("<c8", "f32"), ("<c16", "f64")):
        data = log_uniform(rng, dtype, 24)
        for big in (False, True):
            for fortran in (False, True):
                name = f"complex-{descr[1:]}-{'be' if big else 'le'}-{'f' if fortran else 'c'}"
                out.case(name, out.npy(f"{name}.npy", data, dtype, [3, 4], descr, big, fortran=fortran), to="bf16,e4m3fn",
                         round=rng.choice(MODES))
        out.case(f"complex-{descr[1:]}-scalar", out.npy(f"complex-{descr[1:]}-0.npy", data[:2], dtype, [], descr))
        out.case(f"complex-{descr[1:]}-empty", out.npy(f"complex-{descr[1:]}-e.npy", [], dtype, [2, 0], descr))
    for dtype in DESCR:
        out.case(f"scalar-{dtype}", out.npy(f"scalar-{dtype}.npy", [encode(Fraction(1, 3), dtype)], dtype, []))
        out.case(f"empty-{dtype}", out.npy(f"empty-{dtype}.npy", [], dtype, [0, 3]))
        out.case(f"one-{dtype}", out.npy(f"one-{dtype}.npy", [encode(Fraction(-1, 5), dtype)], dtype, [1, 1]))
        out.case(f"overflowing-scalar-{dtype}", out.npy(f"huge-{dtype}.npy", [SOURCES[dtype].max_code(False)], dtype, []),
                 to="e4m3fn,e2m1,e5m2")

    # Headers as other writers make them.
    data = pack(codes, "f32")
    for name, version, text in (
            ("double-quotes", 1, '{"descr": "<f4", "fortran_order": False, "shape": (4, 6)}\n'),
            ("other-order", 2, "{'shape': (4, 6), 'fortran_order': True, 'descr': '<f4'}"),
            ("long-suffix", 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4L, 6L), }\n"),
            ("native", 1, "{'descr': '=f4', 'fortran_order': False, 'shape': (24,), }" + " " * 53 + "\n"),
            ("bare", 3, "{'descr': 'f4', 'fortran_order': False, 'shape': (24,), }\n")):
        out.case(f"header-{name}", out.file(f"header-{name}.npy", npy_header("", [], version=version, text=text) + data))
    out.case("header-trailing", out.file("header-trailing.npy", npy_header("<f4", [3, 8]) + data + b"more"))

    bf16 = any_bits(rng, "bf16", 60)
    for i, descr in enumerate(("<V2", "|V2", "bfloat16")):
        out.case(f"bf16-{i}", out.npy(f"bf16-{i}.npy", bf16, "bf16", [60], descr), to="e4m3fn,fp16")
    for i, descr in enumerate(("<u2", "<i2", "<f2", "<V2")):
        out.case(f"view-bf16-{i}", out.npy(f"view-bf16-{i}.npy", bf16, "bf16", [6, 10], descr), to="e4m3fn,fp16", view="bf16")
    out.case("view-bf16-be", out.npy("view-bf16-be.npy", bf16, "bf16", [6, 10], "<u2", True), to="e4m3fn,fp16", view="bf16")
    out.case("view-f16", out.npy("view-f16.npy", bf16, "f16", [6, 10], "<u2"), to="e4m3fn,bf16", view="f16")
    out.case("view-f32", out.npy("view-f32.npy", any_bits(rng, "f32", 40), "f32", [40], "<u4"), to="e4m3fn,bf16", view="f32")
    out.case("view-f64", out.npy("view-f64.npy", any_bits(rng, "f64", 40), "f64", [40], "<i8"), to="fp32,bf16", view="f64")

    every = list(range(256))
    bytes_file = out.npy("every-byte.npy", every, "e5m2", [16, 16], "|u1")
    void_file = out.npy("every-byte-v.npy", every, "e5m2", [16, 16], "|V1")
    for dtype, s in SOURCES.items():
        if s.width <= 8:
            others = [n for n in NAMED if n != dtype]
            out.case(f"view-{dtype}", bytes_file, to=[dtype, *rng.sample(others, 3)], view=dtype)
            out.case(f"view-{dtype}-scaled", void_file, to=[dtype, *rng.sample(others, 2)], view=dtype, round=rng.choice(MODES),
                     scale=rng.choice(SCALES), overflow=rng.choice((None, "saturate")))
            out.case(f"raw-{dtype}", out.file("every-byte.raw", bytes(every)), to=[dtype, *rng.sample(others, 2)],
                     raw=f"{dtype}:16x16", round=some_mode(rng))
    out.case("npy-f1", out.npy("f1.npy", every, "e5m2", [256], "<f1"), to="e4m3fn,e5m2")
    out.case("npy-float8", out.npy("float8.npy", every, "e4m3fn", [256], "float8_e4m3fn"), to="e4m3fn,e5m2")

    for dtype in DESCR:
        data = any_bits(rng, dtype, 48)
        for order in ("", "le", "be"):
            body = pack(data, dtype, order == "be")
            name = f"raw-{dtype}{order}"
            out.case(name, out.file(f"{name}.bin", body), raw=f"{dtype}{order}", to="e4m3fn,fp16,bf16")
            out.case(f"{name}-offset", out.file(f"{name}-72.bin", bytes(range(72)) + body + b"sum!"),
                     raw=f"{dtype}{order}@72:6x8", to="e5m2,fp16")
            out.case(f"{name}-unaligned", out.file(f"{name}-3.bin", b"abc" + body), raw=f"{dtype}{order}@3", to="e2m1,tf32")
    out.case("raw-part", "raw-f32le.bin", raw="f32le:40")
    out.case("raw-two-files", ["raw-f32.bin", "raw-f32le.bin"], raw="f32")

    # Aliases, and fp8 for two.
    file = out.npy("aliases.npy", log_uniform(rng, "f32", 30), "f32")
    for i, to in enumerate(("f16,bfloat16,e4m3", "half,e8m7,fp8_e4m3,fp8_e5m2", "float16,float8_e4m3fn,float8_e5m2",
                            "binary16,e8m10,f32", "e5m10,fp8,float32", "e8m23,e2m1")):
        out.case(f"aliases-{i}", file, to=to)
    out.case("aliases-twice", file, to="fp16,e5m2,fp8,half,bf16,e5m10,e5m2,bfloat16")
    for mode in SEEDS:
        out.case(f"seed-{mode}", file, to="bf16,e4m3fn,e2m1,e8m1", round=mode)


def total_cases(out, rng):
    parts = [out.npy(f"sub/part-{i}.npy", log_uniform(rng, d, 20), d, [4, 5])
             for i, d in enumerate(("f32", "f64", "f16", "bf16"))]
    whole = out.npy("integers.npy", [1, 2, 3], "f64", [3], "<i8")
    small = out.npy("bytes.npy", [1, 2, 3], "e5m2", [3], "|u1")
    flags = out.npy("flags.npy", [1, 0], "e5m2", [2], "|b1")
    empty = out.npy("nothing.npy", [], "f32", [0])
    zeros = out.npy("only-zeros.npy", [0, 0], "f32", [1, 2])
    lost = out.npy("no-error.npy", [SOURCES["f32"].inf_code(False)] * 2, "f32")
    for mode in MODES:
        out.case(f"total-{mode}", parts, to=formats(rng, 3), round=mode, overflow=rng.choice((None, "saturate")))
        out.case(f"total-amax-{mode}", parts, to=formats(rng, 2), round=mode, scale="amax")
    out.case("total-skipped", [whole, parts[0], small, flags, parts[1]])
    out.case("total-empty", [empty, zeros, lost])
    out.case("total-with-empty", [empty, parts[0], zeros, lost, parts[2]], to="bf16,e2m1", overflow="saturate")
    out.case("total-only-empty", [empty, empty])
    out.case("total-cancel", [out.npy("plus.npy", [encode(0.1, "f64")] * 9, "f64"),
                              out.npy("minus.npy", [encode(-0.1, "f64")] * 9, "f64")], to="bf16,e4m3fn")
    # One maximum in several files: the least name wins, by bytes, whatever the order of the files.
    third = encode(Fraction(1, 3), "f32")
    names = ["tie-b.npy", "tie-Z.npy", "tie-\u00e9.npy", "tie-a.npy", "sub/tie.npy"]
    ties = [out.npy(n, [0] * i + [third, third | 0x80000000], "f32", [i + 2, 1]) for i, n in enumerate(names)]
    out.case("ties-0", ties[:4], to="bf16,fp8")
    out.case("ties-1", ties[::-1], to="bf16,fp8")
    out.case("ties-2", [ties[2], ties[0]], to="e3m4", scale="2^7")
    # The larger ratio is in another file than the larger error.
    out.case("total-apart", [out.npy("large.npy", [encode(100.25, "f32")], "f32"),
                             out.npy("small.npy", [encode(1e-5, "f32"), third], "f32")], to="fp16,bf16,fp8")


# -------------------------------------------------------------------------------------------------
# Updates

UPDATES = ["0x1p-9", "0x1.0000000000001p-9", "0x1.fffffffffffffp-10", "0x1p-12", "-0x1p-8",
           "-0x1.0000000000001p-4", "0x1.fffffffffffffp-5", "1e-300", "-1e300", "1e-8", "-3e-5",
           "0.1", "-1", "448", "0", "-0", "4.9e-324", "1e-400", "0x1p-133", "+65504"]
UPDATE_SCALES = ["-1e-3", "1e-300", "0.1", "-0x1p-10", "1e300", "-1"]
FAR_SCALES = ["2^-200", "2^300"]
BETAS = ["0.9", "0.999", "0.5", "0", "0.96875", "0.998046875"]  # the last give ties to 4 and 8 bits


def some_policy(rng):
    return rng.choice((None, "inf", "saturate"))


def specials(dtype):
    s = SOURCES[dtype]
    positive = [0, 1, s.inf_code(False), s.nan_code(False)]
    return positive + [c | s.sign_bit for c in positive]


def sprinkled(rng, codes, dtype):
    """The codes, with some of them replaced; seldom by the largest, which eclipses all others."""
    codes = [rng.choice(specials(dtype)) if rng.randrange(8) == 0 else c for c in codes]
    if codes and rng.randrange(8) == 0:
        codes[rng.randrange(len(codes))] = SOURCES[dtype].max_code(rng.random() < 0.5)
    return codes


def close_numbers(rng, fmt, dtype, count, scale):
    """Numbers of fmt in a few binades, and the quarters between them."""
    f = find_format(fmt)
    unit = exact.two(rng.randint(f.qmin, f.max_q) - 2 - scale)
    codes = [encode(rng.randrange(4 << f.p) * unit, dtype) for _ in range(count)]
    return with_sign(rng, codes, dtype)


def weights_for(rng, fmt, dtype, count, scale=0):
    """What is hard to store in fmt, from all of its range or of like size, and every special."""
    if rng.random() < 0.5:
        codes = hard_numbers(rng, fmt, dtype, 14, scale)[:count]
        codes.append(SOURCES[dtype].max_code(rng.random() < 0.5))
    else:
        codes = close_numbers(rng, fmt, dtype, count, scale)
    codes += specials(dtype)
    rng.shuffle(codes)
    return codes


def hard_moves(rng, fmt, weights, dtype, scale):
    """For each weight, what is stored of it, and an update to one of the places where the next
    number of fmt is reached."""
    f = find_format(fmt)
    for code in weights:
        x = updates.value_of(SOURCES[dtype].decode(code))
        q = updates.finite(exact.cast(x, f, saturate=True, scale=scale).value) or 0
        quarters = rng.choice((1, 2, 2, 2, 3, 4, 4, 6, 20))
        yield q, updates.quantum(q, f, scale) * rng.choice((quarters, -quarters)) / 4


def beside(rng, value, dtype):
    """The code of a number, or of one next to it."""
    code = rng.choice(neighbours(encode(abs(value), dtype), dtype))
    return code | SOURCES[dtype].sign_bit if value < 0 else code


def gradient(q, u, beta):
    """About the g that makes the u of a moment, if any does."""
    return Fraction(math.sqrt(max(0, q + u / (1 - updates.number(beta)))))


def plain_weights(rng, dtype, count):
    """Weights as they come, and some that nobody has."""
    usual = [encode(rng.gauss(0, 0.05), dtype) for _ in range(count)]
    return usual + log_uniform(rng, dtype, count // 2) + specials(dtype)


def plain_updates(rng, dtype, count):
    codes = [encode(rng.gauss(0, 10 ** rng.uniform(-9, 0)), dtype) for _ in range(count)]
    return sprinkled(rng, codes, dtype)


def update_pair(out, rng, name, fmt, dtypes, count, scale=None, beta=None):
    """Files of weights and of updates, or of moments and gradients, that are hard together."""
    k = int(scale[2:]) if scale and scale != "amax" else 0
    weights = weights_for(rng, fmt, dtypes[0], count, k)
    moves = hard_moves(rng, fmt, weights, dtypes[0], k)
    given = [beside(rng, gradient(q, u, beta) if beta else u, dtypes[1]) for q, u in moves]
    return (out.npy(f"{name}.npy", weights, dtypes[0]),
            out.npy(f"{name}-u.npy", sprinkled(rng, given, dtypes[1]), dtypes[1]))


def dtypes_for(scale, i):
    """Of weights and of updates: those that reach as far as the scale."""
    pairs = [("f64", "f64")] if scale in FAR_SCALES else [("f32", "f64"), ("f64", "f64"),
                                                          ("f64", "f32")]
    return pairs[i % len(pairs)]


def update_hard_cases(out, rng):
    """Every format in every mode; of those without a name, one in three is enough."""
    for i, fmt in enumerate(NAMED + GENERIC):
        for j, mode in enumerate(MODES):
            if fmt in GENERIC and (i + j) % 3:
                continue
            scale = rng.choice((None, None, "2^-5", "2^7", *FAR_SCALES, "amax"))
            name = f"update-hard-{fmt}-{j}"
            weights, given = update_pair(out, rng, name, fmt, dtypes_for(scale, i + j), 24, scale)
            out.case(name, weights, to=fmt, round=mode if j < 5 else rng.choice(SEEDS), scale=scale,
                     overflow=some_policy(rng), update=given)


def update_cases(out, rng):
    for i, value in enumerate(UPDATES):
        dtype = ("f32", "f64", "f16", "bf16")[i % 4]
        weights = out.npy(f"update-constant-{i}.npy", plain_weights(rng, dtype, 40), dtype)
        for j, mode in enumerate((MODES[i % 6], some_mode(rng))):
            out.case(f"update-constant-{i}-{j}", weights, to=formats(rng, 2), round=mode,
                     overflow=some_policy(rng), update=value,
                     scale=rng.choice((None, None, "2^-3", "amax")))
        out.case(f"update-scale-{i}", weights, to=formats(rng, 2), round=some_mode(rng),
                 update=value, update_scale=rng.choice(UPDATE_SCALES))
    for a in DESCR:
        for b in DESCR:
            name = f"update-dtypes-{a}-{b}"
            codes = plain_weights(rng, a, 40)
            weights = out.npy(f"{name}.npy", codes, a)
            given = out.npy(f"{name}-u.npy", plain_updates(rng, b, len(codes)), b)
            out.case(name, weights, to=formats(rng, 2), round=some_mode(rng), update=given,
                     overflow=some_policy(rng),
                     update_scale=rng.choice([None] + UPDATE_SCALES[:4]))


def update_file_cases(out, rng):
    """Shapes, orders and containers of weights and updates."""
    def pair(name, shape, of_weights, of_updates, **options):
        count = math.prod(shape) * (2 if "descr" in of_weights else 1)
        codes = [encode(rng.gauss(0, 1), "f32") for _ in range(count)]
        weights = out.npy(f"update-{name}.npy", codes, "f32", shape, **of_weights)
        codes = plain_updates(rng, "f32", count)
        given = out.npy(f"update-{name}-u.npy", codes, "f32", shape, **of_updates)
        out.case(f"update-{name}", weights, update=given, **options)

    for fortran in (False, True):  # of both: precheck refuses to pair different orders
        order, both = "f" if fortran else "c", {"fortran": fortran}
        pair(f"order-{order}", [2, 3, 4], both, both, round="stochastic:2")
        both["descr"] = "<c8"
        pair(f"complex-{order}", [3, 5], both, both, round="down")
    for a, b in (("le", "be"), ("be", "le"), ("be", "be")):
        pair(f"endian-{a}-{b}", [3, 9], {"big_endian": a == "be"}, {"big_endian": b == "be"},
             to="bf16,e5m2")
    pair("shape-scalar", [], {}, {})
    pair("shape-empty", [0, 3], {}, {}, steps=3)
    pair("long-0", [2049], {}, {}, to="bf16")
    pair("long-1", [50, 100], {}, {"big_endian": True}, to="e4m3fn", round="stochastic:3")
    for name in ("raw", "view"):
        codes = any_bits(rng, "bf16", 50)
        file = (out.file("update-raw.bin", pack(codes, "bf16")) if name == "raw" else
                out.npy("update-view.npy", codes, "bf16", descr="<u2"))
        out.case(f"update-{name}", file, to="e4m3fn,e5m2", update="0.001", **{name: "bf16"})


def update_total_cases(out, rng):
    codes = {d: plain_weights(rng, d, 20) for d in DESCR}
    parts = [out.npy(f"update-part-{d}.npy", c, d) for d, c in codes.items()]
    parts.append(out.npy("update-part-none.npy", [SOURCES["f32"].inf_code(False)] * 3, "f32"))
    one = out.npy("update-part-u.npy", plain_updates(rng, "f64", len(codes["f64"])), "f64")
    for i, mode in enumerate(MODES):
        out.case(f"update-total-{mode}", parts, to=formats(rng, 2), round=mode,
                 update=UPDATES[i], overflow=some_policy(rng), scale=rng.choice((None, "amax")))
        out.case(f"update-one-for-two-{mode}", parts[:2], to=formats(rng, 2), round=mode,
                 update=one, update_scale="-1e-3")
        out.case(f"steps-total-{mode}", parts[2:], to=formats(rng, 1), round=mode, update="1e-3",
                 steps=3)
        out.case(f"ema-total-{mode}", parts, to=formats(rng, 2), round=mode, ema="0.9")


def ema_cases(out, rng):
    for i, beta in enumerate(BETAS):
        for j, mode in enumerate(MODES):
            dtype = ("f32", "f64", "f16", "bf16")[(i + j) % 4]
            codes = [c & ~SOURCES[dtype].sign_bit for c in plain_weights(rng, dtype, 40)]
            moments = out.npy(f"ema-{beta}-{j}.npy", codes, dtype)
            out.case(f"ema-{beta}-alone-{mode}", moments, to=["bf16", *formats(rng, 1)], ema=beta,
                     round=mode, overflow=some_policy(rng))
            out.case(f"ema-{beta}-constant-{mode}", moments, to=formats(rng, 2), ema=beta,
                     round=mode, update=rng.choice(UPDATES),
                     update_scale=rng.choice((None, "-1e-3")))
            fmt, scale = rng.choice(NAMED + GENERIC), rng.choice((None, None, "2^7", "amax"))
            moments, given = update_pair(out, rng, f"ema-{beta}-{j}-hard", fmt, (dtype, "f64"), 24,
                                         scale, beta)
            out.case(f"ema-{beta}-file-{mode}", moments, to=fmt, ema=beta, round=mode,
                     update=given, overflow=some_policy(rng), scale=scale)


def steps_cases(out, rng):
    sizes = ((1, 24, 3), (2, 24, 2), (3, 24, 3), (10, 10, 2))  # steps, weights, cases of a mode
    for n, count, cases in sizes:
        for i, (j, mode) in itertools.product(range(cases), enumerate(MODES)):
            fmt = rng.choice(NAMED + GENERIC)
            scale = rng.choice((None, None, "2^7", FAR_SCALES[0], "amax"))
            name = f"steps-{n}-{j}-{i}"
            weights, given = update_pair(out, rng, name, fmt, dtypes_for(scale, i), count, scale)
            out.case(name, weights, to=fmt, round=mode, update=given, steps=n, scale=scale,
                     update_scale=rng.choice((None, "-1")), overflow=some_policy(rng))


def far_steps_cases(out, rng):
    codes = [encode(x, "f32") for x in (448, -448, 57344, -57344, 6, -6, 0)]
    ends = out.npy("steps-ends.npy", codes, "f32")
    for j, mode in enumerate(MODES):
        codes = [encode(rng.gauss(0, 1), "f32") for _ in range(5)] + [encode(1, "f32"), 0]
        weights = out.npy(f"steps-long-{j}.npy", codes, "f32")
        for i, (value, to) in enumerate((("-1e-3", "bf16"), ("0x1p-9", formats(rng, 1)))):
            out.case(f"steps-100-{i}-{mode}", weights, to=to, round=mode, update=value, steps=100,
                     overflow=some_policy(rng))
        # Rounding up, -M stays as it is while Kahan's compensation overflows.
        for i, value in enumerate(("1000", "-1000")):
            out.case(f"steps-beyond-{i}-{mode}", ends, to="e4m3fn,e5m2,e2m1", round=mode,
                     update=value, steps=2)
    few = out.npy("steps-few.npy", [encode(x, "f64") for x in (1, -0.3, 100)], "f64")
    for mode, to, value in ((MODES[0], "bf16", "1e-4"), (MODES[5], "fp16", "-0x1p-13"),
                            (MODES[3], "e5m2", "1e-3")):
        out.case(f"steps-1000-{mode}", few, to=to, round=mode, update=value, steps=1000)


def main():
    parser = argparse.ArgumentParser(description="write inputs and a manifest of runs")
    parser.add_argument("outdir")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    out = Set(args.outdir)
    rng = random.Random(args.seed)
    for section in (hard_cases, pattern_cases, length_cases, scale_cases, container_cases,
                    total_cases, update_hard_cases, update_cases, update_file_cases,
                    update_total_cases, ema_cases, steps_cases, far_steps_cases):
        section(out, random.Random(rng.getrandbits(64)))  # a change in one leaves the others as they are
    out.file("manifest.json", json.dumps(out.cases, indent=1, ensure_ascii=False).encode("utf-8") + b"\n")
    print(f"{len(out.cases)} cases")


if __name__ == "__main__":
    main()
