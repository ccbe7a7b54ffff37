#!/usr/bin/env python3
"""How fast precheck is, against the floor: a program that does nothing but read the same file.  See `make help`."""

import argparse
import os
import statistics
from collections import namedtuple

import harness
from harness import KINDS, PROCESSORS

FORMATS = ["bf16", "fp16", "e4m3fn", "e5m2"]
FLOORS = {"map": "floor, mapped", "pread": "floor, pread"}

# A line of the table: a file and what is done with it, by one thread and by all.
Line = namedtuple("Line", "label path raw job")


def lines_of(bench):
    """In the order in which they are measured: what is done with a file stays close to its floor."""
    lines = []

    def add(kind, label, path, jobs):
        lines.extend(Line(label, path, kind.raw, job) for job in jobs)

    for kind in KINDS.values():
        path = bench.data(kind)
        harness.read_into_cache(path)
        jobs = list(FLOORS) + FORMATS
        if kind.name == "weights":
            jobs += ["bf16,fp16,fp8", "bf16 --update 1e-8", "bf16 --update gradients --update-scale -1e-4"]
        add(kind, kind.label, path, jobs)
    weights = KINDS["weights"]
    copy = bench.copy(bench.data(weights))
    harness.read_into_cache(copy, small_pages=True)
    add(weights, f"{weights.label}, in small pages", copy, list(FLOORS) + ["bf16"])
    return lines


def command(bench, line, threads):
    if line.job in FLOORS:
        return [bench.program("floor"), line.job, str(threads), line.path]
    raw = [f"--raw={line.raw}"] if line.raw else []
    job = [bench.data(KINDS[word]) if word in KINDS else word for word in line.job.split()]
    return [bench.precheck, "-q", "-j", str(threads), "-t"] + job + raw + [line.path]


def jobs_of(bench, lines, thread_counts):
    jobs, path = [], None
    for line in lines:
        if line.path != path:
            path = line.path
            jobs.append(bench.warm(path))
        jobs += [((line, threads), command(bench, line, threads), threads) for threads in thread_counts]
    return jobs


def rows_of(lines, times, thread_counts):
    label = None
    for line in lines:
        size = os.path.getsize(line.path)
        if line.label != label:
            label = line.label
            yield [f"**{label}**, {size / 1e6:.0f} MB"] + 3 * [""] * len(thread_counts)
        row = [FLOORS.get(line.job, line.job)]
        for threads in thread_counts:
            mine, floor = times[line, threads], times[line._replace(job="map"), threads]
            row += [harness.spread(mine, 1e3), f"{size / statistics.median(mine) / 1e9:.2f}",
                    f"{harness.median_ratio(floor, mine):.2f}"]
        yield row


def main():
    bench = harness.Bench(harness.options(argparse.ArgumentParser(description=__doc__), 100_000_000, 7, 20_000_000, 3))
    facts = [*harness.machine(), *harness.busy(bench)]
    lines = lines_of(bench)
    thread_counts = sorted({1, len(PROCESSORS)})
    jobs = jobs_of(bench, lines, thread_counts) + [("start", [bench.precheck, "--version"], 1)]
    runs = bench.rounds(jobs)
    times = {name: [bench.seconds(run, threads) for run in runs[name]] for name, _, threads in jobs if name}
    header = ["file and job"]
    for threads in thread_counts:
        header += [f"{threads} thread{'s'[:threads > 1]}: ms", "GB/s", "of the floor"]

    print(*facts, sep="  \n", end="\n\n")
    start = harness.spread(times["start"], 1e3)
    print(harness.table(header, list(rows_of(lines, times, thread_counts))))
    print(f"""
{bench.elements:,} elements (f64: half as many); rounds, with all jobs in turn in each: {bench.runs}.
{bench.time}: median (least–most).
A process that does nothing takes {start} ms of it. GB/s are bytes of input. The floor ors all bytes of the
file and does nothing else, through one mapping or copied in pieces of 256 KiB; "of the floor" is the speed as a share of
the mapped floor's with as many threads: the median over the rounds. One thread has one processor for itself; of
several, each has its own. All files are in the page cache, in pages as large as the system makes them when it reads in
order, except where it says small.""")


main()
