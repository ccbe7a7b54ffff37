#!/usr/bin/env python3
"""Compares what is read of .safetensors files with what a reader of a few lines finds, and prints TAP."""

import json
import math
import struct

import dumps

FLOATS = {"F64": "f64", "F32": "f32", "F16": "f16", "BF16": "bf16", "C64": "f32", "F8_E4M3": "e4m3fn", "F8_E5M2": "e5m2",
          "F8_E4M3FNUZ": "e4m3fnuz", "F8_E5M2FNUZ": "e5m2fnuz"}
BYTES = {"F64": 8, "C64": 8, "I64": 8, "F32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1,
         "F8_E4M3FNUZ": 1, "F8_E5M2FNUZ": 1}


def read(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = f.read()
    lines = []
    for name, entry in header.items():
        name, dtype, shape, (begin, end) = dumps.printed(name.encode()), entry.get("dtype"), entry.get("shape"), entry.get("data_offsets", (0, 0))
        if dtype in FLOATS:
            lines.append({"name": name, "dtype": FLOATS[dtype], "shape": shape + [2] * (dtype == "C64"), "hex": data[begin:end].hex()})
        elif dtype:
            lines.append({"name": name, "dtype": dtype.lower(), "skipped": True})
    return lines


def write(generator):
    """Tensors whose data are in another order than their entries, with white space as JSON allows it."""
    header, data = {}, b""
    letters = "ab.é€😀\"\\/\n\t\x01x41"
    for _ in range(generator.randrange(9)):
        dtype, shape = generator.choice(list(BYTES)), [generator.randrange(5) for _ in range(generator.randrange(4))]
        part = generator.randbytes(math.prod(shape) * BYTES[dtype])
        name = "".join(generator.choice(letters) for _ in range(generator.randrange(12)))
        if name not in header:
            header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(part)]}
            data += part
    items = list(header.items())
    if generator.random() < 0.5:
        items.append(("__metadata__", {"format": "pt", "note": letters}))
    generator.shuffle(items)
    text = json.dumps(dict(items), ensure_ascii=generator.random() < 0.5, indent=generator.choice([None, 0, 3])).encode()
    text += b" " * generator.randrange(9)
    return struct.pack("<Q", len(text)) + text + data


if __name__ == "__main__":
    dumps.main("safetensors", read, write, 150)
