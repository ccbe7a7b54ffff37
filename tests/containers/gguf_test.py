#!/usr/bin/env python3
"""Compares what is read of .gguf files with what a reader of a few lines finds, and prints TAP."""

import math
import struct

import dumps

FLOATS = {0: ("f32", 4), 1: ("f16", 2), 28: ("f64", 8), 30: ("bf16", 2)}
SKIPPED = {24: ("i8", 1, 1), 25: ("i16", 1, 2), 27: ("i64", 1, 8), 2: ("q4_0", 32, 18), 8: ("q8_0", 32, 34), 14: ("q6_k", 256, 210)}
OTHERS = {26: "i32", 31: "q4_0_4_4", 39: "mxfp4"}  # in the corpus
VALUES = "BbHhIif?__Qqd"  # of the types of pairs; 8 is a string, 9 an array


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 4
        self.order = ">" if data[4:6] == b"\0\0" else "<"

    def take(self, format):
        values = struct.unpack_from(self.order + format, self.data, self.at)
        self.at += struct.calcsize(self.order + format)
        return values[0] if len(values) == 1 else values

    def string(self):
        length = self.take("Q")
        self.at += length
        return self.data[self.at - length:self.at]

    def value(self, kind):
        if kind == 8:
            return self.string()
        if kind == 9:
            kind, count = self.take("I"), self.take("Q")
            return [self.value(kind) for _ in range(count)]
        return self.take(VALUES[kind])


def read(path):
    with open(path, "rb") as f:
        reader = Reader(f.read())
    _, count, pairs = reader.take("I"), reader.take("Q"), reader.take("Q")
    values = {reader.string(): reader.value(reader.take("I")) for _ in range(pairs)}
    infos = []
    for _ in range(count):
        name, rank = reader.string(), reader.take("I")
        infos.append((name, [reader.take("Q") for _ in range(rank)], reader.take("I"), reader.take("Q")))
    start = reader.at + -reader.at % values.get(b"general.alignment", 32)
    lines = []
    for name, shape, kind, offset in infos:
        line = {"name": dumps.printed(name)}
        if kind in FLOATS:
            dtype, size = FLOATS[kind]
            data = reader.data[start + offset:start + offset + math.prod(shape) * size]
            if reader.order == ">":
                data = b"".join(data[i:i + size][::-1] for i in range(0, len(data), size))
            lines.append({**line, "dtype": dtype, "shape": shape[::-1], "hex": data.hex()})
        else:
            lines.append({**line, "dtype": SKIPPED[kind][0] if kind in SKIPPED else OTHERS.get(kind, f"type {kind}"), "skipped": True})
    return lines


def string(data):
    return struct.pack("<Q", len(data)) + data


def pair(generator, name):
    kind = generator.randrange(13)

    def plain(kind):
        return string(generator.randbytes(generator.randrange(20))) if kind == 8 else b"\1" * struct.calcsize("<" + VALUES[kind])
    if kind != 9:
        return string(name) + struct.pack("<I", kind) + plain(kind)
    inner, count = generator.choice([0, 4, 7, 8, 12]), generator.randrange(600)
    return string(name) + struct.pack("<IIQ", 9, inner, count) + b"".join(plain(inner) for _ in range(count))


def write(generator):
    alignment = generator.choice([32, 8, 64, 24])
    pairs = [pair(generator, f"key.{i}".encode()) for i in range(generator.randrange(6))]
    if alignment != 32 or generator.random() < 0.5:
        pairs.append(string(b"general.alignment") + struct.pack("<II", 4, alignment))
    generator.shuffle(pairs)
    infos, data = [], b""
    for i in range(generator.randrange(7)):
        kind = generator.choice([*FLOATS, *SKIPPED])
        block, size = (1, FLOATS[kind][1]) if kind in FLOATS else SKIPPED[kind][1:]
        shape = [generator.randrange(5) for _ in range(generator.randrange(block > 1, 5))]
        if block > 1:
            shape[0] *= block
        name = bytes(generator.choice(b"ab.\n\xff\\x41%") for _ in range(generator.randrange(20))) + str(i).encode()
        infos.append(string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, len(data)))
        data += generator.randbytes(math.prod(shape) // block * size)
        data += bytes(-len(data) % alignment)
    generator.shuffle(infos)
    head = b"GGUF" + struct.pack("<IQQ", generator.choice([2, 3]), len(infos), len(pairs)) + b"".join(pairs + infos)
    return head + bytes(-len(head) % alignment) + data


if __name__ == "__main__":
    dumps.main("gguf", read, write, 150)
