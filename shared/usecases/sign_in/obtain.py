"""Trade E*TRADE's verifier for the day's token, and make it the one that counts: for the pages and for the command.

What can go wrong: whoever signed in has another account; the vault fails after the verifier is spent; the commit's
outcome stays open; the bus or a clean-up fails when the token already counts. What this promises: the secret half never
leaves the vault; a token that counts is of the chosen account and never told as a failure, and one that does not is
ended at E*TRADE, as far as that answers; what was there before a refusal stays as it was. The page that anybody may
open adds to the tokens in the vault and reads, lists and destroys none: versions that no record points at, older ones
and those of a sign-in that came to nothing, are destroyed by `token_refresh` (end_day).
"""

import contextlib
import re
from collections.abc import Callable, Sequence

from shared.domain.broker.brokerage import Account
from shared.domain.broker.tokens import AccessToken, RequestToken, TokenRecord, issued
from shared.domain.telling.messages import PrepareTick
from shared.domain.telling.sign_in_notices import AccountRefused, SignedIn, SignInFailed
from shared.errors import AuthError, BrokerError, DeskError, StoreDown, StoreError, TokenDead
from shared.frozen import frozen
from shared.ports import Authority, Create, Delete, Severity, Vault, Write
from shared.usecases.base import outbox
from shared.usecases.base.desk import Desk, put
from shared.usecases.sign_in import token
from shared.usecases.telling.notices import announce, post

VERIFIER = re.compile(r"[A-Za-z0-9]{4,16}")
"""The form of E*TRADE's verifier, which a person types as the code."""
PUBLISHER = "token_refresh"
"""Who publishes the message of a sign-in that a command made: it looks every few minutes."""


@frozen
class WrongCode:
    """E*TRADE refused the code, and nothing was stored; whether it takes another for its request token is not known."""


@frozen
class OtherAccount:
    """The token was of another account than the chosen one: it is revoked, and the owner is told."""


@frozen
class Failed:
    """The owner's own sign-in came to nothing; the same browser may begin again. `why` goes to the journal."""

    why: str


@frozen
class Obtaining:
    """What a token is obtained with; `publisher` publishes what follows from it, None where this desk has a bus.

    `admits` gets the accounts of a new token and tells whether ours is one of them.
    """

    desk: Desk
    authority: Authority
    vault: Vault
    admits: Callable[[tuple[Account, ...]], bool]
    publisher: str | None = None

    def coming(self) -> Write:
        """Give the write that says a token is coming, so that no clean-up destroys it: to be committed before."""
        return put(token.COMING, token.Coming(since=self.desk.clock.now()))

    def obtain(
        self, request: RequestToken, verifier: str, *, done: Sequence[Write] = ()
    ) -> SignedIn | Failed | WrongCode | OtherAccount:  # fmt: skip
        """Exchange a verifier, once, ask whose account it is, and store the token; `done` is committed with it.

        Nothing points at a token of another account, and it is not even stored. A verifier that E*TRADE refuses may be
        mistyped: nobody is told of it here.
        """
        # The token's day is the one in which it was asked for: one that came over midnight is dead, not a day old.
        asked_at = self.desk.clock.now()
        fresh: AccessToken | None = None
        try:
            fresh = self.authority.access_token(request, verifier)
            accounts = self.authority.accounts(fresh)
            if not self.admits(accounts):
                return self._another(accounts, fresh)
            version = token.keep(self.vault, fresh)
        except (AuthError, BrokerError, StoreError) as problem:
            if fresh is None and isinstance(problem, TokenDead):
                self.desk.journal.line("code_not_accepted", Severity.WARNING, detail=problem.detail)
                return WrongCode()
            return self.failed(f"{type(problem).__name__}: {problem.detail}", fresh)
        return self._point_at(done, fresh, issued(version, asked_at))

    def _another(self, accounts: tuple[Account, ...], fresh: AccessToken) -> OtherAccount:
        """End the token of another account, and tell the owner."""
        endings = tuple(one.number[-4:] for one in accounts if one.active)
        self.desk.journal.line("account_refused", Severity.ERROR, accounts=len(accounts))
        self._end(fresh, AccountRefused(endings=endings, at=self.desk.clock.now()))
        return OtherAccount()

    def failed(self, why: str, fresh: AccessToken | None = None) -> Failed:
        """End a token that was given and cannot be kept, and tell the owner."""
        desk = self.desk
        desk.journal.line("sign_in_failed", Severity.ERROR, why=why)
        self._end(fresh, SignInFailed(why=why, at=desk.clock.now()))
        return Failed(why=why)

    def _end(self, fresh: AccessToken | None, notice: SignInFailed | AccountRefused) -> None:
        """End a token at E*TRADE, as far as that answers, and tell why."""
        if fresh is not None:
            with contextlib.suppress(AuthError, BrokerError):
                self.authority.revoke(fresh)
        try:
            self.desk.store.commit([announce(self.desk, notice, owner=self.publisher)])
            self._post()
        except StoreError as problem:
            self.later("notice", problem)

    def later(self, what: str, problem: DeskError) -> None:
        """Note what a later invocation has to do."""
        kind = type(problem).__name__
        self.desk.journal.line("left_for_later", Severity.WARNING, what=what, kind=kind, detail=problem.detail)

    def _point_at(self, done: Sequence[Write], fresh: AccessToken, record: TokenRecord) -> SignedIn | Failed:
        """Make a stored token the one that counts, and promise all that follows, in one commit."""
        desk, version = self.desk, record.vault_version
        notice = SignedIn(dies_at=record.dies_at, at=desk.clock.now())
        tick = PrepareTick(reason="signed-in")
        row = outbox.promise(
            desk, name=f"signed-in:{version}", topic="prepare-ticks", key="", message=tick, owner=self.publisher
        )
        told = announce(desk, notice, owner=self.publisher)
        try:
            desk.store.commit([put(token.PATH, record), Delete(token.COMING), *done, row, told])
        except StoreError as problem:
            if not self._counts(version):
                return self.failed(f"{type(problem).__name__}: {problem.detail}", fresh)
        desk.journal.line("signed_in", dies_at=record.dies_at.isoformat())
        self._post()
        self._publish(row)
        return notice

    def _counts(self, version: str) -> bool:
        """Look whether a commit of unknown outcome made this token count."""
        try:
            held = token.current(self.desk.store)
        except StoreDown:
            return False
        return held is not None and held.value.vault_version == version

    def _post(self) -> None:
        if self.publisher is None:
            post(self.desk)

    def _publish(self, row: Create) -> None:
        """Publish the message; what fails here is done by a later invocation."""
        try:
            if self.publisher is None:
                outbox.publish(self.desk, row)
        except (BrokerError, StoreError) as problem:
            self.later("publish", problem)
