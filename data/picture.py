#!/usr/bin/env python3
"""Draws what a command prints as an SVG picture of a terminal:  picture.py OUT.svg LINES TITLE COMMAND...

The first LINES lines are drawn, with the colours that precheck uses. It is how the pictures here were made.
"""

import html
import re
import subprocess
import sys

COLOURS = {"1": "font-weight='bold'", "2": "opacity='0.6'", "31": "fill='#ff7b72'", "32": "fill='#7ee787'",
           "33": "fill='#e3b341'", "36": "fill='#79c0ff'"}
WIDTH, HEIGHT, MARGIN = 8.4, 18, 16


def spans(line):
    """(column, attributes, text) of the parts of a line that look alike."""
    codes, column = [], 0
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        escape = re.fullmatch(r"\x1b\[([0-9;]*)m", part)
        if escape:
            given = [code for code in escape[1].split(";") if code not in ("", "0")]
            codes = codes + given if given else []
        elif part:
            yield column, " ".join(COLOURS[code] for code in codes), part
            column += len(part)


def main(out, count, title, *command):
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [f"\x1b[1m$ {title}\x1b[0m", *done.stdout.split("\n")[:int(count)]]
    width, height = 80 * WIDTH + 2 * MARGIN, len(lines) * HEIGHT + 2 * MARGIN
    with open(out, "w", encoding="utf-8") as svg:
        print(f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width:g} {height}' width='{width:g}' "
              f"height='{height}' role='img'>", file=svg)
        print(f"<title>{html.escape(title)}</title>", file=svg)
        print(f"<rect width='{width:g}' height='{height}' rx='8' fill='#0d1117'/>", file=svg)
        print("<g font-family='ui-monospace, DejaVu Sans Mono, monospace' font-size='14' fill='#e6edf3' "
              "xml:space='preserve'>", file=svg)
        for row, line in enumerate(lines):
            for column, attributes, text in spans(line):
                if text.strip():
                    print(f"<text x='{MARGIN + column * WIDTH:g}' y='{MARGIN + row * HEIGHT + 13:g}' "
                          f"textLength='{len(text) * WIDTH:g}' {attributes}>{html.escape(text)}</text>", file=svg)
        print("</g></svg>", file=svg)


main(*sys.argv[1:])
