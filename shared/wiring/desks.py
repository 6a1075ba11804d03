"""Desks and credentials, the same for every function: guarded ports, and the consumer key and token from the vault."""

from dataclasses import dataclass
from datetime import timedelta

from shared import settings
from shared.codec import decode, loads
from shared.domain.tokens import TokenRecord, stage_of
from shared.errors import ConfigError, Malformed
from shared.etrade.session import Credentials
from shared.guard import Guard, GuardedBus, GuardedStore, GuardedVault
from shared.ports import Clock, Journal, Store, Vault
from shared.topology import CONSUMER
from shared.usecases import token
from shared.usecases.desk import Desk
from shared.wiring import Platform

_LOOK_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a function's use cases are built from: a guarded desk, its vault, and its settings."""

    desk: Desk
    vault: Vault
    settings: settings.Settings


def room(platform: Platform) -> Room:
    """Guard a platform's ports with its function's rights and read its settings; raises ConfigError."""
    guard = Guard(platform.function, platform.journal)
    desk = Desk(
        actor=platform.function.name, clock=platform.clock, chance=platform.chance,
        store=GuardedStore(platform.store, guard), bus=GuardedBus(platform.bus, guard), journal=platform.journal,
    )  # fmt: skip
    return Room(desk=desk, vault=GuardedVault(platform.vault, guard), settings=settings.load(platform.environ))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Consumer:
    """The consumer pair as the vault holds it."""

    key: str
    secret: str


class VaultCredentials:
    """Gives the credentials of the moment: the consumer pair is read once, the token when its version changes."""

    def __init__(self, platform: Platform, room: Room, *, every: timedelta = _LOOK_EVERY) -> None:
        self._every = every
        self._pair = settings.consumer(platform.environ)
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
        key, secret = self._consumer()
        held = token.current(self._store)
        if held is None or not stage_of(held.value, now).signs:
            return Credentials(consumer_key=key, consumer_secret=secret)
        if known is None or held.value.vault_version != self._version:
            self._known = known = Credentials(
                consumer_key=key, consumer_secret=secret, token=token.load(self._vault, held.value),
                token_dies_at=held.value.dies_at,
            )  # fmt: skip
            # Only now: a vault that failed is asked again, and does not leave the token before in force.
            self._version = held.value.vault_version
        self._looked_at, self._record = now, held.value
        return known

    def forget(self) -> None:
        """Ask the store at the next call."""
        self._looked_at = self._clock.now() - self._every

    def _consumer(self) -> tuple[str, str]:
        if self._pair is None:
            versions = self._vault.versions(CONSUMER)
            if not versions:
                raise ConfigError((f"the secret {CONSUMER} has no version: store the consumer key and secret first",))
            try:
                pair = decode(_Consumer, loads(self._vault.read(CONSUMER, versions[-1])))
            except (KeyError, Malformed):
                pair = _Consumer(key="", secret="")
            if not (pair.key and pair.secret):
                raise ConfigError((f"the secret {CONSUMER} is not a JSON object of key and secret: store it again",))
            self._pair = (pair.key, pair.secret)
        return self._pair
