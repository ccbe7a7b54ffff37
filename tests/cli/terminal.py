#!/usr/bin/env python3
"""Runs a command with its standard output on a terminal of 100 columns, and prints what it wrote there:

    terminal.py COMMAND...
"""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
child = subprocess.Popen(sys.argv[1:], stdout=slave)
os.close(slave)
written = b""
while True:
    try:
        more = os.read(master, 65536)
    except OSError:  # how Linux tells that no one has the terminal open any more
        break
    if not more:
        break
    written += more
sys.stdout.buffer.write(written.replace(b"\r\n", b"\n"))
sys.exit(child.wait())
