"""Drives headless Chromium by the DevTools protocol, over a pipe: JSON that ends with NUL."""

import json
import os
import select
import shutil
import subprocess
import tempfile
import time

LIMIT = 60  # seconds that an answer may take


PROGRAMS = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")

OPTIONS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-extensions", "--disable-background-networking", "--disable-component-update",
    "--hide-scrollbars", "--remote-debugging-pipe"
]


def find_chromium():
    """The path of the program, or None."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Browser:
    def __init__(self, program):
        self.folder = tempfile.mkdtemp(prefix="precheck-browser-")
        theirs_in, self.to = os.pipe()
        self.back, theirs_out = os.pipe()

        def pipes():  # the protocol has its own numbers for them
            low, high = os.dup(theirs_in), os.dup(theirs_out)
            os.dup2(low, 3)
            os.dup2(high, 4)

        command = [program, *OPTIONS, f"--user-data-dir={self.folder}", "about:blank"]
        quiet = {name: subprocess.DEVNULL for name in ("stdin", "stdout", "stderr")}
        self.process = subprocess.Popen(command, preexec_fn=pipes, **quiet,
                                        pass_fds=(3, 4, theirs_in, theirs_out))
        os.close(theirs_in)
        os.close(theirs_out)
        self.unread = b""
        self.number = 0
        self.events = []  # (session, method, parameters), the oldest first

    def close(self):
        try:
            self.call("Browser.close")
            self.process.wait(10)
        except (OSError, RuntimeError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.to)
        os.close(self.back)
        shutil.rmtree(self.folder, ignore_errors=True)

    def read(self, deadline):
        while b"\0" not in self.unread:
            if not select.select([self.back], [], [], max(0, deadline - time.monotonic()))[0]:
                raise RuntimeError("the browser does not answer")
            piece = os.read(self.back, 1 << 20)
            if not piece:
                raise RuntimeError("the browser is gone")
            self.unread += piece
        line, self.unread = self.unread.split(b"\0", 1)
        return json.loads(line)

    def call(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        deadline = time.monotonic() + LIMIT
        while True:
            answer = self.read(deadline)
            if "method" in answer:
                self.events.append((answer.get("sessionId"), answer["method"], answer["params"]))
            elif answer["id"] == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def wait_for(self, session, method):
        deadline, seen = time.monotonic() + LIMIT, 0
        while True:
            for event in self.events[seen:]:
                if event[:2] == (session, method):
                    return event[2]
            seen = len(self.events)
            answer = self.read(deadline)
            if "method" in answer:
                self.events.append((answer.get("sessionId"), answer["method"], answer["params"]))


class Page:
    """A tab; what it logs, requests and asks is in the events."""
    def __init__(self, browser, width=1440, height=1000, script=True):
        self.browser = browser
        self.script = script
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target,
                                    flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Security"):
            self.call(f"{domain}.enable")
        self.resize(width, height)

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)
        self.browser.events.clear()

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def resize(self, width, height=1000):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 600)

    def emulate(self, media="", **features):
        features["prefers_reduced_motion"] = "reduce"  # so that what is clicked on stands still
        self.call("Emulation.setEmulatedMedia", media=media,
                  features=[{"name": name.replace("_", "-"), "value": value}
                            for name, value in features.items()])

    def open(self, url):
        """Returns the seconds until all was loaded and drawn once. Without scripts the page's own
        do not run; those of here do, afterwards."""
        start = time.monotonic()
        self.call("Emulation.setScriptExecutionDisabled", value=not self.script)
        self.call("Page.navigate", url=url)
        self.browser.wait_for(self.session, "Page.loadEventFired")
        self.call("Emulation.setScriptExecutionDisabled", value=False)
        self.settle()
        return time.monotonic() - start

    def settle(self):
        """Waits until what has happened is drawn."""
        self.run("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")

    def run(self, expression):
        """The value of a JavaScript expression."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def all(self, selector, function):
        """What a JavaScript function says about each of the elements."""
        return self.run(f"[...document.querySelectorAll({json.dumps(selector)})].map({function})")

    def count(self, selector):
        return self.run(f"document.querySelectorAll({json.dumps(selector)}).length")

    def texts(self, selector):
        return self.all(selector, "(e) => e.textContent")

    def click(self, selector):
        """With the mouse, where the element is."""
        place = self.run(f"""(() => {{
            const element = document.querySelector({json.dumps(selector)});
            element.scrollIntoView({{ block: "center", behavior: "instant" }});
            const box = element.getBoundingClientRect();
            return [box.x + Math.min(box.width / 2, 40), box.y + box.height / 2];
        }})()""")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left",
                      clickCount=1)
        self.settle()

    def choose(self, selector, value):
        """Of the options of a select element."""
        self.run(f"""(() => {{
            const element = document.querySelector({json.dumps(selector)});
            element.value = {json.dumps(value)};
            element.dispatchEvent(new Event("change"));
        }})()""")

    def press(self, key, text=""):
        code = {"Tab": 9, "Enter": 13, " ": 32}.get(key, 0)
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code,
                      text=text)
        self.settle()

    def type(self, selector, text):
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        self.call("Input.insertText", text=text)

    def told(self, *methods):
        """The parameters of the events of these methods."""
        return [event[2] for event in self.browser.events
                if event[0] == self.session and event[1] in methods]

    def complaints(self):
        """All that was logged, thrown or asked."""
        return self.told("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded",
                         "Page.javascriptDialogOpening")

    def requests(self):
        return [told["request"]["url"] for told in self.told("Network.requestWillBeSent")]
