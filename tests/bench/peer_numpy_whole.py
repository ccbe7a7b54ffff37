"""What a cast to fp16 does to a float32 .npy file, with numpy, all of it at once:  peer_numpy_whole.py fp16 FILE

The script that is written first: it takes every element to be finite and none to be zero.
"""

import json
import sys

import numpy as np


def histogram(a):
    exponents = np.frexp(a)[1] - 1
    first = exponents.min()
    return {"first": int(first), "counts": np.bincount(exponents - first).tolist()}


def main():
    x = np.load(sys.argv[2])
    with np.errstate(over="ignore"):
        q = x.astype(np.float16)
    e = q.astype(np.float64) - x
    abs_e, abs_x = np.abs(e), np.abs(x)
    relative = abs_e / abs_x

    nan, inf, zero = np.isnan(x).sum(), np.isinf(x).sum(), (x == 0).sum()
    overflow = np.isinf(q).sum() - inf
    underflow = (q == 0).sum() - zero
    subnormal = ((np.abs(q) < 2.0 ** -14) & (q != 0)).sum()
    counts = {"nan": nan, "inf": inf, "zero": zero, "overflow": overflow, "underflow": underflow, "subnormal": subnormal}
    counts["normal"] = len(x) - sum(counts.values())
    counts["exact"] = (e == 0).sum()

    e2, x2 = np.square(e).sum(), np.square(x, dtype=np.float64).sum()
    a, r = abs_e.argmax(), relative.argmax()
    print(json.dumps({
        "input": {"min_abs": float(abs_x.min()), "max_abs": float(abs_x.max()), "mean": x.mean(dtype=np.float64),
                  "rms": np.sqrt(x2 / len(x)), "exponents": histogram(abs_x)},
        **{name: int(count) for name, count in counts.items()},
        "error": {"count": len(x), "mean": e.mean(), "mean_abs": abs_e.mean(), "rms": np.sqrt(e2 / len(x)),
                  "max_abs": abs_e[a], "max_abs_at": [int(a)], "max_abs_input": float(x[a]),
                  "max_rel": relative[r], "max_rel_at": [int(r)], "max_rel_input": float(x[r]),
                  "sqnr_db": 10 * np.log10(x2 / e2), "rel_l2": np.sqrt(e2 / x2)},
        "relative_error": {"exact": int((e == 0).sum()), **histogram(relative[e != 0])}}))


main()
