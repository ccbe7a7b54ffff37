#!/usr/bin/env python3
"""Checks how the sources hang together, and prints TAP:  structure_test.py

PRECHECK_OUT is the object folder of the build to look at (build/release without it).
"""

import os
import platform
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OUT = os.path.abspath(os.environ.get("PRECHECK_OUT", os.path.join(ROOT, "build/release")))

# A file includes only headers of its own folder and of folders that stand before it here.
FOLDERS = ["base", "format", "exact", "kernel", "tally", "input", "report", "gate", "output", "cli"]

# The only folder whose objects may hold instructions that not every processor of the architecture has.
FAST = os.path.join("kernel", "fast")

COLUMNS = 100


def files_under(folder, suffix=""):
    """Paths relative to the project."""
    found = []
    for path, folders, names in os.walk(os.path.join(ROOT, folder)):
        folders[:] = [f for f in folders if f != "__pycache__"]
        found += [os.path.relpath(os.path.join(path, n), ROOT) for n in names if n.endswith(suffix)]
    return sorted(found)


def read(path):
    with open(os.path.join(ROOT, path), "rb") as f:
        return f.read()


def sources():
    return files_under("src", ".c") + files_under("src", ".h")


def includes(path):
    """What the #include lines of a file name, between quotes or angle brackets."""
    return re.findall(r'^[ \t]*#[ \t]*include[ \t]*["<]([^">]+)[">]', read(path).decode(), re.M)


def dependencies():
    """(source, header) of all that the compiler has seen, from the .d files of the build."""
    for path, _, names in os.walk(OUT):
        for name in names:
            if not name.endswith(".d"):
                continue
            with open(os.path.join(path, name), encoding="utf-8") as f:
                words = f.read().replace("\\\n", " ").split("\n")[0].split()[1:]
            words = [os.path.normpath(w) for w in words if not os.path.isabs(w) and os.path.exists(os.path.join(ROOT, w))]
            if words and words[0].startswith("src/"):
                yield from ((words[0], w) for w in words[1:])


def folder_of(path):
    """The folder under src, or None."""
    words = path.split("/")
    return words[1] if words[0] == "src" and len(words) > 2 else None


# Each check yields lines about what is wrong; one that cannot be made raises Skip.

def folders_are_known():
    for path in sources():
        if folder_of(path) not in FOLDERS:
            yield f"{path} is in no folder of the list"


def includes_point_backward():
    pairs = {(path, "src/" + name) for path in sources() for name in includes(path)
             if os.path.exists(os.path.join(ROOT, "src", name))}
    assert len(pairs) > 50
    for path, header in sorted(pairs | set(dependencies())):
        if folder_of(path) in FOLDERS and folder_of(header) in FOLDERS:
            if FOLDERS.index(folder_of(header)) > FOLDERS.index(folder_of(path)):
                yield f"{path} includes {header}"


def includes_name_their_folder():
    for path in sources():
        for name in includes(path):
            beside = os.path.join(ROOT, os.path.dirname(path), name)
            if not os.path.exists(os.path.join(ROOT, "src", name)) and os.path.exists(beside):
                yield f"{path} includes {name} without its folder"


def only_exact_knows_mpfr():
    found = 0
    for path in sources():
        if {"mpfr.h", "gmp.h"} & set(includes(path)):
            found += 1
            if folder_of(path) != "exact":
                yield f"{path} includes mpfr.h or gmp.h"
    if not found:
        yield "nothing includes mpfr.h: the check sees nothing"


PREFIXES = {0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x66, 0x67, 0xF0, 0xF2, 0xF3}


def is_wide(line):
    """An instruction of objdump that is VEX- or EVEX-encoded, or names a wide register. In 64-bit code C4, C5 and 62 begin
    nothing else. (xgetbv, by which AVX is found out, is neither.)"""
    m = re.match(r"\s*[0-9a-f]+:\t((?:[0-9a-f]{2} )+)\s*(?:\t(.*))?$", line)
    if not m or m[2] is None:  # the second line of a long instruction
        return False
    code = [int(b, 16) for b in m[1].split()]
    while code and code[0] in PREFIXES:
        code.pop(0)
    return bool(code) and (code[0] in (0xC4, 0xC5, 0x62) or re.search(r"%[yz]mm\d", m[2]) is not None)


def wide_instructions(path):
    """Of an object file, by function."""
    listing = subprocess.run(["objdump", "-d", path], check=True, capture_output=True, text=True).stdout
    found, function = {}, "?"
    for line in listing.splitlines():
        m = re.match(r"[0-9a-f]+ <(.+)>:$", line)
        if m:
            function = m[1]
        elif is_wide(line):
            found.setdefault(function, line.split("\t", 1)[1])
    return found


def objects():
    for path, folders, names in os.walk(OUT):
        if path == OUT and "tests" in folders:
            folders.remove("tests")
        yield from (os.path.relpath(os.path.join(path, n), OUT) for n in sorted(names) if n.endswith(".o"))


def machine_of(path):
    with open(path, "rb") as f:
        head = f.read(20)
    return int.from_bytes(head[18:20], "little") if head[:4] == b"\x7fELF" else None


def wide_instructions_stay_where_they_belong():
    x86_64 = 62
    paths = sorted(objects())
    if not paths:
        raise tap.Skip(f"no objects in {os.path.relpath(OUT, ROOT)}")
    if machine_of(os.path.join(OUT, paths[0])) != x86_64 or platform.machine() != "x86_64":
        raise tap.Skip("not for x86-64")
    if not shutil.which("objdump"):
        raise tap.Skip("no objdump")
    fast_ones = 0
    for path in paths:
        found = wide_instructions(os.path.join(OUT, path))
        if path.startswith(FAST + os.sep):
            fast_ones += bool(found)
            continue
        for function, instruction in found.items():
            yield f"{path}: {function}: {instruction}"
    if not fast_ones:
        yield f"no wide instruction in {FAST} either: the check sees nothing"


def text_files():
    """Those that people write; not what a corpus holds."""
    yield from (p for p in ("README.md", "Makefile") if os.path.exists(os.path.join(ROOT, p)))
    for folder in ("src", "tests", "man"):
        for path in files_under(folder):
            data = read(path)
            if not (path.startswith("tests/corpus/") and not path.endswith((".py", ".md"))) and b"\0" not in data:
                yield path


def no_trailing_space():
    for path in text_files():
        for number, line in enumerate(read(path).split(b"\n"), 1):
            if line != line.rstrip():
                yield f"{path}:{number}: white space at the end"


def no_tabs_in_c():
    for path in text_files():
        if path.endswith((".c", ".h", ".def")):
            for number, line in enumerate(read(path).split(b"\n"), 1):
                if b"\t" in line:
                    yield f"{path}:{number}: a tab"


def no_long_lines_in_c():
    for path in text_files():
        if path.endswith((".c", ".h")):  # the .def tables have a row a line
            for number, line in enumerate(read(path).decode().split("\n"), 1):
                if len(line) > COLUMNS:
                    yield f"{path}:{number}: {len(line)} columns"


CHECKS = [
    ("every source is in a folder of the list", folders_are_known),
    ("includes point at the same folder or at an earlier one", includes_point_backward),
    ("includes name the folder", includes_name_their_folder),
    ("only exact/ includes mpfr.h and gmp.h", only_exact_knows_mpfr),
    (f"wide instructions are in {FAST} only", wide_instructions_stay_where_they_belong),
    ("no white space at the end of a line", no_trailing_space),
    ("no tabs in C", no_tabs_in_c),
    (f"no line of C beyond {COLUMNS} columns", no_long_lines_in_c),
]


def main():
    return tap.run(CHECKS)


if __name__ == "__main__":
    sys.exit(main())
