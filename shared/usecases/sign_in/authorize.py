"""Sign the owner in: a link opens a flow, E*TRADE's page asks, the verifier becomes the day's token.

What can go wrong: a link or a callback is forged, old, used, or opened in another person's browser; a callback comes
twice. What this promises: a link begins a flow in one browser, and that browser few more; a flow belongs to the browser
that holds its cookie and to its request token, which every callback and form must name; it counts once (one commit
claims it before an exchange, and only a verifier that E*TRADE refused gives it back, twice) and lives five minutes; a
completed sign-in ends every link that was made before it, and what began with one. A cookie that nobody drew here is
refused without a look into the store. What becomes of the verifier is `obtain`'s promise.

Whether E*TRADE puts `oauth_token` into a callback is reported, and not sure (etrade-api.md 1.5). One that lacks it is
refused all the same, and nothing is used up: any website can send the owner's browser to a callback without it. Then
the owner signs in by the command, which takes the address that E*TRADE led to.
"""

import hmac
import re
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.codec import decode, dumps, encode, loads
from shared.domain.broker.brokerage import Account
from shared.domain.broker.tokens import RequestToken
from shared.domain.telling.sign_in_notices import LinkUsed, SignedIn
from shared.errors import AuthError, BrokerError, Conflict, Malformed, StoreError
from shared.frozen import frozen
from shared.ports import Authority, Vault, Write
from shared.topology import REQUEST_TOKEN
from shared.usecases.base.desk import Desk, Held, create, put, read
from shared.usecases.base.links import Keys, Link
from shared.usecases.base.pins import Pinned, pinned
from shared.usecases.sign_in import flows, token
from shared.usecases.sign_in.obtain import VERIFIER, Failed, Obtaining, OtherAccount, WrongCode
from shared.usecases.telling.notices import announce, post

_STATE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Where the owner accepts, the cookie that makes this browser the flow's, and what its form must name."""

    url: str = field(repr=False)
    cookie: str = field(repr=False)
    state: str


@frozen
class TooMany:
    """This link has begun as many sign-ins as one may."""


@frozen
class NotPinned:
    """The owner has chosen no account yet, and the pages choose none."""


@frozen
class Overtaken:
    """The link is genuine, and somebody has signed in since it was made."""


@frozen
class Refused:
    """Nothing was stored; `why` goes to the journal, never to the caller."""

    why: str


@frozen
class Expired:
    """The flow is this browser's own, and its time is over; nothing was stored."""


Ending = SignedIn | Refused | Overtaken | Expired | WrongCode | OtherAccount | Failed


@frozen
class SignIns:
    """What signing in works with; `operator` is whose links are taken, `key` is what signs them.

    `account_id` is the account of the settings, "" where none is.
    """

    desk: Desk
    authority: Authority
    vault: Vault
    operator: str
    key: Keys
    account_id: str

    def start(self, link: Link) -> Opened | Refused | Overtaken | TooMany | NotPinned:
        """Open a flow with a genuine link that nobody has used; raises BrokerError, AuthError, StoreError."""
        if not self._pinned().known:
            return NotPinned()
        if self._overtaken(link.made_at):
            return Overtaken()
        if flows.used(self.desk, link.name) is not None:
            return Refused(why="used link")
        again_until = self.desk.clock.now() + flows.AGAIN_LIFE * self.desk.pace
        try:
            flows.use(self.desk, link, again_until)
        except Conflict:
            return Refused(why="used at the same moment")
        return self._open(None, link=link.name, made_at=link.made_at, again_until=again_until)

    def again(self, cookie: str) -> Opened | Refused | Overtaken | TooMany:
        """Open another flow for the browser of one that came to nothing; raises as `start` does."""
        held = self._held(cookie)
        if held is None or held.value.done or self.desk.clock.now() > held.value.again_until:
            return Refused(why="nothing to begin again")
        flow = held.value
        if self._overtaken(flow.link_made_at):
            return Overtaken()
        if not flows.use_again(self.desk, flow.link):
            self._tell_refused(flow)
            return TooMany()
        return self._open(held, link=flow.link, made_at=flow.link_made_at, again_until=flow.again_until)

    def finish(self, cookie: str, state: str, verifier: str, *, typed: bool = False) -> Ending:
        """Consume a flow and store the day's token; every other end leaves what was there before.

        A verifier that was `typed` by a person may be mistyped: then that is what is said, and nobody is alarmed.
        """
        held = self._held(cookie)
        if held is None:
            return Refused(why="no such flow")
        if not (_STATE.fullmatch(state) and hmac.compare_digest(state, held.value.state)):
            return Refused(why="another request token")
        if held.value.used:
            return Refused(why="used flow")
        if self.desk.clock.now() > held.value.expires_at:
            return Expired()
        if not VERIFIER.fullmatch(verifier):
            return WrongCode() if typed else Refused(why="no verifier")
        if self._overtaken(held.value.link_made_at):
            return Overtaken()
        try:
            self.desk.store.commit([held.update(replace(held.value, used=True)), self._obtaining.coming()])
        except Conflict:
            return Refused(why="used at the same moment")
        return self._exchange(held, verifier, typed=typed)

    @property
    def _obtaining(self) -> Obtaining:
        return Obtaining(desk=self.desk, authority=self.authority, vault=self.vault, admits=self._admits)

    def _pinned(self) -> Pinned:
        return pinned(self.desk.store, self.operator, self.account_id)

    def _admits(self, accounts: tuple[Account, ...]) -> bool:
        """Take the token of the chosen account alone; a page never chooses one."""
        return self._pinned().among(accounts)

    def _held(self, cookie: str) -> Held[flows.Flow] | None:
        """Find the flow of this operator that a cookie opens; one that was not drawn here is not looked for."""
        if not self.key.gave(cookie):
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
        self, before: Held[flows.Flow] | None, *, link: str, made_at: datetime, again_until: datetime
    ) -> Opened | Refused:  # fmt: skip
        """Open a flow that is counted already, in place of the one `before`; what fails here takes it off again."""
        desk = self.desk
        try:
            request = self.authority.request_token()
            version = self.vault.add(REQUEST_TOKEN, dumps(encode(request)))
        except (AuthError, BrokerError, StoreError):
            flows.withdraw(desk, link)
            raise
        cookie, state = self.key().cookie(desk.chance), flows.state_of(request.token)
        flow = flows.Flow(
            operator=self.operator, link=link, link_made_at=made_at, state=state, version=version,
            expires_at=desk.clock.now() + flows.FLOW_LIFE * desk.pace, again_until=again_until,
        )  # fmt: skip
        ended = [] if before is None else [before.update(replace(before.value, used=True, done=True))]
        try:
            desk.store.commit([*ended, create(flows.path_of(cookie), flow)])
        except Conflict:
            token.discard(self.vault, REQUEST_TOKEN, version)
            return Refused(why="used at the same moment")
        desk.journal.line("sign_in_opened")
        if before is None:
            self._tell(link, made_at)
        try:
            flows.sweep(desk, self.vault)
        except StoreError as problem:
            self._obtaining.later("sweep", problem)
        return Opened(url=self.authority.authorize_url(request.token), cookie=cookie, state=state)

    def _tell_refused(self, flow: flows.Flow) -> None:
        """Tell the owner that a link was used too often, once, however often its browser tries."""
        held = flows.used(self.desk, flow.link)
        if held is not None and not held.value.refused:
            noted = held.update(replace(held.value, refused=True))
            self._tell(flow.link, flow.link_made_at, noted, refused=True)

    def _tell(self, link: str, made_at: datetime, *noted: Write, refused: bool = False) -> None:
        """Tell the owner that a link was used, or used too often; a store that fails keeps nobody out."""
        notice = LinkUsed(link=link, made_at=made_at, refused=refused, at=self.desk.clock.now())
        try:
            self.desk.store.commit([*noted, announce(self.desk, notice)])
            post(self.desk)
        except StoreError as problem:
            self._obtaining.later("notice", problem)

    def _exchange(self, held: Held[flows.Flow], verifier: str, *, typed: bool) -> Ending:
        obtaining = self._obtaining
        try:
            request = decode(RequestToken, loads(self.vault.read(REQUEST_TOKEN, held.value.version)))
        except (KeyError, Malformed):
            return obtaining.failed("the vault no longer holds the request token")
        except StoreError as problem:
            return obtaining.failed(f"{type(problem).__name__}: {problem.detail}")
        done = put(held.path, replace(held.value, used=True, done=True))
        answer = obtaining.obtain(request, verifier, done=[done])
        if isinstance(answer, WrongCode):
            self._give_back(held)
            return answer if typed else obtaining.failed("E*TRADE did not take the verifier of a callback")
        token.discard(self.vault, REQUEST_TOKEN, held.value.version)
        return answer

    def _give_back(self, held: Held[flows.Flow]) -> None:
        """Let a flow be finished again whose verifier E*TRADE refused; what fails here leaves it used up."""
        claimed = replace(held.value, used=True)
        tries = claimed.tries + 1
        try:
            now = read(self.desk.store, flows.Flow, held.path)
            if now is not None and now.value.used and now.value.tries == held.value.tries:
                self.desk.store.commit([now.update(replace(claimed, used=tries >= flows.MOST_TRIES, tries=tries))])
        except StoreError as problem:
            self._obtaining.later("flow", problem)
