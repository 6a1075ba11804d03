"""Sign the owner in: open a flow, let E*TRADE's page ask, trade the verifier for the day's token.

What can go wrong: a callback comes twice, late, forged or for another flow; the vault fails after the verifier is
spent; the bus or a clean-up fails when the token already counts. What this promises: a flow counts once (one commit
consumes it before the one exchange), lives five minutes, and its secret half never leaves the vault; a refused
callback says one constant sentence and leaves no token behind; a token that counts is never told as a failure.
"""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.codec import decode, dumps, encode, loads
from shared.domain.calendar import next_midnight
from shared.domain.messages import PrepareTick
from shared.domain.tokens import RequestToken, TokenRecord
from shared.errors import AuthError, BrokerError, Conflict, DeskError, Malformed, StoreDown, StoreError
from shared.ports import Authority, Create, Delete, Severity, Vault
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
    try:
        _sweep(desk, vault)
    except StoreError as problem:
        _later(desk, "sweep", problem)
    return Opened(url=authority.authorize_url(request.token), flow=flow)


def _sweep(desk: Desk, vault: Vault) -> None:
    """Destroy the request tokens of flows that are long over, finished or not, and forget the flows."""
    long_over = desk.clock.now() - FLOW_LIFE
    for row in desk.store.query("flows"):
        old = decode(Flow, row.data)
        if old.expires_at < long_over:
            token.discard(vault, REQUEST_TOKEN, old.version)
            desk.store.commit([Delete(row.path)])


def _later(desk: Desk, what: str, problem: DeskError) -> None:
    desk.journal.line("left_for_later", Severity.WARNING, what=what, kind=type(problem).__name__, detail=problem.detail)


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
        request = decode(RequestToken, loads(vault.read(REQUEST_TOKEN, held.value.version)))
        token.discard(vault, REQUEST_TOKEN, held.value.version)
        version = token.keep(vault, authority.access_token(request, verifier))
    except Conflict:
        return SignInRefused(why="used at the same moment")
    except (KeyError, Malformed):
        return SignInRefused(why="the vault no longer holds the request token")
    except (AuthError, BrokerError, StoreDown) as problem:
        return SignInRefused(why=f"{type(problem).__name__}: {problem.detail}")
    return _point_at(desk, vault, version)


def _point_at(desk: Desk, vault: Vault, version: str) -> SignedIn | SignInRefused:
    now = desk.clock.now()
    record = TokenRecord(vault_version=version, issued_at=now, renewed_at=now, dies_at=next_midnight(now))
    row = outbox.promise(
        desk,
        name=f"signed-in:{version}",
        topic="prepare-ticks",
        key="",
        message=PrepareTick(reason="signed-in"),
    )
    try:
        desk.store.commit([put(token.PATH, record), row])
    except StoreError as problem:
        if not _counts(desk, vault, version):
            return SignInRefused(why=f"{type(problem).__name__}: {problem.detail}")
    _tell(desk, vault, row, version)
    return SignedIn(dies_at=record.dies_at)


def _counts(desk: Desk, vault: Vault, version: str) -> bool:
    """Look whether a commit of unknown outcome made this token count; if surely not, the token is destroyed."""
    try:
        held = token.current(desk.store)
    except StoreDown:
        return False
    if held is not None and held.value.vault_version == version:
        return True
    token.discard(vault, ACCESS_TOKEN, version)
    return False


def _tell(desk: Desk, vault: Vault, row: Create, version: str) -> None:
    """Publish the message and destroy older tokens; what fails here is done by a later sign-in."""
    try:
        outbox.publish(desk, row)
    except (BrokerError, StoreError) as problem:
        _later(desk, "publish", problem)
    try:
        for older in vault.versions(ACCESS_TOKEN):
            if older != version and not token.discard(vault, ACCESS_TOKEN, older):
                desk.journal.line("token_not_destroyed", Severity.ERROR, version=older)
    except StoreDown as problem:
        _later(desk, "destroy", problem)
