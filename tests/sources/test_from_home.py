"""`strategy history --source`: a source is asked from home, and what it gives is kept as an import is."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import typer

from infra.cli.fetched import Wish, asked
from infra.one_machine.memory_store import MemoryStore
from infra.operations.bars_file import read_bars
from infra.operations.fetching import source_of
from infra.operations.profiles import Hand
from infra.simulated_day.problems import UserError
from shared.codec import dumps
from shared.domain.market.series import Series
from shared.errors import ConfigError
from shared.gcp.no_bus import NoBus
from shared.ports import Clock, HistorySource
from shared.topology import ALPACA_KEY
from shared.usecases.base.desk import Desk
from shared.usecases.market.sources import imported
from tests.doors.fakes import Lines, ListVault
from tests.etrade.world import SeededChance, SteadyClock
from tests.operations.desks import refused, strategy
from tests.sources.market import FIRST, NOW, TODAY
from tests.sources.world import SOURCES, World, opened

WISH = Wish(symbols=("brk.b",), first=str(FIRST), last=None, save=False, yes=False, csv=False, json=False)


def home(clock: Clock, store: MemoryStore | None = None, **changes: object) -> Hand:
    """Give an owner with a store, in the world's time."""
    desk = Desk(
        actor="owner", clock=clock, chance=SeededChance(), store=store or MemoryStore(), bus=NoBus(), journal=Lines()
    )
    hand = Hand(
        name="here", desk=desk, open_vault=ListVault, sign_in=None, operator="owner", running=True, mode="paper"
    )
    return replace(hand, **changes)  # type: ignore[arg-type]


def stored(store: MemoryStore) -> Series | None:
    """Give what market_history will be given of the share."""
    return imported(store).daily("BRK.B", start=FIRST, before=TODAY)


@pytest.mark.parametrize("kind", SOURCES)
def test_what_is_saved_is_what_the_function_will_read(
    kind: str, certificate: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --save the bars lie where an import's do, as they were traded, with their splits and whose they are."""
    with opened(kind, certificate) as world:
        store = MemoryStore()
        asked(home(world.clock, store), world.fresh(), replace(WISH, save=True, yes=True))
        found = stored(store)
    assert found is not None
    assert found.bars == world.market.over(FIRST, TODAY)
    assert found.splits == world.market.splits
    assert (found.source, found.made.startswith(f"asked of {kind} from home: ")) == ("file", True)
    assert f"BRK.B: {len(found.bars)} daily bars" in capsys.readouterr().out


@pytest.mark.parametrize("kind", SOURCES)
def test_what_is_shown_is_kept_nowhere(
    kind: str, certificate: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Without --save nothing is written, and as CSV it is a file that `strategy import` reads to the same bars."""
    with opened(kind, certificate) as world:
        store = MemoryStore()
        asked(home(world.clock, store), world.fresh(), replace(WISH, csv=True))
    assert stored(store) is None
    (tmp_path / "bars.csv").write_text(capsys.readouterr().out)
    found = read_bars(tmp_path / "bars.csv", today=TODAY)["BRK.B"]
    assert tuple(found.bars[day] for day in sorted(found.bars)) == world.market.over(FIRST, TODAY)


def _throttle(world: World) -> None:
    """Let the source answer 429."""
    world.standing.fault, world.standing.headers = "429", {"Retry-After": "90"}


def _unknown(world: World) -> None:
    """Leave the share as the only one that is known."""


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize(
    ("trouble", "first", "second"),
    [(_throttle, "", "not asked: "), (_unknown, "no bar of it", None)],
    ids=["it refuses", "a symbol is unknown"],
)
def test_each_symbol_without_bars_is_named(  # noqa: PLR0917 - what is varied, and two fixtures
    kind: str, trouble: Callable[[World], None], first: str, second: str | None, certificate: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """What came of the others is kept, each one without bars says why, and after a refusal nothing more is asked."""
    with opened(kind, certificate) as world:
        trouble(world)
        store = MemoryStore()
        wish = replace(WISH, symbols=("NONE", "BRK.B"), save=True, yes=True, json=True)
        with pytest.raises(typer.Exit) as ended:
            asked(home(world.clock, store), world.fresh(), wish)
    assert ended.value.exit_code == 2
    none, share = json.loads(capsys.readouterr().out)
    assert first in none["wrong"]
    assert share["wrong"].startswith(second) if second else share["kept"]["bars"] > 0
    assert (stored(store) is None) is (second is not None)
    assert world.charts() == 1 or second is None, "after a refusal nothing is asked"


class _Doubles:
    """A source that gives a day twice."""

    name = "yahoo"

    def __init__(self, source: HistorySource) -> None:
        self._source = source

    def daily(self, *args: object, **range_: object) -> Series | None:
        """Give what the source gives, with its first day twice."""
        found = self._source.daily(*args, **range_)  # type: ignore[arg-type]
        return found and replace(found, bars=(found.bars[0], *found.bars))


def test_what_cannot_be_is_not_kept(certificate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A doubled day, and a price far from the day before, are refused as those of a file are."""
    with opened("yahoo", certificate) as world:
        store = MemoryStore()
        with pytest.raises(typer.Exit):
            asked(home(world.clock, store), _Doubles(world.fresh()), replace(WISH, save=True))
        assert "stands twice" in capsys.readouterr().err
        hand = home(world.clock, store)
        asked(hand, world.fresh(), replace(WISH, last="2026-01-30", save=True))
        held = stored(store)
        assert held is not None
        ten = replace(held, bars=tuple(replace(bar, open=bar.open * 9, high=bar.high * 9, low=bar.low * 9,
                                               close=bar.close * 9) for bar in held.bars[-1:]))  # fmt: skip

        class Wrong:
            name = "yahoo"

            def daily(self, *_: object, **__: object) -> Series:
                return ten

        capsys.readouterr()
        with pytest.raises(typer.Exit):
            asked(hand, Wrong(), replace(WISH, save=True))
        assert "from the close of the day before" in capsys.readouterr().err
        assert stored(store) == held


def test_a_key_is_asked_for_before_anything_is_installed() -> None:
    """Without a key Alpaca is refused with the way to one; a wrong one is named; Yahoo needs none."""
    clock, vault = SteadyClock(NOW), ListVault()
    hand = home(clock, open_vault=lambda: vault)
    with pytest.raises(UserError) as none:
        source_of(hand, "alpaca")
    assert "secrets set alpaca-key" in none.value.remedy
    vault.add(ALPACA_KEY, b"x")
    with pytest.raises(ConfigError):
        source_of(hand, "alpaca")
    vault.add(ALPACA_KEY, dumps({"key_id": "an-id", "secret": "a-half"}))
    assert [source_of(hand, name).name for name in SOURCES] == list(SOURCES)


def test_a_simulated_market_is_not_filled(certificate: Path) -> None:
    """A system on a simulated market has its own days, and would never read what is kept."""
    with opened("yahoo", certificate) as world, pytest.raises(UserError, match="days of its own"):
        asked(home(world.clock, simulated=True), world.fresh(), replace(WISH, save=True))


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("IBM", "AIG"), "without --source"),
        (("IBM", "--save"), "without --source"),
        (("IBM", "--source", "yahoo", "--interval", "5m"), "daily bars"),
        (("IBM", "--source", "yahoo", "--csv", "--json"), "exclude each other"),
    ],
)
def test_words_that_do_not_go_together_are_refused(words: tuple[str, ...], part: str) -> None:
    """Several symbols, and keeping, need a source; a source gives days."""
    refused(strategy("history", *words), part)


@pytest.mark.parametrize(
    ("changes", "part"),
    [({"symbols": ("../x",)}, "no symbol"), ({"first": "3.1.2026"}, "no day"), ({"last": "2020-01-01"}, "is before")],
)
def test_what_cannot_be_asked_is_refused(changes: dict[str, object], part: str, certificate: Path) -> None:
    """What is no symbol or no range is refused before the source is asked."""
    with opened("yahoo", certificate) as world:
        with pytest.raises(UserError, match=part):
            asked(home(world.clock), world.fresh(), replace(WISH, **changes))  # type: ignore[arg-type]
        assert world.charts() == 0
    assert timedelta(days=1) < TODAY - FIRST
