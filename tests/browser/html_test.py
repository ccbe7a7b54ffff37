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
    "x" * 200,
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
        page, report = self.path("page.html"), self.path("page.json")
        command = [PRECHECK, "-q", "-o", f"html:{page}", "-o", f"json:{report}", *arguments]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert run.returncode in (0, 1) and not run.stderr, run
        with open(report, encoding="utf-8") as f:
            return page, json.load(f)


def layer(index, size):
    """(name, values), named as in models; a few overflow and a few underflow."""
    source = random.Random(index)
    kind = ("attn.q_proj", "attn.k_proj", "mlp.up_proj", "mlp.down_proj", "norm")[index % 5]
    sigma = 10**source.uniform(-3, -1)
    sigma = 3e5 if index % 97 == 5 else 1e-9 if index % 89 == 7 else sigma
    return f"model.layers.{index // 5}.{kind}.weight", [source.gauss(0, sigma) for _ in range(size)]


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

    def layers(self, count, *arguments, size=64):
        """As Reports.make, of a checkpoint of so many tensors."""
        tensors = [layer(index, size) for index in range(count)]
        return self.reports.make(self.reports.checkpoint("layers", tensors), *arguments)

    def close(self):
        for page in self.pages:
            page.close()


def same(got, wanted):
    assert got == wanted, f"{got!r}, not {wanted!r}"


def is_quiet(page):
    same(page.complaints(), [])
    same([url for url in page.requests() if not url.startswith("file://")], [])
    same(len(page.requests()), 1)


NAMES = "#table tbody button.name"
TOLD = ".controls output"


def column(page, number):
    return page.all("#table tbody tr:not(.detail)", f"(row) => row.cells[{number}].textContent")


def number_in(cell):
    return -math.inf if cell == "–" else float(cell.replace(",", ""))


def member(cast, path):
    for name in path.split("."):
        cast = cast[name]
    return cast


def width_of(page):
    return page.run("document.documentElement.scrollWidth")


# Each test gets a Test; one that fails raises.


def nothing_is_logged_and_nothing_scrolls_sideways(test):
    weight, grad, square = (f"data/digits-{name}.npy" for name in ("weight", "grad", "exp_avg_sq"))
    runs = [[weight], [grad, square, "--fail-on", "underflow_rate > 0.1"],
            [weight, grad, "--to", "bf16,fp32", "--update", "1e-8", "--steps", "10"],
            [square, "--to", "bf16", "--ema", "0.999"],
            [weight, grad, "--scale", "amax", "--to", "fp16,e2m1,e8m3,e5m2fnuz,tf32"]]
    for arguments in runs:
        path, _ = test.reports.make(*arguments)
        for width in WIDTHS:
            page = test.page(path, width)
            for click in (None, "tbody button.name", "summary"):
                if click and page.count(click):
                    page.click(click)
                assert width_of(page) <= width, (arguments, width, click)
            is_quiet(page)


def what_matters_is_there_without_script(test):
    path, report = test.layers(200, "--to", "fp16,bf16", "--fail-on",
                               "fp16: overflow > 0", "--top", "7")
    page = test.page(path, 360, script=False)
    failing = sum(not gate["pass"] for gate in report["gates"])
    text = page.run("document.body.innerText").lower()
    for words in (f"{failing} of 200 gates", "fp16: overflow > 0", "200 tensors", "at a glance",
                  "overflow and become infinity", "193 more tensors"):
        assert words in text, (words, text[:2000])
    same(page.count("#table tbody tr"), 7)
    same(page.count(".map .names a"), 7)
    assert page.count(".map path") >= 2
    same(page.count(".chart"), 0)
    assert width_of(page) <= 360


def the_table_has_the_figures_and_sorts_by_them(test):
    path, report = test.layers(40, "--to", "fp16,e4m3fn")
    casts = {tensor["name"]: tensor["casts"] for tensor in report["tensors"]}
    page = test.page(path)

    def order(number):
        return page.all("#table thead th", "(th) => th.getAttribute('aria-sort')")[number]

    def sort(number, wanted):
        while order(number) != wanted:
            page.click(f"#table thead th:nth-child({number + 1}) button")

    same(set(page.texts(NAMES)), set(casts))
    sort(0, "ascending")
    same(page.texts(NAMES), sorted(casts))
    sort(0, "descending")
    same(page.texts(NAMES), sorted(casts, reverse=True))
    for figure in ("underflow", "error.sqnr_db", "error.max_abs"):
        page.choose("#figure", figure)
        for c in range(2):
            sort(4 + c, "descending")
            same(order(0), None)
            shown = column(page, 4 + c)
            values = [number_in(cell) for cell in shown]
            same(values, sorted(values, reverse=True))
            for name, cell in zip(page.texts(NAMES), shown):
                exact = member(casts[name][c], figure)
                near = cell == "–" if exact is None else math.isclose(
                    number_in(cell), exact, rel_tol=1e-3)
                assert near, (name, cell, exact)
    is_quiet(page)


def the_table_begins_with_the_worst(test):
    tensors = [("fine", [1.0, 2.0]), ("flushed", [1e-9, 1.0]), ("beyond", [1e6, 1.0]),
               ("rounded", [0.1, 0.3])]
    path, _ = test.reports.make(test.reports.checkpoint("four", tensors), "--to", "fp16,bf16")
    page = test.page(path)
    same(page.texts(NAMES), ["beyond", "flushed", "rounded", "fine"])
    beyond, flushed, rounded, fine = column(page, 4)
    same([beyond, flushed, fine], ["▲ 50.00 % overflow", "▼ 50.00 % to zero", "✓ exact"])
    assert re.fullmatch(r"✓ \d\d\.\d\d dB", rounded), rounded
    page.click("#trouble")
    same(page.texts(NAMES), ["beyond", "flushed"])
    same(page.texts(TOLD), ["2 of 4 tensors"])


def the_filter_finds(test):
    path, report = test.layers(120, "--to", "bf16")
    names = [tensor["name"] for tensor in report["tensors"]]
    page = test.page(path)
    same(page.count("#table tbody tr"), 50)
    page.click(".more")
    same(page.count("#table tbody tr"), 100)
    page.type("#filter", "UP_proj rs.1")
    same(sorted(page.texts(NAMES)), sorted(n for n in names if "up_proj" in n and "rs.1" in n))
    page.type("#filter", "(.*")  # text, no pattern
    same(page.texts(NAMES), [])
    same(page.texts(TOLD), ["0 of 120 tensors"])
    is_quiet(page)


def rows_open_and_show_every_figure(test):
    path, report = test.reports.make("data/digits-weight.npy", "data/digits-grad.npy", "--to",
                                     "fp16,bf16", "--update", "1e-8", "--steps", "10")
    page = test.page(path)
    page.run("document.querySelector('#table tbody button').focus()")
    page.press("Enter", "\r")
    same(page.all(NAMES, "(b) => b.getAttribute('aria-expanded')"), ["true", "false"])
    same(page.count(".detail article"), 2)
    charts = ".detail article:first-of-type .chart"
    titles = " ".join(page.all(charts, "(chart) => chart.getAttribute('aria-label')"))
    for words in ("Classes of the elements", "of the updates are lost",
                  "How large an update must be", "Magnitudes", "Relative errors"):
        assert words in titles, (words, titles)
    the_bars_are_the_histograms(page, charts, report)
    the_tables_have(page, figures_of(report["tensors"][0]))
    page.press("Enter", "\r")
    same(page.count(".detail"), 0)
    is_quiet(page)


def the_bars_are_the_histograms(page, charts, report):
    tensor = next(t for t in report["tensors"] if t["file"] == page.texts(NAMES)[0])
    titles = page.all(charts, "(c) => [...c.querySelectorAll('.bar')].map((b) => b.textContent)")
    magnitudes, errors = [[number_in(re.search(r": ([\d,]+) elements", title)[1]) for title in bars]
                          for bars in titles if bars]
    same(magnitudes, [count for count in tensor["input"]["exponents"]["counts"] if count])
    relative = tensor["casts"][0]["relative_error"]
    same(errors, [count for count in [relative["exact"], *relative["counts"]] if count])


def figures_of(tensor):
    """The names of all that are in the JSON, but for members of members of members."""
    names = {f"input.{name}" for name in tensor["input"] if name not in ("sum", "exponents")}
    for name, value in tensor["casts"][0].items():
        if name in ("error", "update", "steps"):
            names |= {f"{name}.{inner}" for inner in value if not isinstance(value[inner], dict)}
        elif name not in ("to", "bits", "scale", "relative_error", "sums"):
            names.add(name)
    return names


def the_tables_have(page, names):
    for place in (".detail", "#figures"):
        there = set(page.texts(f"{place} tbody code"))
        assert names <= there, (place, names - there)


def the_picture_leads_to_the_rows(test):
    path, _ = test.layers(90, "--to", "fp16,bf16", "--fail-on", "fp16: overflow > 0")
    page = test.page(path)
    name = page.texts(".map .names a")[0].strip()
    page.type("#filter", "nothing has this name")
    page.click(".map .names a")
    same(page.texts("[aria-expanded=true]"), [name])
    same(page.run("document.activeElement.textContent"), name)
    # The limits of the chosen format alone are drawn.
    is_drawn = "(zones) => getComputedStyle(zones).display !== 'none'"
    same(page.all(".map .zones", is_drawn), [True, False])
    page.click("#limits-1")
    same(page.all(".map .zones", is_drawn), [False, True])
    is_quiet(page)


def printable(name):
    unruly = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
    return unruly.sub(lambda m: "".join(f"\\x{b:02x}" for b in m[0].encode()), name)


def names_from_strangers_stay_text(test):
    the_names_stay_text(test, HOSTILE)


def each_name_that_is_markup_stays_text(test):
    for name in HOSTILE:  # together one may end what another begins
        if "script>" in name or "--" in name:
            the_names_stay_text(test, [name, "another"])


def the_names_stay_text(test, names):
    tensors = [(name, [1e6, 1.0, 1e-9]) for name in names]
    checkpoint = test.reports.checkpoint("'><b onclick=hit=1>&", tensors)
    path, report = test.reports.make(checkpoint, "--fail-on", "overflow > 0", "--top", "0")
    for script in (True, False):
        page = test.page(path, 360, script)
        if script:
            page.all(NAMES, "(button) => button.click()")
            wanted = [printable(tensor["name"]) for tensor in report["tensors"]]
            same(sorted(page.texts(NAMES)), sorted(wanted))
        same(page.run("typeof window.hit"), "undefined")
        same(page.count("img, b[onclick], iframe, object, body style, svg svg"), 0)
        same(page.count("script"), 2)
        attributes = sum(page.all("*", "(element) => element.getAttributeNames()"), [])
        same([name for name in attributes if name.startswith("on")], [])
        for link in page.all("[href]", "(element) => element.getAttribute('href')"):
            assert re.fullmatch(r"#t\d+", link), link
        assert width_of(page) <= 360
        is_quiet(page)


def the_policy_keeps_other_scripts_out(test):
    path, _ = test.reports.make("data/digits-weight.npy")
    page = test.page(path)
    for tag, member_of, value in (("script", "textContent", "window.hit = 1"),
                                  ("style", "textContent", "body { margin: 77px }"),
                                  ("img", "src", "https://example.invalid/x.png")):
        page.run(f"document.body.append(Object.assign(document.createElement('{tag}'), "
                 f"{{ {member_of}: '{value}' }}))")
    same(page.run("typeof window.hit"), "undefined")
    assert page.run("getComputedStyle(document.body).marginTop") != "77px"
    same(page.run("fetch('https://example.invalid/').then(() => 'sent', () => 'kept')"), "kept")
    assert len(page.complaints()) >= 3


def contrast(one, other):
    """As the Web Content Accessibility Guidelines 2.2 have it."""

    def luminance(colour):
        channels = [int(c) / 255 for c in re.findall(r"\d+", colour)[:3]]
        return sum(weight * (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055)**2.4)
                   for weight, c in zip((0.2126, 0.7152, 0.0722), channels))

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


COLOUR = """(element) => {
    const says = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const style = getComputedStyle(element);
    return says && element instanceof SVGElement ? style.fill : says ? style.color : null;
}"""


def both_colour_schemes_can_be_read(test):
    path, _ = test.reports.make("data/digits-weight.npy", "data/digits-exp_avg.npy", "--update",
                                "1e-8", "--fail-on", "underflow > 0")
    grounds = []
    for scheme in ("light", "dark"):
        page = test.page(path, prefers_color_scheme=scheme)
        page.click("tbody button.name")
        ground = page.run("getComputedStyle(document.body).backgroundColor")
        colours = set(page.all("body *:not(script, title, option)", COLOUR)) - {None}
        assert len(colours) >= 5, colours
        for colour in colours:
            assert contrast(colour, ground) >= 4.5, (scheme, colour, ground)
        grounds.append(ground)
        is_quiet(page)
    assert contrast(*grounds) > 10, grounds


def paper_has_what_is_open_and_no_controls(test):
    path, _ = test.reports.make("data/digits-weight.npy", "data/digits-exp_avg.npy")
    page = test.page(path)
    page.click("tbody button.name")
    page.emulate("print", prefers_color_scheme="dark")
    same(page.all(".controls", "(controls) => getComputedStyle(controls).display"), ["none"])
    heights = page.all(".detail .chart", "(chart) => chart.getBoundingClientRect().height")
    assert heights and min(heights) > 5, heights
    ink = page.run("getComputedStyle(document.body).color")
    assert contrast(ink, "rgb(255, 255, 255)") > 7, ink


def it_can_be_read_aloud(test):
    path, _ = test.reports.make("data/digits-weight.npy", "data/digits-exp_avg.npy", "--fail-on",
                                "underflow > 0")
    page = test.page(path)
    page.click("tbody button.name")
    same(page.run("document.documentElement.lang"), "en")
    same(page.count("h1"), 1)
    levels = page.all("h1, h2, h3, h4", "(heading) => Number(heading.tagName[1])")
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:])), levels
    assert all(page.all("table", "(table) => table.caption?.textContent"))
    same(page.count("th:not([scope])"), 0)
    same(page.count("svg[role=img]:not([aria-label])"), 0)
    same(page.count("svg:not([role], [aria-hidden])"), 0)
    assert all(page.all("input, select", "(control) => control.labels.length"))


def two_thousand_tensors_open_at_once(test):
    path, _ = test.layers(2000, size=1024)
    assert os.path.getsize(path) < 5_000_000, os.path.getsize(path)
    pages = [test.page(path) for _ in range(3)]
    for page in pages:
        is_quiet(page)
    assert min(page.seconds for page in pages) < 2, [page.seconds for page in pages]
    same(page.texts(TOLD), ["2,000 tensors"])
    page.click("#table thead th:nth-child(5) button")
    same(page.count("[aria-sort]"), 1)


TESTS = [
    nothing_is_logged_and_nothing_scrolls_sideways,
    what_matters_is_there_without_script,
    the_table_has_the_figures_and_sorts_by_them,
    the_table_begins_with_the_worst,
    the_filter_finds,
    rows_open_and_show_every_figure,
    the_picture_leads_to_the_rows,
    names_from_strangers_stay_text,
    each_name_that_is_markup_stays_text,
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


def run(functions, program):
    """Whether all passed."""
    browser = devtools.Browser(program)
    good = True
    try:
        for number, function in enumerate(functions, 1):
            with tempfile.TemporaryDirectory() as folder:
                wrong = attempt(Test(browser, Reports(folder)), function)
            print(f"{'not ok' if wrong else 'ok'} {number} - {title(function)}", flush=True)
            for line in wrong[:4000].splitlines():
                print(f"#   {line}")
            good &= not wrong
    finally:
        browser.close()
    return good


def title(function):
    return function.__name__.replace("_", " ")


def main():
    functions = [test for test in TESTS if not sys.argv[1:] or sys.argv[1] in test.__name__]
    print(f"1..{len(functions)}")
    program = devtools.find_chromium()
    if program:
        return 0 if run(functions, program) else 1
    for number, function in enumerate(functions, 1):
        print(f"ok {number} - {title(function)} # SKIP chromium is not installed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
