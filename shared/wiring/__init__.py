"""Which world the functions run in: the cloud by default, or the one that `use` installed before they start.

Holds no adapter. `Platform` is what a world gives to one function; each `shared.wiring.<function>` builds its use
cases from it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from requests.adapters import BaseAdapter

from shared.errors import ConfigError
from shared.ports import Bus, Chance, Clock, History, Journal, Store, Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One function's world. `http` carries broker calls; None means the network."""

    environ: Mapping[str, str]
    clock: Clock
    chance: Chance
    store: Store
    bus: Bus
    vault: Vault
    journal: Journal
    history: History
    http: BaseAdapter | None = None


Factory = Callable[[str], Platform]


def _cloud(function: str) -> Platform:
    raise ConfigError((f"{function}: the Google Cloud adapters are not part of this version; run `strategy day`",))


_factory: Factory = _cloud


def use(factory: Factory) -> None:
    """Install the world in which functions created from now on will run."""
    global _factory
    _factory = factory


def platform(function: str) -> Platform:
    """Give the world of one function; raises ConfigError when there is none."""
    return _factory(function)
