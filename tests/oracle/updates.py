"""The blocks `update`, `ema` and `steps` of a cast, as plainly as their definitions say them: every
number is a Fraction, and every element goes through exact.cast() by itself.

A real number that a format could not deliver as one (NaN, Inf) is None throughout.
"""

import math
import re
from dataclasses import dataclass, field
from fractions import Fraction

from exact import (FORMATS, INF, INF_KIND, NAN, NAN_KIND, NEG_INF, Random, Special, Trouble, cast,
                   floor_log2, sqrt_binary64, to_binary64, two)

# What a draw is for; part of its counter.
USE_CAST, USE_UPDATE, USE_EMA, USE_STEPS, USE_COMPENSATION = range(5)

MOST_WORK = 1 << 34  # element-steps; beyond them precheck takes a sample, which is not done here

DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
HEXADECIMAL = re.compile(r"[+-]?0[xX]([0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)([pP][+-]?\d+)?")


def number(text):
    """The nearest binary64 of a number's text, exactly; None for any other text."""
    if DECIMAL.fullmatch(text):
        return Fraction(float(text))
    return Fraction(float.fromhex(text)) if HEXADECIMAL.fullmatch(text) else None


# -------------------------------------------------------------------------------------------------
# Elements

def value_of(element):
    """What cast() takes: a Fraction or a Special. The sign of a zero or a NaN is of no interest."""
    kind, negative, m, e = element
    if kind == NAN_KIND:
        return NAN
    if kind == INF_KIND:
        return NEG_INF if negative else INF
    return (-m if negative else m) * two(e)


def finite(value):
    return None if isinstance(value, Special) else value


class Caster:
    """cast() to one format, as a run does it to the elements of a tensor."""

    def __init__(self, tensor, fmt, options, scale):
        self.name, self.fmt, self.scale = tensor.name, fmt, scale
        self.mode, self.seed, self.saturate = options.mode, options.seed, options.saturate

    def __call__(self, x, position=0, use=USE_CAST, step=0, mode=None):
        mode = mode or self.mode
        rng = Random(self.seed, self.name, use, step) if mode == "stochastic" else None
        return cast(x, self.fmt, mode, self.saturate, self.scale, rng, position)

    def stored(self, element, position):
        """q of a weight. For a NaN it is None, even where the format delivers M."""
        x = value_of(element)
        return None if x == NAN else finite(self(x, position).value)


def given_updates(tensor, options, other):
    """The updates as they were given, before --update-scale."""
    if other is None:
        return [number(options.update)] * len(tensor.elements)
    if (other.shape, other.fortran) != (tensor.shape, tensor.fortran):
        raise Trouble(f"{other.file}: has another shape or order than {tensor.file}")
    return [finite(value_of(element)) for element in other.elements]


def updates_of(tensor, options, other):
    """The update of each element. other: the tensor of updates, if they come from a file."""
    if options.update is None:
        return [Fraction(0)] * len(tensor.elements)
    factor = number(options.update_scale or "1")
    return [None if g is None else g * factor for g in given_updates(tensor, options, other)]


def counted(stored, updates):
    """(position, q, u) of the elements that count."""
    for position, (q, u) in enumerate(zip(stored, updates)):
        if q is not None and u:
            yield position, q, u


# -------------------------------------------------------------------------------------------------
# Figures

def quotient(a, b):
    return to_binary64(*Fraction(a, b).as_integer_ratio()) if b else None


def root(a, b):
    """sqrt(a / b)"""
    return sqrt_binary64(*Fraction(a, b).as_integer_ratio()) if b else None


class Additive:
    """Figures that add up member by member."""

    def __add__(self, other):
        return type(self)(*(a + b for a, b in zip(vars(self).values(), vars(other).values())))


@dataclass
class Effect(Additive):
    """What one update of each element comes to. The sums of u^2, of the effective update d times u
    and of d^2 are over the elements that stay finite. d never has another sign than u."""
    count: int = 0
    overflow: int = 0
    lost: int = 0
    u2: Fraction = Fraction(0)
    du: Fraction = Fraction(0)
    d2: Fraction = Fraction(0)

    def take(self, q, u, delivered):
        self.count += 1
        self.overflow += delivered.cls == "overflow"
        self.lost += delivered.value == q
        r = finite(delivered.value)
        if r is not None:
            self.u2 += u * u
            self.du += (r - q) * u
            self.d2 += (r - q) ** 2

    def json(self):
        return {"count": self.count, "overflow": self.overflow, "lost": self.lost,
                "lost_rate": quotient(self.lost, self.count),
                "effective_ratio": quotient(self.du, self.u2), "edq": root(self.du ** 2, self.u2),
                "norm_ratio": root(self.d2, self.u2)}


@dataclass
class Update(Effect):
    thresholds: list = field(default_factory=list)

    def json(self):
        return {**super().json(), "smallest_surviving": quantiles(self.thresholds)}


@dataclass
class Walk(Additive):
    """What N updates in a row come to. The sums are over the elements that end finite."""
    count: int = 0
    frozen: int = 0
    error2: Fraction = Fraction(0)
    way2: Fraction = Fraction(0)

    def take(self, q, way, final, frozen):
        """way: all that the element was to move."""
        self.count += 1
        self.frozen += frozen
        if final is not None:
            self.error2 += (final - (q + way)) ** 2
            self.way2 += way * way

    def json(self):
        return {"frozen": self.frozen, "frozen_rate": quotient(self.frozen, self.count),
                "movement_error": root(self.error2, self.way2)}


class Steps:
    def __init__(self, steps, walks):
        self.steps, self.walks = steps, walks

    def __add__(self, other):
        return Steps(self.steps, {how: w + other.walks[how] for how, w in self.walks.items()})

    def json(self):
        walks = {how: w.json() for how, w in self.walks.items()}
        return {"steps": self.steps, **walks.pop("plain"), "sampled": 1, **walks}


# -------------------------------------------------------------------------------------------------
# One update

def quantum(q, fmt, scale):
    """The distance of the format's numbers in the binade of q."""
    y = abs(q) * two(scale)
    exponent = max(floor_log2(y), fmt.emin) if y else fmt.emin
    return two(exponent - fmt.ybits - scale)


def threshold(cast_to, q, u):
    """inf{a > 0 : cast(q + a sign(u)) != q}, from nothing but cast(). Near q, all its steps are at
    multiples of h, a quarter of q's quantum, and the first to leave q is at most 4h away; so one
    number between each multiple and the next stands for all of them."""
    h = quantum(q, cast_to.fmt, cast_to.scale) / 4
    for j in range(5):
        a = (j + Fraction(1, 2)) * h
        if cast_to(q + a if u > 0 else q - a).value != q:
            return j * h
    return math.inf


def quantiles(thresholds):
    if not thresholds:
        return None
    ascending, n = sorted(thresholds), len(thresholds)

    def share(k):
        t = ascending[-(-k * n // 100) - 1]
        return "inf" if t == math.inf else to_binary64(*t.as_integer_ratio())
    return {f"p{k}": share(k) for k in (50, 90, 99, 100)}


def effect(figures, cast_to, stored, updates, use):
    for position, q, u in counted(stored, updates):
        figures.take(q, u, cast_to(q + u, position, use))
    return figures


def update(cast_to, stored, updates):
    figures = effect(Update(), cast_to, stored, updates, USE_UPDATE)
    if cast_to.mode != "stochastic":
        figures.thresholds = [threshold(cast_to, q, u) for _, q, u in counted(stored, updates)]
    return figures


def ema(cast_to, stored, gradients, beta):
    def moment_update(v, g):
        return None if v is None or g is None else (1 - beta) * (g * g - v)
    updates = [moment_update(v, g) for v, g in zip(stored, gradients)]
    return effect(Effect(), cast_to, stored, updates, USE_EMA)


# -------------------------------------------------------------------------------------------------
# Many updates: each way of doing them gives the final value and whether it never was another

def plain(cast_to, position, q, u, n, mode=None):
    x, frozen = q, True
    for step in range(n):
        x = finite(cast_to(x + u, position, USE_STEPS, step, mode).value)
        if x is None:
            return None, False
        frozen = frozen and x == q
    return x, frozen


def stochastic(cast_to, position, q, u, n):
    return plain(cast_to, position, q, u, n, "stochastic")


def kahan(cast_to, position, q, u, n):
    w, c, frozen = q, Fraction(0), True
    for step in range(n):
        y = u - c
        moved = finite(cast_to(w + y, position, USE_STEPS, step).value)
        if moved is None:
            return None, False
        c = finite(cast_to((moved - w) - y, position, USE_COMPENSATION, step).value)
        if c is None:
            return None, False
        w = moved
        frozen = frozen and w == q
    return w, frozen


def fp32_master(cast_to, position, q, u, n):
    m = q
    for _ in range(n):
        m = finite(cast(m + u, FORMATS["fp32"]).value)
        if m is None:
            return None, False
    final = finite(cast_to(m, position, USE_STEPS, n - 1).value)
    return final, final == q


WAYS = {"plain": plain, "stochastic": stochastic, "kahan": kahan, "fp32_master": fp32_master}


def steps(cast_to, stored, updates, n):
    assert len(stored) * n <= MOST_WORK
    walks = {how: Walk() for how in WAYS}
    for position, q, u in counted(stored, updates):
        for how, walk in WAYS.items():
            walks[how].take(q, n * u, *walk(cast_to, position, q, u, n))
    return Steps(n, walks)


# -------------------------------------------------------------------------------------------------

def blocks(tensor, fmt, options, scale, other=None):
    """The blocks that were asked for, by name: they add up, and have json()."""
    if options.update is None and options.ema is None:
        return {}
    cast_to = Caster(tensor, fmt, options, scale)
    stored = [cast_to.stored(element, i) for i, element in enumerate(tensor.elements)]
    updates = updates_of(tensor, options, other)
    if options.ema is not None:
        return {"ema": ema(cast_to, stored, updates, number(options.ema))}
    out = {"update": update(cast_to, stored, updates)}
    if options.steps is not None:
        out["steps"] = steps(cast_to, stored, updates, options.steps)
    return out
