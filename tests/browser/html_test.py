#!/usr/bin/env python3
"""Opens reports of `-o html` in headless Chromium and prints TAP:  html_test.py [PART OF A NAME]

PRECHECK is the program. README.md tells what is looked at.
"""

import json
import math
import os
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "tests/cli")]

import devtools  # noqa: E402
import safetensors  # noqa: E402

PRECHECK = os.path.abspath(os.environ.get("PRECHECK", os.path.join(ROOT, "build/precheck")))

WIDTHS = (360, 800, 1440)

HOSTILE = [
    "<script>window.hit = 1</script>",
    "\"><img src=x onerror='window.hit = 1'>",
    "</script><script>window.hit = 1</script>",
    "<!--<script>",
    "--><svg onload=window.hit=1>",
    "javascript:window.hit=1",
    "' onmouseover='window.hit=1",
    "&lt;b&gt;&amp;",
    "\u202egnp.live",
    "\x01\x1b[31m",
    "${window.hit = 1}",
    "a|b|c",
    "\\u003cb\\u003e",
    "__proto__",
    "#t0",
    "\U0001f600 \u4e2d\u6587",
    "\ufffe\uffff",
    "]]>",
    "</title></style></textarea>",
    "x" * 300,
]


class Reports:
    """The folder in which they are made."""

    def __init__(self, folder):
        self.folder = folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def checkpoint(self, name, tensors):
        """tensors: (name, values)"""
        packed = [(n, "F32", [len(v)], struct.pack(f"<{len(v)}f", *v)) for n, v in tensors]
        with open(self.path(name), "wb") as f:
            f.write(safetensors.pack(None, packed))
        return self.path(name)

    def make(self, *arguments):
        """The path of the page, and the report as JSON has it."""
        run = subprocess.run(
            [
                PRECHECK,
                "-q",
                "-o",
                "html:" + self.path("page.html"),
                "-o",
                "json:" + self.path("page.json"),
                *arguments,
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert run.returncode in (0, 1) and not run.stderr, run
        with open(self.path("page.json"), encoding="utf-8") as f:
            return self.path("page.html"), json.load(f)


def layers(count, size=64, seed=1):
    """Named as in models; a few overflow and a few underflow."""
    source = random.Random(seed)
    kinds = ["attn.q_proj", "attn.k_proj", "mlp.up_proj", "mlp.down_proj", "norm"]
    for i in range(count):
        sigma = 3e5 if i % 97 == 5 else 1e-9 if i % 89 == 7 else 10 ** source.uniform(-3, -1)
        yield f"model.layers.{i // 5}.{kinds[i % 5]}.weight", [
            source.gauss(0, sigma) for _ in range(size)
        ]


class Test:
    def __init__(self, browser, reports):
        self.browser, self.reports = browser, reports
        self.pages = []

    def page(self, path, width=1440, script=True, **media):
        page = devtools.Page(self.browser, width, script=script)
        self.pages.append(page)
        page.emulate(**media)
        page.seconds = page.open(pathlib.Path(path).as_uri())
        return page

    def close(self):
        for page in self.pages:
            page.close()


def same(got, wanted):
    assert got == wanted, f"{got!r}, not {wanted!r}"


def is_quiet(page):
    same(page.complaints(), [])
    same([url for url in page.requests() if not url.startswith("file://")], [])
    same(len(page.requests()), 1)


NAMES = "[...document.querySelectorAll('#table tbody button.name')].map((b) => b.textContent)"


def column(number):
    return f"[...document.querySelectorAll('#table tbody tr:not(.detail)')].map((r) => r.cells[{number}].textContent)"


# Each test gets a Test; one that fails raises.


def nothing_is_logged_and_nothing_scrolls_sideways(test):
    runs = [
        ["data/digits-weight.npy"],
        [
            "data/digits-exp_avg.npy",
            "data/digits-exp_avg_sq.npy",
            "--fail-on",
            "underflow_rate > 0.1",
        ],
        [
            "data/digits-weight.npy",
            "data/digits-grad.npy",
            "--to",
            "bf16,fp32",
            "--update",
            "1e-8",
            "--steps",
            "10",
        ],
        ["data/digits-exp_avg_sq.npy", "--to", "bf16", "--ema", "0.999"],
        [
            "data/digits-weight.npy",
            "data/digits-grad.npy",
            "--scale",
            "amax",
            "--to",
            "fp16,e2m1,e8m3,e5m2fnuz,tf32",
        ],
    ]
    for arguments in runs:
        path, _ = test.reports.make(*arguments)
        for width in WIDTHS:
            page = test.page(path, width)
            for click in ("", "tbody button.name", "summary"):
                if click and page.run(f"!!document.querySelector('{click}')"):
                    page.click(click)
                wide = page.run("document.documentElement.scrollWidth")
                assert wide <= width, (arguments, width, click, wide)
            is_quiet(page)


def what_matters_is_there_without_script(test):
    path, report = test.reports.make(
        test.reports.checkpoint("layers.safetensors", layers(200)),
        "--to",
        "fp16,bf16",
        "--fail-on",
        "fp16: overflow > 0",
        "--top",
        "7",
    )
    page = test.page(path, 360, script=False)
    page.call(
        "Emulation.setScriptExecutionDisabled", value=False
    )  # to look at the page, which has been loaded
    failing = sum(not gate["pass"] for gate in report["gates"])
    text = page.run("document.body.innerText")
    for words in (
        f"{failing} of 200 gates",
        "fp16: overflow > 0",
        "200 tensors",
        "At a glance",
        "overflow and become infinity",
        "193 more tensors",
    ):
        assert words.lower() in text.lower(), (words, text[:2000])
    same(page.run("document.querySelectorAll('#table tbody tr').length"), 7)
    same(page.run("document.querySelectorAll('.map .names a').length"), 7)
    assert page.run("document.querySelectorAll('.map path').length") >= 2
    same(page.run("document.querySelectorAll('.chart').length"), 0)
    assert page.run("document.documentElement.scrollWidth") <= 360


def the_table_has_the_figures_and_sorts_by_them(test):
    path, report = test.reports.make(
        test.reports.checkpoint("layers.safetensors", layers(40)), "--to", "fp16,e4m3fn"
    )
    page = test.page(path)
    is_sorted = "document.querySelectorAll('#table th')[{}].getAttribute('aria-sort')"
    casts = {t["name"]: t["casts"] for t in report["tensors"]}
    same(set(page.run(NAMES)), set(casts))
    page.click("#table thead th:nth-child(1) button")
    same(page.run(NAMES), sorted(casts))
    same(page.run(is_sorted.format(0)), "ascending")
    page.click("#table thead th:nth-child(1) button")
    same(page.run(NAMES), sorted(casts, reverse=True))
    same(page.run(is_sorted.format(0)), "descending")
    for figure in ("underflow", "error.sqnr_db", "error.max_abs"):
        page.run(
            f"(() => {{ const s = document.getElementById('figure'); s.value = '{figure}';"
            "s.dispatchEvent(new Event('change')); })()"
        )
        for c in range(2):
            page.click(f"#table thead th:nth-child({5 + c}) button")
            if page.run(is_sorted.format(4 + c)) == "ascending":
                page.click(f"#table thead th:nth-child({5 + c}) button")
            same(page.run(is_sorted.format(0)), None)
            shown = page.run(column(4 + c))
            values = [-math.inf if cell == "–" else float(cell.replace(",", "")) for cell in shown]
            same(values, sorted(values, reverse=True))
            for name, cell, value in zip(page.run(NAMES), shown, values):
                exact = casts[name][c]
                for part in figure.split("."):
                    exact = exact[part]
                assert cell == "–" if exact is None else math.isclose(value, exact, rel_tol=1e-3), (
                    name,
                    cell,
                    exact,
                )
    is_quiet(page)


def the_table_begins_with_the_worst(test):
    tensors = [
        ("fine", [1.0, 2.0]),
        ("flushed", [1e-9, 1.0]),
        ("beyond", [1e6, 1.0]),
        ("rounded", [0.1, 0.3]),
    ]
    path, _ = test.reports.make(
        test.reports.checkpoint("four.safetensors", tensors), "--to", "fp16,bf16"
    )
    page = test.page(path)
    same(page.run(NAMES), ["beyond", "flushed", "rounded", "fine"])
    same(
        page.run(column(4)),
        ["▲ 50.00 % overflow", "▼ 50.00 % to zero", "✓ " + page.run(column(4))[2][2:], "✓ exact"],
    )
    page.click("#trouble")
    same(page.run(NAMES), ["beyond", "flushed"])
    same(page.run("document.querySelector('.controls output').textContent"), "2 of 4 tensors")


def the_filter_finds(test):
    path, report = test.reports.make(
        test.reports.checkpoint("layers.safetensors", layers(120)), "--to", "bf16"
    )
    page = test.page(path)
    same(page.run("document.querySelectorAll('#table tbody tr').length"), 50)
    page.click(".more")
    same(page.run("document.querySelectorAll('#table tbody tr').length"), 100)
    page.type("#filter", "UP_proj rs.1")
    same(
        sorted(page.run(NAMES)),
        sorted(t["name"] for t in report["tensors"] if re.search(r"rs\.1.*up_proj", t["name"])),
    )
    page.type("#filter", "(.*")  # text, no pattern
    same(page.run(NAMES), [])
    same(page.run("document.querySelector('.controls output').textContent"), "0 of 120 tensors")
    is_quiet(page)


def rows_open_and_show_every_figure(test):
    path, report = test.reports.make(
        "data/digits-weight.npy",
        "data/digits-grad.npy",
        "--to",
        "fp16,bf16",
        "--update",
        "1e-8",
        "--steps",
        "10",
    )
    page = test.page(path)
    page.run("document.querySelector('#table tbody button').focus()")
    page.press("Enter", "\r")
    same(
        page.run("document.querySelector('#table tbody button').getAttribute('aria-expanded')"),
        "true",
    )
    same(page.run("document.querySelectorAll('.detail article').length"), 2)
    titles = page.run(
        "[...document.querySelectorAll('.detail article:first-of-type .chart')].map((c) => c.getAttribute('aria-label'))"
    )
    for words in (
        "Classes of the elements",
        "of the updates are lost",
        "How large an update must be",
        "Magnitudes",
        "Relative errors",
    ):
        assert any(words in title for title in titles), (words, titles)
    # The bars are the histograms.
    name = page.run("document.querySelector('#table tbody button').textContent")
    tensor = next(t for t in report["tensors"] if t["file"] == name)
    bars = page.run(
        "[...document.querySelectorAll('.detail article:first-of-type .chart')].map((c) => "
        "[...c.querySelectorAll('.bar title')].map((t) => t.textContent))"
    )
    counts = [
        [int(re.search(r": ([\d,]+) elements", bar)[1].replace(",", "")) for bar in chart]
        for chart in bars
        if chart
    ]
    same(counts[0], [count for count in tensor["input"]["exponents"]["counts"] if count])
    errors = tensor["casts"][0]["relative_error"]
    same(counts[1], [errors["exact"]] + [count for count in errors["counts"] if count])
    # Every figure of the JSON is in the table of the row and in that of all tensors.
    wanted = {f"input.{name}" for name in tensor["input"] if name not in ("sum", "exponents")}
    for name, value in tensor["casts"][0].items():
        if name in ("error", "update", "steps"):
            wanted |= {
                f"{name}.{member}" for member, inner in value.items() if not isinstance(inner, dict)
            }
        elif name not in ("to", "bits", "scale", "relative_error", "sums"):
            wanted.add(name)
    for place in (".detail", "#figures"):
        there = set(
            page.run(
                f"[...document.querySelectorAll('{place} tbody code')].map((c) => c.textContent)"
            )
        )
        assert wanted <= there, (place, wanted - there)
    page.press("Enter", "\r")
    same(page.run("document.querySelectorAll('.detail').length"), 0)
    is_quiet(page)


def the_picture_leads_to_the_rows(test):
    path, _ = test.reports.make(
        test.reports.checkpoint("layers.safetensors", layers(90)),
        "--to",
        "fp16,bf16",
        "--fail-on",
        "fp16: overflow > 0",
    )
    page = test.page(path)
    name = page.run("document.querySelector('.map .names a').textContent.trim()")
    page.type("#filter", "nothing has this name")
    page.click(".map .names a")
    same(page.run("document.querySelector('[aria-expanded=true]').textContent"), name)
    same(page.run("document.activeElement.textContent"), name)
    # The limits of the chosen format alone are drawn.
    drawn = "[...document.querySelectorAll('.map .zones')].map((z) => getComputedStyle(z).display !== 'none')"
    same(page.run(drawn), [True, False])
    page.click("#limits-1")
    same(page.run(drawn), [False, True])
    is_quiet(page)


def names_from_strangers_stay_text(test):
    tensors = [(name, [1e6, 1.0, 1e-9]) for name in HOSTILE]
    path, report = test.reports.make(
        test.reports.checkpoint("'><b onclick=hit=1>&.safetensors", tensors),
        "--fail-on",
        "overflow > 0",
        "--top",
        "0",
    )

    def printable(name):
        unruly = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
        return unruly.sub(lambda m: "".join(f"\\x{b:02x}" for b in m[0].encode()), name)

    for script in (True, False):
        page = test.page(path, 360, script)
        page.call("Emulation.setScriptExecutionDisabled", value=False)
        if script:
            page.run(
                "document.querySelectorAll('#table tbody button.name').forEach((b) => b.click())"
            )
            same(sorted(page.run(NAMES)), sorted(printable(t["name"]) for t in report["tensors"]))
        same(page.run("typeof window.hit"), "undefined")
        same(
            page.run(
                "document.querySelectorAll('img, b[onclick], iframe, object, style:not(head *), svg svg').length"
            ),
            0,
        )
        same(page.run("document.scripts.length"), 2)
        same(
            page.run(
                "[...document.querySelectorAll('*')].flatMap((e) => e.getAttributeNames()).filter((n) => /^on/.test(n)).length"
            ),
            0,
        )
        same(
            page.run(
                "[...document.querySelectorAll('[href]')].filter((a) => !/^#t\\d+$/.test(a.getAttribute('href'))).length"
            ),
            0,
        )
        assert page.run("document.documentElement.scrollWidth") <= 360
        is_quiet(page)


def the_policy_keeps_other_scripts_out(test):
    path, _ = test.reports.make("data/digits-weight.npy")
    page = test.page(path)
    for element in (
        "const e = document.createElement('script'); e.textContent = 'window.hit = 1'",
        "const e = document.createElement('img'); e.src = 'https://example.invalid/x.png'",
        "const e = document.createElement('style'); e.textContent = 'body { margin: 77px }'",
    ):
        page.run(f"(() => {{ {element}; document.body.append(e); }})()")
    same(page.run("typeof window.hit"), "undefined")
    assert page.run("getComputedStyle(document.body).marginTop") != "77px"
    same(page.run("fetch('https://example.invalid/').then(() => 'sent', () => 'kept')"), "kept")
    same(
        [url for url in page.requests() if not url.startswith("file:") and "invalid" not in url], []
    )
    assert page.complaints()


def contrast(one, other):
    def luminance(colour):
        channels = [int(c) / 255 for c in re.findall(r"\d+", colour)[:3]]
        return sum(
            weight * (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4)
            for weight, c in zip((0.2126, 0.7152, 0.0722), channels)
        )

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def both_colour_schemes_can_be_read(test):
    path, _ = test.reports.make(
        "data/digits-weight.npy",
        "data/digits-exp_avg.npy",
        "--update",
        "1e-8",
        "--fail-on",
        "underflow > 0",
    )
    grounds = []
    for scheme in ("light", "dark"):
        page = test.page(path, prefers_color_scheme=scheme)
        page.click("tbody button.name")
        grounds.append(page.run("getComputedStyle(document.body).backgroundColor"))
        colours = page.run(
            """[...new Set([...document.querySelectorAll('body *')].filter((e) =>
            [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) && !['SCRIPT', 'TITLE', 'title', 'OPTION'].includes(e.tagName))
            .map((e) => { const s = getComputedStyle(e); return e instanceof SVGElement ? s.fill : s.color; }))]"""
        )
        assert len(colours) >= 5, colours
        for colour in colours:
            assert contrast(colour, grounds[-1]) >= 4.5, (scheme, colour, grounds[-1])
        is_quiet(page)
    assert contrast(*grounds) > 10, grounds


def paper_has_what_is_open_and_no_controls(test):
    path, _ = test.reports.make("data/digits-weight.npy", "data/digits-exp_avg.npy")
    page = test.page(path)
    page.click("tbody button.name")
    page.emulate("print", prefers_color_scheme="dark")
    same(page.run("getComputedStyle(document.querySelector('.controls')).display"), "none")
    assert page.run("document.querySelector('.detail .chart').getBoundingClientRect().height") > 5
    assert contrast(page.run("getComputedStyle(document.body).color"), "rgb(255, 255, 255)") > 7
    page.print(test.reports.path("page.pdf"))
    assert os.path.getsize(test.reports.path("page.pdf")) > 10000


def it_can_be_read_aloud(test):
    path, _ = test.reports.make(
        "data/digits-weight.npy", "data/digits-exp_avg.npy", "--fail-on", "underflow > 0"
    )
    page = test.page(path)
    same(page.run("document.documentElement.lang"), "en")
    same(page.run("document.querySelectorAll('h1').length"), 1)
    levels = page.run(
        "[...document.querySelectorAll('h1, h2, h3, h4')].map((h) => Number(h.tagName[1]))"
    )
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:])), levels
    same(
        page.run(
            "[...document.querySelectorAll('table')].filter((t) => !t.caption || !t.caption.textContent).length"
        ),
        0,
    )
    same(page.run("[...document.querySelectorAll('th')].filter((t) => !t.scope).length"), 0)
    same(
        page.run(
            "[...document.querySelectorAll('svg[role=img]')].filter((s) => !s.getAttribute('aria-label')).length"
        ),
        0,
    )
    same(
        page.run(
            "[...document.querySelectorAll('svg')].filter((s) => !s.role && !s.ariaHidden && !s.getAttribute('role')).length"
        ),
        0,
    )
    same(
        page.run(
            "[...document.querySelectorAll('input, select')].filter((i) => !i.labels.length).length"
        ),
        0,
    )


def two_thousand_tensors_open_at_once(test):
    path, _ = test.reports.make(test.reports.checkpoint("many.safetensors", layers(2000, 1024)))
    assert os.path.getsize(path) < 5_000_000, os.path.getsize(path)
    seconds = []
    for _ in range(3):
        page = test.page(path)
        seconds.append(page.seconds)
        is_quiet(page)
    assert min(seconds) < 2, seconds
    same(page.run("document.querySelector('.controls output').textContent"), "2,000 tensors")
    wait = page.run(
        "(() => { const t = performance.now(); document.querySelectorAll('#table th button')[4].click(); "
        "document.body.offsetHeight; return performance.now() - t; })()"
    )
    assert wait < 500, wait


TESTS = [
    nothing_is_logged_and_nothing_scrolls_sideways,
    what_matters_is_there_without_script,
    the_table_has_the_figures_and_sorts_by_them,
    the_table_begins_with_the_worst,
    the_filter_finds,
    rows_open_and_show_every_figure,
    the_picture_leads_to_the_rows,
    names_from_strangers_stay_text,
    the_policy_keeps_other_scripts_out,
    both_colour_schemes_can_be_read,
    paper_has_what_is_open_and_no_controls,
    it_can_be_read_aloud,
    two_thousand_tensors_open_at_once,
]


def attempt(test, function):
    """What is wrong, or nothing."""
    try:
        function(test)
    except Exception as error:  # of whatever kind: the others go on
        return f"{type(error).__name__}: {error}"
    finally:
        test.close()
    return ""


def main():
    wanted = [test for test in TESTS if not sys.argv[1:] or sys.argv[1] in test.__name__]
    print(f"1..{len(wanted)}")
    program = devtools.find_chromium()
    if not program:
        for number, function in enumerate(wanted, 1):
            print(
                f"ok {number} - {function.__name__.replace('_', ' ')} # SKIP chromium is not installed"
            )
        return False
    failed = False
    browser = devtools.Browser(program)
    try:
        for number, function in enumerate(wanted, 1):
            with tempfile.TemporaryDirectory() as folder:
                wrong = attempt(Test(browser, Reports(folder)), function)
            print(
                f"{'not ok' if wrong else 'ok'} {number} - {function.__name__.replace('_', ' ')}",
                flush=True,
            )
            for line in wrong[:4000].splitlines():
                print(f"#   {line}")
            failed |= bool(wrong)
    finally:
        browser.close()
    return failed


if __name__ == "__main__":
    sys.exit(main())
