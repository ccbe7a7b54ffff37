"""What the benchmarks share: their data, running a program and measuring it, and tables."""

import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
from collections import namedtuple

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROCESSORS = sorted(os.sched_getaffinity(0))

# label: as the tables name it. raw: the layout of files without a header. share: of the number of elements.
Kind = namedtuple("Kind", "name label bytes raw share")
KINDS = {kind.name: kind for kind in (
    Kind("weights", "f32 weights", 4, None, 1),
    Kind("gradients", "f32 gradients, 30 binades", 4, None, 1),
    Kind("constant", "f32 constant", 4, None, 1),
    Kind("bits", "f32 any bits", 4, None, 1),
    Kind("weights-bf16", "bf16 weights", 2, "bf16", 1),
    Kind("weights-f64", "f64 weights", 8, "f64", 2),
)}

# A process that was measured.
Run = namedtuple("Run", "elapsed processor_seconds peak_kib output")


def options(parser, elements, runs, quick_elements, quick_runs):
    """The options of every benchmark; gives them parsed."""
    parser.add_argument("--precheck", default=os.path.join(ROOT, "build/precheck"), metavar="PROGRAM")
    parser.add_argument("--programs", required=True, metavar="DIRECTORY", help="where make_data, floor and measure are")
    parser.add_argument("--directory", default=os.path.join(ROOT, "build/bench"), help="for the data; it is kept")
    parser.add_argument("--elements", type=int, help=f"default {elements}")
    parser.add_argument("--runs", type=int, help=f"default {runs}")
    parser.add_argument("--quick", action="store_true", help=f"{quick_elements} elements, {quick_runs} runs")
    parser.add_argument("--processor-time", action="store_true", help="in place of elapsed time, for a busy machine")
    chosen = parser.parse_args()
    chosen.elements = chosen.elements or (quick_elements if chosen.quick else elements)
    chosen.runs = chosen.runs or (quick_runs if chosen.quick else runs)
    return chosen


class Bench:
    def __init__(self, chosen):
        self.elements, self.runs = chosen.elements, chosen.runs
        self.programs, self.directory = chosen.programs, chosen.directory
        self.processor_time = chosen.processor_time
        self.environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
        os.makedirs(self.directory, exist_ok=True)
        # A copy: to build while this runs does no harm.
        self.precheck = shutil.copy2(chosen.precheck, os.path.join(self.directory, "precheck"))

    def program(self, name):
        return os.path.join(self.programs, name)

    def data(self, kind):
        """The path of a file of this kind; made where there is none."""
        elements = self.elements // kind.share
        path = os.path.join(self.directory, f"{kind.name}-{elements}.{'raw' if kind.raw else 'npy'}")
        size = elements * kind.bytes + (0 if kind.raw else 128)
        if not os.path.exists(path) or os.path.getsize(path) != size:
            progress(f"making {path}")
            subprocess.run([self.program("make_data"), kind.name, str(elements), path + ".new"], check=True)
            os.replace(path + ".new", path)
        return path

    def copy(self, path):
        """Another file of the same bytes."""
        copy = path + ".copy"
        if not os.path.exists(copy):
            progress(f"copying {path}")
            shutil.copyfile(path, copy + ".new")
            os.replace(copy + ".new", copy)
        return copy

    def measure(self, command, processor=None):
        """Run it, on one processor alone where one is given. Anything but success ends the benchmark."""
        measure = [self.program("measure"), "-" if processor is None else str(processor)]
        done = subprocess.run(measure + command, capture_output=True, text=True, env=self.environment)
        *messages, last = done.stderr.strip().split("\n")
        result = last.split()
        if done.returncode != 0 or len(result) != 4 or result[3] != "0":
            sys.exit(f"failed: {' '.join(command)}\n{done.stderr}")
        return Run(float(result[0]), float(result[1]), int(result[2]), done.stdout)

    def rounds(self, jobs):
        """Measure every job once a round, so that whatever drifts hits all alike. A job is a name, a command and its number of
        threads; one without a name is not recorded. Gives the runs by name. One thread has one processor alone, in every round
        another one, but the same for all."""
        runs = {name: [] for name, _, _ in jobs if name}
        for r in range(self.runs):
            for i, (name, command, threads) in enumerate(jobs):
                progress(f"round {r + 1} of {self.runs}: {i + 1} of {len(jobs)}")
                processor = PROCESSORS[r % len(PROCESSORS)] if threads == 1 else None
                run = self.measure(command, processor)
                if name:
                    runs[name].append(run)
        progress("")
        return runs

    def warm(self, path):
        """A job that is not recorded: the first to read a file after a while pays for all that follow."""
        return None, [self.program("floor"), "map", "1", path], 1

    def seconds(self, run, threads):
        """What a run took; processor time as if its threads had shared it evenly."""
        return run.processor_seconds / threads if self.processor_time else run.elapsed

    @property
    def time(self):
        """What the seconds are, for the text below a table."""
        return ("Time is the processor time of the whole process, for each of its threads" if self.processor_time
                else "Time is that of the whole process")


def read_into_cache(path, small_pages=False):
    """Read a file from the disk into the page cache, whatever of it was there. Read in order it is held in pages as large as the
    file system has them, and mapping it costs little; read as if at random in pages of the smallest size."""
    with open(path, "rb", buffering=0) as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM if small_pages else os.POSIX_FADV_SEQUENTIAL)
        piece = bytearray(4 << 20)
        while file.readinto(piece):
            pass


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def machine():
    """Yield a line about the machine."""
    model = "unknown"
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.lower().startswith(("model name", "cpu model")):
                model = line.split(":", 1)[1].strip()
                break
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    linux = platform.release().split("-")[0]
    yield f"{model}, {platform.machine()}, {len(PROCESSORS)} processors, {memory:.0f} GiB, Linux {linux}"


def busy(bench):
    """Yield a line if the machine has other things to do."""
    load = os.getloadavg()[0]
    if load > 0.3 * len(PROCESSORS) and not bench.processor_time:
        yield f"**The machine was busy (load {load:.1f}): do not trust these times. BUSY=1 compares processor time.**"


def spread(values, scale=1.0):
    """Median and range, in three digits."""
    def text(value):
        value *= scale
        return f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}" if value > 0 else "0"
    return f"{text(statistics.median(values))} ({text(min(values))}–{text(max(values))})"


def median_ratio(tops, bottoms):
    """Of the ratios of each round."""
    return statistics.median(a / b for a, b in zip(tops, bottoms))


def table(header, rows):
    """A Markdown table that also reads well as it is. The first column is text, the others are figures."""
    widths = [max(len(str(row[c])) for row in [header] + rows) for c in range(len(header))]

    def line(row):
        cells = [str(cell).ljust(width) if c == 0 else str(cell).rjust(width)
                 for c, (cell, width) in enumerate(zip(row, widths))]
        return "| " + " | ".join(cells) + " |"

    rule = "|" + "|".join("-" * (width + 2) if c == 0 else "-" * (width + 1) + ":" for c, width in enumerate(widths)) + "|"
    return "\n".join([line(header), rule] + [line(row) for row in rows])
