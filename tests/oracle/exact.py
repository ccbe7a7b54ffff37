"""Formats, casts and the rounding of figures, exactly: what oracle.py and updates.py are made of.

Every element is m * 2^e with integers, every sum is an exact integer times a power of two, or a
Fraction, and each real figure is rounded once, at the very end.
"""

import decimal
import math
import re
from collections import defaultdict, namedtuple
from fractions import Fraction
from functools import lru_cache


class Trouble(Exception):
    """Input that cannot be analysed; the command line turns it into status 2."""


# -------------------------------------------------------------------------------------------------
# Formats

# What codes beyond the finite numbers a format has.
IEEE = "ieee"      # top exponent: Inf and NaN
OCP = "ocp"        # no Inf; NaN is S.1..1.1..1
FNUZ = "fnuz"      # no Inf, no -0; the code of -0 is the only NaN
FINITE = "finite"  # neither Inf nor NaN


class Format:
    """A binary format: p bits of significand with the hidden one, emin..emax, the largest finite
    magnitude, specials.

    The largest magnitude is max_n * 2^max_q, where 2^max_q is the quantum of the top binade."""

    def __init__(self, name, xbits, ybits, specials, emin, max_n, emax, bits=None):
        self.name, self.xbits, self.ybits, self.specials = name, xbits, ybits, specials
        self.p = ybits + 1
        self.emin, self.emax = emin, emax
        self.qmin = emin - ybits              # exponent of the smallest subnormal
        self.max_n, self.max_q = max_n, emax - ybits
        self.largest = max_n * Fraction(2) ** self.max_q
        self.width = 1 + xbits + ybits        # bits of a code
        self.bits = bits or self.width        # bits as reported
        self.sign_bit = 1 << (xbits + ybits)
        # Bytes of a written code, and the place of the code in them: tf32 lives in a float32 word.
        self.code_bytes = 1 if self.bits <= 8 else 2 if self.bits <= 16 else 4
        self.code_shift = 13 if name == "tf32" else 0

    def finite_code(self, negative, n, q):
        """The code of +-n * 2^q, with q the quantum's exponent (n = 2^p, a carry into the next
        binade, works too)."""
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
        """(kind, negative, m, e) of a code; a finite one is m * 2^e. Bits above the code are
        ignored."""
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


# -------------------------------------------------------------------------------------------------
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
    """The bit strings of one tensor: U of an element is 0.w0w1w2w3 (block 0) w0.. (block 1) and so
    on, without end."""

    def __init__(self, seed, name="", use=0, step=0):
        key = seed ^ fnv1a64(name.encode("utf-8"))
        self.key = key & 0xFFFFFFFF, key >> 32
        self.use, self.step = use, step

    def below(self, position, num, den):
        """Is U of this element less than num / den? Exact: blocks are drawn until they decide."""
        block = 0
        while num:
            w = philox4x32((position & 0xFFFFFFFF, position >> 32, self.step,
                            self.use << 24 | block), self.key)
            u = w[0] << 96 | w[1] << 64 | w[2] << 32 | w[3]
            digits, num = divmod(num << 128, den)
            if u != digits:
                return u < digits
            block += 1
        return False  # nothing is left of the fraction, so U, whatever follows, is not below it


# -------------------------------------------------------------------------------------------------
# Casting, two ways. cast() below says it with rationals, as plainly as possible; cast_element() is
# the fast one.

MODES = ("nearest-even", "nearest-away", "toward-zero", "up", "down", "stochastic")

CLASSES = ("nan", "inf", "zero", "overflow", "underflow", "subnormal", "normal")

Special = namedtuple("Special", "kind negative")
NAN, NEG_NAN = Special("nan", False), Special("nan", True)
INF, NEG_INF = Special("inf", False), Special("inf", True)
NEG_ZERO = Special("zero", True)

# value: the delivered number divided by 2^scale again, a Fraction, or a Special (NaN or Inf). code:
# as --write has it, without tf32's shift. cls: the element's class. negative: the sign of what was
# delivered, also of a zero.
Cast = namedtuple("Cast", "value negative cls code")


def rounds_to_zero(mode, negative):
    return mode == "toward-zero" or (mode == "up" and negative) or (mode == "down" and not negative)


@lru_cache(None)
def two(k):
    """2^k, as a Fraction."""
    return Fraction(2) ** k


def floor_log2(x):
    """floor(log2 x) of a positive rational."""
    k = x.numerator.bit_length() - x.denominator.bit_length()
    return k if x >= two(k) else k - 1


def cast(x, fmt, mode="nearest-even", saturate=False, scale=0, rng=None, position=0):
    """Cast x, a Fraction (or int) or a Special, to fmt (a Format or a name), scaled by 2^scale."""
    if isinstance(fmt, str):
        fmt = find_format(fmt)
    assert mode in MODES

    def largest(negative, cls):
        value = fmt.largest * two(-scale)
        return Cast(-value if negative else value, negative, cls, fmt.max_code(negative))

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
        value = n * two(q - scale)
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
    # The quantum: unbounded above, gradual underflow below.
    q = max(floor_log2(abs(x)) + scale, fmt.emin) - fmt.ybits
    units = abs(x) * two(scale - q)
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

    rounded = n * two(q)
    if rounded > fmt.largest:
        deliver = largest if rounds_to_zero(mode, negative) else infinite
        return deliver(negative, "overflow")
    if n == 0:
        return finite(negative, 0, q, "underflow")
    return finite(negative, n, q, "subnormal" if rounded < two(fmt.emin) else "normal")


def cast_element(m, e, negative, fmt, mode, rng, position):
    """Round m * 2^e (m > 0) to fmt, exponent unbounded: (n, q, shift), the result is n * 2^q and
    q = e + shift."""
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
    """m * 2^e < n * 2^f, for non-negative m and n: by their leading bits, shifting only where those
    agree."""
    if not m or not n:
        return m < n
    a, b = e + m.bit_length(), f + n.bit_length()
    if a != b:
        return a < b
    return m << e - f < n if e >= f else m < n << f - e


def overflows(n, q, fmt):
    """Is n * 2^q > M? Below M's own binade the rounded value is at most 2^emax: no overflow."""
    d = q - fmt.max_q
    return d >= 0 and (n << d) > fmt.max_n


# -------------------------------------------------------------------------------------------------
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
    """sqrt(num / den) as the nearest binary64: an integer root of at least 64 bits, with a sticky
    bit below it."""
    if num == 0:
        return 0.0
    s = max(0, (130 - (num.bit_length() - den.bit_length())) // 2 + 1)
    n, rest = divmod(num << 2 * s, den)
    root = math.isqrt(n)
    # The true root is strictly between root and root + 1 unless all was exact; no rounding boundary
    # lies in there.
    sticky = 1 if rest or root * root != n else 0
    return to_binary64(2 * root + sticky, 1 << (s + 1))


def db_binary64(num, den):
    """10 log10(num / den) as the nearest binary64.

    For a rational argument the logarithm is dyadic, thus possibly a number or a midpoint of
    binary64, only at powers of ten. So those are taken out, and for all others some precision
    separates the value from every rounding boundary."""
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
        # A relative error r <= 10^(1-precision) of the ratio moves 10 log10 by at most 5 r; log10
        # and the product are off by at most one unit of their last digit each, which is bounded by
        # 2 r times the result.
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
        """self / den as an integer quotient (numerator, denominator); den is a Dyadic or a positive
        integer."""
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
        text = ""
        if digits:
            text = format(fraction << 4 * digits - fraction_bits, f"0{digits}x").rstrip("0")
        return f"{'-' if self.n < 0 else ''}0x1{'.' + text if text else ''}p{exponent:+d}"


ZERO = Dyadic(0, 0)


class Sum:
    """An exact sum of n * 2^e: small integers collected by exponent, which is much faster than one
    wide number."""

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


