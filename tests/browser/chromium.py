"""A headless Chromium, driven by its own protocol (CDP) through a pair of pipes."""

import base64
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
"""A person's: Chromium's own says that it is headless."""


class Chromium:
    """One page of a browser. Commands and events are those of https://chromedevtools.github.io/devtools-protocol/."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to_browser, self._from_browser = to_browser, from_browser
        self._pending = b""
        self._number = 0
        self._session: str | None = None
        self._events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one command and return its result."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            command["sessionId"] = self._session
        os.write(self._to_browser, json.dumps(command).encode() + b"\0")
        while (answer := self._receive()).get("id") != self._number:
            self._events.append(answer)
        assert "error" not in answer, (method, answer)
        return answer["result"]

    def open(self, address: str, width: int, *, dark: bool = False, blocked: Sequence[str] = ()) -> None:
        """Load a page at `width` CSS pixels, as on a phone or a desk; return when it and its pictures are there."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Network.setCacheDisabled", cacheDisabled=True)
        self.call("Network.setBlockedURLs", urls=list(blocked))
        self._events.clear()
        failed = self.call("Page.navigate", url=address).get("errorText")
        assert failed is None, (address, failed)
        while not any(event.get("method") == "Page.loadEventFired" for event in self._events):
            self._events.append(self._receive())

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def screenshot(self, file: Path) -> None:
        """Write the whole page, as long as it is, as PNG."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))

    def requests(self) -> list[str]:
        """What the page asked for since it was opened."""
        return [url for _, _, url in self.network_log()]

    def network_log(self) -> list[tuple[str, str, str]]:
        """Kind (`Fetch`, `Ping`, `Preflight`, …), method and address of what was asked for since a page was opened."""
        self.evaluate("1")  # what happened before its answer is here by then
        asked = [one["params"] for one in self._events if one.get("method") == "Network.requestWillBeSent"]
        return [(one["type"], one["request"]["method"], one["request"]["url"]) for one in asked]

    def _receive(self) -> dict[str, Any]:
        """The next message; each ends with a zero byte."""
        while b"\0" not in self._pending:
            read = os.read(self._from_browser, 1 << 16)
            assert read, "Chromium has ended"
            self._pending += read
        message, _, self._pending = self._pending.partition(b"\0")
        return json.loads(message)


@contextmanager
def start_chromium(program: str, profile: Path) -> Iterator[Chromium]:
    """A browser for as long as the block lasts; what it keeps goes to `profile`."""
    (command_out, command_in), (answer_out, answer_in) = os.pipe(), os.pipe()

    def take_the_pipes() -> None:
        """Chromium reads 3 and writes 4."""
        kept = os.dup(command_out), os.dup(answer_in)
        os.dup2(kept[0], 3)
        os.dup2(kept[1], 4)

    browser = subprocess.Popen(
        [
            program,
            "--headless",
            "--remote-debugging-pipe",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-extensions",
            f"--user-agent={USER_AGENT}",
            f"--user-data-dir={profile}",
        ],
        preexec_fn=take_the_pipes,  # noqa: PLW1509 - nothing else runs in this process that a fork could hurt
        close_fds=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(command_out)
    os.close(answer_in)
    try:
        yield Chromium(command_in, answer_out)
    finally:
        os.killpg(browser.pid, signal.SIGKILL)
        browser.wait()
