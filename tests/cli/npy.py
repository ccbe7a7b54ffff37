#!/usr/bin/env python3
"""Makes and shows small .npy files, with the standard library only.

    npy.py make FILE DESCR SHAPE VALUE...    SHAPE is 2x3, f:2x3 in Fortran order, or - for a scalar
    npy.py show FILE                         descr, order, shape and the data in hexadecimal

A VALUE is a number, or 0x and the code of one, which is stored as it is. Missing ones repeat those there are.
"""

import ast
import itertools
import math
import re
import struct
import sys

LETTERS = {"f2": "e", "f4": "f", "f8": "d", "c8": "f", "c16": "d"}


def header(descr, fortran, shape):
    text = f"{{'descr': {descr!r}, 'fortran_order': {fortran}, 'shape': {tuple(shape)!r}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode("latin-1")


def encode(value, descr):
    m = re.fullmatch(r"[<>=|]?([a-zA-Z])(\d+)", descr)
    size = int(m[2]) // (2 if m[1] == "c" else 1)
    order = ">" if descr[0] == ">" else "<"
    if re.fullmatch(r"0x[0-9a-fA-F]+", value):
        return int(value, 16).to_bytes(size, "big" if order == ">" else "little")
    if m[1] in "iu":
        return int(value).to_bytes(size, "big" if order == ">" else "little", signed=m[1] == "i")
    return struct.pack(order + LETTERS[m[1] + m[2]], float(value))


def make(path, descr, shape, *values):
    fortran = shape.startswith("f:")
    axes = [int(n) for n in shape.removeprefix("f:").split("x")] if shape != "-" else []
    count = math.prod(axes) * (2 if "c" in descr else 1)
    codes = [encode(v, descr) for v in values]
    with open(path, "wb") as f:
        f.write(header(descr, fortran, axes) + b"".join(itertools.islice(itertools.cycle(codes), count)))


def load(path):
    """(descr, fortran, shape, data); every rule of the format that readers rely on is checked."""
    with open(path, "rb") as f:
        data = f.read()
    assert data[:8] == b"\x93NUMPY\1\0", data[:8]
    end = 10 + struct.unpack("<H", data[8:10])[0]
    assert end % 64 == 0 and data[end - 1:end] == b"\n", end
    fields = ast.literal_eval(data[10:end].decode("latin-1"))
    assert list(fields) == ["descr", "fortran_order", "shape"], fields
    return fields["descr"], fields["fortran_order"], fields["shape"], data[end:]


def main(action, *args):
    if action == "make":
        make(*args)
    else:
        descr, fortran, shape, data = load(*args)
        print(descr, "fortran" if fortran else "c", shape, data.hex())


if __name__ == "__main__":
    main(*sys.argv[1:])
