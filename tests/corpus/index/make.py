#!/usr/bin/env python3
"""Makes the indexes of checkpoints beside it, their shards, and README.md, which tells what each is for."""

import json
import pathlib
import struct

HERE = pathlib.Path(__file__).parent
FILES = {}


def shard(name, purpose, **tensors):
    """A .safetensors file; each tensor is (dtype, data)."""
    header, data = {}, b""
    for tensor, (dtype, more) in tensors.items():
        size = {"F32": 4, "I64": 8}[dtype]
        header[tensor] = {"dtype": dtype, "shape": [len(more) // size], "data_offsets": [len(data), len(data + more)]}
        data += more
    text = json.dumps(header).encode()
    (HERE / name).parent.mkdir(exist_ok=True)
    (HERE / name).write_bytes(struct.pack("<Q", len(text)) + text + data)
    FILES[name] = purpose


def add(name, purpose, text):
    if isinstance(text, str):
        text = text.encode()
    assert name not in FILES and len(text) < 4096
    FILES[name] = purpose
    (HERE / name).write_bytes(text)


def index(**weights):
    return json.dumps({"metadata": {"total_size": 28}, "weight_map": weights})


def good(name, purpose, text):
    add(f"good-{name}.json", purpose, text)


def bad(name, purpose, text):
    add(f"bad-{name}.json", purpose, text)


def floats(count):
    return struct.pack(f"<{count}f", *[0.5 + i for i in range(count)])


shard("1.safetensors", "a shard with a, b and the integers n", a=("F32", floats(1)), b=("F32", floats(2)), n=("I64", bytes(8)))
shard("2.safetensors", "a shard with c", c=("F32", floats(3)))
shard("below/3.safetensors", "a shard with d in a folder below", d=("F32", floats(1)))

ALL = dict(a="1.safetensors", b="1.safetensors", n="1.safetensors", c="2.safetensors")

good("plain", "two shards", index(**ALL))
good("order", "weights in any order", index(c="2.safetensors", b="1.safetensors", n="1.safetensors", a="1.safetensors"))
good("below", "a shard in a folder below", index(d="below/3.safetensors"))
good("keys", "keys that nobody knows, before and behind, with values of all kinds",
     '{"version":1.5e-3,"x":[true,false,null,{"weight_map":{"a":1}}],"weight_map":{"c":"2.safetensors"},"y":{},"z":[]}')
good("space", "white space wherever it may be", ' \r\n\t{ "weight_map" : { "c" : "2.safetensors" } } \n')
good("escapes", "names with escapes", r'{"weight\u005fmap":{"\u0063":"\u0032\u002esafetensors"}}')
good("elsewhere", "one tensor that its shard has is not in the index", index(b="1.safetensors", n="1.safetensors"))
good("lacking", "opens; but the index has a tensor that its shard lacks", index(c="2.safetensors", e="2.safetensors"))
good("deep", "64 levels", '{"x":%s,"weight_map":{"c":"2.safetensors"}}' % ("[" * 63 + "]" * 63))

bad("no-map", "JSON, but no index", '{"metadata":{}}')
bad("no-key", "an empty object", "{}")
bad("empty", "no tensor", index())
bad("array", "an array for the weight_map", '{"weight_map":["1.safetensors"]}')
bad("number", "a number for a file", '{"weight_map":{"c":2}}')
bad("null", "null for the weight_map", '{"weight_map":null}')
bad("map-twice", "two weight_maps", '{"weight_map":{"c":"2.safetensors"},"weight_map":{"c":"2.safetensors"}}')
bad("name-twice", "two tensors of one name", '{"weight_map":{"c":"1.safetensors","\\u0063":"2.safetensors"}}')
bad("name-nul", "a name with a NUL", r'{"weight_map":{"c\u0000":"2.safetensors"}}')
bad("file-nul", "a file with a NUL", r'{"weight_map":{"c":"2.safetensors\u0000"}}')
bad("missing", "a shard that is not there", index(a="1.safetensors", z="9.safetensors"))
bad("absolute", "an absolute path", index(a="/etc/passwd"))
bad("file-empty", "an empty path", index(a=""))
bad("parent", "a path that goes up", index(a="../npy/good-f4-le.npy"))
bad("parent-within", "a path that goes down and up", index(a="below/../1.safetensors"))
bad("parent-last", "the folder above, at the end", index(a="below/.."))
bad("dot", "the folder itself", index(a="./1.safetensors"))
bad("slashes", "an empty component", index(d="below//3.safetensors"))
bad("slash-last", "a slash at the end", index(d="below/"))
bad("dash", "what would be standard input", index(a="-"))
bad("folder", "a folder", index(a="below"))
bad("through-file", "a file as a folder", index(a="1.safetensors/2"))
bad("too-deep", "65 levels", '{"x":%s,"weight_map":{"c":"2.safetensors"}}' % ("[" * 64 + "]" * 64))
bad("behind", "something behind the object", index(**ALL) + "1")
bad("cut", "ends within the object", index(**ALL)[:-1])
bad("comma", "a comma before the end", '{"weight_map":{"c":"2.safetensors"},}')
bad("skipped-utf-8", "not UTF-8, where nobody looks", b'{"x":"\xff","weight_map":{"c":"2.safetensors"}}')
bad("skipped-bracket", "a bracket that another kind closes", '{"x":[1},"weight_map":{"c":"2.safetensors"}}')

with open(HERE / "README.md", "w", encoding="utf-8") as readme:
    readme.write("# Indexes of checkpoints\n\nMade by make.py, as is this list. `good-*` opens, `bad-*` is refused.\n"
                 "What exactly is expected of each stands in `tests/unit/checkpoint_test.c`.\n\n"
                 "| file | what it is for |\n|---|---|\n")
    for name, purpose in FILES.items():
        readme.write(f"| {name} | {purpose} |\n")
