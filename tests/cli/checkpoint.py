#!/usr/bin/env python3
"""Makes checkpoints of any container, with the standard library only, and compares reports of them.

    checkpoint.py make FILE NAME=DTYPE:SHAPE:VALUE,... ...    SHAPE is 2x3, or - for a scalar; of a .pt also
                                      2x*3, whose axis of 3 has a stride of 0
    checkpoint.py same FOLDER         the same tensors in every container
    checkpoint.py many FILE COUNT     tensors of eight elements
    checkpoint.py zeros FILE BYTES    a .safetensors file that is a hole behind its header
    checkpoint.py index FOLDER FILE   FOLDER/model.safetensors.index.json of the shards in it
    checkpoint.py damage FILE NAME    makes the checksum of a member of an archive wrong
    checkpoint.py figures [MEMBER]    of the report on standard input: without files, by name, without a member

The end of a FILE's name says what it is: .npy (of one tensor), .npz (stored; deflated if its name says so),
.safetensors, .pt (zip; the older form if its name has "legacy" in it) or .gguf. Values repeat as needed.
"""

import collections
import io
import itertools
import json
import math
import os
import pickle
import random
import struct
import sys
import types
import zipfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import npy  # noqa: E402

Dtype = collections.namedtuple("Dtype", "letter bytes npy safetensors torch gguf")
DTYPES = {
    "f64": Dtype("d", 8, "<f8", "F64", "Double", 28),
    "f32": Dtype("f", 4, "<f4", "F32", "Float", 0),
    "f16": Dtype("e", 2, "<f2", "F16", "Half", 1),
    "bf16": Dtype(None, 2, "<V2", "BF16", "BFloat16", 30),
    "i64": Dtype("q", 8, "<i8", "I64", "Long", 27),
}
Tensor = collections.namedtuple("Tensor", "dtype shape data strides", defaults=[None])


def encode(dtype, value):
    if dtype == "bf16":  # what is no bf16 is cut
        return struct.pack("<f", float(value))[2:]
    return struct.pack("<" + DTYPES[dtype].letter, int(value) if dtype == "i64" else float(value))


def tensor(dtype, shape, values):
    codes = [encode(dtype, v) for v in values]
    return Tensor(dtype, tuple(shape), b"".join(itertools.islice(itertools.cycle(codes), math.prod(shape))))


def strides(shape):
    return tuple(math.prod(shape[i + 1:]) for i in range(len(shape)))


# Writers: of {name: Tensor}, whose order is that of the data.

def npy_bytes(t):
    return npy.header(DTYPES[t.dtype].npy, False, t.shape) + t.data


def write_npy(path, tensors):
    (only,) = tensors.values()
    with open(path, "wb") as f:
        f.write(npy_bytes(only))


def write_zip(path, members, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as z:
        for name, data in members.items():
            z.writestr(zipfile.ZipInfo(name), data, method)
    with open(path, "wb") as f:
        f.write(file.getvalue())


def write_npz(path, tensors):
    method = zipfile.ZIP_DEFLATED if "deflated" in os.path.basename(path) else zipfile.ZIP_STORED
    write_zip(path, {name + ".npy": npy_bytes(t) for name, t in tensors.items()}, method)


def write_safetensors(path, tensors):
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name, t in tensors.items():
        header[name] = {"dtype": DTYPES[t.dtype].safetensors, "shape": t.shape, "data_offsets": [at, at + len(t.data)]}
        at += len(t.data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(t.data for t in tensors.values()))


def gguf_string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def write_gguf(path, tensors):
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), 1) + gguf_string("general.architecture") + struct.pack("<I", 8) + gguf_string("test")
    at = 0
    for name, t in tensors.items():
        head += gguf_string(name) + struct.pack(f"<I{len(t.shape)}QIQ", len(t.shape), *reversed(t.shape), DTYPES[t.dtype].gguf, at)
        at += len(t.data) + -len(t.data) % 32
    with open(path, "wb") as f:
        f.write(head + b"\0" * (-len(head) % 32) + b"".join(t.data + b"\0" * (-len(t.data) % 32) for t in tensors.values()))


class Storage:
    def __init__(self, kind, key, count):
        self.id = ("storage", kind, key, "cpu", count)


class Rebuilt:
    def __init__(self, *arguments):
        self.arguments = arguments

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.arguments


def stand_in_for_torch():
    """What the pickles name; it is never called."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for dtype in DTYPES.values():
        name = dtype.torch + "Storage"
        setattr(torch, name, type(name, (), {"__module__": "torch"}))

    def rebuild():
        raise NotImplementedError
    rebuild.__module__, rebuild.__qualname__, rebuild.__name__ = "torch._utils", "_rebuild_tensor_v2", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = rebuild
    sys.modules.update({"torch": torch, "torch._utils": utils})
    return torch


class Pickler(pickle.Pickler):
    legacy = False

    def persistent_id(self, obj):
        return (obj.id + (None,) if self.legacy else obj.id) if isinstance(obj, Storage) else None


def nested(tensors):
    """a.b.c as dicts of dicts, as a checkpoint has it."""
    root = {}
    for name, value in tensors.items():
        *path, last = name.split(".")
        at = root
        for part in path:
            at = at.setdefault(part, {})
        at[last] = value
    return root


def write_torch(path, tensors):
    torch = stand_in_for_torch()
    legacy = "legacy" in os.path.basename(path)
    values = {}
    for key, (name, t) in enumerate(tensors.items()):
        storage = Storage(getattr(torch, DTYPES[t.dtype].torch + "Storage"), str(key), len(t.data) // DTYPES[t.dtype].bytes)
        values[name] = Rebuilt(storage, 0, t.shape, t.strides or strides(t.shape), False, collections.OrderedDict())
    file = io.BytesIO()
    pickler = Pickler(file, 2)
    pickler.legacy = legacy
    pickler.dump(nested(values))
    if legacy:
        with open(path, "wb") as f:
            for value in (0x1950a86a20f9469cfc6c, 1001, {"little_endian": True}):
                pickle.dump(value, f, 2)
            f.write(file.getvalue())
            pickle.dump([str(key) for key in range(len(tensors))], f, 2)
            for t in tensors.values():
                f.write(struct.pack("<q", math.prod(t.shape)) + t.data)
        return
    stored = {f"archive/data/{key}": t.data for key, t in enumerate(tensors.values())}
    write_zip(path, {"archive/data.pkl": file.getvalue(), **stored})


WRITERS = {".npy": write_npy, ".npz": write_npz, ".safetensors": write_safetensors, ".pt": write_torch, ".gguf": write_gguf}


def expanded(dtype, axes, values):
    """As expand() makes it: the storage has each repeated axis once."""
    repeats = [axis.startswith("*") for axis in axes]
    shape = [int(axis.lstrip("*")) for axis in axes]
    once = tensor(dtype, [1 if r else n for n, r in zip(shape, repeats)], values)
    return once._replace(shape=tuple(shape), strides=tuple(0 if r else s for s, r in zip(strides(once.shape), repeats)))


def write(path, tensors):
    WRITERS[os.path.splitext(path)[1]](path, tensors)


# Commands.

def make(path, *words):
    tensors = {}
    for word in words:
        name, _, what = word.rpartition("=")
        dtype, shape, values = what.split(":")
        axes = shape.split("x") if shape != "-" else []
        values = values.split(",") if values else []
        tensors[name] = expanded(dtype, axes, values) if "*" in shape else tensor(dtype, [int(n) for n in axes], values)
    write(path, tensors)


def index(folder):
    """The index of the shards in a folder, as the writers of sharded checkpoints make it."""
    where, total = {}, 0
    for name in sorted(os.listdir(folder)):
        if name.endswith(".safetensors"):
            with open(os.path.join(folder, name), "rb") as f:
                header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
            header.pop("__metadata__", None)
            where.update({key: name for key in header})
            total += sum(end - start for start, end in (h["data_offsets"] for h in header.values()))
    with open(os.path.join(folder, "model.safetensors.index.json"), "w", encoding="utf-8") as f:
        json.dump({"metadata": {"total_size": total}, "weight_map": where}, f)


def some_tensors():
    """Of every element type and several shapes, of many binades, with specials, and one that is not cast."""
    generator = random.Random(1)

    def numbers(n, binades):
        return [generator.gauss(0, 1) * 2.0 ** generator.uniform(-binades, 3) for _ in range(n)]
    return {"model.embed.weight": tensor("f32", (37, 41), numbers(1517, 30)),
            "model.layer.0.weight": tensor("bf16", (5, 7, 3), numbers(105, 12)),
            "model.layer.0.bias": tensor("f16", (129,), numbers(129, 12)),
            "model.norm.weight": tensor("f64", (2, 3), numbers(6, 40)),
            "model.specials": tensor("f32", (7,), ["nan", "inf", "-inf", "-0", "1e-45", "65520", "3e38"]),
            "optimizer.state.0.exp_avg_sq": tensor("f32", (300, 257), [x * x for x in numbers(4999, 14)]),
            "optimizer.state.0.step": tensor("f32", (), [3]),
            "model.position_ids": tensor("i64", (4,), range(4))}


def same(folder):
    tensors = some_tensors()

    def at(name):
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path
    for name in ("stored.npz", "deflated.npz", "one.safetensors", "zip.pt", "legacy.pt", "one.gguf"):
        write(at(name), tensors)
    for name, t in tensors.items():
        write(at(f"npy/{name}.npy"), {name: t})
    names = sorted(tensors)
    for kind in "shards", "folder":  # of which the second has no index
        for n, part in enumerate((names[:3], names[3:4], names[4:]), 1):
            write(at(f"{kind}/model-{n:05}-of-00003.safetensors"), {name: tensors[name] for name in part})
    index(at("shards"))


def many(path, count):
    write(path, {f"layers.{i}.weight": tensor("f32", (8,), [i + 1, -i, 0.5, 1e-9 * i]) for i in range(int(count))})


def zeros(path, size):
    text = json.dumps({"w": {"dtype": "F32", "shape": [int(size) // 4], "data_offsets": [0, int(size)]}}).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        f.truncate(8 + len(text) + int(size))


def damage(path, name):
    with zipfile.ZipFile(path) as z:
        crc = z.getinfo(name).CRC
    with open(path, "r+b") as f:
        data = f.read()
        assert data.count(struct.pack("<I", crc)) == 2, name  # in both headers
        f.seek(0)
        f.write(data.replace(struct.pack("<I", crc), struct.pack("<I", crc ^ 1)))


def figures(without=None):
    """A tensor in a .npy file of its own has the name that the file has."""
    report = json.load(sys.stdin)
    report.pop(without, None)

    def unfile(place):
        file = place.pop("file")
        place["name"] = place["name"] or os.path.basename(file).removesuffix(".npy")
        return place
    for total in report["total"]:
        for place in total["error"]["max_abs_at"], total["error"]["max_rel_at"]:
            if place:
                unfile(place)
    for key in "tensors", "skipped", "gates":
        report[key] = sorted(map(unfile, report[key]), key=lambda p: (p["name"], p.get("rule"), p.get("to")))
    json.dump(report, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    COMMANDS = {"make": make, "same": same, "many": many, "zeros": zeros, "index": index, "damage": damage, "figures": figures}
    COMMANDS[sys.argv[1]](*sys.argv[2:])
