"""What the oracle tests of containers share: the dumper's lines, and how a test tells what is wrong."""

import glob
import json
import os
import random
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OUT = os.path.abspath(os.environ.get("PRECHECK_OUT", os.path.join(ROOT, "build/release")))
DUMP = os.path.join(OUT, "tests/containers/dump")


def dump(path):
    run = subprocess.run([DUMP, path], capture_output=True, text=True, check=False)
    assert run.returncode == 0, (path, run.stderr)
    return [json.loads(line) for line in run.stdout.splitlines()]


def printed(name):
    """The bytes of a name as reports have them: what is no UTF-8 is \\xNN, and a backslash before that \\x5c."""
    name = re.sub(rb"\\(?=x[0-9a-f]{2})", rb"\\x5c", name)
    return name.decode("utf-8", "backslashreplace")


def differences(path, expected):
    """What is wrong with what is read of a file, of which these lines are expected, in any order."""
    got = [{**line, "skipped": True} if "skipped" in line else line for line in dump(path) if "name" in line]
    for line in got:
        if line not in expected:
            yield f"{path}: not expected: {line}"
    if len(got) != len(expected):
        yield f"{path}: {len(got)} tensors, not {len(expected)}"


def main(container, read, write, count):
    """Compares with `read` what is in the corpus, and what `write` makes of a random generator."""
    seed = int(os.environ.get("PRECHECK_TEST_SEED", "1"))
    generator = random.Random(seed)
    corpus = sorted(glob.glob(os.path.join(ROOT, f"tests/corpus/{container}/good-*")))
    assert len(corpus) > 30
    wrong = {f"{len(corpus)} files of the corpus": [line for path in corpus for line in differences(path, read(path))]}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file")
        lines = wrong[f"{count} files at random"] = []
        for _ in range(count):
            with open(path, "wb") as f:
                f.write(write(generator))
            lines += differences(path, read(path))
    print(f"# seed {seed}\n1..{len(wrong)}")
    for number, (what, lines) in enumerate(wrong.items(), 1):
        print(f"{'not ok' if lines else 'ok'} {number} - {what}")
        for line in lines[:20]:
            print(f"#   {line[:400]}")
    sys.exit(any(wrong.values()))
