"""market_history: PrepareTick and HistoryAsked in, a session's daily bars out."""

from datetime import timedelta
from importlib.util import find_spec

from shared import wiring
from shared.domain.messages import HistoryAsked, PrepareTick
from shared.door import PushDoor
from shared.ports import HistorySource, Severity
from shared.sources.yahoo import Yahoo
from shared.usecases.gather import Plan, gather
from shared.usecases.sources import imported, own_days
from shared.wiring import Platform
from shared.wiring.cloud_bus import open_bus
from shared.wiring.rooms import Room, room

NAME = "market_history"


def door() -> PushDoor:
    """Open the door, when the function starts."""
    return wiring.door(NAME, _build, open_bus)


def _build(platform: Platform) -> PushDoor:
    here = room(platform)
    chosen = here.settings
    plan = Plan(
        watch_list=chosen.watch_list, sources=_sources(platform, here),
        minutes_kept=timedelta(days=chosen.bars_kept_days), doubt_pct=chosen.close_doubt_pct,
    )  # fmt: skip
    return PushDoor(
        desk=here.desk,
        tells=True,
        handlers={
            PrepareTick: lambda _envelope, _tick: gather(here.desk, plan),
            HistoryAsked: lambda _envelope, message: gather(here.desk, plan, asked=message.symbols),
        },
    )


def _sources(platform: Platform, here: Room) -> tuple[HistorySource, ...]:
    """Give the sources in the order of the setting; a simulated market's own days stand for all of them.

    One whose library is not installed on this machine is left out, and the journal says so.
    """
    if platform.history is not None:
        return (platform.history,)
    known: list[HistorySource] = [own_days(here.desk.store), imported(here.desk.store)]
    if find_spec("yfinance") is not None:
        known.append(Yahoo(clock=here.desk.clock))
    elif Yahoo.name in here.settings.history_sources:
        here.desk.journal.line("source_not_installed", Severity.WARNING, source=Yahoo.name)
    by_name = {source.name: source for source in known}
    return tuple(by_name[name] for name in here.settings.history_sources if name in by_name)
