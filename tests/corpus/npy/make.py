#!/usr/bin/env python3
"""Makes the .npy files beside it, and README.md, which tells what each is for.

The bytes are written by hand, not by NumPy: most of the files are what NumPy never writes.
"""

import pathlib
import struct

HERE = pathlib.Path(__file__).parent
FILES = {}


def add(name, purpose, data):
    assert name not in FILES
    FILES[name] = purpose
    (HERE / name).write_bytes(data)


def literal(descr="'<f4'", fortran="False", shape="(3,)"):
    return "{'descr': %s, 'fortran_order': %s, 'shape': %s, }" % (descr, fortran, shape)


def npy(text, data=b"", version=(1, 0), align=64, claimed=None):
    """A file with this header, padded with spaces and a newline unless align is 1."""
    text = text.encode("latin-1")
    start = 10 if version[0] == 1 else 12
    if align > 1:
        text += b" " * (-(start + len(text) + 1) % align) + b"\n"
    length = struct.pack("<H" if version[0] == 1 else "<I", len(text) if claimed is None else claimed)
    return b"\x93NUMPY" + bytes(version) + length + text + data


def floats(count, order="<", code="f"):
    return struct.pack(f"{order}{count}{code}", *[0.5 + i for i in range(count)])


def good(name, purpose, *arguments, **more):
    add(f"good-{name}.npy", purpose, npy(*arguments, **more))


def bad(name, purpose, *arguments, **more):
    add(f"bad-{name}.npy", purpose, npy(*arguments, **more))


F3 = floats(3)
BF16 = bytes.fromhex("803f0040c03f")  # 1, 2, 1.5

# Element types.
good("f2-le", "float16, little-endian", literal("'<f2'"), floats(3, code="e"))
good("f2-be", "float16, big-endian", literal("'>f2'"), floats(3, ">", "e"))
good("f4-le", "float32, little-endian: the plain case", literal(), F3)
good("f4-be", "float32, big-endian", literal("'>f4'"), floats(3, ">"))
good("f8-le", "float64, little-endian", literal("'<f8'"), floats(3, code="d"))
good("f8-be", "float64, big-endian", literal("'>f8'"), floats(3, ">", "d"))
good("f4-native", "'=': the byte order of the machine that reads", literal("'=f4'"), F3)
good("f4-no-order", "no byte order: the machine's too", literal("'f4'"), F3)
good("f4-bar", "'|' before several bytes: NumPy takes the machine's order", literal("'|f4'"), F3)
good("f1", "how ml_dtypes' float8_e5m2 is saved", literal("'<f1'"), b"\x38\x3c\x40")
good("f1-bar", "the same, with the order that one byte has", literal("'|f1'"), b"\x38\x3c\x40")
good("c8-le", "complex64: pairs of float32", literal("'<c8'"), floats(6))
good("c16-be", "complex128, big-endian", literal("'>c16'"), floats(6, ">", "d"))
good("c8-fortran", "complex64 in Fortran order: the component stays fastest",
     literal("'<c8'", "True", "(2, 3)"), floats(12))
good("v2-le", "how ml_dtypes' bfloat16 is saved", literal("'<V2'"), BF16)
good("v2-bar", "the same, as older versions saved it", literal("'|V2'"), BF16)
good("v2-no-order", "the same, without an order", literal("'V2'"), BF16)
good("v2-be", "the same, big-endian", literal("'>V2'"), bytes.fromhex("3f8040003fc0"))
good("name-bfloat16", "a type by its name", literal("'bfloat16'"), BF16)
good("name-float8_e4m3fn", "a type by its name", literal("'float8_e4m3fn'"), b"\x38\x3c\x40")

# Data that are not cast.
good("skip-bool", "booleans: skipped", literal("'|b1'"), b"\x00\x01\x01")
good("skip-i1", "8-bit integers: skipped", literal("'|i1'"), b"\x01\x02\x03")
good("skip-u2", "16-bit integers: skipped, or bf16 by --view", literal("'<u2'"), BF16)
good("skip-u2-be", "the same, big-endian", literal("'>u2'"), bytes.fromhex("3f8040003fc0"))
good("skip-i8", "64-bit integers: skipped", literal("'<i8'"), struct.pack("<3q", 1, 2, 3))
good("skip-date", "dates: skipped, with a unit in the descr", literal("'<M8[ns]'"), bytes(24))
good("skip-bytes", "byte strings: skipped", literal("'|S5'"), b"onetwothree 15!"[:15])
good("skip-text", "text: skipped, four bytes a character", literal("'<U2'"), bytes(24))
good("skip-void", "bytes of no known meaning: skipped", literal("'|V3'"), bytes(9))
good("skip-text-empty", "elements of no bytes at all", literal("'<U0'"))

# Shapes.
good("scalar", "the shape () is one element", literal(shape="()"), floats(1))
good("empty", "a zero dimension: no element", literal(shape="(0, 3)"))
good("empty-huge", "no element, although the other dimensions overflow any product",
     literal(shape="(4611686018427387904, 0, 4611686018427387904)"))
good("fortran", "Fortran order", literal(fortran="True", shape="(2, 3)"), floats(6))
good("rank-64", "the most dimensions that NumPy has", literal(shape="(%s)" % ("1, " * 63 + "3")), F3)
good("rank-64-complex", "and one more for the components",
     literal("'<c8'", shape="(%s)" % ("1, " * 63 + "3")), floats(6))

# Versions, and ways to write the header.
good("version-2", "version 2.0: a length of four bytes", literal(), F3, version=(2, 0))
good("version-3", "version 3.0: UTF-8", literal(), F3, version=(3, 0))
good("double-quotes", "double quotes, as json.dumps would write", literal().replace("'", '"'), F3)
good("key-order", "keys in another order", "{'shape': (3,), 'fortran_order': False, 'descr': '<f4'}", F3)
good("no-last-comma", "no comma behind the last pair", literal().replace(", }", "}"), F3)
good("no-padding", "no padding and no newline; data at an odd offset", literal(), F3, align=1)
good("no-spaces", "as few characters as can be", literal().replace(" ", "").replace(",}", "}"), F3,
     align=1)
good("white-space", "white space of all kinds, wherever it may be",
     "\t{\n'descr'\t:\r\n'<f4' , 'fortran_order' :\fFalse,'shape': ( 3 , ) , }  ", F3)
good("suffix-l", "integers as Python 2 wrote them", literal(shape="(3L, 1L)"), F3)
good("comma-in-tuple", "a comma behind the last dimension", literal(shape="(3, 1,)"), F3)
good("tail", "bytes after the data: a warning", literal(), F3 + b"tail")

# The first bytes.
add("bad-empty.npy", "no byte", b"")
add("bad-magic.npy", "another kind of file", b"\x89PNG\r\n\x1a\n" + bytes(56))
add("bad-magic-cut.npy", "ends within the magic bytes", b"\x93NUM")
add("bad-version-cut.npy", "ends before the version", b"\x93NUMPY\x01")
add("bad-length-cut.npy", "ends within the length", b"\x93NUMPY\x01\x00\x76")
add("bad-length-cut-2.npy", "ends within the longer length", b"\x93NUMPY\x02\x00\x76\x00\x00")
bad("version-0", "version 0.1", literal(), F3, version=(0, 1))
bad("version-4", "version 4.0", literal(), F3, version=(4, 0))
bad("version-minor", "version 1.1", literal(), F3, version=(1, 1))
add("bad-header-cut.npy", "ends within the header", npy(literal(), F3)[:60])
bad("header-none", "a header of no byte", "", F3, align=1)
bad("header-huge", "a header of 4 GB, claimed", literal(), F3, version=(2, 0), claimed=0xFFFFFFFF)
bad("header-64k", "a header of one byte over 64 KiB, claimed", literal(), F3, version=(2, 0),
    claimed=65537)
bad("header-short", "a length that cuts the dictionary", literal(), F3, claimed=38)

# The data.
add("bad-data-cut.npy", "ends within the data", npy(literal(), F3)[:-1])
bad("data-none", "no data", literal())
bad("data-huge", "a petabyte, claimed", literal(shape="(281474976710656,)"), F3)
bad("data-cut-skipped", "ends within data that would be skipped", literal("'<i8'"), bytes(23))
bad("shape-overflow", "a product of dimensions that does not fit",
    literal(shape="(4294967296, 4294967296)"), F3)
bad("bytes-overflow", "a number of bytes that does not fit", literal("'<f8'", shape="(2305843009213693952,)"),
    F3)
bad("bytes-overflow-complex", "the same for pairs", literal("'<c8'", shape="(1152921504606846976,)"), F3)

# Keys.
bad("key-twice", "a key that comes twice", literal().replace(", }", ", 'shape': (3,)}"), F3)
bad("key-unknown", "a key too many", literal().replace(", }", ", 'order': 'C'}"), F3)
bad("key-none-descr", "no descr", "{'fortran_order': False, 'shape': (3,)}", F3)
bad("key-none-order", "no fortran_order", "{'descr': '<f4', 'shape': (3,)}", F3)
bad("key-none-shape", "no shape", "{'descr': '<f4', 'fortran_order': False}", F3)
bad("dict-empty", "no key at all", "{}", F3)
bad("key-bare", "a key without quotes", literal().replace("'shape'", "shape"), F3)

# Shapes.
bad("shape-list", "a list", literal(shape="[3]"), F3)
bad("shape-number", "a number", literal(shape="3"), F3)
bad("shape-parentheses", "a number in parentheses, which is no tuple", literal(shape="(3)"), F3)
bad("shape-none", "None", literal(shape="None"), F3)
bad("shape-open", "a tuple that does not end", literal(shape="(3,"), F3)
bad("shape-comma", "a comma alone", literal(shape="(,)"), F3)
bad("shape-commas", "two commas", literal(shape="(3,,1)"), F3)
bad("shape-no-comma", "no comma between dimensions", literal(shape="(3 1)"), F3)
bad("shape-nested", "a tuple in a tuple", literal(shape="((3,),)"), F3)
bad("shape-rank", "65 dimensions", literal(shape="(%s)" % ("1, " * 64 + "3")), F3)
bad("dim-true", "True for 1", literal(shape="(3, True)"), F3)
bad("dim-negative", "a negative dimension", literal(shape="(-1,)"), F3)
bad("dim-float", "a dimension with a point", literal(shape="(3.0,)"), F3)
bad("dim-hex", "a hexadecimal dimension", literal(shape="(0x3,)"), F3)
bad("dim-underscore", "a digit separator", literal(shape="(1_0,)"), F3)
bad("dim-zeros", "a leading zero", literal(shape="(03,)"), F3)
bad("dim-huge", "a dimension of 2^63", literal(shape="(9223372036854775808,)"), F3)
bad("dim-wraps", "a dimension of 2^64 + 3", literal(shape="(18446744073709551619,)"), F3)
bad("dim-name", "a name", literal(shape="(n,)"), F3)
bad("dim-suffix-3", "a Python 2 suffix in a version 3.0 file", literal(shape="(3L,)"), F3, version=(3, 0))

# fortran_order.
bad("order-number", "0 for False", literal(fortran="0"), F3)
bad("order-word", "a word that only begins with False", literal(fortran="Falsehood"), F3)

# Element types.
bad("descr-object", "Python objects", literal("'|O'"), F3)
bad("descr-object-8", "Python objects, with a size", literal("'|O8'"), F3)
bad("descr-structured", "a structured type", literal("[('a', '<f4')]"), F3)
bad("descr-subarray", "a subarray type", literal("('<f4', (3,))"), F3)
bad("descr-number", "no string", literal("4"), F3)
bad("descr-unknown", "no type of that name", literal("'<q9'"), F3)
bad("descr-empty", "an empty name", literal("''"), F3)
bad("descr-f3", "floats of three bytes", literal("'<f3'"), bytes(9))
bad("descr-i16", "integers of 16 bytes", literal("'<i16'"), bytes(48))
bad("descr-f4-unit", "a unit behind what is no date", literal("'<f4[ns]'"), F3)
bad("descr-size", "a size of many digits", literal("'<V99999999999999999999'"), F3)
bad("descr-void-1", "one of five 8-bit types; opens with --view", literal("'<V1'"), b"\x38\x3c\x40")
bad("descr-long-double", "long double", literal("'<f16'"), bytes(48))
bad("descr-long-double-be", "long double, big-endian", literal("'>f16'"), bytes(48))
bad("descr-long-double-12", "long double of a 32-bit machine", literal("'<f12'"), bytes(36))
bad("descr-complex-long", "pairs of long double", literal("'<c32'"), bytes(96))

# The grammar.
bad("not-dict", "a list", "['<f4', False, (3,)]", F3)
bad("behind", "something behind the dictionary", literal() + " 1", F3)
bad("behind-nul", "padded with zero bytes", literal() + "\0\0\0\0", F3)
bad("comment", "a comment", literal() + " # f4", F3)
bad("quote-open", "a string that does not end", "{'descr': '<f4", F3, align=1)
bad("quote-mixed", "a string that ends with the other quote", literal("'<f4\""), F3)
bad("escape", "an escape in a string", literal(r"'\x3cf4'"), F3)
bad("latin-1", "a letter beyond ASCII", literal("'<f\xe4'"), F3)
bad("utf-8", "the same in version 3.0", literal("'<f\xc3\xa4'"), F3, version=(3, 0))
bad("prefix", "a string with a prefix", literal("b'<f4'"), F3)
bad("no-colon", "no colon", literal().replace("'shape':", "'shape'"), F3)
bad("no-comma", "no comma between pairs", literal().replace("'<f4',", "'<f4'"), F3)
bad("open", "a dictionary that does not end", literal().replace("}", ""), F3)
bad("deep", "brackets without end", literal(shape="(" * 500), F3)

with open(HERE / "README.md", "w", encoding="utf-8") as readme:
    readme.write("# .npy files\n\nMade by make.py, as is this list. `good-*` opens, `bad-*` is refused.\n"
                 "What exactly is expected of each stands in `tests/unit/npy_test.c`.\n\n"
                 "| file | what it is for |\n|---|---|\n")
    for name, purpose in FILES.items():
        readme.write(f"| {name} | {purpose} |\n")
