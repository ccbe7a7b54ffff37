#!/usr/bin/env python3
"""What np.savez and np.savez_compressed write is reported as the same arrays in .npy files, and prints TAP.

Skipped where no python3 has NumPy.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PRECHECK = os.environ.get("PRECHECK", os.path.join(ROOT, "build/precheck"))

# Names sort as they are written.
WRITER = r"""
import io, sys, zipfile
import numpy as np

def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()

random = np.random.RandomState(1)
arrays = {
    "a_f4": random.standard_normal((300, 257)).astype("<f4"),
    "b_f8": random.standard_normal(1000) * 1e-6,
    "c_f2": random.standard_normal((5, 7)).astype("<f2"),
    "d_big": random.standard_normal(99).astype(">f4"),
    "e_fortran": np.asfortranarray(random.standard_normal((13, 17)).astype("<f4")),
    "f_complex": (random.standard_normal(50) + 1j * random.standard_normal(50)).astype("<c8"),
    "g_scalar": np.float32(3.25),
    "h_one": np.full(1, 1e-40, "<f4"),
    "i_zeros": np.zeros(200000, "<f4"),
    "j_specials": np.array([np.nan, np.inf, -np.inf, -0.0, 65504, 65520], "<f4"),
    "x_int": np.arange(10),
    "y_bool": np.zeros(3, bool),
    "z_object": np.array([{}, None], object),
}
folder = sys.argv[1]
np.savez(folder + "/savez.npz", **arrays)
np.savez_compressed(folder + "/savez_compressed.npz", **arrays)
with open(folder + "/pipe.npz", "wb") as file:
    class Pipe:
        write, flush, read = file.write, file.flush, None
    np.savez(Pipe(), **arrays)
with zipfile.ZipFile(folder + "/levels.npz", "w") as archive:
    for i, (name, array) in enumerate(arrays.items()):
        archive.writestr(zipfile.ZipInfo(name + ".npy"), npy(array), (0, 8)[i % 2], i % 10)
for name, array in arrays.items():
    if name[0] < "x":
        np.save(folder + "/" + name + ".npy", array)
"""

ARCHIVES = ["savez", "savez_compressed", "pipe", "levels"]


def python_with_numpy():
    for python in (sys.executable, shutil.which("python3"), "/usr/bin/python3"):
        if python and subprocess.run([python, "-c", "import numpy"], capture_output=True).returncode == 0:
            return python
    return None


def tensors_of(*paths):
    """What is reported of each tensor, without where it is."""
    done = subprocess.run([PRECHECK, "--json", *paths], capture_output=True, text=True)
    if done.returncode != 0:
        return done.stderr
    return [{k: v for k, v in t.items() if k not in ("file", "name")} for t in json.loads(done.stdout)["tensors"]]


def main():
    print(f"1..{len(ARCHIVES)}")
    python = python_with_numpy()
    if not python:
        for number, name in enumerate(ARCHIVES, 1):
            print(f"ok {number} - {name} # SKIP no python3 with NumPy")
        return False
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([python, "-c", WRITER, folder], check=True)
        plain = tensors_of(*sorted(os.path.join(folder, n) for n in os.listdir(folder) if n.endswith(".npy")))
        assert len(plain) == 10, plain
        for number, name in enumerate(ARCHIVES, 1):
            found = tensors_of(os.path.join(folder, name + ".npz"))
            failed |= found != plain
            print(f"{'ok' if found == plain else 'not ok'} {number} - {name}")
            if isinstance(found, str):
                print(f"# {found}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
