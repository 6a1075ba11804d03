"""The credentials of the moment: the consumer pair from the vault, and for functions that may read it the token."""

from dataclasses import dataclass, replace
from datetime import timedelta

from shared import settings
from shared.domain.broker.tokens import TokenRecord, stage_of
from shared.errors import ConfigError, TokenDead
from shared.etrade.session import Credentials
from shared.ports import Clock, Journal, Severity, Store, Vault
from shared.topology import CONSUMER
from shared.usecases.sign_in import token
from shared.wiring import Platform
from shared.wiring.keys import stored_key
from shared.wiring.rooms import Room

_LOOK_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Consumer:
    """The consumer pair as the vault holds it."""

    key: str
    secret: str


class ConsumerCredentials:
    """Gives the consumer pair, which is read once, and never a token: for whoever signs in and may read none."""

    def __init__(self, platform: Platform, room: Room) -> None:
        self._pair = settings.consumer(platform.environ)
        self._vault = room.vault

    def __call__(self) -> Credentials:
        """Give the consumer pair; raises ConfigError where there is none, and StoreDown."""
        if self._pair is None:
            self._pair = stored_consumer(self._vault)
        key, secret = self._pair
        return Credentials(consumer_key=key, consumer_secret=secret)


class VaultCredentials:
    """Gives the credentials of the moment: the consumer pair is read once, the token when its version changes."""

    def __init__(self, platform: Platform, room: Room, *, every: timedelta = _LOOK_EVERY) -> None:
        self._every = every
        self._consumer = ConsumerCredentials(platform, room)
        self._vault = room.vault
        self._store: Store = room.desk.store
        self._clock: Clock = platform.clock
        self._journal: Journal = platform.journal
        self._known: Credentials | None = None
        self._version = ""
        self._record: TokenRecord | None = None
        self._looked_at = self._clock.now()

    def __call__(self) -> Credentials:
        """Give consumer pair and token; the store is asked which token counts once a minute, or `every` so often."""
        now = self._clock.now()
        known = self._known
        if known is not None and now - self._looked_at < self._every and stage_of(self._record, now).signs:
            return known
        pair = self._consumer()
        held = token.current(self._store)
        if held is None or not stage_of(held.value, now).signs:
            return pair
        if known is None or held.value.vault_version != self._version:
            try:
                found = token.load(self._vault, held.value)
            except TokenDead as gone:
                # As before the first sign-in, which stays possible: what needs the token says that it has none.
                self._journal.line("token_gone", Severity.ERROR, detail=gone.detail)
                return pair
            self._known = known = replace(pair, token=found, token_dies_at=held.value.dies_at)
            # Only now: a vault that failed is asked again, and does not leave the token before in force.
            self._version = held.value.vault_version
        self._looked_at, self._record = now, held.value
        return known

    def forget(self) -> None:
        """Ask the store at the next call."""
        self._looked_at = self._clock.now() - self._every


def stored_consumer(vault: Vault) -> tuple[str, str]:
    """Read consumer key and secret from the vault; raises ConfigError where they are not there, and StoreDown."""
    stored = stored_key(vault, CONSUMER, _Consumer)
    if stored is None:
        raise ConfigError((f"the secret {CONSUMER} has no version: store the consumer key and secret first",))
    _, pair = stored
    return pair.key, pair.secret
