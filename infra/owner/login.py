"""Sign in from this machine: a new link from the desk's own key, and a look until its token is stored.

What can go wrong: nobody serves the pages, the desk has no key, the owner takes too long, the code is wrong. What this
promises: the link is made from the key in the desk's vault, at the desk's own time, and counts once; signed in is what
the desk's own store says, not what a page says.
"""

import http.client
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.day import owner
from infra.day.problems import UserError
from infra.owner import systems
from infra.owner.profiles import Hand
from shared.domain.tokens import TokenRecord, TokenState, stage_of
from shared.usecases import flows, token
from shared.usecases.links import LOGIN_LINK_LIFE, sign_in_key

_LOOK_EVERY_S = 0.2
_TIMEOUT_S = 30
_ASKED_AT_MOST = 3
Tell = Callable[[str], object]
_CODE = re.compile(r"[A-Za-z0-9]{4,16}")


def _silently(_said: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenView:
    """Where the token stands; never the token itself. `signs_in` says that the owner has to sign in."""

    state: TokenState
    signs_in: bool
    issued_at: datetime | None
    renewed_at: datetime | None
    dies_at: datetime | None
    ended_at: datetime | None


def token_view(hand: Hand) -> TokenView:
    """Look at the token's record; raises StoreDown."""
    held = token.current(hand.desk.store)
    record = held.value if held is not None else None
    stage = stage_of(record, hand.desk.clock.now())
    return TokenView(
        state=stage.state, signs_in=stage.signs_in,
        issued_at=record.issued_at if record else None, renewed_at=record.renewed_at if record else None,
        dies_at=record.dies_at if record else None, ended_at=record.ended_at if record else None,
    )  # fmt: skip


def link(hand: Hand) -> str:
    """Give a new link; raises UserError where nobody serves the pages, and ConfigError without a key."""
    if not hand.running:
        systems.require_unended(Path(hand.name))
        raise UserError("the desk is not running, so nobody serves its sign-in", remedy="start it with `strategy up`")
    if hand.sign_in is None:
        what = "the address of the sign-in page is not known"
        raise UserError(what, remedy="set STRATEGY_SIGN_IN_URL to the address of oauth_callback's /start")
    key = sign_in_key(hand.open_vault(), hand.operator)
    flows.forgive(hand.desk)
    lasts = LOGIN_LINK_LIFE * hand.desk.pace
    return key.mint(hand.desk.chance, now=hand.desk.clock.now(), lasts=lasts, page=hand.sign_in)


def version(hand: Hand) -> str:
    """Name the token of now, to know a new one by."""
    held = token.current(hand.desk.store)
    return held.value.vault_version if held is not None else ""


def await_token(hand: Hand, before: str, *, within_s: float) -> TokenRecord:
    """Wait until another token than `before` is stored; raises UserError when none is in time."""
    end = time.monotonic() + within_s
    while True:
        held = token.current(hand.desk.store)
        if held is not None and held.value.vault_version != before:
            return held.value
        if time.monotonic() > end:
            raise UserError("no token came in time", remedy="ask for a new link with `strategy login`")
        time.sleep(_LOOK_EVERY_S)


def by_code(hand: Hand, ask: Callable[[str], str], tell: Tell = _silently) -> None:
    """Sign in through the pages without a browser of ours: `ask` gets E*TRADE's page and gives the code,
    `tell` gets what was wrong with the last one.

    What is no code is asked for again and sent nowhere. Raises UserError where it comes to nothing, which uses up none
    of the hour's starts.
    """
    try:
        _by_code(link(hand), ask, tell)
    except UserError:
        flows.forgive(hand.desk)
        raise


def _by_code(start_link: str, ask: Callable[[str], str], tell: Tell) -> None:
    pages = Site(start_link)
    try:
        page, cookie = owner.start(pages, start_link)
        there = page.links.get("authorize", "")
        if "state" not in page.fields or not there:
            what = "this desk signs in by a callback address and takes no code"
            raise UserError(what, remedy="leave --pin out")
        status = _type_in(pages, page, cookie, ask, tell)
    except (owner.SignInFailed, OSError, http.client.HTTPException) as problem:
        what = f"the sign-in page did not go on: {problem}"
        raise UserError(what, remedy="look whether the desk runs, and ask again") from None
    if status != 200:
        raise UserError("the code was not accepted", remedy="run `strategy login --pin` again for a new one")


def _type_in(pages: "Site", page: owner.Page, cookie: str, ask: Callable[[str], str], tell: Tell) -> int:
    """Ask for the code, and for that of a new page after one that E*TRADE did not take; give the last status."""
    status = 0
    for _ in range(_ASKED_AT_MOST):
        form = {"state": page.fields["state"], "pin": _typed(ask, page.links["authorize"])}
        status, headers, body = owner.post(pages, "/pin", form, cookie)
        again = owner.Page()
        again.feed(body.decode())
        if status == 200 or "state" not in again.fields or "authorize" not in again.links:
            break
        page, cookie = again, dict(headers).get("Set-Cookie", "").partition(";")[0]
        tell("The code was not accepted.")
    return status


def _typed(ask: Callable[[str], str], there: str) -> str:
    """Ask until what comes could be a code; raises UserError when it never is."""
    for _ in range(_ASKED_AT_MOST):
        code = ask(there).strip()
        if _CODE.fullmatch(code):
            return code
    what = "no code was typed, and nothing was sent to E*TRADE"
    raise UserError(what, remedy="run `strategy login --pin` again, and type the letters and digits as they are shown")


class Site:
    """The pages beside a start page, as a browser asks for them."""

    def __init__(self, page: str) -> None:
        self._parts = urlsplit(page)

    def request(
        self, _function: str, method: str, path_and_query: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, Any, bytes]:
        """Send one request and give status, headers and body."""
        secure = self._parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(self._parts.netloc, timeout=_TIMEOUT_S)
        before = self._parts.path.rpartition("/")[0]
        try:
            connection.request(method, before + path_and_query, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()
