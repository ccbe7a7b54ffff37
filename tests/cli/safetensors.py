#!/usr/bin/env python3
"""Makes and shows small .safetensors files, with the standard library only.

    safetensors.py make FILE METADATA [NAME DTYPE SHAPE HEX]...   METADATA is JSON or "", SHAPE is 2x3 or - for a scalar
    safetensors.py show FILE                                      metadata, then a tensor a line in the order of the data
    safetensors.py cut FILE NAME                                  the data of one tensor on standard output
    safetensors.py index FILE                                     total_size, then a tensor a line
"""

import json
import math
import os
import struct
import sys

BITS = {"BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "F8_E8M0": 8,
        "F4": 4, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "C64": 64, "F64": 64,
        "I64": 64, "U64": 64}


def pack(metadata, tensors):
    """tensors: (name, dtype, shape, data)."""
    header, data = {}, b""
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, dtype, shape, content in tensors:
        assert len(content) * 8 == math.prod(shape) * BITS[dtype], name
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def no_twins(pairs):
    assert len(dict(pairs)) == len(pairs), pairs
    return dict(pairs)


def load(path, ours=True):
    """(metadata, [(name, dtype, shape, data)] in the order of the data). Every rule of the format is checked, and of our
    files what the reference writer does beyond them: padding, alignment, the order of keys."""
    with open(path, "rb") as f:
        whole = f.read()
    length = struct.unpack("<Q", whole[:8])[0]
    text, data = whole[8:8 + length], whole[8 + length:]
    assert length % 8 == 0 and text[:1] == b"{" and text.rstrip(b" ")[-1:] == b"}", text
    header = json.loads(text.decode(), object_pairs_hook=no_twins)
    names = list(header)
    metadata = header.pop("__metadata__", None)
    assert metadata is None or names[0] == "__metadata__"
    assert all(isinstance(k, str) and isinstance(v, str) for k, v in (metadata or {}).items()), metadata
    at, tensors, widths = 0, [], []
    for name, entry in header.items():
        assert list(entry) == ["dtype", "shape", "data_offsets"], entry
        begin, end = entry["data_offsets"]
        bits = BITS[entry["dtype"]]
        assert begin == at and (end - begin) * 8 == math.prod(entry["shape"]) * bits, (name, entry)
        assert not ours or begin % max(bits // 8, 1) == 0, (name, entry)
        tensors.append((name, entry["dtype"], entry["shape"], data[begin:end]))
        widths.append(max(bits, 8))
        at = end
    assert at == len(data), (at, len(data))
    assert not ours or widths == sorted(widths, reverse=True), widths
    return metadata, tensors


def load_index(path):
    with open(path, "rb") as f:
        index = json.load(f, object_pairs_hook=no_twins)
    assert list(index) == ["metadata", "weight_map"] and list(index["metadata"]) == ["total_size"], index
    size = index["metadata"]["total_size"]
    weights = index["weight_map"]
    assert list(weights) == sorted(weights)
    there = {(n, f): len(d) for f in sorted(set(weights.values()))
             for n, _, _, d in load(os.path.join(os.path.dirname(path), f))[1]}
    assert set(there) == set(weights.items()) and sum(there.values()) == size, (there, weights, size)
    return size, weights


def main(action, path, *args):
    if action == "make":
        metadata = json.loads(args[0]) if args[0] else None
        quads = zip(*[iter(args[1:])] * 4)
        tensors = [(n, d, [int(x) for x in s.split("x")] if s != "-" else [], bytes.fromhex(h)) for n, d, s, h in quads]
        with open(path, "wb") as f:
            f.write(pack(metadata, tensors))
    elif action == "index":
        size, weights = load_index(path)
        print(size)
        for name, file in weights.items():
            print(name, file)
    elif action == "cut":
        sys.stdout.buffer.write(next(d for n, _, _, d in load(path, False)[1] if n == args[0]))
    else:
        metadata, tensors = load(path)
        print(json.dumps(metadata))
        for name, dtype, shape, data in tensors:
            print(name, dtype, shape, data.hex())


if __name__ == "__main__":
    main(*sys.argv[1:])
