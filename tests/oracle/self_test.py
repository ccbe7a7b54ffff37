#!/usr/bin/env python3
"""Checks the casts and figures of the oracle itself, and prints TAP:  self_test.py

PRECHECK_TEST_SEED makes other numbers. With numpy and torch installed (any of them) their casts to
float16 and bfloat16 are compared too. The blocks of updates have a file of their own.
"""

import decimal
import math
import os
import random
import struct
import sys
from fractions import Fraction

import exact
import oracle
from exact import INF, NAN, NEG_INF, NEG_NAN, NEG_ZERO
from oracle import Options, Tensor

SEED = os.environ.get("PRECHECK_TEST_SEED", "1")
SHOWN = 5  # failures of a test
failures = []


def check(what, got, expected):
    if got != expected:
        failures.append(f"{what}: {got!r}, expected {expected!r}")


def run(*tests):
    """Runs these functions, each with a generator of its own and with a sentence about it, and
    prints TAP. One that could not do its work returns why."""
    print(f"# PRECHECK_TEST_SEED={SEED}")
    print(f"1..{len(tests)}")
    failed = False
    for number, test in enumerate(tests, 1):
        failures.clear()
        skipped = test(random.Random(f"{SEED} {test.__name__}"))
        what = " ".join(test.__doc__.split()).rstrip(".")
        skip = f" # SKIP {skipped}" if skipped else ""
        print(f"{'not ok' if failures else 'ok'} {number} - {what}{skip}")
        for line in failures[:SHOWN]:
            print(f"#   {line}")
        if len(failures) > SHOWN:
            print(f"#   and {len(failures) - SHOWN} more")
        sys.stdout.flush()
        failed |= bool(failures)
    return failed


def tensor_of(values, dtype="f64"):
    data = b"".join(struct.pack({"f64": "<d", "f32": "<f"}[dtype], v) for v in values)
    return Tensor("x", "", dtype, [len(values)], oracle.decode(data, dtype))


ALL = list(exact.FORMATS) + ["e8m22", "e8m1", "e2m5", "e5m7", "e7m3", "e3m1", "e8m20", "e2m2", "e6m9", "e2m23", "e4m1"]


def known_answers(_):
    """Known answers: casts, codes of the specials, Philox, FNV."""
    one = exact.cast(464, "e4m3fn")
    check("464 in e4m3fn", (one.value, one.cls), (448, "normal"))
    one = exact.cast(465, "e4m3fn")
    check("465 in e4m3fn", (one.value, one.cls, one.code), (NAN, "overflow", 0x7F))
    check("465 saturated", exact.cast(465, "e4m3fn", saturate=True)[:3], (448, False, "overflow"))
    # One rounding from binary64: a detour through float32 gives the tie 2^-10, which goes to zero.
    check("0x1.0000000000001p-10", exact.cast(Fraction(float.fromhex("0x1.0000000000001p-10")), "e4m3fn").code, 0x01)
    check("2^-10", exact.cast(Fraction(1, 1024), "e4m3fn")[2:], ("underflow", 0x00))
    check("65520 in fp16", exact.cast(65520, "fp16")[:3], (INF, False, "overflow"))
    check("65519 in fp16", exact.cast(65519, "fp16").value, 65504)
    check("65535 to zero", exact.cast(65535, "fp16", "toward-zero")[::2], (65504, "normal"))
    check("65536 to zero", exact.cast(65536, "fp16", "toward-zero")[::2], (65504, "overflow"))
    check("-65505 up", exact.cast(-65505, "fp16", "up")[::2], (-65504, "normal"))
    check("65505 up", exact.cast(65505, "fp16", "up")[::2], (INF, "overflow"))
    check("-65536 up", exact.cast(-65536, "fp16", "up")[::2], (-65504, "overflow"))
    codes = {"fp16": (0x7E00, 0x7C00, 0x7BFF), "bf16": (0x7FC0, 0x7F80, 0x7F7F), "e4m3fn": (0x7F, 0x7F, 0x7E),
             "e5m2": (0x7E, 0x7C, 0x7B), "e4m3fnuz": (0x80, 0x80, 0x7F), "e5m2fnuz": (0x80, 0x80, 0x7F),
             "e4m3b11fnuz": (0x80, 0x80, 0x7F), "e4m3ieee": (0x7C, 0x78, 0x77), "e3m4": (0x78, 0x70, 0x6F),
             "e2m3": (0x1F, 0x1F, 0x1F), "e3m2": (0x1F, 0x1F, 0x1F), "e2m1": (7, 7, 7),
             "fp32": (0x7FC00000, 0x7F800000, 0x7F7FFFFF), "tf32": (0x3FE00, 0x3FC00, 0x3FBFF)}
    largest = {"fp16": 65504, "bf16": Fraction(float.fromhex("0x1.FEp127")), "e4m3fn": 448, "e5m2": 57344,
               "e4m3fnuz": 240, "e5m2fnuz": 57344, "e4m3b11fnuz": 30, "e4m3ieee": 240, "e3m4": Fraction(31, 2),
               "tf32": Fraction(float.fromhex("0x1.FFCp127")), "e2m3": Fraction(15, 2), "e3m2": 28, "e2m1": 6,
               "fp32": Fraction(float.fromhex("0x1.fffffep127"))}
    for name, (nan, inf, top) in codes.items():
        f = exact.FORMATS[name]
        check(f"{name} largest", f.largest, largest[name])
        check(f"{name} NaN", exact.cast(NAN, f).code, nan)
        check(f"{name} Inf", exact.cast(INF, f).code, inf)
        check(f"{name} M", exact.cast(f.largest, f)[2:], ("normal", top))
        sign = 0 if f.specials in (exact.FNUZ, exact.FINITE) else f.sign_bit
        check(f"{name} -NaN", exact.cast(NEG_NAN, f).code, nan | sign)
        check(f"{name} -0", exact.cast(NEG_ZERO, f).code, 0 if f.specials == exact.FNUZ else f.sign_bit)
    check("tf32 written", oracle.write_bytes(tensor_of([1.0]), "tf32", Options([], "nearest-even", 0, False)),
          struct.pack("<f", 1.0))
    # The known-answer vectors of Random123.
    for counter, key, out in (
            ([0] * 4, [0] * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
            ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
            ([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0],
             "d16cfe09 94fdcceb 5001e420 24126ea1")):
        check("philox", " ".join(f"{w:08x}" for w in exact.philox4x32(counter, key)), out)
    check("fnv1a", [exact.fnv1a64(t) for t in (b"", b"a", b"foobar")],
          [0xCBF29CE484222325, 0xAF63DC4C8601EC8C, 0x85944171F73967E8])


def every_code(rng):
    """Every number of every format casts to its own code, in every mode; between neighbours the
    modes do what they say."""
    for name in ALL:
        f = exact.find_format(name)
        codes = range(f.sign_bit) if f.width <= 10 else sorted(
            {rng.randrange(f.sign_bit) for _ in range(300)} | {0, 1, 2, f.max_code(False) - 1, f.max_code(False)})
        decoded = [(c, f.decode(c)) for c in codes]
        finite = [(c, m * Fraction(2) ** e) for c, (kind, _, m, e) in decoded if kind == exact.FINITE_KIND]
        check(f"{name} ends at M", finite[-1][1], f.largest)
        for code, x in finite:
            for sign in (1, -1):
                want = code + (f.sign_bit if sign < 0 and x else 0)
                for mode in exact.MODES:
                    check(f"{name} {code:#x} {mode}", exact.cast(sign * x, f, mode, rng=None).code, want)
        for (c, x), (d, y) in zip(finite, finite[1:]):
            if d != c + 1:
                continue
            mid = (x + y) / 2
            even, odd = (c, d) if c % 2 == 0 else (d, c)
            near = (y - x) / 2 ** 60
            for v, mode, want in ((mid, "nearest-even", even), (mid, "nearest-away", d), (mid, "toward-zero", c),
                                  (mid, "up", d), (mid, "down", c), (mid - near, "nearest-even", c),
                                  (mid + near, "nearest-even", d), (mid - near, "nearest-away", c),
                                  (y - near, "toward-zero", c), (x + near, "up", d), (y - near, "down", c)):
                check(f"{name} {float(v)} {mode}", exact.cast(v, f, mode).code, want)


def hard_values(rng, f, count):
    """binary64 values that are hard for a format: any, near its numbers and midpoints, about M."""
    out = [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, sys.float_info.max]
    while len(out) < count:
        kind = rng.randrange(4)
        if kind == 0:
            v = struct.unpack("<d", rng.randbytes(8))[0]
        else:
            n = 2 * rng.randrange(1 << f.p + 1) + (kind == 1)
            q = rng.choice((f.max_q, f.qmin, rng.randint(f.qmin, f.max_q)))
            v = math.ldexp(n, q - 2)
            v = rng.choice((v, math.nextafter(v, 0), math.nextafter(v, math.inf)))
        out.append(v if rng.random() < 0.5 else -v)
    return out


def unscaled(v, k):
    """v / 2^k, so that scaling brings it back to where it is hard; v itself where that is beyond binary64."""
    try:
        return math.ldexp(v, -k)
    except OverflowError:
        return v


def fast_against_plain(rng):
    """The fast cast and its sums are those of the plain one."""
    for name in ALL:
        f = exact.find_format(name)
        for mode in exact.MODES:
            for saturate in (False, True):
                k = rng.choice((0, 0, 3, -7, 300, -1023, 1023))
                values = [unscaled(v, k) for v in hard_values(rng, f, 60)]
                options = Options([f], mode, 42, saturate, f"2^{k}")
                t = tensor_of(values)
                figures = oracle.measure(t, f, options)
                casts, errors, inputs = [], [], []
                draws = exact.Random(42)
                for i, v in enumerate(values):
                    x = (Fraction(v) if math.isfinite(v) and v else NEG_ZERO if v == 0 and math.copysign(1, v) < 0 else
                         0 if v == 0 else NAN if v != v else INF if v > 0 else NEG_INF)
                    if v != v and struct.pack(">d", v)[0] & 128:
                        x = NEG_NAN
                    c = exact.cast(x, f, mode, saturate, k, draws, i)
                    casts.append(c)
                    if math.isfinite(v) and not isinstance(c.value, exact.Special):
                        errors.append(c.value - Fraction(v))
                        inputs.append((Fraction(v), i))
                what = f"{name} {mode} {saturate} 2^{k}"
                data = b"".join((c.code << f.code_shift).to_bytes(f.code_bytes, "little") for c in casts)
                check(f"{what} codes", oracle.write_bytes(t, f, options), data)
                check(f"{what} classes", [figures.classes[c] for c in exact.CLASSES],
                      [sum(c.cls == n for c in casts) for n in exact.CLASSES])
                check(f"{what} exact", figures.exact, sum(e == 0 for e in errors))

                def value(d):
                    return Fraction(*d.ratio())
                check(f"{what} sums", [value(s) for s in (figures.e, figures.abs_e, figures.e2, figures.x2)],
                      [sum(errors), sum(map(abs, errors)), sum(e * e for e in errors), sum(x * x for x, _ in inputs)])
                ratios = [(exact.to_binary64(*(abs(e / x)).as_integer_ratio()), i)
                          for e, (x, i) in zip(errors, inputs) if x]
                ratios = [(math.inf if r == "inf" else r, i) for r, i in ratios]
                if figures.max_abs_where:
                    big = max(map(abs, errors))
                    check(f"{what} max_abs", (value(figures.max_abs), figures.max_abs_where[1]),
                          (big, [next(i for e, (_, i) in zip(errors, inputs) if abs(e) == big)]))
                    top = max(r for r, _ in ratios)
                    check(f"{what} max_rel", (figures.max_rel, figures.max_rel_where[1]),
                          (top, [next(i for r, i in ratios if r == top)]))
                bins = {}
                for e, (x, _) in zip(errors, inputs):
                    if e:
                        b = exact.floor_log2(abs(e / x))
                        bins[b] = bins.get(b, 0) + 1
                check(f"{what} histogram", dict(figures.bins), bins)


def largest_scale(rng):
    """amax: nothing overflows at K, something does at K + 1."""
    for name in ALL:
        f = exact.find_format(name)
        for mode in exact.MODES:
            values = [v for v in hard_values(rng, f, 12) if rng.random() < 0.5]
            if mode == "stochastic":
                continue  # by definition another bound; see below
            t = tensor_of(values)
            k = oracle.amax_scale(t.elements, f, mode)
            finite = [Fraction(v) for v in values if math.isfinite(v) and v]

            def over(k):
                return any(exact.cast(v, f, mode, scale=k).cls == "overflow" for v in finite)
            check(f"{name} {mode} amax {k}", (over(k), over(k + 1)), (False, True) if finite else (False, False))
        top = Fraction(rng.randrange(1, 1 << 60))
        k = oracle.amax_scale(tensor_of([-float(top), 1.0]).elements, f, "stochastic")
        top = Fraction(float(top))
        check(f"{name} stochastic amax", top * Fraction(2) ** k <= f.largest < top * Fraction(2) ** (k + 1), True)


def figures(rng):
    """The roundings to binary64 are those of decimal arithmetic of high precision and of Python."""
    def number(bits):
        return rng.randrange(1, 1 << rng.randint(1, bits))
    context = decimal.Context(prec=100, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
    for i in range(4000):
        a, b = number(rng.choice((60, 200, 1200))), number(rng.choice((60, 200, 1200)))
        try:
            want = a / b
        except OverflowError:
            want = "inf"
        check(f"{a}/{b}", exact.to_binary64(a, b), want)
        check(f"-{a}/{b}", exact.to_binary64(-a, b), "-inf" if want == "inf" else -want)
        root = context.sqrt(context.divide(decimal.Decimal(a), decimal.Decimal(b)))
        check(f"sqrt {a}/{b}", exact.sqrt_binary64(a, b), float(root))
        if i < 40:  # slow
            db = context.multiply(context.log10(context.divide(decimal.Decimal(a), decimal.Decimal(b))), 10)
            check(f"log {a}/{b}", exact.db_binary64(a, b), float(db))
    for n in (1, 3, (1 << 53) - 1, (1 << 53) + 1, (1 << 54) - 1, (1 << 54) + 1):
        for shift in range(-1140, -1000):
            check(f"{n}*2^{shift}", exact.to_binary64(n, 1 << -shift), n / (1 << -shift))
            root = exact.sqrt_binary64(n * n, 1 << -2 * shift)
            check(f"root of ({n}*2^{shift})^2", root, n / (1 << -shift))
    for d, want in ((-1, 2.0 ** 53), (0, 2.0 ** 53), (1, 2.0 ** 53 + 2)):  # next to a midpoint, and on it
        check(f"root next to a midpoint {d}", exact.sqrt_binary64((((1 << 53) + 1) ** 2 << 400) + d, 1 << 400), want)
    check("largest", exact.to_binary64((1 << 1024) - (1 << 971)), sys.float_info.max)
    check("tie above", exact.to_binary64((1 << 1024) - (1 << 970)), "inf")
    check("below tie", exact.to_binary64((1 << 1024) - (1 << 970) - 1), sys.float_info.max)
    for k in range(-40, 41):
        a, b = 10 ** max(k, 0) * 7, 10 ** max(-k, 0) * 7
        check(f"log 10^{k}", exact.db_binary64(a, b), 10.0 * k)
    per_neper = Fraction("4.34294481903251827651128918916605082")  # 10 / ln 10
    for k in (300, 1050):
        check("log next to 1", exact.db_binary64((1 << k) - 1, 1 << k), -exact.to_binary64(
            *(per_neper / (1 << k)).as_integer_ratio()))
    check("log next to 1, beyond binary64", exact.db_binary64((1 << 2000) + 1, 1 << 2000), 0.0)
    for n, e, text in ((1, 0, "0x1p+0"), (-48, -36, "-0x1.8p-31"), (0, 5, "0x0p+0"), (0x1FFF << 9, -1121, "0x1.fffp-1100"),
                       ((1 << 128) + 1, 72, "0x1.00000000000000000000000000000001p+200"), (0xD, 0, "0x1.ap+3")):
        check("hexadecimal", exact.Dyadic(n, e).hexadecimal(), text)
    for _ in range(1000):
        n, e = number(53), rng.randint(-1074, 900)
        check("hexadecimal", float.fromhex(exact.Dyadic(n, e).hexadecimal()), math.ldexp(n, e))


def statistics_of_draws(_):
    """The larger magnitude is taken with the discarded fraction's probability: within five standard
    deviations."""
    n = 20000
    for x, p in ((Fraction(1) + Fraction(3, 8 * 16), 3 / 16), (Fraction(1, 512) * Fraction(1, 5), 0.2)):
        draws = exact.Random(7, "w")
        up = sum(exact.cast(x, "e4m3fn", "stochastic", rng=draws, position=i).value > x for i in range(n))
        check(f"draws for {p}: {up / n}", abs(up - n * p) < 5 * math.sqrt(n * p * (1 - p)), True)
    # A fraction that agrees with the bit string over whole blocks is decided by what follows.
    draws = exact.Random(9)
    blocks = [exact.philox4x32((5, 0, 0, b), draws.key) for b in range(3)]
    bits = int.from_bytes(struct.pack(">12I", *(w for b in blocks for w in b)), "big")
    check("equal prefix", [draws.below(5, bits + d, 1 << 384) for d in (-1, 0, 1)], [False, False, True])


def same_codes(what, fmt, tensor, codes):
    f = exact.FORMATS[fmt]
    options = Options([], "nearest-even", 0, False)
    mine = struct.unpack(f"<{len(codes)}H", oracle.write_bytes(tensor, f, options))

    def both_nan(a, b):  # payloads are theirs
        return f.decode(a)[0] == f.decode(b)[0] == exact.NAN_KIND
    check(what, [(hex(a), hex(b)) for a, b in zip(mine, codes) if a != b and not both_nan(a, b)], [])


def numbers_for_others(rng):
    """Numbers as bytes of float32, and as a tensor of float32 and one of float64."""
    data = [rng.gauss(0, 10 ** rng.uniform(-9, 6)) for _ in range(20000)]
    data += [65519.0, 65520.0, 65536.0, 0.0, -0.0]
    data += struct.unpack("<20000f", rng.randbytes(80000))
    narrow = struct.pack(f"<{len(data)}f", *data)
    f32 = Tensor("x", "", "f32", [len(data)], oracle.decode(narrow, "f32"))
    return data, narrow, f32, tensor_of(data)


def casts_of_numpy(rng):
    """numpy casts the same."""
    try:
        import numpy
    except ImportError:
        return "no numpy"
    data, narrow, f32, f64 = numbers_for_others(rng)
    with numpy.errstate(all="ignore"):
        half = numpy.frombuffer(narrow, "<f4").astype("<f2").view("<u2").tolist()
        same_codes("numpy f32 to fp16", "fp16", f32, half)
        half = numpy.array(data, "<f8").astype("<f2").view("<u2").tolist()
        same_codes("numpy f64 to fp16", "fp16", f64, half)
        wide = numpy.array(data, "<f8").astype("<f4").view("<u4").tolist()
    mine = oracle.write_bytes(f64, "fp32", Options([], "nearest-even", 0, False))
    mine = struct.unpack(f"<{len(data)}I", mine)
    check("numpy f64 to fp32", [x for x, a, b in zip(data, mine, wide) if x == x and a != b], [])
    return None


def casts_of_torch(rng):
    """torch casts the same."""
    try:
        import torch
    except ImportError:
        return "no torch"
    data, _, f32, _ = numbers_for_others(rng)
    source = torch.tensor(data, dtype=torch.float32)
    for fmt, dtype in (("bf16", torch.bfloat16), ("fp16", torch.float16)):
        codes = [c & 0xFFFF for c in source.to(dtype).view(torch.int16).tolist()]
        same_codes(f"torch f32 to {fmt}", fmt, f32, codes)
    return None


if __name__ == "__main__":
    sys.exit(run(known_answers, every_code, fast_against_plain, largest_scale, figures,
                 statistics_of_draws, casts_of_numpy, casts_of_torch))
