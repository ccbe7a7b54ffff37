"""What the peer scripts share: reading an .npy file in pieces, and the figures that the pieces add up to."""

import json
import math

import numpy

# The least exponent of a normal number, by format.
FORMATS = {"fp16": -14, "bf16": -126}
# Of the exponent field of a binary64, by which the histograms are counted.
BIAS = 1023


def pieces(path, size):
    """Yield (position, array) of a one-dimensional float32 .npy file. The array is used again for the next piece."""
    with open(path, "rb") as file:
        version = numpy.lib.format.read_magic(file)
        assert version == (1, 0), version
        shape, _, dtype = numpy.lib.format.read_array_header_1_0(file)
        assert len(shape) == 1 and dtype == numpy.dtype("<f4"), (shape, dtype)
        array = numpy.empty(size, dtype)
        for first in range(0, shape[0], size):
            piece = array[:shape[0] - first]
            assert file.readinto(piece) == piece.nbytes
            yield first, piece


class Figures:
    def __init__(self):
        self.elements = 0
        self.nan = self.inf = self.overflow = 0
        self.zero = self.underflow = self.subnormal = 0
        self.exact = 0
        self.inputs = self.errors = 0  # finite x; x and q both finite
        self.input_sum = self.input_squares = 0.0
        self.min_abs, self.max_abs_of_input = math.inf, 0.0
        self.e = self.abs_e = self.e2 = self.x2 = 0.0
        self.max_abs = self.max_abs_at = self.max_abs_input = 0.0
        self.max_rel = self.max_rel_at = self.max_rel_input = 0.0
        self.exponents = self.relative_error = 0  # arrays of 2048 bins: by the exponent field

    def json(self):
        """The figures under the names of precheck's report."""
        normal = self.elements - (self.nan + self.inf + self.overflow + self.zero + self.underflow + self.subnormal)
        n, finite = self.errors, self.inputs
        return json.dumps({
            "input": {"min_abs": self.min_abs, "max_abs": self.max_abs_of_input, "mean": self.input_sum / finite,
                      "rms": math.sqrt(self.input_squares / finite), "exponents": histogram(self.exponents)},
            "nan": self.nan, "inf": self.inf, "zero": self.zero, "overflow": self.overflow, "underflow": self.underflow,
            "subnormal": self.subnormal, "normal": normal, "exact": self.exact,
            "error": {"count": n, "mean": self.e / n, "mean_abs": self.abs_e / n, "rms": math.sqrt(self.e2 / n),
                      "max_abs": self.max_abs, "max_abs_at": [self.max_abs_at], "max_abs_input": self.max_abs_input,
                      "max_rel": self.max_rel, "max_rel_at": [self.max_rel_at], "max_rel_input": self.max_rel_input,
                      "sqnr_db": 10 * math.log10(self.x2 / self.e2), "rel_l2": math.sqrt(self.e2 / self.x2)},
            # Bin 0 has the errors of 0, those of x = 0 among them.
            "relative_error": {"exact": self.exact - self.zero, **histogram(self.relative_error)}})


def histogram(bins):
    """Bin 0 is that of zeros: not shown."""
    used = [k for k, count in enumerate(bins) if count and k]
    counts = [int(count) for count in bins[used[0]:used[-1] + 1]] if used else []
    return {"first": used[0] - BIAS if used else None, "counts": counts}
