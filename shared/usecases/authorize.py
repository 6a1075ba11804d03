"""Sign the owner in: a link opens a flow, E*TRADE's page asks, the verifier becomes the day's token.

What can go wrong: a link or a callback is forged, old, used, or opened in another person's browser; a callback comes
twice; the vault fails after the verifier is spent; the bus or a clean-up fails when the token already counts. What this
promises: a link starts one flow (one commit remembers the link and creates the flow); a flow belongs to the browser
that holds its cookie and to its request token; it counts once (one commit consumes it before the one exchange) and
lives five minutes; a completed sign-in ends every link that was made before it, and what began with one; the secret
half never leaves the vault; a refusal leaves no token behind; a token that counts is never told as a failure, and one
that does not is ended at E*TRADE, as far as that answers.

A callback without `oauth_token` is taken, as E*TRADE may leave it out (etrade-api.md 1.5): then the cookie names the
request token, and E*TRADE refuses a verifier of any other.
"""

import contextlib
import hmac
import re
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.codec import decode, dumps, encode, loads
from shared.domain.messages import PrepareTick
from shared.domain.notices import SignedIn, SignInFailed
from shared.domain.tokens import AccessToken, RequestToken, TokenRecord, issued
from shared.errors import AuthError, BrokerError, Conflict, DeskError, Malformed, StoreDown, StoreError, TokenDead
from shared.ports import Authority, Create, Delete, Severity, Vault, Write
from shared.topology import ACCESS_TOKEN, REQUEST_TOKEN
from shared.usecases import flows, outbox, token
from shared.usecases.desk import Desk, Held, create, put, read
from shared.usecases.links import Link
from shared.usecases.notices import announce, post

_COOKIE = re.compile(rf"[A-Za-z0-9]{{{flows.COOKIE_LENGTH}}}")
_STATE = re.compile(r"[0-9a-f]{32}")
_VERIFIER = re.compile(r"[A-Za-z0-9]{4,16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Where the owner accepts, the cookie that makes this browser the flow's, and what its form must name."""

    url: str = field(repr=False)
    cookie: str = field(repr=False)
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TooMany:
    """The operator has begun too often within the hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overtaken:
    """The link is genuine, and somebody has signed in since it was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Nothing was stored; `why` goes to the journal, never to the caller."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """The flow is this browser's own, and its time is over; nothing was stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongCode:
    """What was typed is not the code; nothing was stored, and E*TRADE takes no second one for its request token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The owner's own sign-in came to nothing; the same browser may begin again. `why` goes to the journal."""

    why: str


Ending = SignedIn | Refused | Overtaken | Expired | WrongCode | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIns:
    """What signing in works with; `operator` is whose links are taken."""

    desk: Desk
    authority: Authority
    vault: Vault
    operator: str

    def start(self, link: Link) -> Opened | Refused | Overtaken | TooMany:
        """Open a flow with a genuine link that nobody has used; raises BrokerError, AuthError, StoreError."""
        if self._overtaken(link.made_at):
            return Overtaken()
        if self.desk.store.get(flows.link_path(link)) is not None:
            return Refused(why="used link")
        used = create(flows.link_path(link), flows.UsedLink(expires_at=link.expires_at))
        return self._open(
            [used], made_at=link.made_at, again_until=self.desk.clock.now() + flows.AGAIN_LIFE * self.desk.pace
        )

    def again(self, cookie: str) -> Opened | Refused | Overtaken | TooMany:
        """Open another flow for the browser of one that came to nothing; raises as `start` does."""
        held = self._held(cookie)
        if held is None or held.value.done or self.desk.clock.now() > held.value.again_until:
            return Refused(why="nothing to begin again")
        flow = held.value
        if self._overtaken(flow.link_made_at):
            return Overtaken()
        ended = held.update(replace(flow, used=True, done=True))
        return self._open([ended], made_at=flow.link_made_at, again_until=flow.again_until)

    def finish(self, cookie: str, state: str | None, verifier: str, *, typed: bool = False) -> Ending:
        """Consume a flow and store the day's token; every other end leaves what was there before.

        A verifier that was `typed` by a person may be mistyped: then that is what is said, and nobody is alarmed.
        """
        held = self._held(cookie)
        if held is None:
            return Refused(why="no such flow")
        if state is not None and not (_STATE.fullmatch(state) and hmac.compare_digest(state, held.value.state)):
            return Refused(why="another request token")
        if held.value.used:
            return Refused(why="used flow")
        if self.desk.clock.now() > held.value.expires_at:
            return Expired()
        if not _VERIFIER.fullmatch(verifier):
            return WrongCode() if typed else Refused(why="no verifier")
        if self._overtaken(held.value.link_made_at):
            return Overtaken()
        try:
            coming = put(token.COMING, token.Coming(since=self.desk.clock.now()))
            self.desk.store.commit([held.update(replace(held.value, used=True)), coming])
        except Conflict:
            return Refused(why="used at the same moment")
        return self._exchange(held, verifier, typed=typed)

    def _held(self, cookie: str) -> Held[flows.Flow] | None:
        """Find the flow of this operator that a cookie opens."""
        if not _COOKIE.fullmatch(cookie):
            return None
        held = read(self.desk.store, flows.Flow, flows.path_of(cookie))
        return held if held is not None and held.value.operator == self.operator else None

    def _overtaken(self, made_at: datetime) -> bool:
        """Tell whether somebody has signed in since a link was made; a record that cannot be read ends no link."""
        try:
            held = token.current(self.desk.store)
        except Malformed:
            return False
        return held is not None and made_at < held.value.issued_at

    def _open(
        self, with_it: list[Write], *, made_at: datetime, again_until: datetime
    ) -> Opened | Refused | TooMany:  # fmt: skip
        desk = self.desk
        admitted_at = flows.admit(desk, self.operator)
        if admitted_at is None:
            return TooMany()
        try:
            request = self.authority.request_token()
        except (AuthError, BrokerError):
            flows.withdraw(desk, admitted_at)
            raise
        version = self.vault.add(REQUEST_TOKEN, dumps(encode(request)))
        cookie, state = desk.chance.token(flows.COOKIE_LENGTH), flows.state_of(request.token)
        flow = flows.Flow(
            operator=self.operator, link_made_at=made_at, state=state, version=version,
            expires_at=desk.clock.now() + flows.FLOW_LIFE * desk.pace, again_until=again_until,
        )  # fmt: skip
        try:
            desk.store.commit([*with_it, create(flows.path_of(cookie), flow)])
        except Conflict:
            token.discard(self.vault, REQUEST_TOKEN, version)
            return Refused(why="used at the same moment")
        desk.journal.line("sign_in_opened")
        try:
            flows.sweep(desk, self.vault)
        except StoreError as problem:
            self._later("sweep", problem)
        return Opened(url=self.authority.authorize_url(request.token), cookie=cookie, state=state)

    def _exchange(self, held: Held[flows.Flow], verifier: str, *, typed: bool) -> SignedIn | Failed | WrongCode:
        # The token's day is the one in which it was asked for: one that came over midnight is dead, not a day old.
        asked_at = self.desk.clock.now()
        fresh: AccessToken | None = None
        try:
            request = decode(RequestToken, loads(self.vault.read(REQUEST_TOKEN, held.value.version)))
            token.discard(self.vault, REQUEST_TOKEN, held.value.version)
            fresh = self.authority.access_token(request, verifier)
            version = token.keep(self.vault, fresh)
        except (KeyError, Malformed):
            return self._failed("the vault no longer holds the request token", fresh)
        except (AuthError, BrokerError, StoreError) as problem:
            if typed and fresh is None and isinstance(problem, TokenDead):
                self.desk.journal.line("code_not_accepted", Severity.WARNING, detail=problem.detail)
                return WrongCode()
            return self._failed(f"{type(problem).__name__}: {problem.detail}", fresh)
        return self._point_at(held, fresh, issued(version, asked_at))

    def _point_at(self, held: Held[flows.Flow], fresh: AccessToken, record: TokenRecord) -> SignedIn | Failed:
        """Make a stored token the one that counts, and promise all that follows, in one commit."""
        desk, version = self.desk, record.vault_version
        notice = SignedIn(dies_at=record.dies_at, at=desk.clock.now())
        tick = PrepareTick(reason="signed-in")
        row = outbox.promise(desk, name=f"signed-in:{version}", topic="prepare-ticks", key="", message=tick)
        done = put(held.path, replace(held.value, used=True, done=True))
        try:
            desk.store.commit([put(token.PATH, record), Delete(token.COMING), done, row, announce(desk, notice)])
        except StoreError as problem:
            if not self._counts(version):
                return self._failed(f"{type(problem).__name__}: {problem.detail}", fresh)
        desk.journal.line("signed_in", dies_at=record.dies_at.isoformat())
        post(desk)
        self._tidy(row, version)
        return notice

    def _counts(self, version: str) -> bool:
        """Look whether a commit of unknown outcome made this token count; if surely not, the token is destroyed."""
        try:
            held = token.current(self.desk.store)
        except StoreDown:
            return False
        if held is not None and held.value.vault_version == version:
            return True
        token.discard(self.vault, ACCESS_TOKEN, version)
        return False

    def _failed(self, why: str, fresh: AccessToken | None) -> Failed:
        """End a token that was given and cannot be kept, and tell the owner."""
        desk = self.desk
        desk.journal.line("sign_in_failed", Severity.ERROR, why=why)
        if fresh is not None:
            with contextlib.suppress(AuthError, BrokerError):
                self.authority.revoke(fresh)
        now = desk.clock.now()
        try:
            desk.store.commit([announce(desk, SignInFailed(why=why, at=now))])
            post(desk)
        except StoreError as problem:
            self._later("notice", problem)
        return Failed(why=why)

    def _tidy(self, row: Create, version: str) -> None:
        """Publish the message and destroy older tokens; what fails here is done by a later sign-in or refresh."""
        try:
            outbox.publish(self.desk, row)
        except (BrokerError, StoreError) as problem:
            self._later("publish", problem)
        try:
            for older in self.vault.versions(ACCESS_TOKEN):
                if older != version and not token.discard(self.vault, ACCESS_TOKEN, older):
                    self.desk.journal.line("token_not_destroyed", Severity.ERROR, version=older)
        except StoreDown as problem:
            self._later("destroy", problem)

    def _later(self, what: str, problem: DeskError) -> None:
        kind = type(problem).__name__
        self.desk.journal.line("left_for_later", Severity.WARNING, what=what, kind=kind, detail=problem.detail)
