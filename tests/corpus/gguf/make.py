#!/usr/bin/env python3
"""Makes the .gguf files beside it, and README.md, which tells what each is for.

The bytes are written by hand, as docs/gguf.md of ggml describes them: most of the files are what no writer writes.
"""

import pathlib
import struct

HERE = pathlib.Path(__file__).parent
FILES = {}

U8, I8, U16, I16, U32, I32, F32_VALUE, BOOL, STRING, ARRAY, U64, I64, F64_VALUE = range(13)
CODES = {U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32_VALUE: "f", BOOL: "B", U64: "Q", I64: "q", F64_VALUE: "d"}
F32, F16, Q4_0, Q8_0, TYPE_I8, TYPE_I16, TYPE_I32, TYPE_I64, F64, BF16, MXFP4 = 0, 1, 2, 8, 24, 25, 26, 27, 28, 30, 39


def add(name, purpose, data):
    name += ".gguf"
    assert name not in FILES
    FILES[name] = purpose
    (HERE / name).write_bytes(data)


class Writer:
    """The parts of a file in one byte order."""

    def __init__(self, order="<"):
        self.order = order

    def number(self, code, *values):
        return struct.pack(f"{self.order}{len(values)}{code}", *values)

    def string(self, text, length=None):
        text = text.encode() if isinstance(text, str) else text
        return self.number("Q", len(text) if length is None else length) + text

    def value(self, kind, value):
        if kind == STRING:
            return self.string(value)
        if kind == ARRAY:
            items, values = value
            return self.number("I", items) + self.number("Q", len(values)) + b"".join(self.value(items, v) for v in values)
        return self.number(CODES[kind], value)

    def pair(self, key, kind, value):
        return self.string(key) + self.number("I", kind) + self.value(kind, value)

    def info(self, name, dims, kind, offset, length=None):
        """The dimensions are as the file has them: innermost first."""
        return (self.string(name, length) + self.number("I", len(dims)) + self.number("Q", *dims) +
                self.number("I", kind) + self.number("Q", offset))

    def header(self, pairs, infos, version=3, tensors=None, keys=None):
        return (b"GGUF" + self.number("I", version) + self.number("Q", len(infos) if tensors is None else tensors) +
                self.number("Q", len(pairs) if keys is None else keys) + b"".join(pairs) + b"".join(infos))

    def file(self, pairs=(), infos=(), data=b"", alignment=32, **counts):
        head = self.header(list(pairs), list(infos), **counts)
        return head + (bytes(-len(head) % alignment) + data if data else b"")


W, BE = Writer(), Writer(">")
pair, info = W.pair, W.info


def padded(*parts, alignment=32):
    return b"".join(p + bytes(-len(p) % alignment) for p in parts)


def floats(count, order="<", code="f"):
    return struct.pack(f"{order}{count}{code}", *[0.5 + i for i in range(count)])


def good(name, purpose, *arguments, **more):
    add(f"good-{name}", purpose, W.file(*arguments, **more))


def bad(name, purpose, *arguments, **more):
    add(f"bad-{name}", purpose, W.file(*arguments, **more))


F3 = floats(3)
BF16_3 = bytes.fromhex("803f0040c03f")  # 1, 2, 1.5
ONE = [info("w", [3], F32, 0)]


def alone(name, dims, kind, data, purpose):
    good(name, purpose, infos=[info("w", dims, kind, 0)], data=padded(data))


# Types.
alone("f32", [3], F32, F3, "float32: the plain case")
alone("f16", [3], F16, floats(3, code="e"), "float16")
alone("f64", [3], F64, floats(3, code="d"), "float64")
alone("bf16", [3], BF16, BF16_3, "bfloat16")
alone("skip-i8", [3], TYPE_I8, b"\x01\x02\x03", "8-bit integers: skipped")
alone("skip-i16", [3], TYPE_I16, BF16_3, "16-bit integers: skipped, or bf16 by --view")
alone("skip-i32", [3], TYPE_I32, F3, "32-bit integers: skipped, or f32 by --view")
alone("skip-i64", [3], TYPE_I64, floats(3, code="d"), "64-bit integers: skipped")
alone("skip-q4_0", [64, 2], Q4_0, bytes(4 * 18), "quantized: skipped by name")
alone("skip-q8_0", [32], Q8_0, bytes(34), "quantized, another block")
alone("skip-q6_k", [256], 14, bytes(210), "quantized, a block of 256")
alone("skip-mxfp4", [32], MXFP4, bytes(17), "quantized, an odd number of bytes")
alone("skip-removed", [3], 31, bytes(32), "a type that is written no more, of no known size")
alone("skip-unknown", [3], 99, bytes(32), "a type that is not known yet: skipped by its number")
good("skip-empty", "quantized, without an element", infos=[info("w", [0, 2], Q4_0, 0)])

# Shapes. Files have the innermost dimension first.
alone("shape-2", [3, 2], F32, floats(6), "two rows of three")
alone("shape-4", [2, 1, 3, 2], F32, floats(12), "the most dimensions")
alone("scalar", [], F32, floats(1), "no dimension: one element")
good("empty", "a zero dimension: no element", infos=[info("w", [3, 0], F32, 0)])
good("empty-huge", "no element, although the other dimensions overflow any product",
     infos=[info("w", [1 << 62, 0, 1 << 62], F32, 0)])
good("empty-two", "two tensors without elements", infos=[info("b", [3, 0], F32, 0), info("a", [0], Q4_0, 64)])
good("empty-far", "no element, behind the end of the file", infos=[info("w", [0], F32, 1 << 40)])

# Several tensors.
DATA = padded(F3, BF16_3, floats(2, code="d"))
good("three", "three tensors in the order of their data",
     infos=[info("a", [3], F32, 0), info("b", [3], BF16, 32), info("c", [2], F64, 64)], data=DATA)
good("three-mixed", "the same in another order",
     infos=[info("c", [2], F64, 64), info("a", [3], F32, 0), info("b", [3], BF16, 32)], data=DATA)
good("gap", "unused bytes between tensors", infos=[info("a", [3], F32, 0), info("c", [2], F64, 64)], data=DATA)
good("between-skipped", "floats between what is skipped",
     infos=[info("a", [3], TYPE_I32, 0), info("b", [3], BF16, 32), info("c", [32], Q8_0, 64)], data=padded(F3, BF16_3, bytes(34)))
good("empty-between", "a tensor without elements at the place of another one",
     infos=[info("b", [3], BF16, 32), info("empty", [0], F32, 32), info("a", [3], F32, 0)], data=padded(F3, BF16_3))
good("empty-within", "no element, within another tensor", infos=[info("a", [9], F32, 0), info("b", [0], F32, 32)],
     data=padded(floats(9)))
good("no-padding", "the data end without padding", infos=[info("a", [3], F32, 0), info("b", [3], BF16, 32)],
     data=padded(F3) + BF16_3)
good("tail", "bytes after the data: a warning", infos=ONE, data=padded(F3) + b"tail")
good("none", "no tensor: a vocabulary", [pair("general.architecture", STRING, "llama")])
good("none-at-all", "neither pair nor tensor")

# Names.
good("name-64", "a name of 64 bytes", infos=[info("n" * 64, [3], F32, 0)], data=padded(F3))
good("name-empty", "a name of no byte", infos=[info("", [3], F32, 0)], data=padded(F3))
good("name-bytes", "a name with control characters, and no UTF-8", infos=[info(b"\x1b[31m\xff\n", [3], F32, 0)], data=padded(F3))

# Versions and byte order.
good("version-2", "version 2", infos=ONE, data=padded(F3), version=2)
add("good-big-endian", "big-endian, which nothing but the version tells",
    BE.file([BE.pair("general.alignment", U32, 64), BE.pair("t", ARRAY, (STRING, ["a", "bc"]))],
            [BE.info("a", [3, 2], F32, 0), BE.info("b", [3], BF16, 64)],
            padded(floats(6, ">"), bytes.fromhex("3f8040003fc0"), alignment=64), alignment=64))

# Pairs.
SCALARS = [(U8, 1), (I8, -1), (U16, 2), (I16, -2), (U32, 3), (I32, -3), (F32_VALUE, 0.5), (BOOL, 1), (U64, 4), (I64, -4), (F64_VALUE, 0.25)]
good("pairs", "a value of every type",
     [pair(f"t.{kind}", kind, value) for kind, value in SCALARS] + [pair("t.string", STRING, "text"), pair("", STRING, "")],
     ONE, padded(F3))
good("arrays", "an array of every type",
     [pair(f"t.{kind}", ARRAY, (kind, [value] * 3)) for kind, value in SCALARS] +
     [pair("tokens", ARRAY, (STRING, ["a", "", "token" * 9])), pair("none", ARRAY, (STRING, [])), pair("none.8", ARRAY, (U8, []))],
     ONE, padded(F3))
good("array-nested", "arrays in arrays",
     [pair("t", ARRAY, (ARRAY, [(U16, [1, 2]), (STRING, ["x"]), (ARRAY, [(U8, [1]), (U8, [])])]))], ONE, padded(F3))


def nested(levels):
    value = (U8, [1])
    for _ in range(levels - 1):
        value = (ARRAY, [value])
    return [pair("t", ARRAY, value)]


good("array-deep", "arrays as deep as they may be", nested(8), ONE, padded(F3))
good("array-long", "an array over several buffers", [pair("t", ARRAY, (STRING, ["%03d" % i for i in range(4000)]))], ONE, padded(F3))
good("key-like", "keys that begin as general.alignment does, or end so",
     [pair("general.alignment.x", U32, 3), pair("x.general.alignment", U32, 3), pair("general.alignmen", U32, 3),
      pair("general.alignmenu", U32, 3)], ONE, padded(F3))
for alignment in (8, 24, 4096):
    good(f"alignment-{alignment}", "another alignment", [pair("general.alignment", U32, alignment)],
         [info("a", [3], F32, 0), info("b", [3], BF16, -(-12 // alignment) * alignment)],
         padded(F3, BF16_3, alignment=alignment), alignment=alignment)
good("alignment-huge", "the largest alignment, and no data", [pair("general.alignment", U32, 0xFFFFFFF8)],
     [info("w", [0], F32, 0)])

# The first bytes.
add("bad-magic", "another kind of file", b"\x89PNG\r\n\x1a\n" + bytes(56))
add("bad-magic-cut", "ends within the magic bytes", b"GGU")
add("bad-version-cut", "ends within the version", b"GGUF\x03\0")
add("bad-counts-cut", "ends within the counts", W.file()[:20])
bad("version-0", "version 0", version=0)
bad("version-1", "version 1, whose counts have 32 bits", version=1)
bad("version-4", "version 4", version=4)
add("bad-version-be", "version 4 in big-endian order", BE.file(version=4))

# Counts.
bad("tensors-many", "more tensors than the file has bytes for", infos=ONE, tensors=3)
bad("tensors-huge", "2^60 tensors", tensors=1 << 60)
bad("tensors-overflow", "2^64 - 1 tensors", tensors=(1 << 64) - 1)
bad("pairs-huge", "2^40 pairs", keys=1 << 40)
bad("counts-overflow", "counts whose sum overflows", tensors=(1 << 64) // 24, keys=(1 << 64) // 13)
bad("infos-cut", "ends where the second info has to begin", infos=ONE, tensors=2)
add("bad-info-cut", "ends within an info", W.file(infos=ONE)[:-1])

# Pairs.
bad("value-type", "a value of unknown type", [W.string("k") + W.number("I", 13) + bytes(8)], ONE, padded(F3))
bad("array-type", "an array of unknown type", [W.string("k") + W.number("I", ARRAY, 13) + W.number("Q", 1) + bytes(8)], ONE, padded(F3))
bad("array-nested-9", "arrays one level too deep", nested(9), ONE, padded(F3))
bad("array-nested-many", "a thousand levels",
    [W.string("k") + W.number("I", ARRAY) + (W.number("I", ARRAY) + W.number("Q", 1)) * 1000], ONE, padded(F3))
bad("array-huge", "an array of 2^60 bytes", [W.string("k") + W.number("I", ARRAY, U8) + W.number("Q", 1 << 60)], ONE, padded(F3))
bad("array-overflow", "an array whose size overflows", [W.string("k") + W.number("I", ARRAY, U64) + W.number("Q", 1 << 61)], ONE, padded(F3))
bad("strings-huge", "an array of 2^50 strings", [W.string("k") + W.number("I", ARRAY, STRING) + W.number("Q", 1 << 50)], ONE, padded(F3))
bad("string-huge", "a string of 2^60 bytes", [W.string("k") + W.number("I", STRING) + W.number("Q", 1 << 60)], ONE, padded(F3))
bad("string-overflow", "a string of 2^64 - 1 bytes", [W.string("k") + W.number("I", STRING) + W.number("Q", (1 << 64) - 1)], ONE, padded(F3))
bad("string-cut", "a last string that the file does not hold", [W.string("k") + W.number("I", STRING) + W.number("Q", 5) + b"text"])
bad("key-huge", "a key of 2^60 bytes", [W.string("k", 1 << 60) + W.number("I", U8) + b"\1"], ONE, padded(F3))
for value in (0, 1, 12):
    bad(f"alignment-{value}", "an alignment that is no multiple of 8", [pair("general.alignment", U32, value)], ONE, padded(F3))
bad("alignment-type", "an alignment of 64 bits", [pair("general.alignment", U64, 32)], ONE, padded(F3))
bad("alignment-twice", "two alignments", [pair("general.alignment", U32, 32)] * 2, ONE, padded(F3))

# Infos.
bad("name-65", "a name of 65 bytes", infos=[info("n" * 65, [3], F32, 0)], data=padded(F3))
bad("name-huge", "a name of 2^60 bytes", infos=[info("n", [3], F32, 0, length=1 << 60)], data=padded(F3))
bad("name-nul", "a NUL in a name", infos=[info(b"w\0x", [3], F32, 0)], data=padded(F3))
bad("name-twice", "two tensors of one name", infos=[info("w", [3], F32, 0), info("x", [3], F32, 32), info("w", [3], F32, 64)],
    data=padded(F3, F3, F3))
bad("name-twice-skipped", "a name that is skipped once", infos=[info("w", [3], F32, 0), info("w", [3], TYPE_I32, 32)],
    data=padded(F3, F3))
bad("rank-5", "five dimensions", infos=[info("w", [3, 1, 1, 1, 1], F32, 0)], data=padded(F3))
bad("rank-huge", "2^32 - 1 dimensions", infos=[W.string("w") + W.number("I", 0xFFFFFFFF) + bytes(64)], data=padded(F3))
bad("shape-overflow", "a product of dimensions that does not fit", infos=[info("w", [1 << 32, 1 << 32], F32, 0)], data=padded(F3))
bad("bytes-overflow", "a number of bytes that does not fit", infos=[info("w", [1 << 61], F64, 0)], data=padded(F3))
bad("dim-negative", "a dimension of -1", infos=[info("w", [(1 << 64) - 1], F32, 0)], data=padded(F3))
bad("shape-overflow-unknown", "the same of an unknown type", infos=[info("w", [1 << 32, 1 << 32], 99, 0)], data=padded(F3))
bad("block", "rows that end within a block", infos=[info("w", [48, 2], Q4_0, 0)], data=bytes(64))
bad("block-scalar", "one quantized element", infos=[info("w", [], Q4_0, 0)], data=bytes(64))
bad("offset-unaligned", "an offset that is not aligned", infos=[info("w", [3], F32, 8)], data=padded(F3, F3))
bad("offset-overflow", "an offset that overflows", infos=[info("w", [3], F32, (1 << 64) - 32)], data=padded(F3))
bad("offset-huge", "an offset of 2^63 - 32", infos=[info("w", [3], F32, (1 << 63) - 32)], data=padded(F3))
bad("offset-far", "an offset behind the end", infos=[info("w", [3], F32, 64)], data=padded(F3))

# Data.
bad("data-cut", "ends within the data", infos=ONE, data=F3[:-1])
bad("data-none", "no data", infos=ONE)
bad("data-huge", "a petabyte, claimed", infos=[info("w", [1 << 48], F32, 0)], data=padded(F3))
bad("data-cut-skipped", "ends within data that would be skipped", infos=[info("w", [32], Q8_0, 0)], data=bytes(33))
bad("overlap", "two tensors that overlap", infos=[info("a", [9], F32, 0), info("b", [3], F32, 32)], data=padded(floats(9)))
bad("overlap-same", "two tensors at one place", infos=[info("a", [3], F32, 0), info("b", [3], F32, 0)], data=padded(F3))
bad("overlap-skipped", "a tensor on what is skipped", infos=[info("a", [64], Q8_0, 0), info("b", [3], F32, 64)], data=bytes(96))

with open(HERE / "README.md", "w", encoding="utf-8") as readme:
    readme.write("# .gguf files\n\nMade by make.py, as is this list. `good-*` opens, `bad-*` is refused.\n"
                 "What exactly is expected of each stands in `tests/unit/gguf_test.c`.\n\n"
                 "| file | what it is for |\n|---|---|\n")
    for name, purpose in FILES.items():
        readme.write(f"| {name} | {purpose} |\n")
