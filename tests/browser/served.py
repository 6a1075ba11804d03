"""The real sign-in on a loopback port, the simulated broker behind it, and a real browser in front."""

import os
import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright
from werkzeug.serving import make_server

from infra.brokersim.settings import SimulatorSettings
from infra.brokersim.simulator import CASH_ACCOUNT_KEY, Simulator
from infra.one_machine.hosting import load_app
from infra.one_machine.memory_store import MemoryStore
from infra.one_machine.world import FUNCTIONS
from infra.one_machine.wsgi import exchange
from shared import wiring
from shared.errors import ConfigError
from shared.gcp.chance import SystemChance
from shared.gcp.clock import SystemClock
from shared.gcp.threads import Threads
from shared.topology import CONSUMER, HALT_KEY, SIGN_IN_KEY, TOPOLOGY
from shared.usecases.base.links import HALT, HALT_LINK_LIFE, LOGIN_LINK_LIFE, LinkKey, halt_page
from shared.wiring import Platform
from tests.doors.fakes import Lines, ListBus, ListVault
from tests.infra.brokersim.world import InProcess, quiet

CHROMIUM = shutil.which("chromium")
REQUIRED = "REQUIRE_CHROMIUM"
KEY = b"an invented key of some 32 bytes" * 2
KEY_OF_HALTS = b"another one, for the links of halts" * 2
ETRADE = "us.etrade.com"
PHONE = {"width": 390, "height": 780}
DESK = {"width": 1280, "height": 800}
_SETTINGS = SimulatorSettings(consumer_key="simulated-key", consumer_secret="simulated-secret")


class Served:
    """One sign-in at `http://127.0.0.1:<port>`; `comes_back` says whether E*TRADE brings the owner back by itself."""

    def __init__(self, *, comes_back: bool) -> None:
        self.simulator = Simulator(market=quiet(), now=lambda: datetime.now(UTC), settings=_SETTINGS, seed=1)
        self.store, self.vault, self.journal, self.bus = MemoryStore(), ListVault(), Lines(), ListBus()
        self.vault.add(CONSUMER, b'{"key":"simulated-key","secret":"simulated-secret"}')
        self.vault.add(SIGN_IN_KEY, KEY)
        self.vault.add(HALT_KEY, KEY_OF_HALTS)
        self.server = make_server("127.0.0.1", 0, _nothing, threaded=True)
        self.address = f"http://127.0.0.1:{self.server.port}"
        self.callback = f"{self.address}/callback" if comes_back else ""
        wiring.use(self._platform)
        self.server.app = load_app(FUNCTIONS / "oauth_callback" / "main.py")
        self.at_etrade_s = 0.0
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def _platform(self, function: str) -> Platform:
        environ = {
            "STRATEGY_WATCH_LIST": "AIG", "STRATEGY_CAPITAL_USD": "1000", "ETRADE_OAUTH_CALLBACK_URL": self.callback,
            "ETRADE_ACCOUNT_ID": CASH_ACCOUNT_KEY,
        }  # fmt: skip
        return Platform(
            function=TOPOLOGY.function(function), environ=environ, clock=SystemClock(), chance=SystemChance(),
            side_by_side=Threads(SystemClock()), store=self.store, bus=self.bus, vault=self.vault, journal=self.journal,
            http=InProcess(self.simulator),
        )  # fmt: skip

    def link(self) -> str:
        """Give a new link."""
        key = LinkKey(operator="owner", value=KEY)
        now = datetime.now(UTC)
        return key.mint(SystemChance(), now=now, lasts=LOGIN_LINK_LIFE, page=f"{self.address}/start")

    def halt_link(self) -> str:
        """Give a new link that halts."""
        key = LinkKey(operator="owner", value=KEY_OF_HALTS, purpose=HALT)
        page = halt_page(f"{self.address}/start")
        return key.mint(SystemChance(), now=datetime.now(UTC), lasts=HALT_LINK_LIFE, page=page)

    def etrade(self, route: Route) -> None:
        """Be E*TRADE's page, and bring the owner back where that is agreed."""
        began = time.monotonic()
        asked = route.request
        target = asked.url.partition(ETRADE)[2]
        answer = exchange(
            self.simulator, method=asked.method, target=target, headers=asked.headers, scheme="https", host=ETRADE,
            body=(asked.post_data or "").encode(),
        )  # fmt: skip
        code = re.search(rb'id="verifier">([A-Z0-9]+)<', answer.body)
        if code is not None and self.callback:
            sent = parse_qs(target.partition("?")[2]) | parse_qs(asked.post_data or "")
            token = sent["token"][0]
            to = f"{self.callback}?{urlencode({'oauth_token': token, 'oauth_verifier': code[1].decode()})}"
            route.fulfill(status=302, headers={"Location": to})
        else:
            route.fulfill(status=answer.status, headers=dict(answer.headers), body=answer.body)
        self.at_etrade_s += time.monotonic() - began

    def close(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()
        wiring.use(_closed)


@dataclass(slots=True)
class Visit:
    """One browser of the owner: what it complained about."""

    context: BrowserContext
    page: Page
    complaints: list[str]


@contextmanager
def browser() -> Iterator[Browser]:
    """Start Chromium."""
    with sync_playwright() as started:
        # The sandbox of Chromium refuses to run for root, which is who a build machine is.
        args = ["--no-sandbox"] if os.geteuid() == 0 else []
        running = started.chromium.launch(executable_path=CHROMIUM, args=args)
        yield running
        running.close()


@contextmanager
def visit(
    running: Browser, served: Served, *, size: dict[str, int] = PHONE, dark: bool = False, scripts: bool = True
) -> Iterator[Visit]:
    """Open a browser of its own, with E*TRADE behind its address."""
    context = running.new_context(
        viewport={"width": size["width"], "height": size["height"]}, color_scheme="dark" if dark else "light",
        java_script_enabled=scripts, has_touch=size is PHONE,
    )  # fmt: skip
    context.route(f"https://{ETRADE}/**", served.etrade)
    complaints: list[str] = []
    context.on("console", lambda message: complaints.append(message.text))
    yield Visit(context, context.new_page(), complaints)
    context.close()


def type_code(visited: Visit, link: str) -> None:
    """Sign in with a link and the code."""
    page = visited.page
    page.goto(link)
    page.get_by_role("button", name="Continue").click()
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Open E*TRADE").click()
    etrade = opened.value
    etrade.get_by_role("button", name="Accept").click()
    code = etrade.locator("#verifier").inner_text()
    etrade.close()
    page.get_by_label("Type the code here.").fill(f" {code.lower()} ")
    page.get_by_role("button", name="Sign in").click()


def come_back(visited: Visit, link: str) -> None:
    """Sign in with a link, and come back from E*TRADE by itself."""
    page = visited.page
    page.goto(link)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Accept").click()


def keep(page: Page, folder: Path, name: str) -> None:
    """Keep a picture of a page, in the folder that SCREENSHOTS names or in the test's own."""
    kept = Path(os.environ.get("SCREENSHOTS") or folder)
    kept.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(kept / f"{name}.png"))


def _nothing(environ: object, start_response: object) -> list[bytes]:
    """Stand where the function will be, until the port is known."""
    raise ConfigError(("not open yet",))


def _closed(function: str) -> Platform:
    raise ConfigError((f"{function}: its world is closed",))
