#!/usr/bin/env python3
"""Checks the oracle's blocks of updates by themselves, and prints TAP:  updates_test.py

PRECHECK_TEST_SEED makes other numbers.
"""

import math
import struct
import sys
from fractions import Fraction

import exact
import generate
import oracle
import updates
from exact import find_format, sqrt_binary64, two
from oracle import Options
from self_test import ALL, check, run, tensor_of


def options_for(fmt, mode="nearest-even", seed=0, saturate=False, **more):
    return Options([find_format(fmt)], mode, seed, saturate, update="a file", **more)


def blocks_of(fmt, weights, given, **more):
    """The blocks as they are printed, for lists of numbers."""
    options = options_for(fmt, **more)
    found = updates.blocks(tensor_of(weights), options.formats[0], options, 0, tensor_of(given))
    return {name: block.json() for name, block in found.items()}


def check_members(what, got, expected):
    check(what, {name: got[name] for name in expected}, expected)


# -------------------------------------------------------------------------------------------------

def texts(_):
    """A number's text is its nearest binary64; other texts are none."""
    for text, want in (("0.1", Fraction(0.1)), ("-1e-3", Fraction(-0.001)), ("0x1p-9", two(-9)),
                       (".5", Fraction(1, 2)), ("0x1.00000000000008p0", 1), ("1e-400", 0),
                       ("./1", None), ("inf", None), ("nan", None), ("1e", None), ("0x", None),
                       ("1_0", None)):
        check(text, updates.number(text), want)


def by_hand(_):
    """What counts, is lost or overflows, and the figures, by hand."""
    tie = 2.0 ** -8  # the first of these is lost; half the distance between numbers of bf16 at 1
    check("two updates", blocks_of("bf16", [1, 1], [tie, 2 * tie])["update"],
          {"count": 2, "overflow": 0, "lost": 1, "lost_rate": 0.5, "effective_ratio": 0.8,
           "edq": sqrt_binary64(16, 5 << 16), "norm_ratio": sqrt_binary64(4, 5),
           "smallest_surviving": dict.fromkeys(("p50", "p90", "p99", "p100"), tie)})
    nothing = {"lost_rate": None, "effective_ratio": None, "edq": None, "norm_ratio": None}
    inf, nan = math.inf, math.nan
    check("none counts", blocks_of("bf16", [1, 1, 1, nan, inf], [0, nan, inf, 1, 1])["update"],
          {"count": 0, "overflow": 0, "lost": 0, **nothing, "smallest_surviving": None})
    for what, got, count, overflow, lost in (
            ("a tie at M", blocks_of("e4m3fn", [448], [16]), 1, 0, 1),
            ("beyond M", blocks_of("e4m3fn", [448], [17]), 1, 1, 0),
            ("saturated", blocks_of("e4m3fn", [448, inf], [1000, 1], saturate=True), 2, 1, 2),
            ("6 - 1 in e2m1", blocks_of("e2m1", [nan, inf, 1e9], [-1, -1, -1]), 2, 0, 0)):
        check_members(what, got["update"], {"count": count, "overflow": overflow, "lost": lost})
    check("nothing finite", blocks_of("e4m3fn", [448], [17])["update"]["effective_ratio"], None)
    check("quantiles", updates.quantiles([Fraction(n) for n in range(19)] + [math.inf]),
          {"p50": 9.0, "p90": 17.0, "p99": "inf", "p100": "inf"})


def positive_numbers(rng, f):
    """Runs of neighbouring numbers of a format, those after M as without a largest exponent."""
    codes = range(f.max_code(False) + 1)
    if f.width > 8:
        starts = [0, (1 << f.ybits) - 1, f.max_code(False) - 2] + rng.sample(codes, 8)
        codes = sorted({c for s in starts for c in range(s, s + 3) if c in codes})
    above = {f.max_code(False): f.largest + two(f.max_q)}

    def of(code):
        _, _, m, e = f.decode(code)
        return m * two(e)
    return [(of(c - 1) if c else None, of(c), above.get(c) or of(c + 1)) for c in codes]


def expected_threshold(f, mode, saturate, numbers, negative, outward):
    """t of the definition, by the neighbours of a number."""
    below, x, above = numbers
    upward = negative != outward
    to_zero = exact.rounds_to_zero(mode, negative)
    if outward and x == f.largest and (saturate or f.specials == exact.FINITE or to_zero):
        return math.inf
    distance = above - x if outward else x - below
    if mode in ("nearest-even", "nearest-away"):
        return distance / 2
    if mode == "toward-zero":
        return distance if outward else 0
    return 0 if (mode == "up") == upward else distance


def thresholds(rng):
    """The smallest update that survives is half or all of the way to a neighbour, or any, or
    none, as mode and policy have it."""
    for name in ALL:
        f = find_format(name)
        for mode in exact.MODES[:-1]:
            saturate, scale = rng.random() < 0.5, rng.choice((0, 0, 5, -130, 1023))
            cast_to = updates.Caster(tensor_of([]), f, options_for(name, mode, 0, saturate), scale)
            for numbers in positive_numbers(rng, f):
                negative, outward = rng.random() < 0.5, numbers[0] is None or rng.random() < 0.5
                q = (-numbers[1] if negative else numbers[1]) * two(-scale)
                u = Fraction(-1 if negative == outward else 1)
                want = expected_threshold(f, mode, saturate, numbers, negative, outward)
                if want != math.inf:
                    want *= two(-scale)
                check(f"{name} {mode} {float(numbers[1])} {u}",
                      updates.threshold(cast_to, q, u), want)


# -------------------------------------------------------------------------------------------------
# fp16 by other means: struct rounds binary64 to nearest even, and the sums below are exact in it

def half(x):
    return struct.unpack("<e", struct.pack("<e", x))[0]


def single(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def half_walks(q, u, n):
    plain, w, c, m = [q], [q], 0.0, q
    for _ in range(n):
        plain.append(half(plain[-1] + u))
        y = u - c
        w.append(half(w[-1] + y))
        c = half((w[-1] - w[-2]) - y)
        m = single(m + u)
    return {"plain": (plain[-1], set(plain) == {q}), "kahan": (w[-1], set(w) == {q}),
            "fp32_master": (half(m), half(m) == q)}


def against_struct(rng):
    """One update and many, of fp16, are those of binary64 arithmetic rounded by struct."""
    cast_to = updates.Caster(tensor_of([]), exact.FORMATS["fp16"], options_for("fp16"), 0)
    lost = frozen = 0
    for _ in range(300):
        q = half(rng.gauss(0, 10 ** rng.uniform(-6, 1)))
        u = math.ldexp(rng.randint(-1 << 20, 1 << 20), rng.randint(-42, -24))
        r = cast_to(Fraction(q) + Fraction(u)).value
        check(f"{q} + {u}", r, half(q + u))
        lost += r == q
        n = rng.choice((1, 2, 5, 20))
        for how, want in half_walks(q, u, n).items():
            got = updates.WAYS[how](cast_to, 0, Fraction(q), Fraction(u), n)
            check(f"{how}: {q} + {n} * {u}", got, want)
            frozen += want[1]
    check("some are lost, some are not", (0 < lost < 300, 0 < frozen < 900), (True, True))


# -------------------------------------------------------------------------------------------------

def many_steps(_):
    """Where nearest freezes, the remedies move: Kahan and a master all of the way, stochastic
    rounding on average."""
    count, n, u, ulp = 2000, 8, 2.0 ** -10, 2.0 ** -7
    got = blocks_of("bf16", [1], [u], steps=n)["steps"]
    check("one weight", {k: got[k] for k in ("steps", "frozen", "frozen_rate", "movement_error")},
          {"steps": n, "frozen": 1, "frozen_rate": 1.0, "movement_error": 1.0})
    moved = {"frozen": 0, "frozen_rate": 0.0, "movement_error": 0.0}
    check("remedies", (got["kahan"], got["fp32_master"]), (moved, moved))
    cast_to = updates.Caster(tensor_of([]), exact.FORMATS["bf16"], options_for("bf16"), 0)
    ends = [updates.stochastic(cast_to, i, 1, Fraction(u), n)[0] for i in range(count)]
    p = u / ulp
    deviation = ulp * math.sqrt(count * n * p * (1 - p))
    check("on average", abs(sum(ends) - count * (1 + n * u)) < 5 * deviation, True)
    for mode, saturate, ends in (("nearest-even", False, None), ("nearest-even", True, 448),
                                 ("toward-zero", False, 448)):
        cast_to = updates.Caster(tensor_of([]), exact.FORMATS["e4m3fn"],
                                 options_for("e4m3fn", mode, 0, saturate), 0)
        for how, walk in updates.WAYS.items():
            if how != "stochastic":
                check(f"{mode} {how} to M", walk(cast_to, 0, 416, 100, 3), (ends, False))
    cast_to = updates.Caster(tensor_of([]), exact.FORMATS["e5m2"], options_for("e5m2", "up"), 0)
    check("an infinite compensation", updates.kahan(cast_to, 0, -57344, -114688, 1), (None, False))


def moments(rng):
    """With beta = 0.999, a moment of bf16 is stuck, and one of fp32 is not."""
    codes = generate.log_uniform(rng, "bf16", 2000)
    weights = [float(updates.value_of(e)) for e in map(oracle.SOURCES["bf16"].decode, codes)]
    for fmt, beta, low, high in (("bf16", "0.999", 0.99, 1), ("bf16", "0.9", 0, 0.1),
                                 ("fp32", "0.999", 0, 0.1)):
        got = blocks_of(fmt, weights, [0] * len(weights), ema=beta)
        check("only this block", list(got), ["ema"])
        rate = got["ema"]["lost_rate"]
        check(f"{fmt} {beta}: {rate} lost", low <= rate <= high, True)
    got = blocks_of("bf16", [1.0, 4.0], [-2.0, 2.0], ema="0.5")["ema"]
    check("to 2.5, and stays as it is the square", got, {
        "count": 1, "overflow": 0, "lost": 0, "lost_rate": 0.0, "effective_ratio": 1.0, "edq": 1.5,
        "norm_ratio": 1.0})


def additions(rng):
    """The blocks of parts add up to those of the whole, but for draws, which go by position."""
    weights = [rng.gauss(0, 1) for _ in range(40)]
    given = [rng.gauss(0, 1e-3) for _ in range(40)]
    options = options_for("fp16", steps=3)

    def found(part):
        return updates.blocks(tensor_of(weights[part]), options.formats[0], options, 0,
                              tensor_of(given[part]))

    def without_draws(block):
        return {name: value for name, value in block.json().items() if name != "stochastic"}
    whole, left, right = found(slice(40)), found(slice(13)), found(slice(13, 40))
    for name in ("update", "steps"):
        check(name, without_draws(left[name] + right[name]), without_draws(whole[name]))


if __name__ == "__main__":
    sys.exit(run(texts, by_hand, thresholds, against_struct, many_steps, moments, additions))
