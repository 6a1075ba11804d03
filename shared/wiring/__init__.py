"""Which world the functions run in: the cloud by default, or the one that `use` installed before they start.

Imports no adapter before the cloud is asked for. `Platform` is what a world gives to one function; each
`shared.wiring.<function>` builds its door from it, once, when the function starts: wrong settings end the start.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from shared.domain.telling.wording import ETRADE
from shared.errors import ConfigError
from shared.frozen import frozen
from shared.ports import Bus, Chance, Clock, HistorySource, Journal, Looks, SideBySide, Store, Vault
from shared.topology import Function

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

T = TypeVar("T")


@frozen
class Way:
    """Where something stands for a source of history: its address, or a proxy's, and the certificate to believe."""

    address: str
    certificate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One function's world. `function` has its rights; `http` carries broker calls, None means the network.

    `history` are the daily bars of a simulated market, which then stand for every source; None means the real ones.
    `ways` lead to what stands for a source, by its name; without one the source itself is asked.
    `authorize_page` is where the owner accepts, None means E*TRADE's page; `pace` is that of a simulated time (Desk).
    `cpu` gives the seconds of CPU of this thread, None where time is simulated; `looks` is where a recording of the day
    is kept, None where nobody records.
    `broker` is what the owner's words call the broker.
    `counted` is False where a simulated broker counts no calls: then none waits for a turn.
    """

    function: Function
    environ: Mapping[str, str]
    clock: Clock
    chance: Chance
    side_by_side: SideBySide
    store: Store
    bus: Bus
    vault: Vault
    journal: Journal
    history: HistorySource | None = None
    ways: Mapping[str, Way] = field(default_factory=dict)
    http: "BaseAdapter | None" = None
    authorize_page: str | None = None
    pace: float = 1.0
    cpu: Callable[[], float] | None = None
    counted: bool = True
    looks: Looks | None = None
    broker: str = ETRADE


Factory = Callable[[str], Platform]
OpenBus = Callable[[str, Clock, Chance], Bus]
"""Gives the cloud's bus of a project: `shared.wiring.cloud_bus.open_bus`, which only functions that publish import."""

_world: Factory | None = None


def use(factory: Factory) -> None:
    """Install the world of the functions that start from now on."""
    global _world  # noqa: PLW0603 - the one switch between the two worlds
    _world = factory


def platform(function: str, open_bus: OpenBus | None = None) -> Platform:
    """Give the world of one function; raises ConfigError when there is none."""
    if _world is not None:
        return _world(function)
    from shared.wiring.cloud import cloud  # late: Google's libraries take half a second, and other worlds have none

    return cloud(function, open_bus)


def door(function: str, build: Callable[[Platform], T], open_bus: OpenBus | None = None) -> T:
    """Build a function's door; a start that cannot succeed raises ConfigError, or ends the process in the cloud."""
    try:
        return build(platform(function, open_bus))
    except ConfigError as wrong:
        if _world is not None:
            raise
        from shared.wiring.cloud import give_up

        give_up(function, wrong)
