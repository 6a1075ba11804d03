"""The sign-in over fakes that take simulated time: pages, a pretended E*TRADE, browsers; any part may be a variant."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from flask import Request, Response
from werkzeug.test import EnvironBuilder

from infra.one_machine.clock import KernelClock, SeededChance
from infra.one_machine.kernel import Kernel
from infra.one_machine.memory_store import MemoryStore
from infra.one_machine.timed import Latency, TimedStore, TimedVault
from shared.domain.broker.brokerage import Account
from shared.domain.broker.tokens import AccessToken, RequestToken, stage_of
from shared.errors import DeskError, TokenDead
from shared.guard import Guard, GuardedVault
from shared.pages import COOKIE, SignInPages
from shared.pages.halting import Halting
from shared.pages.keys import HeldKey
from shared.pages.refused import RefusalCount
from shared.topology import ACCESS_TOKEN, HALT_KEY, SIGN_IN_KEY, TOPOLOGY
from shared.usecases.base.desk import Desk
from shared.usecases.base.links import HALT, LOGIN_LINK_LIFE, LinkKey
from shared.usecases.sign_in import token
from shared.usecases.sign_in.authorize import SignIns
from tests.doors.fakes import Lines, ListBus, ListVault, notices_of

START = datetime(2026, 11, 23, 13, 30, tzinfo=UTC)
PAGE = "https://example.com/start"
CALLBACK = "https://example.com/callback"
OPERATOR = "owner"
KEY = b"an invented key of some 32 bytes" * 2
KEY_OF_HALTS = b"another one, for the links of halts" * 2
FORM = "application/x-www-form-urlencoded"


OURS = Account(key="ours", number="11112222", mode="CASH", active=True)
THEIRS = Account(key="theirs", number="33334444", mode="CASH", active=True)


class Etrade:
    """The Authority port: request tokens, verifiers, access tokens that die at midnight New York, and who asked."""

    def __init__(self, world: "SignInWorld") -> None:
        self.world = world
        self.calls: Counter[str] = Counter()
        self.verifiers: dict[str, str] = {}
        self.living: dict[str, datetime] = {}
        self.trouble: dict[str, DeskError] = {}
        self.takes_s = 0.2
        self.theirs: tuple[Account, ...] = (OURS,)

    def _asked(self, what: str) -> None:
        self.calls[what] += 1
        self.world.kernel.sleep(self.takes_s)
        if what in self.trouble:
            raise self.trouble[what]

    def request_token(self) -> RequestToken:
        """Give a request token, and remember the verifier that accepting it would show."""
        self._asked("request_token")
        number = self.calls["request_token"]
        given = RequestToken(token=f"request+{number}/token=", secret=f"request-half-{number}")
        self.verifiers[given.token] = f"CODE{number}"
        return given

    def authorize_url(self, token: str) -> str:
        """Give the page on which the owner accepts."""
        return f"https://us.etrade.com/e/t/etws/authorize?key=k&token={quote(token, safe='')}"

    def access_token(self, request: RequestToken, verifier: str) -> AccessToken:
        """Trade the right verifier for a token that dies at the next midnight."""
        self._asked("access_token")
        if self.verifiers.get(request.token) != verifier:
            raise TokenDead("access_token: status 401, token_rejected")
        del self.verifiers[request.token]
        given = AccessToken(token=f"access+{self.calls['access_token']}/token=", secret="access-half")
        new_york = self.world.kernel.now().astimezone(ZoneInfo("America/New_York"))
        midnight = datetime.combine(new_york.date() + timedelta(days=1), time(0), ZoneInfo("America/New_York"))
        self.living[given.token] = midnight.astimezone(UTC)
        return given

    def accounts(self, token: AccessToken) -> tuple[Account, ...]:
        """List the accounts of whoever accepted."""
        self._asked("accounts")
        return self.theirs

    def renew(self) -> None:
        """Wake the token that the record points at."""
        self._asked("renew")
        self._signed()

    def revoke(self, token: AccessToken | None = None) -> None:
        """End a token."""
        self._asked("revoke")
        self.living.pop(token.token if token is not None else self._signed(), None)

    def _signed(self) -> str:
        held = token.current(self.world.store)
        now = self.world.kernel.now()
        if held is None or not stage_of(held.value, now).signs:
            raise TokenDead("there is no access token")
        name = token.load(self.world.vault, held.value).token
        if now >= self.living.get(name, now):
            self.calls["with a dead token"] += 1
            raise TokenDead("renew: status 401, token_rejected")
        return name


NAME = "the PAPER system"


class SignInWorld:
    """One small world; `store`, `vault`, `etrade`, `sign_ins` and `pages` may be variants that a test hands in."""

    def __init__(
        self,
        *,
        store: Callable[[], MemoryStore] = MemoryStore,
        vault: Callable[[], ListVault] = ListVault,
        etrade: type[Etrade] = Etrade,
        sign_ins: type[SignIns] = SignIns,
        pages: type[SignInPages] = SignInPages,
        callback_url: str = CALLBACK,
        account_id: str = OURS.number,
        start: datetime = START,
    ) -> None:
        self.kernel = Kernel(start=start, seed=1)
        self.store, self.vault, self.journal, self.bus = store(), vault(), Lines(), ListBus()
        self.chance = SeededChance(seed=1, name="sign-in")
        latency = Latency(SeededChance(seed=2, name="latency"), 0.01, 0.05)
        self.etrade = etrade(self)
        self.desk = Desk(
            actor="oauth_callback", clock=KernelClock(self.kernel), chance=self.chance, bus=self.bus,
            journal=self.journal, store=TimedStore(self.store, self.kernel, latency),
        )  # fmt: skip
        self.vault.add(SIGN_IN_KEY, KEY)
        self.vault.add(HALT_KEY, KEY_OF_HALTS)
        self.timed_vault = TimedVault(self.vault, self.kernel, latency)
        guarded = GuardedVault(self.timed_vault, Guard(TOPOLOGY.function("oauth_callback"), self.journal))
        made = sign_ins(
            desk=self.desk, authority=self.etrade, vault=guarded, operator=OPERATOR,
            key=HeldKey(self.desk, self.timed_vault, OPERATOR), account_id=account_id,
        )  # fmt: skip
        halting = Halting(desk=self.desk, key=HeldKey(self.desk, self.timed_vault, OPERATOR, purpose=HALT))
        self.pages = pages(
            sign_ins=made, halting=halting, refusals=RefusalCount(self.desk), callback_url=callback_url,
            name=NAME,
        )  # fmt: skip

    def link(self, *, operator: str = OPERATOR, key: bytes = KEY, lasts: timedelta = LOGIN_LINK_LIFE) -> str:
        """Mint a link."""
        minted = LinkKey(operator=operator, value=key)
        return minted.mint(self.chance, now=self.kernel.now(), lasts=lasts, page=PAGE)

    def get(self, path: str, cookie: str = "") -> Response:
        """Open an address in a browser that holds a cookie."""
        return self._ask(b"", method="GET", path=path, cookie=cookie)

    def post(self, path: str, form: dict[str, str] | bytes, cookie: str = "") -> Response:
        """Send a form from a browser that holds a cookie."""
        body = form if isinstance(form, bytes) else urlencode(form).encode()
        return self._ask(body, method="POST", path=path, cookie=cookie)

    def _ask(self, body: bytes, *, method: str, path: str, cookie: str) -> Response:
        headers = [("Cookie", f"{COOKIE}={cookie}")] if cookie else []
        base, _, query = path.partition("?")
        made = EnvironBuilder(
            method=method,
            path=base,
            query_string=query,
            data=body,
            content_type=FORM if body else None,
            headers=headers,
        )
        asked = Request(made.get_environ())
        if self.kernel.inside:
            return self.pages(asked)
        return self.kernel.call(lambda: self.pages(asked), name="browser")

    def begin(self, link: str | None = None) -> tuple[str, str, str]:
        """Begin with a link, and accept: the browser's cookie, the request token and its verifier."""
        answer = self.post("/start", {"link": link or self.link()})
        assert answer.status_code == 200
        found = re.search(r"token=([^\"&]+)", answer.get_data(as_text=True))
        assert found is not None
        name = next(one for one in self.etrade.verifiers if quote(one, safe="") == found[1])
        return cookie_of(answer), name, self.etrade.verifiers[name]

    def together(self, calls: list[Callable[[], Any]]) -> list[Any]:
        """Make calls at the same moment and give what each gave."""
        given: list[Any] = []
        for call in calls:
            self.kernel.spawn(lambda call=call: given.append(call()), name="browser")  # type: ignore[misc]
        self.kernel.run(self.kernel.now() + timedelta(minutes=2))
        return given

    def usable(self) -> tuple[str, ...]:
        """List the versions of access tokens that can be read."""
        return self.vault.versions(ACCESS_TOKEN)

    def cookie(self) -> str:
        """Draw a cookie as the page does, of a sign-in that nobody began."""
        return LinkKey(operator=OPERATOR, value=KEY).cookie(self.chance)

    def told(self) -> list[str]:
        """List the kinds of notices so far."""
        return [notice["kind"] for notice in notices_of(self.store, self.bus)]


def cookie_of(answer: Response) -> str:
    """Give the value of the cookie that an answer sets, or nothing."""
    found = re.match(rf"{COOKIE}=([^;]*)", answer.headers.get("Set-Cookie", ""))
    return found[1] if found else ""


def back(request_token: str, verifier: str) -> str:
    """Give the address at which E*TRADE brings the owner back."""
    return "/callback?" + urlencode({"oauth_token": request_token, "oauth_verifier": verifier})
