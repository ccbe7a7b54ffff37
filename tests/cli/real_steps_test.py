"""What precheck says of updates, against updates that are really made, and prints TAP.

The weights and gradients of data/ are stored in bf16 and updated one and a hundred times. A sum is a binary64 that is
checked to be exact, or else a fraction; then it is rounded once.
"""

import json
import os
import struct
import subprocess
import sys
import tempfile
from fractions import Fraction

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PRECHECK = os.environ.get("PRECHECK", os.path.join(ROOT, "build/precheck"))
DATA = os.path.join(ROOT, "data")


def read_npy(name):
    with open(os.path.join(DATA, name), "rb") as file:
        content = file.read()
    start = 10 + struct.unpack("<H", content[8:10])[0]
    assert b"'<f4'" in content[:start]
    return [x for (x,) in struct.iter_unpack("<f", content[start:])]


def nearest(x):
    """The bf16 nearest to a normal binary64 (or a fraction), ties to even, of those without overflow."""
    if isinstance(x, Fraction):
        exponent = len(bin(abs(x.numerator))) - len(bin(x.denominator))
        exponent -= abs(x) < Fraction(2) ** exponent
        return float(round(x / Fraction(2) ** (exponent - 7)) * Fraction(2) ** (exponent - 7))
    if x == 0:
        return x
    bits = struct.unpack("<Q", struct.pack("<d", x))[0]
    assert 2.0 ** -126 <= abs(x) < 2.0 ** 120
    kept = bits >> 45
    rest = bits & (1 << 45) - 1
    kept += rest > 1 << 44 or (rest == 1 << 44 and kept & 1)
    return struct.unpack("<d", struct.pack("<Q", kept << 45))[0]


def added(q, u):
    s = q + u
    return s if s - q == u and s - u == q else Fraction(q) + Fraction(u)


def step(q, u):
    return nearest(added(q, u))


def reported(*arguments):
    done = subprocess.run([PRECHECK, os.path.join(DATA, "digits-weight.npy"), "--to", "bf16", "--json", *arguments],
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["tensors"][0]["casts"][0]


def trial(updates, steps, *arguments):
    """Yields what differs."""
    pairs = [(nearest(w), u) for w, u in zip(read_npy("digits-weight.npy"), updates) if u != 0]
    lost = sum(step(q, u) == q for q, u in pairs)
    frozen = 0
    for q, u in pairs:
        w = q
        for _ in range(steps):
            w, before = step(w, u), w
            if w == before or w != q:
                break  # it stays for ever, or has moved
        frozen += w == q
    got = reported(*arguments, "--steps", str(steps))
    for name, wanted, said in (("count", len(pairs), got["update"]["count"]), ("lost", lost, got["update"]["lost"]),
                               ("frozen", frozen, got["steps"]["frozen"])):
        if wanted != said:
            yield f"{name}: {said}, not {wanted}"
    if not 0 < lost < len(pairs):
        yield "nothing to be seen: all are lost, or none"


def ends(updates, steps, *arguments):
    """The error of the movement, from steps that are all made."""
    wanted = away = Fraction(0)
    for x, u in zip(read_npy("digits-weight.npy")[:2000], updates):
        w = q = nearest(x)
        for _ in range(steps):
            w = step(w, u)
        away += (Fraction(w) - Fraction(q) - steps * Fraction(u)) ** 2
        wanted += (steps * Fraction(u)) ** 2
    with open("first.npy", "wb") as file, open(os.path.join(DATA, "digits-weight.npy"), "rb") as weights:
        content = weights.read()
        file.write(content[:128].replace(b"(128, 128)", b"(2000,)   ") + content[128:128 + 8000])
    done = subprocess.run([PRECHECK, "first.npy", "--to", "bf16", "--json", *arguments, "--steps", str(steps)],
                          capture_output=True, text=True, check=True)
    got = json.loads(done.stdout)["tensors"][0]["casts"][0]["steps"]["movement_error"]
    if abs(got - float(away / wanted) ** 0.5) > 1e-12:
        yield f"movement_error: {got}, not {float(away / wanted) ** 0.5}"


def gradient_steps():
    updates = [g * -0.125 for g in read_npy("digits-grad.npy")]
    yield from trial(updates, 100, "--update", os.path.join(DATA, "digits-grad.npy"), "--update-scale", "-0x1p-3")


def constant_steps():
    yield from trial([3 * 2.0 ** -17] * 16384, 100, "--update", "0x3p-17")


def where_they_end():
    yield from ends([7 * 2.0 ** -15] * 2000, 100, "--update", "0x7p-15")


CHECKS = (
    ("gradients: what is lost in one step and frozen after a hundred", gradient_steps),
    ("a constant: the same", constant_steps),
    ("a constant: where a hundred steps end", where_they_end),
)


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        return tap.run(CHECKS)


if __name__ == "__main__":
    sys.exit(main())
