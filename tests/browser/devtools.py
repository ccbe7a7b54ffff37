"""Drives headless Chromium by the DevTools protocol, over a pipe: JSON messages that end with NUL."""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

LIMIT = 60  # seconds that an answer may take


def find_chromium():
    """The path of the program, or None."""
    return next(
        filter(
            None,
            map(
                shutil.which,
                (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"),
            ),
        ),
        None,
    )


class Browser:
    def __init__(self, program):
        self.folder = tempfile.mkdtemp(prefix="precheck-browser-")
        theirs_in, self.to = os.pipe()
        self.back, theirs_out = os.pipe()

        def pipes():  # the protocol has its own numbers for them
            low, high = os.dup(theirs_in), os.dup(theirs_out)
            os.dup2(low, 3)
            os.dup2(high, 4)

        self.process = subprocess.Popen(
            [
                program,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-extensions",
                "--disable-background-networking",
                "--disable-component-update",
                "--hide-scrollbars",
                f"--user-data-dir={self.folder}",
                "--remote-debugging-pipe",
                "about:blank",
            ],
            preexec_fn=pipes,
            pass_fds=(3, 4, theirs_in, theirs_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
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
            data = data[os.write(self.to, data) :]
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
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Log", "Network", "Security"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setScriptExecutionDisabled", value=not script)
        self.resize(width, height)

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)
        self.browser.events.clear()

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def resize(self, width, height=1000):
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def emulate(self, media="", **features):
        features["prefers_reduced_motion"] = "reduce"  # so that what is clicked on stands still
        self.call(
            "Emulation.setEmulatedMedia",
            media=media,
            features=[
                {"name": name.replace("_", "-"), "value": value} for name, value in features.items()
            ],
        )

    def open(self, url):
        """Returns the seconds until all was loaded and drawn once."""
        start = time.monotonic()
        self.call("Page.navigate", url=url)
        self.browser.wait_for(self.session, "Page.loadEventFired")
        self.settle()
        return time.monotonic() - start

    def settle(self):
        """Waits until what has happened is drawn."""
        if self.script:
            self.run("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")

    def run(self, expression):
        """The value of a JavaScript expression."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(
                answer["exceptionDetails"].get("exception", {}).get("description", str(answer))
            )
        return answer["result"].get("value")

    def click(self, selector):
        """With the mouse, where the element is."""
        place = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); "
            "e.scrollIntoView({block: 'center', behavior: 'instant'}); "
            "const b = e.getBoundingClientRect(); return [b.x + Math.min(b.width / 2, 40), b.y + b.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call(
                "Input.dispatchMouseEvent",
                type=kind,
                x=place[0],
                y=place[1],
                button="left",
                clickCount=1,
            )
        self.settle()

    def press(self, key, text=""):
        code = {"Tab": 9, "Enter": 13, " ": 32}.get(key, 0)
        self.call(
            "Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, text=text
        )
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)
        self.settle()

    def type(self, selector, text):
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        self.call("Input.insertText", text=text)

    def screenshot(self, path, full=True):
        picture = self.call("Page.captureScreenshot", captureBeyondViewport=full)
        with open(path, "wb") as f:
            f.write(base64.b64decode(picture["data"]))

    def print(self, path):
        document = self.call(
            "Page.printToPDF", printBackground=False, paperWidth=8.27, paperHeight=11.69
        )
        with open(path, "wb") as f:
            f.write(base64.b64decode(document["data"]))

    def told(self, *methods):
        """The parameters of the events of these methods."""
        return [
            event[2]
            for event in self.browser.events
            if event[0] == self.session and event[1] in methods
        ]

    def complaints(self):
        """All that was logged, thrown or asked."""
        return self.told(
            "Runtime.consoleAPICalled",
            "Runtime.exceptionThrown",
            "Log.entryAdded",
            "Page.javascriptDialogOpening",
        )

    def requests(self):
        return [told["request"]["url"] for told in self.told("Network.requestWillBeSent")]
