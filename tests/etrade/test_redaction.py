"""Canary secrets go in; nothing that comes out of the client holds them, in any spelling."""

import base64
import logging
import traceback
from collections.abc import Callable
from datetime import date
from functools import partial
from urllib.parse import quote

import pytest
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ConnectTimeout, ReadTimeout

from shared.domain.broker.tokens import AccessToken, RequestToken
from shared.errors import DeskError
from shared.etrade.authority import EtradeAuthority
from shared.etrade.client import EtradeBroker
from shared.etrade.session import Call, Credentials
from tests.etrade import samples
from tests.etrade.test_build import TICKET
from tests.etrade.world import DEADLINE, START, Reply, World, json_reply, world

KEY = "canaryconsumerkey00000000000001"
SECRET = "canaryconsumersecret000000000002"
TOKEN = "canary/access+token/0000000003="
TOKEN_SECRET = "canary/access+secret/0000000004="
REQUEST = RequestToken(token="canary/request+token/000000005=", secret="canary/request+secret/00000006=")
VERIFIER = "CNRY7Z"
ACCOUNT_KEY = "-canary_accountkey_008"
ACCOUNT_NUMBER = "00000009"
SECRETS = (*(KEY, SECRET, TOKEN, TOKEN_SECRET, REQUEST.token, REQUEST.secret, VERIFIER, ACCOUNT_KEY, ACCOUNT_NUMBER),)

ECHO = " ".join(SECRETS)
REPLIES: tuple[Reply, ...] = (
    (200, ECHO.encode()),
    (200, b'{"Error":{"code":1,"message":"' + ECHO.encode() + b'"}}'),
    (400, b'{"Error":{"code":1021,"message":"' + ECHO.replace(VERIFIER, "").encode() + b'"}}'),
    (401, b"<html>oauth_problem=token_rejected " + ECHO.encode() + b"</html>"),
    (401, b"<Error><message>" + ECHO.encode() + b"</message></Error>"),
    (503, b"<html>" + ECHO.encode() + b"</html>"),
    (302, ECHO.encode()),
    ConnectTimeout(ECHO),
    ReadTimeout(ECHO),
    RequestsConnectionError(ECHO),
    json_reply(samples.ACCOUNTS),
)


def spellings(secret: str) -> set[str]:
    """Give a secret raw, URL-encoded once and twice, in base64 at any offset, in hex and as repr."""
    raw = secret.encode()
    inner = {base64.b64encode(b"x" * shift + raw).decode()[4:-4] for shift in range(3)}
    once = quote(secret, safe="")
    return {
        secret,
        once,
        quote(once, safe=""),
        raw.hex(),
        repr(secret)[1:-1],
        *(text for text in inner if len(text) > 8),
    }


def world_of(reply: Reply) -> World:
    made = world(reply)
    made.credentials = Credentials(
        consumer_key=KEY,
        consumer_secret=SECRET,
        token=AccessToken(token=TOKEN, secret=TOKEN_SECRET),
        token_dies_at=START,
    )
    return made


BROKER_CALLS: tuple[Callable[[EtradeBroker], object], ...] = (
    lambda broker: broker.accounts(),
    lambda broker: broker.balance(ACCOUNT_KEY),
    lambda broker: broker.portfolio(ACCOUNT_KEY),
    lambda broker: dict(broker.quotes(["AAPL"])),
    lambda broker: broker.preview(ACCOUNT_KEY, TICKET),
    lambda broker: broker.place(ACCOUNT_KEY, TICKET, [7], deadline=DEADLINE),
    lambda broker: broker.orders(ACCOUNT_KEY, since=date(2026, 11, 23)),
    lambda broker: broker.order(ACCOUNT_KEY, 5),
    lambda broker: broker.cancel(ACCOUNT_KEY, 5),
)
AUTHORITY_CALLS: tuple[Callable[[EtradeAuthority], object], ...] = (
    lambda authority: authority.request_token(),
    lambda authority: authority.access_token(REQUEST, VERIFIER),
    lambda authority: authority.renew(),
    lambda authority: authority.revoke(),
)


def shown(work: Callable[[], object]) -> str:
    """Do something and give all that it shows: its answer, or its error down to the last context."""
    try:
        return repr(work())
    except DeskError as problem:
        told = [str(problem), repr(problem), problem.detail, "".join(traceback.format_exception(problem))]
        link: BaseException | None = problem
        while link is not None:
            told.append(repr(link))
            link = link.__cause__ or link.__context__
        return "\n".join(told)


@pytest.mark.parametrize("reply", REPLIES, ids=range(len(REPLIES)))
def test_no_secret_comes_out(reply: Reply, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever call fails in whatever way, no journal line, log record, error or answer holds a canary."""
    caplog.set_level(logging.DEBUG)
    out = []
    for call in BROKER_CALLS:
        made = world_of(reply)
        broker = made.broker()
        out += [shown(partial(call, broker)), repr(made.journal.lines), repr(broker)]
    for ask in AUTHORITY_CALLS:
        made = world_of(reply)
        authority = made.authority()
        out += [shown(partial(ask, authority)), repr(made.journal.lines), repr(authority)]
    everything = "\n".join([*out, caplog.text])
    assert [secret for secret in SECRETS for text in spellings(secret) if text in everything] == []


def test_values_that_hold_secrets_hide_them() -> None:
    """Credentials, signers, calls and answers show nothing of their content."""
    credentials = world_of((200, b"")).credentials
    call = Call(method="GET", url=f"https://api.etrade.com/v1/accounts/{ACCOUNT_KEY}")
    told = f"{credentials!r} {credentials} {credentials.signer()!r} {credentials.token!r} {call!r}"
    assert [secret for secret in SECRETS if secret in told] == []


def test_the_canaries_would_be_found() -> None:
    """The search finds a secret that is printed raw, encoded or inside a basic-auth header."""
    header = base64.b64encode(f"user:{SECRET}".encode()).decode()
    assert any(text in header for text in spellings(SECRET))
    assert any(text in quote(TOKEN, safe="") for text in spellings(TOKEN))
