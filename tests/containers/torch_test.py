#!/usr/bin/env python3
"""Compares what is read of PyTorch files with what PyTorch holds, and prints TAP:  torch_test.py

PyTorch writes files of all forms that this version knows. The element bytes of every tensor, its shape
and its name have to be those of what was saved. PRECHECK_OUT is the build whose dumper is asked.
"""

import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OUT = os.path.abspath(os.environ.get("PRECHECK_OUT", os.path.join(ROOT, "build/release")))
DUMP = os.path.join(OUT, "tests/containers/dump")
DEBIAN = "/usr/bin/python3"  # has Debian's PyTorch; another Python on the path may have none

try:
    import torch
except ImportError:
    have = subprocess.run([DEBIAN, "-c", "import torch"], capture_output=True, check=False) if os.path.exists(DEBIAN) else None
    if sys.executable == DEBIAN or have is None or have.returncode != 0:
        print("1..1\nok 1 - PyTorch's files # SKIP torch is not installed")
        sys.exit(0)
    os.execv(DEBIAN, [DEBIAN, os.path.abspath(__file__)])

DTYPES = {torch.float32: "f32", torch.float64: "f64", torch.float16: "f16", torch.bfloat16: "bf16",
          torch.complex64: "f32", torch.complex128: "f64"}
NOT_CAST = {torch.int64: "i64", torch.int32: "i32", torch.int16: "i16", torch.int8: "i8", torch.uint8: "u8", torch.bool: "bool"}
FLOAT8 = {"float8_e4m3fn": "e4m3fn", "float8_e5m2": "e5m2", "float8_e4m3fnuz": "e4m3fnuz", "float8_e5m2fnuz": "e5m2fnuz"}
DTYPES.update({getattr(torch, name): short for name, short in FLOAT8.items() if hasattr(torch, name)})


def hex_of(tensor):
    """The bytes of all elements in C order."""
    tensor = tensor.detach()
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor.resolve_conj())
    flat = tensor.contiguous().reshape(-1)
    integer = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[flat.element_size()]
    return bytes(b for x in flat.view(integer).tolist() for b in (x % 2 ** (8 * flat.element_size())).to_bytes(flat.element_size(), "little")).hex()


def flatten(value, path=()):
    """(name, tensor) of all tensors in dicts, lists and tuples."""
    if isinstance(value, torch.Tensor):
        yield ".".join(map(str, path)), value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from flatten(inner, path + (key,))
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield from flatten(inner, path + (index,))


def dump(path):
    run = subprocess.run([DUMP, path], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


def differences(value, path):
    """What is wrong with what is read of the file, which holds the value. Of tied tensors, one is read."""
    read = {line["name"]: line for line in dump(path) if "name" in line}
    wanted = dict(flatten(value))
    if sorted(read) != sorted(wanted):
        yield f"{sorted(read)} are read, not {sorted(wanted)}"
        return
    for name, tensor in wanted.items():
        line = read[name]
        shape = list(tensor.shape) + [2] * tensor.is_complex()
        if "skipped" in line:
            other = line["skipped"].removeprefix("the same elements as ")
            tied = other in wanted and tensor.data_ptr() == wanted[other].data_ptr() and tensor.stride() == wanted[other].stride()
            if not tied and (tensor.dtype not in NOT_CAST or line["dtype"] != NOT_CAST[tensor.dtype]):
                yield f"{name}: skipped: {line}"
        elif (line["dtype"], line["shape"]) != (DTYPES[tensor.dtype], shape):
            yield f"{name}: {line['dtype']} {line['shape']}, not {tensor.dtype} {shape}"
        elif line["hex"] != hex_of(tensor):
            yield f"{name}: {line['hex']}, not {hex_of(tensor)}"


# What is saved.

def trained(dtype=torch.float32):
    """A model after two steps of Adam."""
    model = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 2), torch.nn.BatchNorm2d(3), torch.nn.Flatten(), torch.nn.Linear(12, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(2):
        optimizer.zero_grad()
        model(torch.randn(5, 2, 3, 3)).square().sum().backward()
        optimizer.step()
    return model.to(dtype), optimizer


def checkpoint():
    model, optimizer = trained()
    gradients = {name: p.grad for name, p in model.named_parameters()}
    return {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "gradients": gradients, "epoch": 2, "loss": 0.25, "best": None}


def views():
    base = torch.randn(4, 6)
    return {"rows": base[1:3], "columns": base[:, 2:5], "t": base.t(), "steps": base[::2, 1::3], "row": base[3], "element": base[2, 2],
            "expanded": torch.randn(1, 3).expand(4, 3), "one": torch.randn(1).expand(2, 5), "base": base, "strided": base.as_strided((2, 3), (12, 2), 1),
            "permuted": torch.randn(2, 3, 4).permute(2, 0, 1), "channels": torch.randn(2, 3, 2, 2).to(memory_format=torch.channels_last),
            "whole": base.reshape(24), "length_one": base[:1, :1], "empty": base[:0], "unsqueezed": base.t()[None, :, None]}


def tied():
    model = torch.nn.ModuleDict({"embed": torch.nn.Embedding(5, 3), "head": torch.nn.Linear(3, 5, bias=False)})
    model["head"].weight = model["embed"].weight
    return {"state": model.state_dict(), "again": [model["embed"].weight.detach(), model["embed"].weight.detach().t()]}


def types():
    values = {str(d)[6:]: torch.randn(3, 2, dtype=torch.float64).to(d) for d in DTYPES if not d.is_complex}
    values.update({str(d)[6:]: torch.arange(4).to(d) for d in NOT_CAST})
    values["specials"] = torch.tensor([float("inf"), float("-inf"), float("nan"), -0.0, 1e-45])
    return values


def complexes():
    base = torch.randn(3, 4, dtype=torch.complex64)
    return {"c64": base, "t": base.t(), "columns": base[:, 1::2], "c128": torch.randn(2, dtype=torch.complex128), "real": torch.view_as_real(base).clone(),
            "scalar": torch.tensor(1 + 2j), "expanded": base[:1, :1].expand(2, 2)}


def structures():
    return {"list": [torch.randn(2), (torch.randn(1), {"deep": torch.randn(1)})], 3: torch.randn(2), "": torch.randn(1),
            "parameter": torch.nn.Parameter(torch.randn(2)), "größe": torch.randn(1), "many": {i: torch.randn(1) for i in range(300)}}


SAVED = {"a checkpoint with Adam's state": checkpoint, "a float16 model": lambda: trained(torch.float16)[0].state_dict(),
         "a bfloat16 model": lambda: trained(torch.bfloat16)[0].state_dict(), "views": views, "tied tensors": tied, "element types": types,
         "complex numbers": complexes, "structures": structures, "a bare tensor": lambda: torch.randn(2, 2)}
FORMS = {"zip": {}, "zip, protocol 4": {"pickle_protocol": 4}, "legacy": {"_use_new_zipfile_serialization": False},
         "legacy, protocol 3": {"_use_new_zipfile_serialization": False, "pickle_protocol": 3}}


def saved(folder):
    for what, make in SAVED.items():
        for form, options in FORMS.items():
            value = make()
            path = os.path.join(folder, "file.pt")
            torch.save(value, path, **options)
            yield f"{what} ({form})", list(differences(value, path))


def whole_modules(folder):
    """Names are the ways through the module's dicts."""
    for form, options in FORMS.items():
        model, _ = trained()
        path = os.path.join(folder, "module.pt")
        torch.save(model, path, **options)
        wanted = {"_modules." + name.replace(".", "._parameters.", 1): p for name, p in model.named_parameters()}
        wanted.update({"_modules." + name.replace(".", "._buffers.", 1): b for name, b in model.named_buffers()})
        yield f"a module ({form})", list(differences_of_names(wanted, path))


def script(folder):
    model, _ = trained()
    path = os.path.join(folder, "script.pt")
    torch.jit.save(torch.jit.script(model), path)
    yield "TorchScript", list(differences_of_names(dict(model.state_dict()), path))


def differences_of_names(wanted, path):
    """As differences(), where the names are given."""
    read = {line["name"]: line for line in dump(path) if "name" in line}
    if sorted(read) != sorted(wanted):
        yield f"{sorted(read)} are read, not {sorted(wanted)}"
    for name in set(read) & set(wanted):
        if "hex" in read[name] and read[name]["hex"] != hex_of(wanted[name]):
            yield f"{name}: {read[name]['hex']}, not {hex_of(wanted[name])}"


def other_kinds(folder):
    path = os.path.join(folder, "other.pt")
    torch.save({"sparse": torch.eye(3).to_sparse(), "quantized": torch.quantize_per_tensor(torch.ones(2), 1, 0, torch.qint8),
                "storage": torch.ones(2)._storage(), "numpy": torch.ones(2).numpy(), "w": torch.ones(1)}, path)
    lines = dump(path)
    skipped = {line["name"] for line in lines if "skipped" in line}
    wrong = [] if skipped == {"sparse", "quantized", "storage"} else [f"skipped: {skipped}"]
    if not any(line.get("warning", "").startswith("2 objects of unknown classes were not looked at: numpy") for line in lines):
        wrong.append(f"{lines}")
    yield "tensors of other kinds, and NumPy's", wrong


def main():
    seed = int(os.environ.get("PRECHECK_TEST_SEED", "1"))
    torch.manual_seed(seed)
    print(f"# seed {seed}, PyTorch {torch.__version__}")
    number = 0
    with tempfile.TemporaryDirectory() as folder:
        for test in saved, whole_modules, script, other_kinds:
            for name, wrong in test(folder):
                number += 1
                print(f"{'not ' if wrong else ''}ok {number} - {name}")
                for line in wrong:
                    print(f"#   {line}")
    print(f"1..{number}")


main()
