#!/usr/bin/env python3
"""Tests the line that tells on a terminal how far a run is, and prints TAP:  progress_test.py

PRECHECK is the program. It reads from a pipe that is held up for as long as the line is wanted.
"""

import glob
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

import npy
import terminal

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PRECHECK = os.path.abspath(os.environ.get("PRECHECK", os.path.join(ROOT, "build/precheck")))
BYTES, COUNT = 400000, 100000


def start(*arguments):
    """The program with its messages on a terminal, its end of that, and when it began."""
    master, slave = terminal.open_terminal(80)
    child = subprocess.Popen([PRECHECK, "-", "-q", "--raw", f"f32:{COUNT}", "--to", "bf16", *arguments],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=slave)
    os.close(slave)
    child.stdin.write(bytes(BYTES // 2))
    child.stdin.flush()
    return child, master, time.monotonic()


def wait_for_line(master):
    shown = b""
    while b"B/s" not in shown:
        shown += os.read(master, 4096)
    return shown


def screen(written):
    """The lines as they stand in the end."""
    lines = []
    for line in written.decode().split("\n"):
        cells = ""
        for part in line.split("\r"):
            cells = part + cells[len(part):]
        lines.append(cells.rstrip())
    return [line for line in lines if line]


def after_a_second_and_then_gone():
    child, master, began = start()
    written = wait_for_line(master)
    if time.monotonic() - began < 0.95:
        yield f"the line is there after {time.monotonic() - began} s"
    if not re.search(rb"\r[0-9.]+ k?B  [0-9.]+ k?B/s$", written):
        yield f"the line is {written}"
    child.stdin.write(bytes(BYTES // 2))
    child.stdin.close()
    written += terminal.read_all(master)
    if child.wait() != 0 or screen(written):
        yield f"status {child.returncode}, left on the screen: {screen(written)}"


def not_for_a_short_run():
    npy.make("x.npy", "<f4", "3", "1")
    written, status = terminal.run([PRECHECK, "x.npy", "-q"], stream="stderr")
    if written or status != 0:
        yield f"status {status}, {written}"


def never_where_it_is_not_wanted():
    child, master, _ = start("--progress=never")
    time.sleep(1.3)
    child.stdin.write(bytes(BYTES // 2))
    child.stdin.close()
    written = terminal.read_all(master)
    if child.wait() != 0 or written:
        yield f"status {child.returncode}, {written}"


def messages_begin_a_line():
    child, master, _ = start()
    written = wait_for_line(master)
    child.stdin.close()
    written += terminal.read_all(master)
    lines = screen(written)
    if child.wait() != 2 or len(lines) != 1 or not lines[0].startswith("precheck: standard input: truncated"):
        yield f"status {child.returncode}, {lines}"


def a_signal_takes_it_away():
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"):
        child, master, _ = start("-w", "y.npy")
        written = wait_for_line(master)
        if len(glob.glob("y.npy.??????")) != 1:
            yield f"{name}: no temporary file"
        child.send_signal(signal.Signals[name])
        written += terminal.read_all(master)
        child.stdin.close()
        if child.wait() != -signal.Signals[name]:
            yield f"{name}: status {child.returncode}"
        if screen(written):
            yield f"{name}: left on the screen: {screen(written)}"
        if glob.glob("y.npy*"):
            yield f"{name}: left in the folder: {glob.glob('y.npy*')}"


def line_of(*arguments):
    """The first line of a run that has done something, which then ends."""
    master, slave = terminal.open_terminal(80)
    with subprocess.Popen([PRECHECK, "-q", "-j", "1", "--to", "bf16", *arguments], stderr=slave) as child:
        os.close(slave)
        shown, end = b"", time.monotonic() + 20
        while not re.search(rb"\r *[0-9]+ %  [1-9][0-9.]* \S*B ", shown) and time.monotonic() < end:
            if select.select([master], [], [], 1)[0]:
                shown += os.read(master, 4096)
        child.kill()
    os.close(master)
    return shown.decode().split("\r")[-1]


def many_steps_move_it():
    npy.make("x.npy", "<f4", "512", "1")
    line = line_of("x.npy", "--update", "1e-3", "--steps", "3000000")  # some minutes
    if not re.match(r" *\d+ %  [1-9]\d* B ", line):
        yield f"the line is {line}"


def finding_scales_counts_as_half():
    with open("x.raw", "wb") as f:
        f.truncate(8 << 20)
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)  # that never reads: the second pass stops when it is full
    line = line_of("x.raw", "--raw", "f32", "--scale", "amax", "--write", "pipe")
    os.close(reader)
    if not re.match(r" *5\d %  [89]\.\d MB ", line):
        yield f"the line is {line}"


CHECKS = [
    ("the line is there after a second, and gone at the end", after_a_second_and_then_gone),
    ("a short run has none", not_for_a_short_run),
    ("--progress=never has none on a terminal", never_where_it_is_not_wanted),
    ("messages begin a line of their own", messages_begin_a_line),
    ("a signal takes the line and the temporary file away", a_signal_takes_it_away),
    ("many steps of few elements move it", many_steps_move_it),
    ("--scale amax reads twice, and each time counts", finding_scales_counts_as_half),
]


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        return tap.run(CHECKS)


if __name__ == "__main__":
    sys.exit(main())
