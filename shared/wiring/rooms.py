"""The room of every function: its desk with guarded ports, its vault and its settings."""

from shared import settings
from shared.errors import ConfigError
from shared.frozen import frozen
from shared.guard import Guard, GuardedBus, GuardedStore, GuardedVault
from shared.ports import Vault
from shared.usecases.base.desk import Desk
from shared.wiring import Platform, chosen


@frozen
class Room:
    """What a function's use cases are built from: a guarded desk, its vault, and its settings."""

    desk: Desk
    vault: Vault
    settings: settings.Settings


def room(platform: Platform) -> Room:
    """Guard a platform's ports with its function's rights and read its settings; raises ConfigError that names all."""
    if wrong := chosen.problems(platform.environ):
        raise ConfigError(wrong)
    guard = Guard(platform.function, platform.journal)
    desk = Desk(
        actor=platform.function.name, clock=platform.clock, chance=platform.chance,
        store=GuardedStore(platform.store, guard), bus=GuardedBus(platform.bus, guard), journal=platform.journal,
        pace=platform.pace,
    )  # fmt: skip
    return Room(desk=desk, vault=GuardedVault(platform.vault, guard), settings=settings.load(platform.environ))
