#!/usr/bin/env python3
"""Runs a command and tells how it ended, as a shell cannot: `exit N` or `signal NAME`.

    ends.py [--default=SIGNAL] [--ignore=SIGNAL] [--send=SIGNAL --when=PATTERN [--feed=FIFO:N]] COMMAND...

With --send, the signal goes to the command once a file of that name is there; after that, with --feed, N zero bytes go to
the FIFO. The command's standard output is this one's; what is told goes to standard error, behind the command's messages.
"""

import glob
import signal
import subprocess
import sys
import time

options = {}
arguments = sys.argv[1:]
while arguments[0].startswith("--"):
    name, _, value = arguments.pop(0)[2:].partition("=")
    options[name] = value


def prepare():
    for name, action in (("default", signal.SIG_DFL), ("ignore", signal.SIG_IGN)):
        if name in options:
            signal.signal(signal.Signals["SIG" + options[name]], action)


child = subprocess.Popen(arguments, preexec_fn=prepare, restore_signals=False)
if "send" in options:
    deadline = time.monotonic() + 20
    while not glob.glob(options["when"]):
        if time.monotonic() > deadline or child.poll() is not None:
            sys.exit(f"no {options['when']}")
        time.sleep(0.005)
    child.send_signal(signal.Signals["SIG" + options["send"]])
    if "feed" in options:
        fifo, _, count = options["feed"].rpartition(":")
        with open(fifo, "wb") as f:
            f.write(bytes(int(count)))
status = child.wait(timeout=60)
print(f"signal {signal.Signals(-status).name}" if status < 0 else f"exit {status}", file=sys.stderr)
