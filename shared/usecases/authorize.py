"""Sign the owner in: open a flow, let E*TRADE's page ask, trade the verifier for the day's token.

What can go wrong: a callback comes twice, late, forged or for another flow; the vault fails after the verifier is
spent. What this promises: a flow counts once (one commit consumes it before the one exchange), lives five minutes,
and its secret half never leaves the vault; a refused callback says one constant sentence.
"""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.codec import dumps, encode, loads
from shared.domain.calendar import next_midnight
from shared.domain.messages import PrepareTick
from shared.domain.tokens import RequestToken, TokenRecord
from shared.errors import AuthError, BrokerError, Conflict, StoreDown
from shared.ports import Authority, Severity, Vault
from shared.topology import ACCESS_TOKEN, REQUEST_TOKEN
from shared.usecases import outbox, token
from shared.usecases.desk import Desk, create, put, read

FLOW_LIFE = timedelta(minutes=5)
_FLOW = re.compile(r"[0-9a-f]{32}")
_VERIFIER = re.compile(r"[A-Za-z0-9]{4,16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One sign-in under way; the request token's secret is in the vault under `version`."""

    version: str
    expires_at: datetime
    used: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Where the owner accepts, and the flow's name."""

    url: str
    flow: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """The token is stored and lives until `dies_at`."""

    dies_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInRefused:
    """Nothing was stored; `why` goes to the journal, never to the caller."""

    why: str


def flow_of(request_token: str) -> str:
    """Name the flow of a request token without holding the token."""
    return hashlib.sha256(request_token.encode()).hexdigest()[:32]


def open_flow(desk: Desk, authority: Authority, vault: Vault) -> Opened:
    """Ask E*TRADE for a request token and remember the flow."""
    request = authority.request_token()
    version = vault.add(REQUEST_TOKEN, dumps(encode(request)))
    flow = flow_of(request.token)
    value = Flow(version=version, expires_at=desk.clock.now() + FLOW_LIFE)
    desk.store.commit([create(f"flows/{flow}", value)])
    desk.journal.line("sign_in_opened", flow=flow)
    return Opened(url=authority.authorize_url(request.token), flow=flow)


def finish_flow(
    desk: Desk, authority: Authority, vault: Vault, *, flow: str, verifier: str
) -> SignedIn | SignInRefused:
    """Consume a flow and store the day's token; every refusal leaves what was there before."""
    answer = _finish(desk, authority, vault, flow=flow, verifier=verifier)
    if isinstance(answer, SignInRefused):
        desk.journal.line("sign_in_refused", Severity.WARNING, why=answer.why)
    else:
        desk.journal.line("signed_in", dies_at=answer.dies_at.isoformat())
    return answer


def _finish(desk: Desk, authority: Authority, vault: Vault, *, flow: str, verifier: str) -> SignedIn | SignInRefused:
    if not (_FLOW.fullmatch(flow) and _VERIFIER.fullmatch(verifier)):
        return SignInRefused(why="malformed")
    held = read(desk.store, Flow, f"flows/{flow}")
    if held is None or held.value.used or desk.clock.now() > held.value.expires_at:
        return SignInRefused(why="unknown, used or expired flow")
    try:
        desk.store.commit([held.update(replace(held.value, used=True))])
        plain = loads(vault.read(REQUEST_TOKEN, held.value.version))
        vault.destroy(REQUEST_TOKEN, held.value.version)
        request = RequestToken(token=plain["token"], secret=plain["secret"])
        version = token.keep(vault, authority.access_token(request, verifier))
    except Conflict:
        return SignInRefused(why="used at the same moment")
    except (AuthError, BrokerError, StoreDown) as problem:
        return SignInRefused(why=f"{type(problem).__name__}: {problem.detail}")
    return _point_at(desk, vault, version)


def _point_at(desk: Desk, vault: Vault, version: str) -> SignedIn:
    now = desk.clock.now()
    record = TokenRecord(vault_version=version, issued_at=now, renewed_at=now, dies_at=next_midnight(now))
    row = outbox.promise(
        desk,
        name=f"signed-in:{version}",
        topic="prepare-ticks",
        key="",
        message=PrepareTick(reason="signed-in"),
    )
    desk.store.commit([put(token.PATH, record), row])
    outbox.publish(desk, row)
    for older in vault.versions(ACCESS_TOKEN):
        if older != version:
            vault.destroy(ACCESS_TOKEN, older)
    return SignedIn(dies_at=record.dies_at)
