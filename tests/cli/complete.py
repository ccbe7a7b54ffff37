#!/usr/bin/env python3
"""Types command lines on the terminal of a shell, and prints the arguments that the command gets, a line for each one:

    complete.py SHELL LINE...

The command has to be precheck; it is not run. A tab in a line is the Tab key, and so on. SHELL is bash,
zsh or fish.
"""

import fcntl
import os
import pty
import select
import shlex
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

PRECHECK = os.environ["PRECHECK"]

# The shell writes what it was given into a file, so that nothing has to be read off the screen.
SETUP = {
    "bash": """PS1='ready> '; bind 'set bell-style none'; bind 'set enable-bracketed-paste off'
source <(precheck --completion bash)
precheck() { printf '%s\\0' "$@" $'\\n' >>"$SHOWN"; }
""",
    "zsh": """PS1='ready> '; unsetopt beep prompt_cr prompt_sp; setopt no_list_beep
autoload -Uz compinit && compinit -D -u
source <(precheck --completion zsh)
precheck() { printf '%s\\0' "$@" $'\\n' >>"$SHOWN"; }
""",
    "fish": """function fish_prompt; printf 'ready> '; end
function fish_greeting; end
precheck --completion fish | source
function precheck; printf '%s\\0' $argv \\n >>"$SHOWN"; end
""",
}
COMMAND = {"bash": ["bash", "--noprofile", "--rcfile"], "zsh": ["zsh", "-d"], "fish": ["fish", "--no-config", "-C"]}
LIMIT = 20  # seconds


def start(shell, home):
    """The shell on a terminal of its own: (child, master)."""
    environment = dict(os.environ, HOME=home, ZDOTDIR=home, XDG_CONFIG_HOME=home, XDG_DATA_HOME=home, TERM="dumb",
                       SHOWN=os.path.join(home, "shown"), HISTFILE="", INPUTRC="/dev/null",
                       PATH=os.path.join(home, "bin") + os.pathsep + os.environ["PATH"])
    os.mkdir(os.path.join(home, "bin"))
    os.symlink(PRECHECK, os.path.join(home, "bin/precheck"))
    setup = os.path.join(home, ".zshrc")
    with open(setup, "w", encoding="utf-8") as f:
        f.write(SETUP[shell])
    arguments = {"bash": [setup, "-i"], "zsh": ["-i"], "fish": [f"source {setup}"]}[shell]
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    child = subprocess.Popen(COMMAND[shell] + arguments, stdin=slave, stdout=slave, stderr=slave, env=environment,
                             start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(slave)
    return child, master


def read_until(master, done):
    """What the shell writes, until it is done."""
    seen, end = b"", time.monotonic() + LIMIT
    while not done(seen):
        if time.monotonic() > end:
            sys.exit(f"no answer; on the screen: {seen!r}")
        if select.select([master], [], [], 0.02)[0]:
            seen += os.read(master, 65536)


def main():
    shell, *lines = sys.argv[1:]
    with tempfile.TemporaryDirectory() as home:
        path = os.path.join(home, "shown")
        child, master = start(shell, home)
        try:
            read_until(master, lambda seen: b"ready> " in seen)
            for line in lines:
                os.write(master, line.encode() + b"\r")
                read_until(master, lambda _: os.path.exists(path) and open(path, "rb").read().endswith(b"\0\n\0"))
                with open(path, "rb+") as f:
                    print(shlex.join(f.read()[:-3].decode().split("\0")))
                    f.truncate(0)
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait()


if __name__ == "__main__":
    main()
