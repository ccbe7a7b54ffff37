#!/usr/bin/env python3
"""An independent reference for precheck: the JSON report, schema precheck/1, from exact arithmetic.

    oracle.py FILE... [--to LIST] [--round MODE[:SEED]] [--overflow inf|saturate]
              [--scale 2^K|amax] [--update VALUE|FILE] [--update-scale S] [--ema BETA] [--steps N]
              [--raw SPEC] [--view DTYPE]

prints the whole JSON report for .npy and raw files (without advice and gates), and

    oracle.py --manifest DIR OUTDIR

writes OUTDIR/NAME.json for each case of DIR/manifest.json (see generate.py), which is much faster
than a run for each.

It shares nothing with the C program but the written definitions, and uses the standard library
only, so that it runs anywhere. Nothing in it is a floating-point operation, except int / int, which
Python defines as correctly rounded (used for one hot ratio; self_test.py checks it against
to_binary64). exact.py has the arithmetic, updates.py what updates come to; here are the files, the
figures of a cast, and the report.

As a module: write_bytes() for the codes that --write delivers, report() for everything.
"""

import argparse
import ast
import json
import math
import os
import re
import struct
import sys
from collections import defaultdict, namedtuple

import updates
from exact import (ALIASES, CLASSES, FINITE, FINITE_KIND, FORMATS, FP64, IEEE, INF_KIND, MODES,
                   NAN_KIND, ZERO, Dyadic, Random, Sum, Trouble, cast_element, db_binary64,
                   find_format, histogram, magnitude_less, overflows, parse_formats,
                   rounds_to_zero, sqrt_binary64, to_binary64)


# -------------------------------------------------------------------------------------------------
# Containers

class Tensor:
    """dtype: canonical name; shape: as reported; elements: (kind, negative, m, e) in storage order."""

    def __init__(self, file, name, dtype, shape, elements, fortran=False, is_complex=False):
        self.file, self.name, self.dtype, self.shape, self.elements = file, name, dtype, shape, elements
        self.fortran, self.is_complex = fortran, is_complex

    def index(self, position):
        """The multi-index into shape of a storage position."""
        axes = list(self.shape)
        tail = []
        if self.is_complex:  # the component is fastest whatever the order of the axes
            position, component = divmod(position, 2)
            tail = [component]
            axes.pop()
        out = []
        for length in (axes if self.fortran else reversed(axes)):
            position, i = divmod(position, length)
            out.append(i)
        return (out if self.fortran else out[::-1]) + tail


Skipped = namedtuple("Skipped", "file name dtype")

SOURCES = {"f64": FP64, "f32": FORMATS["fp32"], "f16": FORMATS["fp16"], "bf16": FORMATS["bf16"]}
SOURCES.update({n: FORMATS[n] for n in ("e4m3fn", "e5m2", "e4m3fnuz", "e5m2fnuz", "e4m3b11fnuz", "e4m3ieee", "e3m4",
                                        "e2m3", "e3m2", "e2m1")})
SOURCE_ALIASES = {"fp16": "f16", "fp32": "f32", "float64": "f64", "fp64": "f64", "double": "f64"}


def find_dtype(name):
    name = ALIASES.get(name, name)
    name = SOURCE_ALIASES.get(name, name)
    if name not in SOURCES:
        raise Trouble(f"unknown dtype: {name}")
    return name


def item_size(dtype):
    return -(-SOURCES[dtype].width // 8)


def decode(data, dtype, big_endian=False):
    """The elements of a run of bytes."""
    source, size = SOURCES[dtype], item_size(dtype)
    count = len(data) // size
    letter = {1: "B", 2: "H", 4: "I", 8: "Q"}[size]
    codes = struct.unpack(f"{'>' if big_endian else '<'}{count}{letter}", data[:count * size])
    cache = {}  # narrow types repeat themselves
    out = []
    for code in codes:
        element = cache.get(code)
        if element is None:
            element = cache[code] = source.decode(code)
        out.append(element)
    return out


NPY_NAMED = {"bfloat16": "bf16", "float8_e4m3fn": "e4m3fn", "float8_e5m2": "e5m2", "float8_e4m3fnuz": "e4m3fnuz",
             "float8_e5m2fnuz": "e5m2fnuz", "float8_e4m3b11fnuz": "e4m3b11fnuz", "float8_e4m3": "e4m3ieee",
             "float8_e3m4": "e3m4"}


def read_npy(path, data, view):
    if data[:6] != b"\x93NUMPY" or len(data) < 10:
        raise Trouble(f"{path}: not a .npy file")
    major = data[6]
    if major == 1:
        begin, length = 10, struct.unpack_from("<H", data, 8)[0]
    elif major in (2, 3):
        begin, length = 12, struct.unpack_from("<I", data, 8)[0]
    else:
        raise Trouble(f"{path}: .npy version {major}")
    text = data[begin:begin + length].decode("utf-8" if major == 3 else "latin-1")
    header = ast.literal_eval(re.sub(r"(\d)L\b", r"\1", text).strip())
    if set(header) != {"descr", "fortran_order", "shape"}:
        raise Trouble(f"{path}: bad .npy header")
    shape, descr = list(header["shape"]), header["descr"]
    count = math.prod(shape)
    body = data[begin + length:]

    m = re.fullmatch(r"([<>=|]?)([a-zA-Z])(\d+)", descr) if isinstance(descr, str) else None
    if isinstance(descr, str) and descr in NPY_NAMED:
        order, letter, dtype, size = "<", "f", NPY_NAMED[descr], item_size(NPY_NAMED[descr])
    elif m:
        order, letter, size = m[1], m[2], int(m[3])
        dtype = {"f1": "e5m2", "f2": "f16", "f4": "f32", "f8": "f64", "c8": "f32", "c16": "f64",
                 "V2": "bf16"}.get(letter + m[3])
    else:
        raise Trouble(f"{path}: dtype {descr!r}")

    if len(body) < count * size:
        raise Trouble(f"{path}: truncated")
    is_complex = letter == "c" and dtype is not None
    if view:
        view = find_dtype(view)
        if item_size(view) != size or is_complex:
            raise Trouble(f"{path}: {descr} cannot be viewed as {view}")
        dtype = view
    elif dtype is None:
        if letter in "iub":
            return Skipped(path, "", "bool" if letter == "b" else f"{letter}{8 * size}")
        raise Trouble(f"{path}: dtype {descr}")
    elements = decode(body[:count * size], dtype, order == ">")
    if is_complex:
        shape = shape + [2]
    return Tensor(path, "", dtype, shape, elements, header["fortran_order"], is_complex)


def read_raw(path, data, spec):
    m = re.fullmatch(r"([a-z0-9_]+?)(le|be)?(?:@(\d+))?(?::(\d+(?:x\d+)*))?", spec)
    if not m:
        raise Trouble(f"bad --raw: {spec}")
    if not data:
        raise Trouble(f"{path}: is empty")
    dtype = find_dtype(m[1])
    size = item_size(dtype)
    offset = int(m[3] or 0)
    if offset > len(data):
        raise Trouble(f"{path}: shorter than the offset")
    body = data[offset:]
    if m[4]:
        shape = [int(n) for n in m[4].split("x")]
        count = math.prod(shape)
        if len(body) < count * size:
            raise Trouble(f"{path}: truncated")
    else:
        count, rest = divmod(len(body), size)
        if rest:
            raise Trouble(f"{path}: no whole number of elements")
        shape = [count]
    return Tensor(path, "", dtype, shape, decode(body[:count * size], dtype, m[2] == "be"))


def read_file(path, raw=None, view=None):
    with open(path, "rb") as f:
        data = f.read()
    return read_raw(path, data, raw) if raw else read_npy(path, data, view)


# -------------------------------------------------------------------------------------------------
# The report

# steps is an integer, what comes before it text as given.
Options = namedtuple("Options", "formats mode seed saturate scale raw view update update_scale ema"
                     " steps", defaults=(None,) * 7)


def amax_scale(elements, fmt, mode):
    """The largest K at which nothing overflows; 0 where there is no finite element other than zero."""
    # Rounding is monotonic, so the largest magnitude of each sign decides. Directed modes treat the signs differently.
    best = None
    for sign in (False, True):
        top_m, top_e = 0, 0
        for kind, negative, m, e in elements:
            if kind == FINITE_KIND and negative == sign and magnitude_less(top_m, top_e, m, e):
                top_m, top_e = m, e
        if not top_m:
            continue
        # 2^emax <= M < 2^(emax+1): with its leading bit at emax + 1 an element always overflows, at emax - 1 never.
        k = fmt.emax - (top_e + top_m.bit_length() - 1)
        if mode == "stochastic":  # whatever is drawn
            over = magnitude_less(fmt.max_n, fmt.max_q, top_m, top_e + k)
        else:
            n, q, _ = cast_element(top_m, top_e + k, sign, fmt, mode, None, 0)
            over = overflows(n, q, fmt)
        k -= over
        best = k if best is None else min(best, k)
    return best or 0


def tensor_scale(tensor, fmt, options):
    if options.scale is None:
        return 0
    if options.scale == "amax":
        return amax_scale(tensor.elements, fmt, options.mode)
    m = re.fullmatch(r"2\^([+-]?\d+)", options.scale)
    if not m or abs(int(m[1])) > 1023:
        raise Trouble(f"bad --scale: {options.scale}")
    return int(m[1])


def scale_figure(k):
    return math.ldexp(1.0, k) if -1074 <= k <= 1023 else f"0x1p{k:+d}"


class CastFigures:
    """What one cast of one tensor, or of all, amounts to. Exact throughout."""

    def __init__(self, fmt):
        self.fmt = fmt
        self.classes = dict.fromkeys(CLASSES, 0)
        self.exact = self.count = self.relative_exact = 0
        self.e = self.abs_e = self.e2 = self.x2 = ZERO
        self.max_abs, self.max_abs_where = ZERO, None        # where: (input Dyadic, index, (name, file) as bytes)
        self.max_rel, self.max_rel_where = 0.0, None
        self.bins = defaultdict(int)
        self.scales = set()
        self.blocks = {}                                     # update, ema, steps

    def json(self, total):
        scale = None if len(self.scales) != 1 else scale_figure(min(self.scales))
        out = {"to": self.fmt.name, "bits": self.fmt.bits, "scale": scale, **self.classes, "exact": self.exact,
               "error": self.error(total),
               "relative_error": {"exact": self.relative_exact, **histogram(self.bins)},
               **{name: block.json() for name, block in self.blocks.items()},
               "sums": {"e": self.e.hexadecimal(), "abs_e": self.abs_e.hexadecimal(),
                        "e2": self.e2.hexadecimal(), "x2": self.x2.hexadecimal()}}
        return out

    def error(self, total):
        def at(where):
            if where is None:
                return None
            _, index, (name, file) = where
            return {"file": file.decode(), "name": name.decode(), "index": index} if total else index

        out = dict.fromkeys(("count", "mean", "mean_abs", "rms", "max_abs", "max_abs_at", "max_abs_input", "max_rel",
                             "max_rel_at", "max_rel_input", "sqnr_db", "rel_l2"))
        out["count"] = n = self.count
        if n == 0:
            return out
        out["mean"] = to_binary64(*self.e.ratio(n))
        out["mean_abs"] = to_binary64(*self.abs_e.ratio(n))
        out["rms"] = sqrt_binary64(*self.e2.ratio(n))
        if self.e2.n == 0:
            out.update(max_abs=0.0, max_rel=0.0, sqnr_db="inf", rel_l2=0.0)
            return out
        out["max_abs"] = self.max_abs.binary64()
        out["max_abs_at"] = at(self.max_abs_where)
        out["max_abs_input"] = self.max_abs_where[0].binary64()
        out["max_rel"] = "inf" if self.max_rel == math.inf else self.max_rel
        out["max_rel_at"] = at(self.max_rel_where)
        out["max_rel_input"] = self.max_rel_where[0].binary64()
        out["sqnr_db"] = db_binary64(*self.x2.ratio(self.e2))
        out["rel_l2"] = sqrt_binary64(*self.e2.ratio(self.x2))
        return out


def measure(tensor, fmt, options, update_tensor=None):
    """The figures of one cast of one tensor."""
    f = CastFigures(fmt)
    k = tensor_scale(tensor, fmt, options)
    f.scales = {k}
    mode = options.mode
    rng = Random(options.seed, tensor.name) if mode == "stochastic" else None
    # Everything in the loop is about x * 2^k; the sums are taken back at the end, which is exact.
    sum_e, sum_abs, sum_e2, sum_x2 = Sum(), Sum(), Sum(), Sum()
    bins_e, bins_abs, bins_e2, bins_x2 = sum_e.bins, sum_abs.bins, sum_e2.bins, sum_x2.bins
    top_n, top_e, top_at = 0, 0, None
    rel, rel_at = 0.0, None
    nan = inf = zero = overflow = underflow = subnormal = normal = exact = 0
    finite_max = options.saturate or fmt.specials == FINITE

    for position, (kind, negative, m, e) in enumerate(tensor.elements):
        if kind != FINITE_KIND:
            if kind == NAN_KIND:
                nan += 1
            else:
                inf += 1
            continue
        if not m:
            zero += 1
            continue
        e += k
        n, q, shift = cast_element(m, e, negative, fmt, mode, rng, position)
        if overflows(n, q, fmt):
            overflow += 1
            if not (finite_max or rounds_to_zero(mode, negative)):
                continue  # Inf or NaN is delivered: no error figure
            n, q = fmt.max_n, fmt.max_q
            shift = q - e
        elif n == 0:
            underflow += 1
        elif n >> fmt.ybits:  # n has p bits, or one more, exactly from 2^emin upward
            normal += 1
        else:
            subnormal += 1
        bins_x2[2 * e] += m * m
        # d = |q| - |x| in units of 2^unit; x is then `whole` units.
        if shift >= 0:
            d, unit, whole = (n << shift) - m, e, m
        else:
            whole, unit = m << -shift, q
            d = n - whole
        if d == 0:
            exact += 1
            continue
        a = abs(d)
        bins_e[unit] += -d if negative else d
        bins_abs[unit] += a
        bins_e2[2 * unit] += a * a
        if magnitude_less(top_n, top_e, a, unit):  # strictly, so the first of equals stays
            top_n, top_e, top_at = a, unit, position
        log = a.bit_length() - whole.bit_length()
        if (a << -log if log < 0 else a) < (whole << log if log > 0 else whole):
            log -= 1
        f.bins[log] += 1
        try:
            ratio = a / whole
        except OverflowError:
            ratio = math.inf
        if ratio > rel:
            rel, rel_at = ratio, position

    f.classes = dict(zip(CLASSES, (nan, inf, zero, overflow, underflow, subnormal, normal)))
    f.exact, f.relative_exact = exact + zero, exact
    f.count = f.exact + sum(f.bins.values())
    f.e, f.abs_e = sum_e.total(-k), sum_abs.total(-k)
    f.e2, f.x2 = sum_e2.total(-2 * k), sum_x2.total(-2 * k)

    def where(position):
        _, negative, m, e = tensor.elements[position]
        return (Dyadic(-m if negative else m, e), tensor.index(position),
                (tensor.name.encode("utf-8"), tensor.file.encode("utf-8")))

    if top_at is not None:
        f.max_abs, f.max_abs_where = Dyadic(top_n, top_e - k), where(top_at)
        f.max_rel, f.max_rel_where = rel, where(rel_at)
    f.blocks = updates.blocks(tensor, fmt, options, k, update_tensor)
    return f


def merge(fmt, parts):
    """The figures over all tensors; the place of a maximum is that of the least (name, file) which attains it."""
    f = CastFigures(fmt)
    for p in parts:
        for c in CLASSES:
            f.classes[c] += p.classes[c]
        f.exact += p.exact
        f.count += p.count
        f.relative_exact += p.relative_exact
        f.e, f.abs_e, f.e2, f.x2 = f.e + p.e, f.abs_e + p.abs_e, f.e2 + p.e2, f.x2 + p.x2
        for b, n in p.bins.items():
            f.bins[b] += n
        f.scales |= p.scales
        for name, block in p.blocks.items():
            f.blocks[name] = f.blocks[name] + block if name in f.blocks else block
    for p in sorted((p for p in parts if p.max_abs_where), key=lambda p: p.max_abs_where[2]):
        if magnitude_less(*f.max_abs, *p.max_abs):
            f.max_abs, f.max_abs_where = p.max_abs, p.max_abs_where
        if p.max_rel > f.max_rel:
            f.max_rel, f.max_rel_where = p.max_rel, p.max_rel_where
    return f


def input_figures(tensor):
    counts = {"nan": 0, "inf": 0, "zero": 0}
    total, squares, bins, finite = Sum(), Sum(), defaultdict(int), 0
    low = high = None
    for kind, negative, m, e in tensor.elements:
        if kind == NAN_KIND:
            counts["nan"] += 1
        elif kind == INF_KIND:
            counts["inf"] += 1
        else:
            finite += 1
            if not m:
                counts["zero"] += 1
                continue
            total.bins[e] += -m if negative else m
            squares.bins[2 * e] += m * m
            bins[e + m.bit_length() - 1] += 1
            if low is None or magnitude_less(m, e, *low):
                low = Dyadic(m, e)
            if high is None or magnitude_less(*high, m, e):
                high = Dyadic(m, e)
    out = {**counts, "min_abs": None, "max_abs": None, "mean": None, "rms": None, "sum": None,
           "exponents": histogram(bins)}
    if finite:
        out["max_abs"] = 0.0
        if high:
            out["min_abs"], out["max_abs"] = low.binary64(), high.binary64()
        out["mean"] = to_binary64(*total.total().ratio(finite))
        out["rms"] = sqrt_binary64(*squares.total().ratio(finite))
        out["sum"] = total.total().hexadecimal()
    return out


def write_bytes(tensor, fmt, options):
    """The bytes of the codes that --write delivers for a tensor, little-endian, in storage order."""
    if isinstance(fmt, str):
        fmt = find_format(fmt)
    k = tensor_scale(tensor, fmt, options)
    rng = Random(options.seed, tensor.name) if options.mode == "stochastic" else None
    out = bytearray()
    for position, (kind, negative, m, e) in enumerate(tensor.elements):
        infinite = kind == INF_KIND
        if kind == FINITE_KIND and m:
            n, q, _ = cast_element(m, e + k, negative, fmt, options.mode, rng, position)
            if not overflows(n, q, fmt):
                code = fmt.finite_code(negative, n, q)
            elif rounds_to_zero(options.mode, negative):
                code = fmt.max_code(negative)
            else:
                infinite = True
        elif kind == FINITE_KIND:
            code = fmt.finite_code(negative, 0, fmt.qmin)
        elif kind == NAN_KIND:
            code = fmt.nan_code(negative)
        if infinite:
            if options.saturate or fmt.specials == FINITE:
                code = fmt.max_code(negative)
            elif fmt.specials == IEEE:
                code = fmt.inf_code(negative)
            else:
                code = fmt.nan_code(negative)
        out += (code << fmt.code_shift).to_bytes(fmt.code_bytes, "little")
    return bytes(out)


def settings_of(options):
    out = {"to": [f.name for f in options.formats],
           "round": f"stochastic:{options.seed}" if options.mode == "stochastic" else options.mode,
           "overflow": "saturate" if options.saturate else "inf"}
    for name in ("scale", "raw", "view", "update", "update_scale", "ema", "steps"):
        value = getattr(options, name)
        if value is not None:
            out[name] = value
    return out


def read_updates(options):
    """The tensor of updates, where they are in a file."""
    if options.update is None or updates.number(options.update) is not None:
        return None
    return read_file(options.update)


def element_bytes(dtype):
    return 8 if dtype == "f64" else SOURCES.get(dtype, FORMATS.get(dtype)).code_bytes


def checkpoint_of(tensors, options):
    """Sizes as they are, by dtype and the largest first, and once the tensors are cast."""
    sizes = {}
    for t in tensors:
        size = sizes.setdefault(t["dtype"], {"dtype": t["dtype"], "tensors": 0, "bytes": 0})
        size["tensors"] += 1
        size["bytes"] += t["elements"] * element_bytes(t["dtype"])
    elements = sum(t["elements"] for t in tensors)
    return {"bytes": sum(size["bytes"] for size in sizes.values()),
            "dtypes": sorted(sizes.values(), key=lambda size: (-size["bytes"], size["dtype"])),
            "after": [{"to": f.name, "bytes": elements * f.code_bytes} for f in options.formats]}


def report(files, options):
    tensors, skipped, all_figures = [], [], []
    update_tensor = read_updates(options)
    for file in files:
        t = read_file(file, options.raw, options.view)
        if isinstance(t, Skipped):
            skipped.append({"file": t.file, "name": t.name, "dtype": t.dtype,
                            "reason": "not floating point"})
            continue
        figures = [measure(t, fmt, options, update_tensor) for fmt in options.formats]
        all_figures.append(figures)
        tensors.append({"file": t.file, "name": t.name, "dtype": t.dtype, "shape": t.shape,
                        "elements": len(t.elements), "input": input_figures(t),
                        "casts": [f.json(False) for f in figures]})
    total = [merge(fmt, [figures[i] for figures in all_figures]).json(True)
             for i, fmt in enumerate(options.formats)]
    return {"schema": "precheck/1", "version": "oracle", "settings": settings_of(options),
            "tensors": tensors, "skipped": skipped, "total": total,
            "checkpoint": checkpoint_of(tensors, options), "advice": [], "gates": [], "verdict": None}


def plain(value):
    """The value with whole floats as integers, so that a zero prints as 0 and a scale of one as 1."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
        return int(value)
    return value


def parse_arguments(argv):
    parser = argparse.ArgumentParser(description="exact reference report for precheck", allow_abbrev=False)
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--to", default="fp16,bf16,fp8")
    parser.add_argument("--round", default="nearest-even")
    parser.add_argument("--overflow", default="inf", choices=("inf", "saturate"))
    parser.add_argument("--scale")
    parser.add_argument("--update", "-u")
    parser.add_argument("--update-scale")
    parser.add_argument("--ema")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--raw")
    parser.add_argument("--view")
    a = parser.parse_intermixed_args(argv)
    mode, colon, seed = a.round.partition(":")
    if mode not in MODES or (colon and mode != "stochastic"):
        raise Trouble(f"unknown rounding mode: {a.round}")
    seed = int(seed, 0) if colon else 0
    if not 0 <= seed < 1 << 64:
        raise Trouble(f"bad seed: {a.round}")
    if a.steps is not None and (a.update is None or a.ema is not None):
        raise Trouble("--steps needs --update, and is not for --ema")
    return a.files, Options(parse_formats(a.to), mode, seed, a.overflow == "saturate", a.scale,
                            a.raw, a.view, a.update, a.update_scale, a.ema, a.steps)


def print_report(argv, out):
    files, options = parse_arguments(argv)
    json.dump(plain(report(files, options)), out, ensure_ascii=False, allow_nan=False, indent=1)
    out.write("\n")


def run_manifest(directory, outdir):
    outdir = os.path.abspath(outdir)
    os.makedirs(outdir, exist_ok=True)
    os.chdir(directory)
    with open("manifest.json", encoding="utf-8") as f:
        cases = json.load(f)
    for case in cases:
        with open(os.path.join(outdir, case["name"] + ".json"), "w", encoding="utf-8") as out:
            print_report(case["args"], out)


def main(argv):
    try:
        if len(argv) == 3 and argv[0] == "--manifest":
            run_manifest(argv[1], argv[2])
        else:
            print_report(argv, sys.stdout)
    except (Trouble, OSError) as e:
        print(f"oracle: {e}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
