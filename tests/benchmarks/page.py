"""The sign-in page in a process of its own, as functions-framework serves it in the cloud, over ports that count.

    THREADS=250 python -m tests.benchmarks.page now|before PORT

Store and vault are in memory and take as long as the cloud's do; E*TRADE gives request tokens at once. `/counts` tells
how often store and vault were asked. `before` is the page as it was (tests.doors.strangers).
"""

import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import functions_framework
from flask import Request, Response

from shared.domain.broker.brokerage import Account
from shared.domain.broker.tokens import AccessToken, RequestToken
from shared.errors import TokenDead
from shared.gcp.chance import SystemChance
from shared.gcp.clock import SystemClock
from shared.pages import SignInPages
from shared.pages.halting import Halting
from shared.pages.keys import HeldKey
from shared.pages.refused import RefusalCount
from shared.ports import Document, Write
from shared.topology import HALT_KEY, SIGN_IN_KEY
from shared.usecases.base.desk import Desk
from shared.usecases.base.links import HALT, LOGIN_LINK_LIFE, LinkKey
from shared.usecases.sign_in.authorize import SignIns
from tests.doors.fakes import Lines, ListBus
from tests.doors.strangers import CountedStore, CountedVault, Eager, OneCount

KEY = b"an invented key of some 32 bytes" * 2
OPERATOR = "owner"
WHICH = "PAGE"
_STORE_S, _VAULT_S = 0.01, 0.05


class SlowStore(CountedStore):
    """A store that takes its time, and one caller at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._turn = threading.RLock()

    def get(self, path: str) -> Document | None:
        """Wait, then read."""
        time.sleep(_STORE_S)
        with self._turn:
            return super().get(path)

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Wait, then commit."""
        time.sleep(_STORE_S)
        with self._turn:
            return super().commit(writes)


class SlowVault(CountedVault):
    """A vault that takes its time."""

    def _mind(self, operation: str) -> None:
        time.sleep(_VAULT_S)
        super()._mind(operation)


class Etrade:
    """E*TRADE as far as the beginning of a sign-in asks it."""

    def request_token(self) -> RequestToken:
        """Open a sign-in."""
        return RequestToken(token=SystemChance().token(32), secret="half")

    def authorize_url(self, token: str) -> str:
        """Give the page on which the owner would accept."""
        return f"https://us.etrade.com/e/t/etws/authorize?key=k&token={token}"

    def access_token(self, request: RequestToken, verifier: str) -> AccessToken:
        """Take no code."""
        raise TokenDead("access_token: status 401, token_rejected")

    def accounts(self, token: AccessToken) -> tuple[Account, ...]:
        """List none."""
        return ()

    def renew(self) -> None:
        """Wake nothing."""

    def revoke(self, token: AccessToken | None = None) -> None:
        """End nothing."""


def link(*, lasts: timedelta = LOGIN_LINK_LIFE) -> str:
    """Give the owner a link."""
    key = LinkKey(operator=OPERATOR, value=KEY)
    return key.mint(SystemChance(), now=datetime.now(UTC), lasts=lasts, page="")


def _pages(which: str, store: CountedStore, vault: CountedVault) -> SignInPages:
    vault.add(SIGN_IN_KEY, KEY)
    vault.add(HALT_KEY, KEY)
    desk = Desk(
        actor="oauth_callback", clock=SystemClock(), chance=SystemChance(), store=store, bus=ListBus(), journal=Lines()
    )
    sign_ins = (OneCount if which == "before" else SignIns)(
        desk=desk, authority=Etrade(), vault=vault, operator=OPERATOR, key=HeldKey(desk, vault, OPERATOR),
        account_id="11112222"
    )  # fmt: skip
    halting = Halting(desk=desk, key=HeldKey(desk, vault, OPERATOR, purpose=HALT))
    kind = Eager if which == "before" else SignInPages
    return kind(sign_ins=sign_ins, halting=halting, refusals=RefusalCount(desk), callback_url="", name="")


_store, _vault = SlowStore(), SlowVault()
_served = _pages(os.environ[WHICH], _store, _vault) if WHICH in os.environ else None


@functions_framework.http
def main(request: Request) -> Response:
    """Serve one request, or tell the counts."""
    if request.path == "/counts":
        return Response(json.dumps({"store": _store.calls.total(), "vault": _vault.calls.total()}))
    assert _served is not None
    return _served(request)


if __name__ == "__main__":
    from functions_framework._http import create_server

    os.environ[WHICH] = sys.argv[1]
    app = functions_framework.create_app("main", source=str(Path(__file__)), signature_type="http")  # type: ignore[no-untyped-call]
    create_server(app, debug=False).run("127.0.0.1", int(sys.argv[2]))  # type: ignore[no-untyped-call]
