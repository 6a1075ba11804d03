"""Nothing is bought by chance of a source: bars of each one lead to an entry that the order function judges.

The day is the generated one, which knows no source: its own daily bars are what each source gives in its own form. The
first entry of a day is decided a quarter of an hour after the open.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from infra.brokersim.generated import GENERATED_DAY, generated_daily_bars
from infra.operations import importing
from infra.operations.profiles import Hand
from shared.domain.market.bars import DailyBar
from shared.domain.market.series import Series
from shared.gcp.no_bus import NoBus
from shared.ports import HistorySource
from shared.usecases.base.desk import Desk, put
from tests import certificates
from tests.doors.fakes import Lines, ListVault
from tests.etrade.world import SeededChance, SteadyClock
from tests.functions.made import Bench, at
from tests.simulated_day.seeded import FEWER_LOOKS
from tests.sources.alpaca_standing import AlpacaStanding
from tests.sources.market import Market
from tests.sources.world import opened
from tests.sources.yahoo_standing import HOSTS

pytestmark = pytest.mark.days
SEED, SYMBOL = 1, "MSFT"
SEEDS = (1, 2, 3, 4, 5, 6, 7, 8)
"""Of demonstration, benchmarks and tests."""
SEVEN = at("07:00", GENERATED_DAY)
JUDGED_BY = "09:46"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a certificate of loopback and of Yahoo's names."""
    return certificates.certificate(tmp_path_factory.mktemp("tls"), *HOSTS)


def before_the_day() -> tuple[DailyBar, ...]:
    """Give what was traded of the share before the day."""
    return tuple(
        DailyBar(day=row.date, open=row.open, high=row.high, low=row.low, close=row.close, volume=row.volume)
        for row in generated_daily_bars(SEED)[SYMBOL]
    )


@dataclass(kw_only=True)
class Day:
    """How a day gets its bars: `order` is the setting, `history` what stands for all sources, `fill` the store's."""

    order: str
    history: HistorySource | None = None
    fill: Callable[[Bench], object] = field(default=lambda _: None)


def _scanned(bench: Bench) -> None:
    """Leave the days that the scan saw."""
    own = Series(symbol=SYMBOL, bars=before_the_day(), source="own", made="of what the scan saw", at=SEVEN)
    bench.world.store.commit([put(f"own_days/{SYMBOL}", own)])


def _imported(bench: Bench) -> None:
    """Import a file, as the owner does."""
    rows = [f"{one.day},{SYMBOL},{one.open},{one.high},{one.low},{one.close},{one.volume}" for one in before_the_day()]
    file = bench.folder / "bars.csv"
    file.write_text("\n".join(["date,symbol,open,high,low,close,volume", *rows]))
    desk = Desk(
        actor="owner", clock=SteadyClock(SEVEN), chance=SeededChance(), store=bench.world.store, bus=NoBus(),
        journal=Lines(),
    )  # fmt: skip
    hand = Hand(
        name="here", desk=desk, open_vault=ListVault, sign_in=None, operator="owner", running=False, mode="live"
    )
    importing.bring(hand, file)


@contextmanager
def from_source(name: str, certificate: Path) -> Iterator[Day]:
    """Give a day whose bars come from one source alone."""
    if name in {"own", "file"}:
        yield Day(order=name, fill=_scanned if name == "own" else _imported)
        return
    with opened(name, certificate, Market(bars=before_the_day()), symbol=SYMBOL, now=SEVEN) as world:
        if isinstance(world.standing, AlpacaStanding):
            world.standing.page = 1_000
        yield Day(order="own", history=world.fresh())


def judged(bench: Bench) -> list[Mapping[str, Any]]:
    """Play until the first entries are judged, and give those that were."""
    bench.sign_in_at("09:26")
    bench.world.start_schedules(at(JUDGED_BY, bench.day))
    bench.run(JUDGED_BY)
    return [one for one in bench.documents("orders").values() if one["kind"] == "entry"]


def play(folder: Path, day: Day) -> tuple[list[str], list[Mapping[str, Any]]]:
    """Play the generated day of one share with its bars from where `day` says; gives their source and the entries."""
    bench = Bench(
        folder, Path("generated"), start="09:25", seed=SEED, history=lambda _: day.history,
        settings={**FEWER_LOOKS, "STRATEGY_WATCH_LIST": SYMBOL, "STRATEGY_HISTORY_SOURCES": day.order},
    )  # fmt: skip
    with closing(bench):
        day.fill(bench)
        entries = judged(bench)
        return [one["series"]["source"] for one in bench.documents("history").values()], entries


@pytest.mark.parametrize("source", ["own", "file", "alpaca", "yahoo"])
def test_bars_of_each_source_lead_to_an_entry(source: str, tmp_path: Path, certificate: Path) -> None:
    """Bars that a source alone gave through market_history are what a signal and its order are judged on."""
    with from_source(source, certificate) as day:
        sources, entries = play(tmp_path / "state", day)
    assert sources == [source]
    assert [one["symbol"] for one in entries] == [SYMBOL]
    assert entries[0]["state"] != "DENIED", entries[0]["codes"]
    assert datetime.fromisoformat(entries[0]["created_at"]) >= at("09:45", GENERATED_DAY)


def test_without_bars_there_is_none(tmp_path: Path) -> None:
    """Where the sources have no bar of the share the same day has no entry: it is the bars that lead to it."""
    assert play(tmp_path / "state", Day(order="own,file")) == ([], [])


@pytest.mark.parametrize("seed", SEEDS)
def test_every_generated_day_has_an_entry(seed: int, tmp_path: Path) -> None:
    """Each generated day that is in use has an entry that the order function judges on the facts."""
    with closing(Bench(tmp_path / "state", Path("generated"), start="09:25", seed=seed)) as bench:
        entries = judged(bench)
    assert any(one["state"] != "DENIED" for one in entries)
