#!/usr/bin/env python3
"""Runs a command with its standard output on a terminal, and prints what it wrote there:

    terminal.py [--columns=N] [--errors] COMMAND...

of 100 columns unless told; with --errors its standard error is on the terminal instead.
"""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios


def open_terminal(columns):
    """(ours, the command's)"""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    return master, slave


def read_all(master):
    """What was written, once no one has the terminal open any more."""
    written = b""
    while True:
        try:
            more = os.read(master, 65536)
        except OSError:  # how Linux tells that
            break
        if not more:
            break
        written += more
    os.close(master)
    return written.replace(b"\r\n", b"\n")


def run(command, columns=100, stream="stdout", **options):
    """(what it wrote to the terminal, its status)"""
    master, slave = open_terminal(columns)
    child = subprocess.Popen(command, **{stream: slave}, **options)
    os.close(slave)
    written = read_all(master)
    return written, child.wait()


def main(arguments):
    columns, stream = 100, "stdout"
    while arguments[0].startswith("--"):
        name, _, value = arguments.pop(0).partition("=")
        if name == "--columns":
            columns = int(value)
        else:
            stream = "stderr"
    written, status = run(arguments, columns, stream)
    sys.stdout.buffer.write(written)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
