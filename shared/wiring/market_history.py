"""market_history: PrepareTick, HistoryAsked and FallbackAsked in; daily bars, and prices from elsewhere, out."""

from datetime import timedelta
from importlib.util import find_spec

from shared import wiring
from shared.domain.telling.messages import FallbackAsked, HistoryAsked, PrepareTick
from shared.door import PushDoor
from shared.errors import ConfigError, StoreDown
from shared.ports import Clock, HistorySource, LastPrices, Severity
from shared.sources.alpaca import Alpaca, AlpacaKey
from shared.sources.yahoo import Yahoo
from shared.topology import ALPACA_KEY
from shared.usecases.market.fallback import fetch
from shared.usecases.market.gather import Plan, gather
from shared.usecases.market.sources import imported, own_days
from shared.wiring import Platform, Way
from shared.wiring.cloud_bus import open_bus
from shared.wiring.keys import stored_key
from shared.wiring.rooms import Room, room

NAME = "market_history"
LIBRARIES = {Alpaca.name: "alpaca", Yahoo.name: "yfinance"}
"""The sources outside, each with the package that has to be here."""
NO_KEY = "no key is stored: `strategy secrets set alpaca-key`, or leave it out of STRATEGY_HISTORY_SOURCES"
NOT_HERE = "its library is not installed on this machine: `strategy up` installs it at its start"


def door() -> PushDoor:
    """Open the door, when the function starts."""
    return wiring.door(NAME, _build, open_bus)


def _build(platform: Platform) -> PushDoor:
    here = room(platform)
    sources = Sources(platform, here)
    return PushDoor(
        desk=here.desk,
        tells=True,
        handlers={
            PrepareTick: lambda _envelope, _tick: gather(here.desk, sources.plan()),
            FallbackAsked: lambda envelope, ask: fetch(here.desk, sources.prices(), ask, envelope.published_at),
            HistoryAsked: lambda _envelope, message: gather(here.desk, sources.plan(), asked=message.symbols),
        },
    )


class Sources:
    """The sources in the order of the setting; a simulated market's own days stand for all of them.

    What is here is looked for at each message, for a key or a library may have come since. One that cannot be asked is
    left out: the journal says so, and the plan why.
    """

    def __init__(self, platform: Platform, here: Room) -> None:
        self._simulated = platform.history
        self._here = here
        self._ways = platform.ways
        self._yahoo = _yahoo(here.desk.clock, platform.ways.get(Yahoo.name))
        self._alpaca: tuple[tuple[str, AlpacaKey], Alpaca] | None = None

    def plan(self) -> Plan:
        """Give what the owner wants of history, as it is now."""
        chosen, skipped, keys = self._here.settings, dict[str, str](), dict[str, str]()
        sources = (self._simulated,) if self._simulated is not None else tuple(self._found(skipped, keys))
        for name, why in skipped.items():
            self._here.desk.journal.line("source_left_out", Severity.INFO, source=name, why=why)
        return Plan(
            watch_list=chosen.watch_list, sources=sources, minutes_kept=timedelta(days=chosen.bars_kept_days),
            doubt_pct=chosen.close_doubt_pct, skipped=skipped, keys=keys,
        )  # fmt: skip

    def prices(self) -> LastPrices | None:
        """Give who may be asked for a last price while the broker gives none: Yahoo, where the owner lets it be asked.

        A simulated market has nobody beside its broker, unless what stands for its sources gives prices, too.
        """
        if self._simulated is not None:
            return self._simulated if isinstance(self._simulated, LastPrices) else None
        wanted = Yahoo.name in self._here.settings.history_sources
        return self._yahoo if wanted and find_spec(LIBRARIES[Yahoo.name]) is not None else None

    def _found(self, skipped: dict[str, str], keys: dict[str, str]) -> list[HistorySource]:
        """Give the sources that can be asked, and note of the others why not and of a key which version it is."""
        store, found = self._here.desk.store, list[HistorySource]()
        known: dict[str, HistorySource] = {"own": own_days(store), "file": imported(store), "yahoo": self._yahoo}
        for name in self._here.settings.history_sources:
            source = known.get(name) or self._keyed(skipped, keys)
            if source is None:
                continue
            if name in LIBRARIES and find_spec(LIBRARIES[name]) is None:
                skipped[name] = NOT_HERE
            else:
                found.append(source)
        return found

    def _keyed(self, skipped: dict[str, str], keys: dict[str, str]) -> Alpaca | None:
        """Give Alpaca with the key that the vault holds now; the same one, with its limits, while the key is."""
        try:
            stored = stored_key(self._here.vault, ALPACA_KEY, AlpacaKey)
        except ConfigError as wrong:
            skipped[Alpaca.name] = "; ".join(wrong.problems)
            return None
        except StoreDown as down:
            skipped[Alpaca.name] = f"the vault does not give its key: {down.detail}"
            return None
        if stored is None:
            skipped[Alpaca.name] = NO_KEY
            return None
        version, key = stored
        if self._alpaca is None or self._alpaca[0] != stored:
            self._alpaca = stored, _alpaca(key, self._here.desk.clock, self._ways.get(Alpaca.name))
        keys[Alpaca.name] = version
        return self._alpaca[1]


def _yahoo(clock: Clock, way: Way | None) -> Yahoo:
    return Yahoo(clock=clock) if way is None else Yahoo(clock=clock, proxy=way.address, verify=way.certificate)


def _alpaca(key: AlpacaKey, clock: Clock, way: Way | None) -> Alpaca:
    if way is None:
        return Alpaca(key, clock=clock)
    return Alpaca(key, clock=clock, address=way.address, verify=way.certificate)
