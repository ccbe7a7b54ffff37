#!/usr/bin/env python3
"""Makes the .safetensors files beside it, and README.md, which tells what each is for.

The bytes are written by hand: most of the files are what no library writes.
"""

import pathlib
import struct

HERE = pathlib.Path(__file__).parent
FILES = {}


def add(name, purpose, contents):
    assert name not in FILES and len(contents) < 4096
    FILES[name] = purpose
    (HERE / f"{name}.safetensors").write_bytes(contents)


def entry(dtype="F32", shape="[3]", offsets="[0,12]"):
    return '{"dtype":"%s","shape":%s,"data_offsets":%s}' % (dtype, shape, offsets)


def tensors(**entries):
    return "{" + ",".join(f'"{name}":{text}' for name, text in entries.items()) + "}"


def safetensors(header, data=b"", claimed=None):
    if isinstance(header, str):
        header = header.encode()
    return struct.pack("<Q", len(header) if claimed is None else claimed) + header + data


def floats(count, code="f"):
    return struct.pack(f"<{count}{code}", *[0.5 + i for i in range(count)])


def good(name, purpose, *arguments, **more):
    add(f"good-{name}", purpose, safetensors(*arguments, **more))


def bad(name, purpose, *arguments, **more):
    add(f"bad-{name}", purpose, safetensors(*arguments, **more))


F3 = floats(3)
BF16 = bytes.fromhex("803f0040c03f")  # 1, 2, 1.5
EIGHT = b"\x38\x3c\x40"
PLAIN = tensors(w=entry())

# Element types.
good("f32", "float32: the plain case", PLAIN, F3)
good("f16", "float16", tensors(w=entry("F16", offsets="[0,6]")), floats(3, "e"))
good("bf16", "bfloat16", tensors(w=entry("BF16", offsets="[0,6]")), BF16)
good("f64", "float64", tensors(w=entry("F64", offsets="[0,24]")), floats(3, "d"))
good("e4m3fn", "F8_E4M3", tensors(w=entry("F8_E4M3", offsets="[0,3]")), EIGHT)
good("e5m2", "F8_E5M2", tensors(w=entry("F8_E5M2", offsets="[0,3]")), EIGHT)
good("e4m3fnuz", "F8_E4M3FNUZ", tensors(w=entry("F8_E4M3FNUZ", offsets="[0,3]")), EIGHT)
good("e5m2fnuz", "F8_E5M2FNUZ", tensors(w=entry("F8_E5M2FNUZ", offsets="[0,3]")), EIGHT)
good("c64", "pairs of float32: a new last axis", tensors(w=entry("C64", offsets="[0,24]")), floats(6))
good("c64-scalar", "one pair", tensors(w=entry("C64", "[]", "[0,8]")), floats(2))

# Data that are not cast.
for dtype, size in {"BOOL": 1, "U8": 1, "I8": 1, "U16": 2, "I16": 2, "U32": 4, "I32": 4, "U64": 8,
                    "I64": 8, "F8_E8M0": 1}.items():
    good(f"skip-{dtype.lower()}", f"{dtype}: skipped, or cast by --view",
         tensors(w=entry(dtype, offsets=f"[0,{3 * size}]")), bytes(range(3 * size)))
good("skip-f4", "two elements a byte", tensors(w=entry("F4", "[3,2]", "[0,3]")), EIGHT)
good("skip-f6_e2m3", "four elements in three bytes", tensors(w=entry("F6_E2M3", "[4]", "[0,3]")), EIGHT)
good("skip-f6_e3m2", "four elements in three bytes", tensors(w=entry("F6_E3M2", "[4]", "[0,3]")), EIGHT)

# Shapes.
good("scalar", "shape []: one element", tensors(w=entry(shape="[]", offsets="[0,4]")), floats(1))
good("empty", "a dimension of 0", tensors(w=entry(shape="[0,3]", offsets="[0,0]")))
good("empty-huge", "a product that does not fit, times 0",
     tensors(w=entry(shape="[4611686018427387904,0,4611686018427387904]", offsets="[0,0]")))
good("rank-64", "as many dimensions as NumPy has", tensors(w=entry(shape="[%s3]" % ("1," * 63))), F3)
good("rank-64-c64", "one axis more for the components",
     tensors(w=entry("C64", "[%s3]" % ("1," * 63), "[0,24]")), floats(6))

# Several tensors.
good("none", "no tensor", "{}")
good("order", "data in another order than the header",
     tensors(b=entry(offsets="[12,24]"), a=entry(offsets="[24,36]"), c=entry()), floats(9))
good("empty-between", "tensors without data, in any order, where others begin and end",
     tensors(z=entry(shape="[0]", offsets="[12,12]"), b=entry(offsets="[12,24]"),
             e=entry(shape="[0]", offsets="[0,0]"), a=entry(), y=entry(shape="[0]", offsets="[12,12]"),
             x=entry(shape="[0]", offsets="[24,24]")), floats(6))
good("mixed", "tensors that are skipped among others",
     tensors(a=entry("I64", "[1]", "[0,8]"), b=entry(offsets="[8,20]"), c=entry("U8", "[3]", "[20,23]"),
             d=entry("BF16", "[3]", "[23,29]"), e=entry("BOOL", "[1]", "[29,30]")),
     bytes(8) + F3 + EIGHT + BF16 + b"\x01")

# JSON.
good("space-before", "white space before the header: the reference reader takes it", " \n\t\r" + PLAIN, F3)
good("space-behind", "padded with spaces, as the reference writer does", PLAIN + " " * 7, F3)
good("space-within", "white space wherever it may be",
     '{ "w" : { "dtype" : "F32" ,\n"shape":[\t3\r] , "data_offsets":[ 0 , 12 ] } }', F3)
good("key-order", "keys in another order", '{"w":{"data_offsets":[0,12],"shape":[3],"dtype":"F32"}}', F3)
good("name-empty", "a name of no byte", '{"":' + entry() + "}", F3)
good("name-utf-8", "a name beyond ASCII", '{"\u00e4\u20ac\U0001f600":' + entry() + "}", F3)
good("name-escapes", "the same and more, escaped",
     r'{"\u00e4\u20AC\ud83d\ude00\"\\\/\b\f\n\r\t":' + entry() + "}", F3)
good("dtype-escapes", "escapes in keys and dtypes",
     r'{"w":{"\u0064type":"F\u0033\u0032","shape":[3],"data_offsets":[0,12]}}', F3)
good("metadata", "__metadata__", '{"__metadata__":{"format":"pt"},"w":' + entry() + "}", F3)
good("metadata-last", "behind the tensors", '{"w":' + entry() + ',"__metadata__":{ "b" : "2", "a":"" }}', F3)
good("metadata-empty", "without a key", '{"__metadata__":{},"w":' + entry() + "}", F3)
good("metadata-escapes", "whatever strings can hold",
     r'{"__metadata__":{"\u00e9\u0000\/":"\u001f\u000a\"\\' + '\u00e9"}}')

# The frame.
add("bad-empty", "no byte", b"")
add("bad-length-cut", "ends within the length", safetensors(PLAIN, F3)[:7])
add("bad-length-only", "ends behind the length", safetensors(PLAIN, F3)[:8])
bad("length-huge", "a header of one byte over the limit, claimed", PLAIN, F3, claimed=100000001)
bad("length-one", "a header of one byte", "{", claimed=1)
bad("first-byte", "a header that is no object", '["w"]', F3)
add("bad-header-cut", "ends within the header", safetensors(PLAIN, F3)[:40])
bad("header-claimed", "a header that claims a limit's worth of bytes", PLAIN, F3, claimed=100000000)
bad("header-short", "a length that cuts the header", PLAIN, F3, claimed=len(PLAIN) - 1)
bad("header-long", "a length that reaches into the data", PLAIN, F3, claimed=len(PLAIN) + 1)
add("bad-data-cut", "ends within the data", safetensors(PLAIN, F3)[:-1])
bad("data-none", "no data", PLAIN)
bad("data-cut-skipped", "ends within data that would be skipped",
    tensors(w=entry("I64", offsets="[0,24]")), bytes(23))
bad("data-huge", "a petabyte, claimed",
    tensors(w=entry(shape="[281474976710656]", offsets="[0,1125899906842624]")), F3)
bad("tail", "a byte behind the data", PLAIN, F3 + b"\0")
bad("tail-none", "a byte behind no tensor", "{}", b"\0")

# Where the data are.
bad("gap-first", "data that do not begin at 0", tensors(w=entry(offsets="[4,16]")), floats(4))
bad("gap", "a gap between tensors", tensors(a=entry(), b=entry(offsets="[16,28]")), floats(7))
bad("overlap", "tensors that overlap", tensors(a=entry(), b=entry(offsets="[8,20]")), floats(5))
bad("same", "two tensors with the same data", tensors(a=entry(), b=entry()), F3)
bad("empty-inside", "no data, in the midst of another's",
    tensors(a=entry(), b=entry(shape="[0]", offsets="[4,4]")), F3)
bad("empty-behind", "no data, behind the end", tensors(a=entry(), b=entry(shape="[0]", offsets="[16,16]")), F3)
bad("backward", "an end before the beginning", tensors(w=entry(offsets="[12,0]")), F3)
bad("offsets-end", "an end beyond all files",
    tensors(w=entry("U8", "[9223372036854775807]", "[0,9223372036854775807]")), F3)
bad("size-less", "fewer bytes than the shape has", tensors(w=entry(shape="[4]")), F3)
bad("size-more", "more bytes than the shape has", tensors(w=entry(shape="[2]")), F3)
bad("size-wraps", "a product that is right modulo 2^64",
    tensors(w=entry(shape="[4611686018427387907]", offsets="[0,12]")), F3)
bad("shape-overflow", "a product of dimensions that does not fit",
    tensors(w=entry(shape="[4294967296,4294967296]", offsets="[0,0]")))
bad("bits-overflow", "a product that does not fit in bits",
    tensors(w=entry("F4", "[4611686018427387904]", "[0,0]")))
bad("half-byte", "an odd number of 4-bit elements", tensors(w=entry("F4", "[3]", "[0,2]")), EIGHT[:2])
bad("part-byte", "6-bit elements that end within a byte", tensors(w=entry("F6_E2M3", "[3]", "[0,3]")), EIGHT)

# Entries.
bad("dtype-unknown", "no such dtype", tensors(w=entry("F128", "[3]", "[0,48]")), bytes(48))
bad("dtype-case", "a dtype in lower case", tensors(w=entry("f32")), F3)
bad("dtype-nul", "a dtype with a NUL", tensors(w=entry(r"F32\u0000")), F3)
bad("dtype-number", "a number for the dtype", '{"w":{"dtype":32,"shape":[3],"data_offsets":[0,12]}}', F3)
bad("dtype-none", "no dtype", '{"w":{"shape":[3],"data_offsets":[0,12]}}', F3)
bad("shape-none", "no shape", '{"w":{"dtype":"F32","data_offsets":[0,12]}}', F3)
bad("offsets-none", "no data_offsets", '{"w":{"dtype":"F32","shape":[3]}}', F3)
bad("entry-empty", "no key at all", '{"w":{}}', F3)
bad("key-twice", "a key that comes twice",
    '{"w":{"dtype":"F32","shape":[3],"shape":[3],"data_offsets":[0,12]}}', F3)
bad("key-unknown", "a key too many",
    '{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,12],"stride":[1]}}', F3)
bad("key-nul", "a key with a NUL", r'{"w":{"dtype\u0000":"F32","shape":[3],"data_offsets":[0,12]}}', F3)
bad("entry-array", "no object", '{"w":["F32",[3],[0,12]]}', F3)
bad("shape-number", "a number for the shape", tensors(w=entry(shape="3")), F3)
bad("shape-object", "an object for the shape", tensors(w=entry(shape="{}")), F3)
bad("shape-string", "a string for a dimension", tensors(w=entry(shape='["3"]')), F3)
bad("shape-nested", "an array for a dimension", tensors(w=entry(shape="[[3]]")), F3)
bad("rank-65", "65 dimensions", tensors(w=entry(shape="[%s3]" % ("1," * 64))), F3)
bad("dim-negative", "a negative dimension", tensors(w=entry(shape="[-3]")), F3)
bad("dim-minus-zero", "a negative zero", tensors(w=entry(shape="[-0]", offsets="[0,0]")))
bad("dim-fraction", "a dimension with a point", tensors(w=entry(shape="[3.0]")), F3)
bad("dim-exponent", "a dimension with an exponent", tensors(w=entry(shape="[3e0]")), F3)
bad("dim-huge", "a dimension of 2^63", tensors(w=entry(shape="[9223372036854775808]")), F3)
bad("dim-wraps", "a dimension of 2^64 + 3", tensors(w=entry(shape="[18446744073709551619]")), F3)
bad("dim-null", "null for a dimension", tensors(w=entry(shape="[null]")), F3)
bad("offsets-one", "one offset", tensors(w=entry(offsets="[12]")), F3)
bad("offsets-three", "three offsets", tensors(w=entry(offsets="[0,12,12]")), F3)
bad("offsets-negative", "a negative offset", tensors(w=entry(offsets="[-12,0]")), F3)
bad("offsets-string", "no array", tensors(w=entry(offsets='"0,12"')), F3)

# Names and __metadata__.
bad("name-twice", "two tensors of one name",
    '{"w":' + entry() + ',"v":' + entry(offsets="[12,24]") + ',"w":' + entry(offsets="[24,36]") + "}", floats(9))
bad("name-twice-escaped", "the same, spelt differently",
    '{"w":' + entry() + r',"\u0077":' + entry(offsets="[12,24]") + "}", floats(6))
bad("name-nul", "a name with a NUL", r'{"w\u0000":' + entry() + "}", F3)
bad("metadata-nul", "nearly __metadata__", r'{"__metadata__\u0000":{}}')
bad("metadata-twice", "__metadata__ that comes twice", '{"__metadata__":{},"__metadata__":{}}')
bad("metadata-key-twice", "a key of __metadata__ that comes twice", r'{"__metadata__":{"a":"1","b":"","\u0061":"2"}}')
bad("metadata-number", "a number in __metadata__", '{"__metadata__":{"step":1}}')
bad("metadata-nested", "an object in __metadata__", '{"__metadata__":{"a":{}}}')
bad("metadata-null", "null for __metadata__", '{"__metadata__":null}')
bad("metadata-tensor", "a tensor called __metadata__", tensors(__metadata__=entry()), F3)

# The grammar.
bad("comma-last", "a comma before the end of an object", '{"w":' + entry() + ",}", F3)
bad("comma-last-array", "a comma before the end of an array", tensors(w=entry(shape="[3,]")), F3)
bad("comma-first", "a comma first", '{,"w":' + entry() + "}", F3)
bad("comma-none", "no comma between members", '{"v":' + entry() + ' "w":' + entry() + "}", F3)
bad("comma-none-array", "no comma between elements", tensors(w=entry(shape="[3 1]")), F3)
bad("colon-none", "no colon", '{"w"' + entry() + "}", F3)
bad("key-bare", "a key without quotes", "{w:" + entry() + "}", F3)
bad("quote-single", "single quotes", "{'w':" + entry() + "}", F3)
bad("open", "an object that does not end", PLAIN[:-1], F3)
bad("behind", "something behind the object", PLAIN + "{}", F3)
bad("behind-nul", "padded with zero bytes", PLAIN + "\0\0", F3)
bad("comment", "a comment", PLAIN + " // w", F3)
bad("bracket", "a bracket that another kind closes", tensors(w=entry(shape="[3}")), F3)
bad("deep", "brackets without end", '{"w":' + "[" * 500, F3)
bad("zeros", "a leading zero", tensors(w=entry(shape="[03]")), F3)
bad("plus", "a plus sign", tensors(w=entry(shape="[+3]")), F3)
bad("nan", "a word that is no literal", tensors(w=entry(shape="[NaN]")), F3)
bad("literal-cut", "a literal cut short", tensors(w=entry(shape="[tru]")), F3)
bad("point", "a point without digits", tensors(w=entry(shape="[3.]")), F3)
bad("minus", "a sign alone", tensors(w=entry(shape="[-]")), F3)
bad("quote-open", "a string that does not end", '{"w', F3)
bad("control", "a line break in a string", '{"w\n":' + entry() + "}", F3)
bad("escape-unknown", "an escape that JSON does not have", r'{"\x77":' + entry() + "}", F3)
bad("escape-short", "an escape of three digits", r'{"\u077":' + entry() + "}", F3)
bad("surrogate-high", "a first half alone", r'{"\ud83d":' + entry() + "}", F3)
bad("surrogate-low", "a second half alone", r'{"\ude00":' + entry() + "}", F3)
bad("surrogate-twice", "two first halves", r'{"\ud83d\ud83d":' + entry() + "}", F3)
for name, purpose, code in (("latin-1", "a letter of Latin-1", "e4"), ("utf-8-cut", "a character cut short", "e282"),
                            ("utf-8-long", "an overlong character", "c0af"),
                            ("utf-8-long-3", "an overlong character of three bytes", "e08080"),
                            ("utf-8-surrogate", "half of a surrogate pair, in UTF-8", "eda0bd"),
                            ("utf-8-beyond", "a character beyond U+10FFFF", "f4908080"),
                            ("utf-8-tail", "a continuation byte alone", "80"),
                            ("utf-8-five", "a byte that UTF-8 does not have", "f8808080")):
    bad(name, purpose, b'{"' + bytes.fromhex(code) + b'":' + entry().encode() + b"}", F3)
bad("bom", "a byte order mark behind a space", " \ufeff" + PLAIN, F3)

with open(HERE / "README.md", "w", encoding="utf-8") as readme:
    readme.write("# .safetensors files\n\nMade by make.py, as is this list. `good-*` opens, `bad-*` is refused.\n"
                 "What exactly is expected of each stands in `tests/unit/safetensors_test.c`.\n\n"
                 "| file | what it is for |\n|---|---|\n")
    for name, purpose in FILES.items():
        readme.write(f"| {name}.safetensors | {purpose} |\n")
