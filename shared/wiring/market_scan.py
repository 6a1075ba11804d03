"""market_scan: ticks in, signals and exits out."""

from datetime import timedelta
from itertools import count
from threading import Lock

from shared import wiring
from shared.domain.telling.messages import PrepareTick, ScanTick
from shared.door import PushDoor
from shared.etrade.limits import Role
from shared.ports import Envelope
from shared.strategies.panel import Panel
from shared.usecases.market.outages import Outages
from shared.usecases.scanning.prepare import prepare
from shared.usecases.scanning.record import MemoryRecord, Record, Unkept
from shared.usecases.scanning.scan import scan
from shared.usecases.scanning.scan_memory import Memories, ScanMemory
from shared.wiring import Platform
from shared.wiring.cloud_bus import open_bus
from shared.wiring.rooms import room
from shared.wiring.trading import trading_desk

NAME = "market_scan"


def door() -> PushDoor:
    """Open the door, when the function starts."""
    return wiring.door(NAME, _build, open_bus)


def _build(platform: Platform) -> PushDoor:
    here = room(platform)
    desk = trading_desk(platform, here, Role.SCAN)
    patience = timedelta(seconds=here.settings.fallback_after_s)
    record, numbers = Record(platform.looks or Unkept(), Lock()), count(1)

    def memory() -> ScanMemory:
        panel = Panel(folder=here.settings.strategies, cpu=platform.cpu)
        return ScanMemory(Outages(patience), panel, record=MemoryRecord(record, next(numbers)))

    memories = Memories(memory)

    def work(envelope: Envelope, _: ScanTick) -> None:
        with memories.lent() as memory:
            scan(desk.of_this_minute, memory, envelope.published_at)

    return PushDoor(
        desk=desk,
        tells=True,
        handlers={
            ScanTick: work,
            PrepareTick: lambda _envelope, tick: prepare(desk.of_this_minute, reason=tick.reason),
        },
    )
