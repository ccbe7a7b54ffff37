"""What a cast to fp16 or bf16 does to a float32 .npy file, with torch, in pieces:  peer_torch.py fp16|bf16 FILE THREADS

Everything after the cast is computed in binary64, in buffers of its own: float32 sums would not agree with exact ones.
"""

import math
import sys

import torch

from peer_figures import FORMATS, Figures, pieces

PIECE = 1 << 16
DTYPES = {"fp16": torch.float16, "bf16": torch.bfloat16}


def exponent_bins(a, scratch):
    """Counts by the exponent field; a has no negative numbers."""
    field = torch.bitwise_right_shift(a.view(torch.int64), 52, out=scratch[:len(a)])
    return torch.bincount(field, minlength=2048)


class Measurement:
    def __init__(self, target):
        self.dtype, self.smallest_normal = DTYPES[target], 2.0 ** FORMATS[target]
        self.figures = Figures()
        self.cast = torch.empty(PIECE, dtype=self.dtype)
        self.x, self.q, self.e, self.magnitude = (torch.empty(PIECE, dtype=torch.float64) for _ in range(4))
        self.field = torch.empty(PIECE, dtype=torch.int64)

    def add(self, first, piece):
        f, n = self.figures, len(piece)
        x = self.x[:n].copy_(piece)
        q = self.q[:n].copy_(self.cast[:n].copy_(piece))
        f.elements += n
        index = None  # of the elements of x and q, where some were taken out
        if not math.isfinite(q.sum()):
            finite, infinite = x.isfinite(), int(x.isinf().count_nonzero())
            f.inf += infinite
            f.nan += n - int(finite.count_nonzero()) - infinite
            f.overflow += int(q.isinf().count_nonzero()) - infinite
            self.add_input(x[finite])
            index = q.isfinite().nonzero()[:, 0]
            x, q, n = x[index], q[index], len(index)
            if n == 0:
                return
            magnitude = torch.abs(x, out=self.magnitude[:n])
        else:
            magnitude = self.add_input(x)
        self.add_errors(x, q, magnitude, lambda i: first + (i if index is None else int(index[i])))

    def add_input(self, x):
        f, n = self.figures, len(x)
        magnitude = torch.abs(x, out=self.magnitude[:n])
        if n == 0:
            return magnitude
        bins = exponent_bins(magnitude, self.field)
        f.inputs += n
        f.zero += int(bins[0])
        f.exponents += bins
        least, most = magnitude.aminmax()
        if least == 0:
            least = magnitude[magnitude > 0].min() if bins[0] < n else math.inf
        f.min_abs = min(f.min_abs, float(least))
        f.max_abs_of_input = max(f.max_abs_of_input, float(most))
        f.input_sum += float(x.sum())
        f.input_squares += float(torch.square(x, out=self.e[:n]).sum())
        return magnitude

    def add_errors(self, x, q, magnitude, position):
        f, n = self.figures, len(x)
        f.errors += n
        f.x2 += float(torch.square(x, out=self.e[:n]).sum())
        e = torch.sub(q, x, out=self.e[:n])
        f.e += float(e.sum())

        zero = n - int(magnitude.count_nonzero())
        q.abs_()
        if q.amin() < self.smallest_normal:
            flushed = n - int(q.count_nonzero())
            f.subnormal += int((q < self.smallest_normal).count_nonzero()) - flushed
            f.underflow += flushed - zero

        e.abs_()
        f.abs_e += float(e.sum())
        if e.amax() > f.max_abs:
            at = int(e.argmax())  # the first one
            f.max_abs, f.max_abs_at, f.max_abs_input = float(e[at]), position(at), float(x[at])

        relative = torch.div(e, magnitude, out=magnitude)
        if zero:
            relative[x == 0] = 0
        if relative.amax() > f.max_rel:
            at = int(relative.argmax())
            f.max_rel, f.max_rel_at, f.max_rel_input = float(relative[at]), position(at), float(x[at])
        bins = exponent_bins(relative, self.field)
        f.relative_error += bins
        f.exact += int(bins[0])

        f.e2 += float(e.square_().sum())


def main():
    target, path, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    measurement = Measurement(target)
    with torch.inference_mode():
        for first, piece in pieces(path, PIECE):
            measurement.add(first, torch.from_numpy(piece))
    print(measurement.figures.json())


main()
