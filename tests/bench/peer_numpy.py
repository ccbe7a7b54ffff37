"""What a cast to fp16 or bf16 does to a float32 .npy file, with numpy, in pieces:  peer_numpy.py fp16|bf16 FILE

Everything after the cast is computed in binary64, in buffers of its own: float32 sums would not agree with exact ones.
"""

import sys

import numpy as np

from peer_figures import FORMATS, Figures, pieces

PIECE = 1 << 18


class CastFp16:
    def __init__(self):
        self.half = np.empty(PIECE, np.float16)

    def __call__(self, x, out):
        half = self.half[:len(x)]
        with np.errstate(over="ignore"):
            np.copyto(half, x, casting="same_kind")
        np.copyto(out, half)


class CastBf16:
    """numpy has no bf16: this rounds the bits of a float32 to nearest even."""

    def __init__(self):
        self.rounded = np.empty(PIECE, np.uint32)

    def __call__(self, x, out):
        bits, rounded = x.view(np.uint32), self.rounded[:len(x)]
        np.right_shift(bits, 16, out=rounded)
        rounded &= 1
        rounded += 0x7fff
        rounded += bits
        rounded &= 0xffff0000
        np.copyto(out, rounded.view(np.float32))
        if not np.isfinite(x).all():
            out[np.isnan(x)] = np.nan


CASTS = {"fp16": CastFp16, "bf16": CastBf16}


def exponent_bins(a, scratch):
    """Counts by the exponent field; a has no negative numbers."""
    field = scratch[:len(a)]
    np.right_shift(a.view(np.uint64), 52, out=field.view(np.uint64))
    return np.bincount(field, minlength=2048)


class Measurement:
    def __init__(self, target):
        self.cast, self.smallest_normal = CASTS[target](), 2.0 ** FORMATS[target]
        self.figures = Figures()
        self.x, self.q, self.e, self.magnitude = (np.empty(PIECE) for _ in range(4))
        self.field = np.empty(PIECE, np.int64)

    def add(self, first, piece):
        f, n = self.figures, len(piece)
        x, q = self.x[:n], self.q[:n]
        np.copyto(x, piece)
        self.cast(piece, q)
        f.elements += n
        index = None  # of the elements of x and q, where some were taken out
        if not np.isfinite(q).all():
            finite, infinite = np.isfinite(x), np.count_nonzero(np.isinf(x))
            f.inf += infinite
            f.nan += n - np.count_nonzero(finite) - infinite
            f.overflow += np.count_nonzero(np.isinf(q)) - infinite
            self.add_input(x[finite])
            index = np.flatnonzero(np.isfinite(q))
            x, q, n = x[index], q[index], len(index)
            if n == 0:
                return
            magnitude = np.abs(x, out=self.magnitude[:n])
        else:
            magnitude = self.add_input(x)
        self.add_errors(x, q, magnitude, lambda i: first + (i if index is None else int(index[i])))

    def add_input(self, x):
        f, n = self.figures, len(x)
        magnitude = np.abs(x, out=self.magnitude[:n])
        if n == 0:
            return magnitude
        bins = exponent_bins(magnitude, self.field)
        f.inputs += n
        f.zero += int(bins[0])
        f.exponents += bins
        least = magnitude.min() if bins[0] == 0 else magnitude.min(where=magnitude > 0, initial=np.inf)
        f.min_abs = min(f.min_abs, float(least))
        f.max_abs_of_input = max(f.max_abs_of_input, float(magnitude.max()))
        f.input_sum += float(x.sum())
        f.input_squares += float(np.square(magnitude, out=self.e[:n]).sum())
        return magnitude

    def add_errors(self, x, q, magnitude, position):
        f, n = self.figures, len(x)
        f.errors += n
        f.x2 += float(np.square(x, out=self.e[:n]).sum())
        e = np.subtract(q, x, out=self.e[:n])
        f.e += float(e.sum())

        np.abs(q, out=q)
        zero = n - np.count_nonzero(magnitude)
        small = np.count_nonzero(q < self.smallest_normal)
        flushed = np.count_nonzero(q == 0) if small else 0
        f.subnormal += small - flushed
        f.underflow += flushed - zero

        np.abs(e, out=e)
        f.abs_e += float(e.sum())
        at = int(e.argmax())
        if e[at] > f.max_abs:
            f.max_abs, f.max_abs_at, f.max_abs_input = float(e[at]), position(at), float(x[at])

        with np.errstate(invalid="ignore"):
            relative = np.divide(e, magnitude, out=magnitude)
        if zero:
            relative[x == 0] = 0
        at = int(relative.argmax())
        if relative[at] > f.max_rel:
            f.max_rel, f.max_rel_at, f.max_rel_input = float(relative[at]), position(at), float(x[at])
        bins = exponent_bins(relative, self.field)
        f.relative_error += bins
        f.exact += int(bins[0])

        f.e2 += float(np.square(e, out=e).sum())


def main():
    target, path = sys.argv[1:]
    measurement = Measurement(target)
    for first, piece in pieces(path, PIECE):
        measurement.add(first, piece)
    print(measurement.figures.json())


main()
