#!/usr/bin/env python3
"""An independent reference for precheck: the JSON report, schema precheck/1, from exact arithmetic.

    oracle.py FILE... [--to LIST] [--round MODE[:SEED]] [--overflow inf|saturate]
              [--scale 2^K|amax] [--raw SPEC] [--view DTYPE]

prints the whole JSON report for .npy and raw files (without update, ema, steps, advice and gates), and

    oracle.py --manifest DIR OUTDIR

writes OUTDIR/NAME.json for each case of DIR/manifest.json (see generate.py), which is much faster than a run for each.

It shares nothing with the C program but the written definitions, and uses the standard library only, so that it runs
anywhere. Every element is m * 2^e with integers, every sum is an exact integer times a power of two, and each real figure
is rounded once, at the very end. Nothing here is a floating-point operation, except int / int, which Python defines as
correctly rounded (used for one hot ratio; selftest.py checks it against to_binary64).

As a module: cast() for one value, write_bytes() for the codes that --write delivers, report() for everything.
"""

import argparse
import ast
import decimal
import json
import math
import os
import re
import struct
import sys
from collections import defaultdict, namedtuple
from fractions import Fraction


class Trouble(Exception):
    """Input that cannot be analysed; the command line turns it into status 2."""


# ---------------------------------------------------------------------------------------------------------------------
# Formats

# What codes beyond the finite numbers a format has.
IEEE = "ieee"      # top exponent: Inf and NaN
OCP = "ocp"        # no Inf; NaN is S.1..1.1..1
FNUZ = "fnuz"      # no Inf, no -0; the code of -0 is the only NaN
FINITE = "finite"  # neither Inf nor NaN


class Format:
    """A binary format: p bits of significand with the hidden one, emin..emax, the largest finite magnitude, specials.

    The largest magnitude is max_n * 2^max_q, where 2^max_q is the quantum of the top binade."""

    def __init__(self, name, xbits, ybits, specials, emin, max_n, emax, bits=None):
        self.name, self.xbits, self.ybits, self.specials = name, xbits, ybits, specials
        self.p = ybits + 1
        self.emin, self.emax = emin, emax
        self.qmin = emin - ybits              # exponent of the smallest subnormal
        self.max_n, self.max_q = max_n, emax - ybits
        self.width = 1 + xbits + ybits        # bits of a code
        self.bits = bits or self.width        # bits as reported
        self.sign_bit = 1 << (xbits + ybits)
        # Bytes of a written code, and the place of the code in them: tf32 lives in a float32 word.
        self.code_bytes = 1 if self.bits <= 8 else 2 if self.bits <= 16 else 4
        self.code_shift = 13 if name == "tf32" else 0

    @property
    def largest(self):
        return Fraction(self.max_n) * Fraction(2) ** self.max_q

    def finite_code(self, negative, n, q):
        """The code of +-n * 2^q, with q the quantum's exponent (n = 2^p, a carry into the next binade, works too)."""
        if n == 0 and self.specials == FNUZ:
            return 0
        return ((q - self.qmin) << self.ybits) + n + (self.sign_bit if negative else 0)

    def max_code(self, negative):
        return self.finite_code(negative, self.max_n, self.max_q)

    def inf_code(self, negative):
        assert self.specials == IEEE
        return (((1 << self.xbits) - 1) << self.ybits) + (self.sign_bit if negative else 0)

    def nan_code(self, negative):
        if self.specials == IEEE:
            return self.inf_code(negative) | 1 << (self.ybits - 1)
        if self.specials == OCP:
            return (self.sign_bit - 1) | (self.sign_bit if negative else 0)
        if self.specials == FNUZ:
            return self.sign_bit
        return self.max_code(False)  # no NaN to give

    def decode(self, code):
        """(kind, negative, m, e) of a code; a finite one is m * 2^e. Bits above the code are ignored."""
        code &= 2 * self.sign_bit - 1
        negative = bool(code & self.sign_bit)
        body = code & (self.sign_bit - 1)
        field, fraction = body >> self.ybits, body & ((1 << self.ybits) - 1)
        if self.specials == IEEE and field == (1 << self.xbits) - 1:
            return (NAN_KIND if fraction else INF_KIND), negative, 0, 0
        if self.specials == OCP and body == self.sign_bit - 1:
            return NAN_KIND, negative, 0, 0
        if self.specials == FNUZ and code == self.sign_bit:
            return NAN_KIND, True, 0, 0
        if field == 0:
            return FINITE_KIND, negative, fraction, self.qmin
        return FINITE_KIND, negative, fraction | 1 << self.ybits, self.qmin + field - 1


FINITE_KIND, INF_KIND, NAN_KIND = 0, 1, 2


def ieee_format(name, xbits, ybits, bits=None):
    bias = (1 << (xbits - 1)) - 1
    return Format(name, xbits, ybits, IEEE, 1 - bias, (1 << (ybits + 1)) - 1, bias, bits)


FORMATS = {f.name: f for f in (
    ieee_format("fp16", 5, 10),
    ieee_format("bf16", 8, 7),
    Format("e4m3fn", 4, 3, OCP, -6, 14, 8),
    ieee_format("e5m2", 5, 2),
    Format("e4m3fnuz", 4, 3, FNUZ, -7, 15, 7),
    Format("e5m2fnuz", 5, 2, FNUZ, -15, 7, 15),
    Format("e4m3b11fnuz", 4, 3, FNUZ, -10, 15, 4),
    ieee_format("e4m3ieee", 4, 3),
    ieee_format("e3m4", 3, 4),
    ieee_format("tf32", 8, 10, bits=32),
    Format("e2m3", 2, 3, FINITE, 0, 15, 2),
    Format("e3m2", 3, 2, FINITE, -2, 7, 4),
    Format("e2m1", 2, 1, FINITE, 0, 3, 2),
    ieee_format("fp32", 8, 23),
)}
FP64 = ieee_format("fp64", 11, 52)  # a source only

ALIASES = {
    "f16": "fp16", "half": "fp16", "float16": "fp16", "binary16": "fp16", "e5m10": "fp16",
    "bfloat16": "bf16", "e8m7": "bf16",
    "e4m3": "e4m3fn", "fp8_e4m3": "e4m3fn", "float8_e4m3fn": "e4m3fn",
    "fp8_e5m2": "e5m2", "float8_e5m2": "e5m2",
    "e8m10": "tf32",
    "f32": "fp32", "float32": "fp32", "e8m23": "fp32",
}


def find_format(name):
    name = ALIASES.get(name, name)
    if name in FORMATS:
        return FORMATS[name]
    m = re.fullmatch(r"e([2-8])m([1-9]|1[0-9]|2[0-3])", name)
    if not m:
        raise Trouble(f"unknown format: {name}")
    return ieee_format(name, int(m[1]), int(m[2]))


def parse_formats(text):
    """A format named twice, by whatever names, counts once, where it comes first."""
    formats = {}
    for name in text.split(","):
        for n in ("e4m3fn", "e5m2") if name == "fp8" else (name,):
            f = find_format(n)
            formats.setdefault(f.name, f)
    return list(formats.values())


# ---------------------------------------------------------------------------------------------------------------------
# Stochastic rounding: Philox4x32-10 and the infinite bit string

def philox4x32(counter, key):
    """Ten rounds of Philox4x32 (Random123)."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        a, b = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (b >> 32) ^ c1 ^ k0, b & 0xFFFFFFFF, (a >> 32) ^ c3 ^ k1, a & 0xFFFFFFFF
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


def fnv1a64(data):
    h = 0xCBF29CE484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return h


class Random:
    """The bit strings of one tensor: U of an element is 0.w0w1w2w3 (block 0) w0.. (block 1) and so on, without end."""

    def __init__(self, seed, name="", use=0, step=0):
        key = seed ^ fnv1a64(name.encode("utf-8"))
        self.key = key & 0xFFFFFFFF, key >> 32
        self.use, self.step = use, step

    def below(self, position, num, den):
        """Is U of this element less than num / den? Exact: blocks are drawn until they decide."""
        block = 0
        while num:
            w = philox4x32((position & 0xFFFFFFFF, position >> 32, self.step, self.use << 24 | block), self.key)
            u = w[0] << 96 | w[1] << 64 | w[2] << 32 | w[3]
            digits, num = divmod(num << 128, den)
            if u != digits:
                return u < digits
            block += 1
        return False  # nothing is left of the fraction, so U, whatever follows, is not below it


# ---------------------------------------------------------------------------------------------------------------------
# Casting, two ways. cast() below says it with rationals, as plainly as possible; cast_element() is the fast one.

MODES = ("nearest-even", "nearest-away", "toward-zero", "up", "down", "stochastic")

CLASSES = ("nan", "inf", "zero", "overflow", "underflow", "subnormal", "normal")

Special = namedtuple("Special", "kind negative")
NAN, NEG_NAN = Special("nan", False), Special("nan", True)
INF, NEG_INF = Special("inf", False), Special("inf", True)
NEG_ZERO = Special("zero", True)

# value: the delivered number divided by 2^scale again, a Fraction, or a Special (NaN or Inf). code: as --write has it, without
# tf32's shift. cls: the element's class. negative: the sign of what was delivered, also of a zero.
Cast = namedtuple("Cast", "value negative cls code")


def rounds_to_zero(mode, negative):
    return mode == "toward-zero" or (mode == "up" and negative) or (mode == "down" and not negative)


def floor_log2(x):
    """floor(log2 x) of a positive rational."""
    k = x.numerator.bit_length() - x.denominator.bit_length()
    return k if x >= Fraction(2) ** k else k - 1


def cast(x, fmt, mode="nearest-even", saturate=False, scale=0, rng=None, position=0):
    """Cast x, a Fraction (or int) or a Special, to fmt (a Format or a name) with the scale 2^scale."""
    if isinstance(fmt, str):
        fmt = find_format(fmt)
    assert mode in MODES
    back = Fraction(2) ** -scale

    def largest(negative, cls):
        value = -fmt.largest if negative else fmt.largest
        return Cast(value * back, negative, cls, fmt.max_code(negative))

    def infinite(negative, cls):
        if saturate or fmt.specials == FINITE:
            return largest(negative, cls)
        if fmt.specials == IEEE:
            return Cast(Special("inf", negative), negative, cls, fmt.inf_code(negative))
        return nan(negative, cls)

    def nan(negative, cls):
        if fmt.specials == FINITE:
            return largest(False, cls)
        negative = negative or fmt.specials == FNUZ
        return Cast(Special("nan", negative), negative, cls, fmt.nan_code(negative))

    def finite(negative, n, q, cls):
        if n == 0 and fmt.specials == FNUZ:
            negative = False
        value = n * Fraction(2) ** q * back
        return Cast(-value if negative else value, negative, cls, fmt.finite_code(negative, n, q))

    if isinstance(x, Special):
        if x.kind == "nan":
            return nan(x.negative, "nan")
        if x.kind == "inf":
            return infinite(x.negative, "inf")
        return finite(x.negative, 0, fmt.qmin, "zero")
    if x == 0:
        return finite(False, 0, fmt.qmin, "zero")

    negative = x < 0
    y = abs(Fraction(x)) * Fraction(2) ** scale
    q = max(floor_log2(y), fmt.emin) - fmt.ybits  # the quantum: unbounded above, gradual underflow below
    units = y / Fraction(2) ** q
    n = units.numerator // units.denominator
    rest = units - n
    if rest:
        if mode == "nearest-even":
            up = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and n % 2 == 1)
        elif mode == "nearest-away":
            up = rest >= Fraction(1, 2)
        elif mode == "stochastic":
            up = rng.below(position, rest.numerator, rest.denominator)
        else:
            up = not rounds_to_zero(mode, negative)
        n += up

    rounded = n * Fraction(2) ** q
    if rounded > fmt.largest:
        return largest(negative, "overflow") if rounds_to_zero(mode, negative) else infinite(negative, "overflow")
    if n == 0:
        return finite(negative, 0, q, "underflow")
    return finite(negative, n, q, "subnormal" if rounded < Fraction(2) ** fmt.emin else "normal")


def cast_element(m, e, negative, fmt, mode, rng, position):
    """Round m * 2^e (m > 0) to fmt, exponent unbounded: (n, q, shift), the result is n * 2^q and q = e + shift."""
    exponent = e + m.bit_length() - 1
    q = (exponent if exponent > fmt.emin else fmt.emin) - fmt.ybits
    shift = q - e
    if shift <= 0:
        return m << -shift, q, shift
    n = m >> shift
    rest = m - (n << shift)
    if rest:
        if mode == "nearest-even":
            twice, one = rest << 1, 1 << shift
            n += twice > one or (twice == one and n & 1)
        elif mode == "nearest-away":
            n += rest << 1 >= 1 << shift
        elif mode == "stochastic":
            n += rng.below(position, rest, 1 << shift)
        else:
            n += not rounds_to_zero(mode, negative)
    return n, q, shift


def magnitude_less(m, e, n, f):
    """m * 2^e < n * 2^f, for non-negative m and n: by their leading bits, shifting only where those agree."""
    if not m or not n:
        return m < n
    a, b = e + m.bit_length(), f + n.bit_length()
    if a != b:
        return a < b
    return m << e - f < n if e >= f else m < n << f - e


def overflows(n, q, fmt):
    """Is n * 2^q > M? Below M's own binade the rounded value is at most 2^emax, which is no overflow."""
    d = q - fmt.max_q
    return d >= 0 and (n << d) > fmt.max_n


# ---------------------------------------------------------------------------------------------------------------------
# Rounding figures, once

def to_binary64(num, den=1):
    """num / den as the nearest binary64, ties to even; "inf" or "-inf" beyond the largest."""
    if num == 0:
        return 0.0
    negative, num = num < 0, abs(num)
    exponent = num.bit_length() - den.bit_length()      # floor(log2(num / den)), or one more
    if (num << -exponent if exponent < 0 else num) < (den << exponent if exponent > 0 else den):
        exponent -= 1
    q = max(exponent, -1022) - 52
    if q < 0:
        n, rest = divmod(num << -q, den)
    else:
        den <<= q
        n, rest = divmod(num, den)
    n += rest * 2 > den or (rest * 2 == den and n & 1)
    if n.bit_length() + q > 1024:
        return "-inf" if negative else "inf"
    # n has at most 53 bits and the result is representable, so this is exact.
    value = math.ldexp(n, q)
    return -value if negative else value


def sqrt_binary64(num, den):
    """sqrt(num / den) as the nearest binary64: an integer root of at least 64 bits, with a sticky bit below it."""
    if num == 0:
        return 0.0
    s = max(0, (130 - (num.bit_length() - den.bit_length())) // 2 + 1)
    n, rest = divmod(num << 2 * s, den)
    root = math.isqrt(n)
    # The true root is strictly between root and root + 1 unless all was exact; no rounding boundary lies in there.
    sticky = 1 if rest or root * root != n else 0
    return to_binary64(2 * root + sticky, 1 << (s + 1))


def db_binary64(num, den):
    """10 log10(num / den) as the nearest binary64.

    For a rational argument the logarithm is dyadic, thus possibly a number or a midpoint of binary64, only at powers of ten.
    So those are taken out, and for all others some precision separates the value from every rounding boundary."""
    estimate = (num.bit_length() - den.bit_length()) * 30103 // 100000
    for k in range(estimate - 2, estimate + 4):
        if num * 10 ** max(-k, 0) == den * 10 ** max(k, 0):
            return to_binary64(10 * k)
    precision = 40
    while True:
        ctx = decimal.Context(prec=precision, rounding=decimal.ROUND_HALF_EVEN,
                              Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
        ratio = ctx.divide(decimal.Decimal(num), decimal.Decimal(den))
        log = ctx.multiply(ctx.log10(ratio), decimal.Decimal(10))
        # A relative error r <= 10^(1-precision) of the ratio moves 10 log10 by at most 5 r; log10 and the product
        # are off by at most one unit of their last digit each, which is bounded by 2 r times the result.
        value = Fraction(log)
        slack = (10 + 4 * abs(value)) * Fraction(10) ** (1 - precision)
        low, high = value - slack, value + slack
        low, high = (to_binary64(v.numerator, v.denominator) for v in (low, high))
        if low == high:
            return low
        precision *= 2


class Dyadic(namedtuple("Dyadic", "n e")):
    """An exact n * 2^e."""

    def __add__(self, other):
        low = min(self.e, other.e)
        return Dyadic((self.n << self.e - low) + (other.n << other.e - low), low)

    def ratio(self, den=None):
        """self / den as an integer quotient (numerator, denominator); den is a Dyadic or a positive integer."""
        if not isinstance(den, Dyadic):
            den = Dyadic(1 if den is None else den, 0)
        d = self.e - den.e
        return self.n << max(d, 0), den.n << max(-d, 0)

    def binary64(self):
        return to_binary64(*self.ratio())

    def hexadecimal(self):
        """The canonical exact form: one leading digit 1, no trailing zeros."""
        if self.n == 0:
            return "0x0p+0"
        n = abs(self.n)
        exponent = self.e + n.bit_length() - 1
        fraction_bits = n.bit_length() - 1
        fraction = n - (1 << fraction_bits)
        digits = -(-fraction_bits // 4)
        text = format(fraction << 4 * digits - fraction_bits, f"0{digits}x").rstrip("0") if digits else ""
        return f"{'-' if self.n < 0 else ''}0x1{'.' + text if text else ''}p{exponent:+d}"


ZERO = Dyadic(0, 0)


class Sum:
    """An exact sum of n * 2^e: small integers collected by exponent, which is much faster than one wide number."""

    def __init__(self):
        self.bins = defaultdict(int)

    def total(self, shift=0):
        if not self.bins:
            return ZERO
        low = min(self.bins)
        return Dyadic(sum(n << e - low for e, n in self.bins.items()), low + shift)


def histogram(bins):
    """{"first", "counts"} of a dictionary of counts."""
    if not bins:
        return {"first": None, "counts": []}
    first, last = min(bins), max(bins)
    return {"first": first, "counts": [bins.get(k, 0) for k in range(first, last + 1)]}


# ---------------------------------------------------------------------------------------------------------------------
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


# ---------------------------------------------------------------------------------------------------------------------
# The report

Options = namedtuple("Options", "formats mode seed saturate scale raw view", defaults=(None, None, None))


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

    def json(self, total):
        scale = None if len(self.scales) != 1 else scale_figure(min(self.scales))
        out = {"to": self.fmt.name, "bits": self.fmt.bits, "scale": scale, **self.classes, "exact": self.exact,
               "error": self.error(total),
               "relative_error": {"exact": self.relative_exact, **histogram(self.bins)},
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


def measure(tensor, fmt, options):
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


def report(files, options):
    tensors, skipped, all_figures = [], [], []
    for file in files:
        t = read_file(file, options.raw, options.view)
        if isinstance(t, Skipped):
            skipped.append({"file": t.file, "name": t.name, "dtype": t.dtype, "reason": "not floating point"})
            continue
        figures = [measure(t, fmt, options) for fmt in options.formats]
        all_figures.append(figures)
        tensors.append({"file": t.file, "name": t.name, "dtype": t.dtype, "shape": t.shape,
                        "elements": len(t.elements), "input": input_figures(t),
                        "casts": [f.json(False) for f in figures]})
    total = [merge(fmt, [figures[i] for figures in all_figures]).json(True)
             for i, fmt in enumerate(options.formats)]
    settings = {"to": [f.name for f in options.formats],
                "round": f"stochastic:{options.seed}" if options.mode == "stochastic" else options.mode,
                "overflow": "saturate" if options.saturate else "inf"}
    settings.update({k: v for k, v in (("scale", options.scale), ("raw", options.raw), ("view", options.view))
                     if v is not None})
    return {"schema": "precheck/1", "version": "oracle", "settings": settings, "tensors": tensors,
            "skipped": skipped, "total": total, "advice": [], "gates": [], "verdict": None}


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
    parser.add_argument("--raw")
    parser.add_argument("--view")
    a = parser.parse_intermixed_args(argv)
    mode, colon, seed = a.round.partition(":")
    if mode not in MODES or (colon and mode != "stochastic"):
        raise Trouble(f"unknown rounding mode: {a.round}")
    seed = int(seed, 0) if colon else 0
    if not 0 <= seed < 1 << 64:
        raise Trouble(f"bad seed: {a.round}")
    return a.files, Options(parse_formats(a.to), mode, seed, a.overflow == "saturate", a.scale, a.raw, a.view)


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
