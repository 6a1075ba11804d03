"""What strangers can do to the sign-in page, and the owner beside them; now and as the page was before.

    python -m tests.benchmarks.strangers [--forged 10000] [--slow 200] [--save FILE]

Three attacks on a page in a process of its own, with as many threads as one instance has places, each with the owner's
genuine link beside it: forged starts at 100 a second; bodies of which a byte comes each second, from as many
connections at once, begun again as soon as they are ended; one link that somebody else uses up. Counted is how often
store and vault were asked, measured how long the owner's start took. The client is in Python on the same machine.
"""

import argparse
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from rich.table import Table

from infra.one_machine.loopback import LOOPBACK, held_port
from shared.pages.body import FORM
from shared.topology import TOPOLOGY
from shared.usecases.sign_in.flows import MOST_STARTS
from tests.benchmarks import report
from tests.benchmarks.page import link
from tests.doors.strangers import forged_link

PLACES_BEFORE = 8
PACE_S = 0.01
ASKS = 20
UNANSWERED_S = 10.0
_READY_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One attack on one page: calls of store and vault by strangers, and the owner's starts beside them, seconds."""

    attack: str
    page: str
    places: int
    calls: int
    answered: int
    asked: int
    slowest_s: float


class Browser:
    """Sends requests to the page."""

    def __init__(self, port: int, *, patience_s: float = UNANSWERED_S) -> None:
        self.port = port
        self._patience_s = patience_s
        self._calls = 0

    def ask(self, method: str, path: str, form: dict[str, str] | None = None, cookie: str = "") -> tuple[int, str, str]:
        """Send a request and give status, cookie and body; status 0 when no answer came in time."""
        headers = ({"Content-Type": FORM} if form is not None else {}) | ({"Cookie": cookie} if cookie else {})
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=self._patience_s)
        try:
            connection.request(method, path, body=urlencode(form or {}), headers=headers)
            answer = connection.getresponse()
            body = answer.read().decode()
            return answer.status, (answer.getheader("Set-Cookie") or "").partition(";")[0], body
        except (OSError, http.client.HTTPException):
            return 0, "", ""
        finally:
            connection.close()

    def start(self, text: str) -> int:
        """Begin a sign-in and give the status."""
        return self.ask("POST", "/start", {"link": text.partition("#")[2] or text})[0]

    def calls(self) -> int:
        """Tell how often store and vault were asked so far, as far as the page answers."""
        status, _, body = self.ask("GET", "/counts")
        self._calls = sum(json.loads(body).values()) if status == 200 else self._calls
        return self._calls


@contextmanager
def served(page: str, places: int, *, patience_s: float = UNANSWERED_S) -> Iterator[Browser]:
    """Serve a page with so many threads."""
    with held_port() as port:
        environ = {**os.environ, "THREADS": str(places)}
        command = [sys.executable, "-m", "tests.benchmarks.page", page, str(port)]
        quiet = subprocess.DEVNULL
        with subprocess.Popen(command, env=environ, stdout=quiet, stderr=quiet, start_new_session=True) as process:  # noqa: S603 - our own
            browser = Browser(port, patience_s=patience_s)
            end = time.monotonic() + _READY_S
            try:
                while browser.ask("GET", "/health")[0] != 200:
                    if time.monotonic() > end or process.poll() is not None:
                        raise SystemExit("the page does not start")
                    time.sleep(0.1)
                yield browser
            finally:
                os.killpg(process.pid, signal.SIGKILL)  # the server, and the worker that it forked


@contextmanager
def slow_bodies(port: int, count: int) -> Iterator[None]:
    """Hold so many connections on which a byte of a body comes each second, and open each again when it is ended."""
    over = threading.Event()
    head = f"POST /start HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: 2000\r\n\r\n".encode()

    def opened() -> socket.socket | None:
        try:
            one = socket.create_connection((LOOPBACK, port), timeout=1)
            one.sendall(head)
            one.setblocking(False)
        except OSError:
            return None
        return one

    def drip() -> None:
        held = [opened() for _ in range(count)]
        while not over.wait(1.0):
            held = [one if one is not None and _goes_on(one) else opened() for one in held]
        for one in held:
            if one is not None:
                one.close()

    thread = threading.Thread(target=drip)
    thread.start()
    time.sleep(1.5)
    try:
        yield
    finally:
        over.set()
        thread.join()


def _goes_on(one: socket.socket) -> bool:
    """Send one byte; false when the connection was ended or answered."""
    try:
        one.sendall(b"a")
        with suppress(BlockingIOError):
            one.recv(1)
            one.close()
            return False
    except OSError:
        one.close()
        return False
    return True


def forged(browser: Browser, count: int) -> int:
    """Post so many forged links, 100 a second, and give how many were refused."""
    chance = random.Random(3)
    links = [forged_link(chance) for _ in range(count)]
    began = time.monotonic()

    def one(number: int) -> int:
        time.sleep(max(0.0, began + number * PACE_S - time.monotonic()))
        return browser.start(links[number])

    with ThreadPoolExecutor(16) as pool:
        return sum(status == 400 for status in pool.map(one, range(count)))


def used_up(browser: Browser) -> int:
    """Use one link as often as it lets somebody, and give how often that was."""
    status, cookie, _ = browser.ask("POST", "/start", {"link": link().partition("#")[2]})
    times = 0
    while status == 200 and times < 2 * MOST_STARTS:
        times += 1
        status, cookie, _ = browser.ask("POST", "/again", {}, cookie)
    return times


def beside(browser: Browser, attack: Callable[[], object], page: str, name: str, places: int) -> Seen:
    """Let the owner begin sign-ins while an attack goes on; what the attack's strangers cost is counted before."""
    before, took = browser.calls(), list[float]()
    thread = threading.Thread(target=attack)
    thread.start()
    time.sleep(1.0)
    cost = 0
    for _ in range(ASKS):
        began = time.monotonic()
        calls = browser.calls()
        status = browser.start(link())
        took.append(time.monotonic() - began if status == 200 else UNANSWERED_S)
        cost += browser.calls() - calls
        if not thread.is_alive() or took[-1] >= UNANSWERED_S:
            break
        time.sleep(0.2)
    thread.join()
    answered = sum(one < UNANSWERED_S for one in took)
    return Seen(
        attack=name, page=page, places=places, calls=browser.calls() - before - cost, answered=answered,
        asked=len(took), slowest_s=round(max(took), 3),
    )  # fmt: skip


def measure(page: str, *, forgeries: int, slow: int) -> list[Seen]:
    """Let the three attacks run against a page."""
    places = TOPOLOGY.function("oauth_callback").concurrency if page == "now" else PLACES_BEFORE * 3
    seen = []
    with served(page, places) as browser:
        seen.append(beside(browser, lambda: forged(browser, forgeries), page, f"{forgeries} forged starts", places))
    with served(page, places) as browser:
        over = threading.Event()
        with slow_bodies(browser.port, slow):
            timer = threading.Timer(10.0, over.set)
            timer.start()
            seen.append(beside(browser, over.wait, page, f"{slow} slow bodies", places))
    with served(page, places) as browser:
        seen.append(beside(browser, lambda: used_up(browser), page, "one link used up", places))
    return seen


def main() -> None:
    """Measure both pages and print them side by side."""
    words = argparse.ArgumentParser(prog="strangers")
    words.add_argument("--forged", type=int, default=10_000)
    words.add_argument("--slow", type=int, default=200)
    words.add_argument("--save", type=Path)
    given = words.parse_args()
    rows = [one for page in ("before", "now") for one in measure(page, forgeries=given.forged, slow=given.slow)]
    table = Table("attack", "page", "places", "calls of store and vault", "owner answered", "slowest, s")
    for row in rows:
        answered = f"{row.answered} of {row.asked}"
        table.add_row(row.attack, row.page, str(row.places), str(row.calls), answered, f"{row.slowest_s:.3f}")
    notes = [
        "Calls are those of the strangers, without the owner's own; a start of the owner costs the same on both pages.",
        f"The owner waits {UNANSWERED_S:.0f} s at most. {report.machine()}",
    ]
    report.tell(table, notes, rows, given.save)


if __name__ == "__main__":
    main()
