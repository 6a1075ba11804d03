"""Which world the functions run in: the cloud by default, or the one that `use` installed before they start.

Imports no adapter before the cloud is asked for. `Platform` is what a world gives to one function; each
`shared.wiring.<function>` builds its doors from it, once, at the first request.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar

from requests.adapters import BaseAdapter

from shared.ports import Bus, Chance, Clock, History, Journal, Store, Vault
from shared.topology import Function

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One function's world. `function` has its rights; `http` carries broker calls, None means the network."""

    function: Function
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
    from shared.wiring.cloud import cloud  # late: Google's libraries take half a second, and other worlds have none

    return cloud(function)


_factory: Factory = _cloud
_doors: dict[str, Any] = {}
_building = Lock()


def use(factory: Factory) -> None:
    """Install the world in which requests from now on are served."""
    global _factory  # noqa: PLW0603 - the one switch between the two worlds
    with _building:
        _factory = factory
        _doors.clear()


def platform(function: str) -> Platform:
    """Give the world of one function; raises ConfigError when there is none."""
    return _factory(function)


def door(function: str, build: Callable[[Platform], T]) -> T:
    """Give a function's doors, built at its first request; raises ConfigError when its world cannot be built."""
    with _building:
        if function not in _doors:
            _doors[function] = build(platform(function))
        made: T = _doors[function]
        return made
