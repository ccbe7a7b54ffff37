#!/usr/bin/env python3
"""precheck next to the scripts that do the same with numpy and torch.  See `make help`."""

import argparse
import json
import math
import os
import sys

import harness
from harness import KINDS, PROCESSORS

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"  # the one that has the system's numpy and torch
TOLERANCE = 1e-6


def jobs_of(bench, path):
    """Jobs named (tool, format, threads), in the order of the table."""
    def script(name, *arguments):
        return [PYTHON, os.path.join(HERE, name), *arguments]

    def precheck(target, threads):
        return [bench.precheck, "--json", "-j", str(threads), "-t", target, path]

    every = sorted({1, len(PROCESSORS)})
    jobs = []
    for target in ("fp16", "bf16"):
        jobs.append(bench.warm(path))
        jobs += [(("precheck", target, n), precheck(target, n), n) for n in every]
        if target == "fp16":
            jobs.append((("numpy, the whole array at once", target, 1), script("peer_numpy_whole.py", target, path), 1))
        jobs.append((("numpy, pieces of 256 Ki", target, 1), script("peer_numpy.py", target, path), 1))
        jobs += [(("torch, pieces of 64 Ki", target, n), script("peer_torch.py", target, path, str(n)), n) for n in every]
    return jobs


def different(a, b, name):
    """Yield where the figures of a peer, a, are not those of precheck, b, which has more of them."""
    if isinstance(a, dict):
        for member in a:
            yield from different(a[member], b[member], f"{name}.{member}")
    elif isinstance(a, float) or isinstance(b, float):
        if not math.isclose(a, b, rel_tol=TOLERANCE):
            yield f"{name}: {a}, precheck has {b}"
    elif a != b:
        yield f"{name}: {a}, precheck has {b}"


def check(runs):
    """Every script has to have done the same job."""
    for (tool, target, threads), of_job in runs.items():
        if tool == "precheck":
            continue
        tensor = json.loads(runs["precheck", target, 1][0].output)["tensors"][0]
        exact = {**tensor["casts"][0], "input": tensor["input"]}
        for run in of_job:
            wrong = list(different(json.loads(run.output), exact, target))
            if wrong:
                sys.exit(f"{tool}, {threads} threads: not the same figures\n" + "\n".join(wrong))


def versions(bench):
    lines = bench.measure([PYTHON, "-c", "import platform, numpy, torch\n"
                           "print('Python', platform.python_version(), 'numpy', numpy.__version__, 'torch', torch.__version__)"])
    return lines.output.strip()


def main():
    bench = harness.Bench(harness.options(argparse.ArgumentParser(description=__doc__), 100_000_000, 5, 10_000_000, 3))
    facts = [*harness.machine(), *harness.busy(bench)]
    path = bench.data(KINDS["weights"])
    harness.read_into_cache(path)
    facts.append(versions(bench))
    jobs = jobs_of(bench, path)
    starts = [(module, [PYTHON, "-c", f"import {module}"], 1) for module in ("numpy", "torch")]
    runs = bench.rounds(jobs + starts)
    times = {name: [bench.seconds(run, threads) for run in runs[name]] for name, _, threads in jobs + starts if name}
    peaks = {name: [run.peak_kib for run in of_job] for name, of_job in runs.items()}
    start = {module: harness.spread(times[module]) for module, _, _ in starts}
    jobs = [job for job in jobs if job[0]]
    check({name: runs[name] for name, _, _ in jobs})

    rows = []
    for name, _, _ in jobs:
        tool, target, threads = name
        ours = ("precheck", target, threads)
        rows.append([tool, target, threads, harness.spread(times[name]),
                     f"{harness.median_ratio(times[name], times[ours]):.1f}",
                     f"{max(peaks[name]) * 1024 / 1e6:.1f}", f"{harness.median_ratio(peaks[name], peaks[ours]):.1f}"])
    print(*facts, sep="  \n", end="\n\n")
    print(harness.table(["", "cast to", "threads", "seconds", "× precheck", "peak MB", "× precheck"], rows))
    megabytes = os.path.getsize(path) / 1e6
    print(f"""
{bench.elements:,} float32 weights ({megabytes:.0f} MB, in the page cache); rounds, with all jobs in turn in each: {bench.runs}.
{bench.time}: median (least–most).
Importing numpy takes {start["numpy"]} s of it, torch {start["torch"]} s. Ratios are to precheck with the
same format and as many threads: the median over the rounds. Peak MB is resident memory. Every script gave the same counts,
histograms and places of the maxima as precheck, and the other figures within {TOLERANCE:g}.""")


main()
