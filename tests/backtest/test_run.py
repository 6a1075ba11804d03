"""A span is played day after day: what one leaves the next begins with, and both resolutions stand side by side."""

import csv
import os
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from io import StringIO
from itertools import pairwise
from math import prod
from pathlib import Path

import pytest

from infra.backtest.data import Chapter, survey
from infra.backtest.day import Day, Resolution
from infra.backtest.gathered import WORDS
from infra.backtest.generated_data import FIRST_TEN, GeneratedData
from infra.backtest.looking import scanned
from infra.backtest.minutes import minute_day
from infra.backtest.run import Fidelity, Outcome, Progress, Task, run
from infra.backtest.workers import run_all
from infra.brokersim.generated import GENERATED_DAY
from infra.cli.traded import as_csv
from infra.results.ends import UNFILLED
from infra.results.figures import DEFINITIONS, closes
from infra.results.plain import plain
from shared.domain.base.values import CENT
from shared.domain.control.tables import strategies_of
from shared.domain.market.bars import Bar
from shared.domain.market.ranking import known_measures, ranked
from shared.strategies.config import load
from tests.backtest.made import session

CAPITAL = Decimal(50_000)
TWO_DAYS = GENERATED_DAY + timedelta(days=1)
MINUTE = timedelta(minutes=1)
OTHER = {Resolution.TICK: Resolution.MINUTE, Resolution.MINUTE: Resolution.TICK}


def task(
    last: date = TWO_DAYS, symbols: int = 3, compared: int = 0, resolution: Resolution = Resolution.MINUTE
) -> Task:
    data = GeneratedData(seed=1)
    seen = survey(data, GENERATED_DAY, last, FIRST_TEN[:symbols])
    return Task(
        label="demo", name="demo", config=load("demo"), folder="", data=data, survey=seen, resolution=resolution,
        capital=CAPITAL, compared=compared,
    )  # fmt: skip


@cache
def two_days() -> tuple[Outcome, tuple[Progress, ...]]:
    told: list[Progress] = []
    outcome = run(task(), told.append)
    return outcome, tuple(told)


def test_what_was_earned_is_what_the_trades_brought_after_fees() -> None:
    """The equity at the end is the capital and every trade's profit less its fees, to the cent."""
    outcome, _ = two_days()
    facts = outcome.facts
    assert facts.trades
    assert all(trade.is_over and trade.fees is not None and trade.fees > 0 for trade in facts.trades)
    assert facts.equity[-1].equity == CAPITAL + sum(trade.net for trade in facts.trades)
    assert outcome.figures.sharpe is None


def test_every_signal_of_a_month_bought_or_is_skipped_with_a_reason() -> None:
    """Signals are those that bought, in whole or in part, and those that did not, entries without a fill among them."""
    config = load("demo")
    config = replace(config, entry=replace(config.entry, ask_cushion_bps=Decimal(0)))
    month = run(replace(task(GENERATED_DAY + timedelta(days=30)), config=config), lambda _: None).facts
    codes = Counter(one.code for one in month.skipped)
    assert codes[UNFILLED] > 0
    assert len(month.trades) > 0
    assert month.signals == len(month.trades) + len(month.skipped)
    assert all(one.sentence for one in month.skipped)


def test_a_day_begins_with_what_the_one_before_left() -> None:
    """The second session's equity starts where the first one's ended, and its sizes know that cash has not settled."""
    outcome, told = two_days()
    assert [(one.done, one.of) for one in told] == [(1, 2), (2, 2)]
    ends = closes(outcome.facts.equity)
    assert ends == [one.equity for one in told]
    first_point = next(one for one in outcome.facts.equity if one.at.date() == TWO_DAYS)
    assert first_point.equity == ends[0]
    alone = run(replace(task(GENERATED_DAY), label="alone"), lambda _: None)
    assert alone.facts.trades == tuple(one for one in outcome.facts.trades if one.entered_at.date() == GENERATED_DAY)


def test_the_span_resolution_and_source_are_those_that_there_were() -> None:
    """The facts say what was really played, on what, and what must be said before any figure."""
    outcome, _ = two_days()
    facts = outcome.facts
    assert (facts.begins.date(), facts.ends.date()) == (GENERATED_DAY, TWO_DAYS)
    assert (facts.resolution, facts.source) == ("bars of a minute", "generated market, seed 1")
    assert facts.said[0].startswith("The market is generated")
    assert sorted(facts.prices) == sorted(FIRST_TEN[:3])


def test_buy_and_hold_begins_where_its_definition_says() -> None:
    """On bars of a minute it buys at the close of the first bar, and the definition says so."""
    outcome, _ = two_days()
    first = {symbol: marks[0].price for symbol, marks in outcome.facts.prices.items()}
    whole = task()
    (chapter,) = whole.data.chapters(GENERATED_DAY, GENERATED_DAY, whole.survey.symbols)
    assert first == {symbol: bar.close for symbol, bar in next(chapter.minutes.ticks()).bars.items()}
    assert "on bars of a minute the close of its first bar" in DEFINITIONS["hold_pct"][1]


def test_bars_and_quotes_of_a_session_stand_side_by_side() -> None:
    """What bars miss and add of the signals of quotes is counted, whichever of both is the back-test."""
    on_bars = run(task(GENERATED_DAY, symbols=1, compared=1), lambda _: None)
    on_quotes = run(task(GENERATED_DAY, symbols=1, compared=1, resolution=Resolution.TICK), lambda _: None)
    assert on_bars.fidelity == on_quotes.fidelity
    found = on_bars.fidelity
    assert found is not None
    assert found.shared > 0
    assert (found.shared + found.added, found.shared + found.missed) == (on_bars.facts.signals, on_quotes.facts.signals)
    assert [one.name for one in on_bars.facts.beside] == ["on one-second quotes"]
    assert on_bars.facts.beside[0].return_pct == on_quotes.figures.return_pct


class _Rising(GeneratedData):
    """The second and the last but one of its sessions have quotes; the others have bars only, of a strong rise."""

    def chapters(self, first: date, last: date, symbols: Sequence[str]) -> Iterator[Chapter]:
        """Give the sessions."""
        for number, chapter in enumerate(super().chapters(first, last, symbols)):
            yield chapter if number in QUOTED else Chapter(minutes=_risen(chapter.minutes))


QUOTED = (1, 3)
RISING_DAYS = 5


CUT = timedelta(minutes=18)


class _Cut(GeneratedData):
    """Its sessions have bars of a rise that end soon after the first purchases."""

    def present(self, first: date, last: date) -> dict[date, dict[str, datetime]]:
        """Give the symbols, each with when its bars end."""
        known = super().present(first, last)
        return {day: dict.fromkeys(those, session(day).opens_at + CUT) for day, those in known.items()}

    def chapters(self, first: date, last: date, symbols: Sequence[str]) -> Iterator[Chapter]:
        """Give the sessions."""
        for chapter in super().chapters(first, last, symbols):
            day, risen = chapter.minutes, _risen(chapter.minutes)
            until = day.session.opens_at + CUT
            bars = {one: [tick.bars[one] for tick in risen.ticks() if tick.at <= until] for one in day.symbols}
            yield Chapter(minutes=minute_day(day.session, day.history, symbols=day.symbols, source=day.source,
                                             bars=partial(dict, bars)))  # fmt: skip


@pytest.mark.timeout(120)
def test_data_that_end_while_something_is_held_end_the_day_and_are_said() -> None:
    """A session whose bars end early is played to its close, keeps what was held, and says so."""
    whole, data = task(GENERATED_DAY, symbols=2), _Cut(seed=1)
    seen = survey(data, GENERATED_DAY, GENERATED_DAY, whole.survey.symbols)
    outcome = run(replace(whole, data=data, survey=seen), lambda _: None)
    assert [trade.is_over for trade in outcome.facts.trades] == [False] * len(outcome.facts.trades) != []
    said = f"The data of {GENERATED_DAY} end at 09:48:00 New York, before the close at 16:00:00"
    assert any(one.startswith(said) for one in seen.missing)
    assert set(seen.missing) <= set(outcome.facts.said)
    last = outcome.facts.equity[-1]
    gained = sum(one.net + (one.open_profit or 0) for one in outcome.facts.trades)
    assert (last.at, last.equity) == (session(GENERATED_DAY).opens_at + CUT, CAPITAL + gained)
    assert whole.survey.missing == ()


@pytest.mark.timeout(120)
def test_what_is_held_has_its_value_in_the_trades() -> None:
    """Profits after fees and open profits in the CSV are together the report's, and the JSON says each."""
    whole, data = task(GENERATED_DAY, symbols=2), _Cut(seed=1)
    outcome = run(replace(whole, data=data), lambda _: None)
    rows = list(csv.DictReader(StringIO(as_csv(outcome.facts.trades, fees=True))))
    assert [int(row["held"]) for row in rows] == [one.shares for one in outcome.facts.trades] != []
    gained = [Decimal(row["open_profit_usd"]) for row in rows]
    assert all(gained)
    assert sum(gained) == outcome.figures.open_profit
    assert sum(Decimal(row["profit_after_fees_usd"]) for row in rows) + sum(gained) == outcome.figures.profit
    told = plain(outcome.facts, outcome.figures)["trades"]
    assert [Decimal(one["open_profit"]) for one in told] == gained


def _risen(day: Day) -> Day:
    begins, minutes = day.session.opens_at, range((day.session.closes_at - day.session.opens_at) // MINUTE)

    def bars(symbol: str) -> list[Bar]:
        close = day.history[symbol].bars[-1].close
        steps = [minute // 3 + minute % 3 for minute in (*minutes, len(minutes))]
        prices = [(close * (1 + Decimal(step) / 1000)).quantize(CENT) for step in steps]
        return [
            Bar(
                end=begins + (minute + 1) * MINUTE, open=one, high=max(one, other), low=min(one, other), close=other,
                volume=1_000_000,
            )
            for minute, (one, other) in enumerate(pairwise(prices))
        ]  # fmt: skip

    return minute_day(
        day.session, day.history, symbols=day.symbols, source=day.source,
        bars=lambda: {one: bars(one) for one in day.symbols},
    )  # fmt: skip


@pytest.mark.parametrize("resolution", list(Resolution))
def test_returns_side_by_side_are_those_of_the_compared_sessions_alone(resolution: Resolution) -> None:
    """What a back-test earned before, between and after the sessions that have quotes is in neither percent."""
    last = GENERATED_DAY + timedelta(days=RISING_DAYS - 1)
    whole = task(last, symbols=1, compared=RISING_DAYS, resolution=resolution)
    told: list[Progress] = []
    outcome = run(replace(whole, data=_Rising(seed=1)), told.append)
    found, ends = outcome.fidelity, [CAPITAL, *(one.equity for one in told)]
    assert found is not None
    assert found.sessions == len(QUOTED)
    grew = [after / before for before, after in pairwise(ends)]
    mine = found.bars_pct if resolution is Resolution.MINUTE else found.quotes_pct
    assert round(mine, 9) == round((prod((grew[one] for one in QUOTED), start=Decimal(1)) - 1) * 100, 9)
    mistaken = (ends[QUOTED[-1] + 1] / CAPITAL - 1) * 100
    assert mistaken - mine > 1
    assert outcome.facts.resolution == WORDS[resolution]
    assert [one.name for one in outcome.facts.beside] == [f"on {WORDS[OTHER[resolution]]}"]
    without = "3 of 5 sessions without quotes: played on bars of a minute."
    assert (without in outcome.facts.said) is (resolution is Resolution.TICK)


def test_a_configuration_trades_the_account_that_a_day_gives_it() -> None:
    """The demonstration's proceeds are spent again at once, another configuration's settle later; each says which."""
    on_margin = run(task(GENERATED_DAY), lambda _: None)
    of_cash = run(replace(task(GENERATED_DAY), name="default"), lambda _: None)
    assert any(one.startswith("It trades a margin account without leverage") for one in on_margin.facts.said)
    assert any(one.startswith("It trades a cash account") and one.endswith("(T+3).") for one in of_cash.facts.said)
    assert _spent(on_margin) > _spent(of_cash)
    assert _spent(of_cash) <= CAPITAL


def _spent(outcome: Outcome) -> Decimal:
    return sum((one.shares * one.entry_price for one in outcome.facts.trades), Decimal(0))


def test_of_many_symbols_the_first_of_the_day_s_rank_are_looked_at() -> None:
    """With room for two of three symbols a session trades those two that lead by the daily bars before it."""
    whole = task(GENERATED_DAY)
    config = replace(whole.config, universe=replace(whole.config.universe, scanned_max=2))
    (chapter,) = whole.data.chapters(GENERATED_DAY, GENERATED_DAY, whole.survey.symbols)
    days = chapter.minutes.history
    known = [known_measures(one, days[one], GENERATED_DAY, spread=None) for one in chapter.minutes.symbols]
    first = {one.symbol for one in ranked(known, config.universe.weights)[:2]}
    assert scanned(chapter.minutes, config) == first
    outcome = run(replace(whole, config=config), lambda _: None)
    assert {one.symbol for one in outcome.facts.trades} <= first
    assert any(one.startswith("Of 3 symbols the first 2 of each session's rank") for one in outcome.facts.said)
    assert {one.symbol for one in run(whole, lambda _: None).facts.trades} - first


BROKEN = '''"""Breaks at its second hour."""

from dataclasses import dataclass

from shared.strategies.verdict import Reason

NAME = "broken"
NEVER = Reason(code="NEVER", words="It never votes.")
REASONS = (NEVER,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    pass


def vote(view, own):
    if len(view.bars) > 120:
        raise RuntimeError("no idea")
    return NEVER
'''


def test_a_strategy_that_raises_is_named_and_left_out(tmp_path: Path) -> None:
    """One that cannot be asked costs its own votes: the others go on, and the result says so before any figure."""
    (tmp_path / "broken.py").write_text(BROKEN)
    demo = load("demo")
    config = replace(demo, strategies=strategies_of({**demo.strategies, "broken": {}}))
    outcome = run(replace(task(), config=config, folder=str(tmp_path)), lambda _: None)
    said = "Strategy broken was left out of 2 sessions, 2013-03-04 the first: it raised RuntimeError: no idea."
    assert said in outcome.facts.said
    assert outcome.facts.trades == two_days()[0].facts.trades


@pytest.mark.parametrize("ending", ["SystemExit", "KeyboardInterrupt"])
def test_a_strategy_that_ends_the_program_is_left_out(tmp_path: Path, ending: str) -> None:
    """Where a back-test plays no Ctrl-C raises anything: whatever a strategy raises to end the program is its fault."""
    (tmp_path / "broken.py").write_text(BROKEN.replace('RuntimeError("no idea")', f'{ending}("enough")'))
    demo = load("demo")
    config = replace(demo, strategies=strategies_of({"broken": {}}))
    whole = replace(task(GENERATED_DAY, symbols=1), config=config, folder=str(tmp_path))
    (outcome,) = run_all([whole], lambda *_: None)
    assert any("it raised " in one and ending in one and one.endswith("enough.") for one in outcome.facts.said)


def test_a_file_where_the_owner_stands_is_no_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file pickle.py in the current folder stops no back-test, and the environment is left as it was."""
    (tmp_path / "pickle.py").write_text("raise ImportError('the wrong pickle')\n")
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)
    (outcome,) = run_all([task(GENERATED_DAY, symbols=1)], lambda *_: None)
    assert outcome.facts.equity
    assert dict(os.environ) == before


def test_a_ctrl_c_ends_what_asks_a_strategy(tmp_path: Path) -> None:
    """Where Ctrl-C raises KeyboardInterrupt, one that comes while a strategy is asked ends the run."""
    (tmp_path / "broken.py").write_text(BROKEN.replace('RuntimeError("no idea")', "KeyboardInterrupt"))
    config = replace(load("demo"), strategies=strategies_of({"broken": {}}))
    whole = replace(task(GENERATED_DAY, symbols=1), config=config, folder=str(tmp_path))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(whole, lambda _: None)
    finally:
        signal.signal(signal.SIGINT, before)


def test_nothing_gained_has_one_form() -> None:
    """What rounds to no percent is written without a sign, also where both resolutions stand side by side."""
    nothing, less = Decimal("0.0004"), Decimal("-0.0004")
    found = Fidelity(sessions=1, shared=0, missed=0, added=0, quotes_pct=nothing, bars_pct=less)
    assert found.sentence.endswith("; 0.00 % on quotes, 0.00 % on bars")
