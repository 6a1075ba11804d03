"""The figures of a run are what their definitions say: worked out by hand, and true of whatever chance draws."""

import random
from dataclasses import fields, replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given

from infra.results import figures as work
from infra.results.facts import Facts, Point, Skipped, Trade
from infra.results.figures import DEFINITIONS, LEAST_SESSIONS, LEAST_TRADES, Figures, defined, fees_of, figures
from infra.results.headline import headline
from infra.results.plain import plain
from shared.domain.base.calendar import session_of
from tests.results.made import START, at, curve, drawn, facts, trade

FOUR = (
    trade("300", symbol="IBM", reason="target", slips="2", fees="1"),
    trade("-100", symbol="IBM", reason="protective stop", hour=11, slips="-1", stop_slips="4", fees="1"),
    trade("-50", symbol="AIG", strategy="opening_range", reason="flatten", hour=11, fees="1"),
    trade("1", symbol="AIG", reason="flatten", hour=14, fees="1"),
)
"""Profits after fees of 299, -101, -51 and 0."""


def test_four_trades_worked_out_by_hand() -> None:
    """Rates, means, factor, fees and slippage of four trades are those that a person works out on paper."""
    found = figures(facts(FOUR))
    assert (found.trades, found.over, found.wins, found.losses) == (4, 4, 1, 2)
    assert found.win_rate_pct == Decimal(25)
    assert found.profit_factor == Decimal("1.97")  # 299 / 152
    assert (found.expectancy, found.average_win, found.average_loss) == (Decimal("36.75"), Decimal(299), Decimal(-76))
    assert (found.realized, found.fees) == (Decimal(147), Decimal(4))
    assert (found.entry_slippage, found.stop_slippage) == (Decimal(1), Decimal(4))
    unknown = facts(FOUR, fees_unknown="not modelled")
    assert figures(unknown).fees is None
    said = {line.name: f"{line.text} {line.note}" for line in headline(unknown, figures(unknown))}
    assert said["Fees"] == "not modelled commissions and regulatory fees: in no figure here"
    assert "before fees" in said["Expectancy"]
    assert found.entry_slippage_bps == Decimal("5.00")  # 1 USD of the 1,999 that the same shares were to cost


def test_fees_that_nobody_knows_are_none_and_no_figure_has_them() -> None:
    """Of a trade without known fees neither it nor its groups nor the sum say 0, and its profit is before them."""
    one = replace(trade("300"), fees=None)
    found = figures(facts([one]))
    assert (found.fees, found.by_symbol[0].fees, found.realized) == (None, None, Decimal(300))
    (said,) = plain(facts([one]), found)["trades"]
    assert (said["fees"], said["net"]) == (None, "300")
    assert fees_of([*FOUR, one]) is None
    assert fees_of(FOUR) == Decimal(4)


@pytest.mark.parametrize(("slips", "said"), [("2", "+$2.00: paid 0.200 % above"), ("-2", "-$2.00: paid 0.200 % below")])
def test_slippage_has_the_sign_of_its_definition_wherever_it_stands(slips: str, said: str) -> None:
    """What cost more than at the decision is positive on the page and in the JSON, what cost less is negative."""
    slipped = trade("5", slips=slips, price=str(100 + Decimal(slips) / 10), stop_slips=slips)
    lines, run = _said(slipped), facts([slipped])
    assert lines["Slippage of entries"].startswith(said)
    assert lines["Slippage of stops"].startswith(said.split(":", maxsplit=1)[0])
    assert plain(run, figures(run))["figures"]["entry_slippage"] == slips


def _said(*trades: Trade) -> dict[str, str]:
    run = facts(trades)
    return {line.name: f"{line.text}: {line.note}" for line in headline(run, figures(run))}


def test_what_there_was_none_of_is_said() -> None:
    """Without a stop that sold, a winning or a losing trade, the line says so and not what it measures."""
    lost = trade("-50", slips="0")
    said = _said(lost)
    assert said["Slippage of stops"] == "none: no stop sold anything; of other exits it is not known"
    assert said["Profit factor"] == "0.00: nothing was won"
    assert _said(trade("5"))["Profit factor"] == "none: nothing was lost"
    assert _said(*FOUR)["Profit factor"] == "1.97: sum won, divided by sum lost"
    assert _said(*FOUR)["Slippage of stops"].startswith("+$4.00: sold below the stops' levels")


@pytest.mark.parametrize(
    ("slips", "said"),
    [
        ("0", "$0.00: paid at the price of the decision"),
        ("-0.004", "$0.00: paid less than 0.001 % below the price of the decision"),
        ("1", "+$1.00: paid 0.100 % above the price of the decision"),
    ],
)
def test_what_was_paid_is_above_at_or_below_the_price(slips: str, said: str) -> None:
    """At no slippage nobody reads of a side, and what rounds to nothing is called less than the last digit."""
    assert _said(trade("5", slips=slips))["Slippage of entries"] == said


def test_groups_worked_out_by_hand() -> None:
    """The same four trades by symbol, strategy, exit reason and the hour of their entry."""
    found = figures(facts(FOUR))
    assert [(one.name, one.trades, one.profit, one.win_rate_pct) for one in found.by_symbol] == [
        ("IBM", 2, Decimal(198), Decimal(50)), ("AIG", 2, Decimal(-51), Decimal(0)),
    ]  # fmt: skip
    assert [(one.name, one.profit) for one in found.by_strategy] == [
        ("momentum", Decimal(198)), ("opening_range", Decimal(-51)),
    ]  # fmt: skip
    assert [one.name for one in found.by_reason] == ["target", "flatten", "protective stop"]
    assert [(one.name, one.trades) for one in found.by_hour] == [
        ("10:00 to 11:00", 1), ("11:00 to 12:00", 2), ("14:00 to 15:00", 1),
    ]  # fmt: skip


def test_a_curve_worked_out_by_hand() -> None:
    """Return, drawdown with its instants and exposure of a curve that rises, falls twice and ends above its start."""
    points = curve([100_000, 101_000, 100_495, 102_000, 100_980, 101_500], [0, 50_500, 0, 51_000, 0, 0])
    found = figures(facts(FOUR, points, prices={"IBM": ["100", "90", "103"], "AIG": ["50", "49"], "BAC": []}))
    assert (found.ending_equity, found.profit, found.return_pct) == (Decimal(101_500), Decimal(1500), Decimal("1.50"))
    assert found.open_profit == Decimal(1500) - Decimal(147)
    assert found.drawdown is not None
    assert (found.drawdown.usd, found.drawdown.pct) == (Decimal(-1020), Decimal("-1.00"))
    assert (found.drawdown.since, found.drawdown.until) == (at(9, 33), at(9, 34))
    assert found.exposure_pct == Decimal("16.67")  # two of six points at a half
    assert found.hold_pct == Decimal("0.50")  # 3 % up and 2 % down in equal parts


def test_a_curve_that_only_falls_is_measured_from_the_start() -> None:
    """The starting equity is a highest value, too: a first point below it is a drawdown already."""
    found = figures(facts(equity=curve([99_000, 99_500])))
    assert found.drawdown is not None
    assert found.drawdown.usd == -1000


def test_what_cannot_be_known_is_none() -> None:
    """Without a trade, a curve or a price no figure is made up, and nothing is divided by nothing."""
    found = figures(facts())
    given = {one.name: getattr(found, one.name) for one in fields(Figures)}
    assert {name for name, value in given.items() if value is None} == {
        "ending_equity", "profit", "open_profit", "return_pct", "hold_pct", "drawdown", "win_rate_pct", "profit_factor",
        "expectancy", "average_win", "average_loss", "exposure_pct", "entry_slippage", "entry_slippage_bps",
        "stop_slippage", "sharpe",
    }  # fmt: skip
    assert figures(facts([trade("5")])).profit_factor is None


def test_an_open_trade_is_in_no_rate() -> None:
    """What is still held has its realised part in the sums and counts in no rate and no mean."""
    found = figures(facts([trade("100"), trade("40", over=False, hour=12)]))
    assert (found.trades, found.over, found.realized) == (2, 1, Decimal(140))
    assert (found.win_rate_pct, found.expectancy) == (Decimal(100), Decimal(100))
    assert [one.name for one in found.by_reason] == ["target", "still held"]


def _sessions(count: int) -> tuple[Point, ...]:
    """Give one point at the close of each of so many sessions, a gain of 0.2 % after a loss of 0.1 %."""
    day, points, equity = date(2013, 1, 2), list[Point](), START
    while len(points) < count:
        session = session_of(day) if day.weekday() < 5 else None
        if session is not None:
            equity *= Decimal("0.999") if len(points) % 2 == 0 else Decimal("1.002")
            points.append(Point(at=session.closes_at, equity=equity, invested=Decimal(0)))
        day += timedelta(days=1)
    return tuple(points)


def test_a_sharpe_ratio_needs_trades_and_sessions() -> None:
    """One trade or one session too few and there is none; with enough of both it is mean over deviation a year."""
    many = [trade("1")] * LEAST_TRADES
    enough = figures(facts(many, _sessions(LEAST_SESSIONS)))
    # returns of -0.1 % and +0.2 % in turn: mean 0.05 %, standard deviation of the sample 0.1513 %
    assert enough.sharpe is not None
    assert enough.sharpe == pytest.approx(Decimal("5.25"), abs=Decimal("0.01"))
    assert figures(facts(many[1:], _sessions(LEAST_SESSIONS))).sharpe is None
    assert figures(facts(many, _sessions(LEAST_SESSIONS - 1))).sharpe is None


@given(drawn)
def test_the_sum_over_any_group_is_the_whole(run: Facts) -> None:
    """Trades, those that ended, wins, profit and fees are the same sum by symbol, strategy, reason and hour."""
    found = figures(run)
    for groups in (found.by_symbol, found.by_strategy, found.by_reason, found.by_hour):
        assert sum(one.trades for one in groups) == found.trades
        assert sum(one.over for one in groups) == found.over
        assert sum(one.wins for one in groups) == found.wins
        assert sum(one.profit for one in groups) == found.realized
        assert sum(one.fees or 0 for one in groups) == found.fees
    assert sum(one.count for one in found.skipped_by) == found.skipped


@given(drawn)
def test_a_drawdown_is_never_positive(run: Facts) -> None:
    """It is 0 or less, no point lies further below an earlier one, and its instants are in order."""
    found = figures(run).drawdown
    assert (found is None) == (not run.equity)
    if found is None:
        return
    equities = [run.starting_equity, *(point.equity for point in run.equity)]
    assert found.usd == min(later - max(equities[: number + 1]) for number, later in enumerate(equities))
    assert found.usd <= 0
    assert found.pct <= 0
    assert found.since <= found.until


@given(drawn)
def test_rates_stay_within_their_bounds(run: Facts) -> None:
    """Win rate and exposure lie between 0 and 100, and wins and losses are no more than what ended."""
    found = figures(run)
    assert found.wins + found.losses <= found.over <= found.trades
    for share in (found.win_rate_pct, found.exposure_pct):
        assert share is None or 0 <= share <= 100
    assert found.profit_factor is None or found.profit_factor >= 0


@given(drawn)
def test_the_order_of_trades_changes_nothing(run: Facts) -> None:
    """The figures of the same trades in another order are the same."""
    mixed = list(run.trades)
    random.Random(7).shuffle(mixed)
    assert figures(replace(run, trades=tuple(mixed))) == figures(run)


@given(drawn)
def test_profit_is_what_was_realised_and_what_is_open(run: Facts) -> None:
    """What the equity gained is what was realised after fees and the open profit, to the cent."""
    found = figures(run)
    if found.profit is not None:
        assert found.open_profit is not None
        assert found.realized + found.open_profit == found.profit


def test_a_group_that_loses_a_trade_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeded mistake: groups that leave a losing trade out do not sum up to the whole."""
    whole = work.grouped
    monkeypatch.setattr(work, "grouped", lambda those, key, **more: whole([one for one in those if one.net > 0], key))
    found = figures(facts(FOUR))
    assert sum(one.profit for one in found.by_symbol) != found.realized


def test_skipped_signals_are_counted_by_their_first_reason() -> None:
    """The most frequent reason comes first, with how many symbols it was of and one sentence in full."""
    skipped = [
        Skipped(symbol=symbol, at=at(10, 0), code=code, sentence=f"{symbol} {code}")
        for symbol, code in (("IBM", "SIZE_ZERO"), ("IBM", "QTY"), ("AIG", "SIZE_ZERO"))
    ]
    first, second = figures(facts(skipped=skipped)).skipped_by
    assert (first.code, first.count, first.symbols, first.example) == ("SIZE_ZERO", 2, 2, "IBM SIZE_ZERO")
    assert (second.code, second.count) == ("QTY", 1)


def test_every_figure_is_defined() -> None:
    """Each figure of a report is in the table of definitions, or is a count or a sum that says itself what it is."""
    plain = {
        "starting_equity", "ending_equity", "profit", "realized", "sessions", "trades", "over", "wins", "losses",
        "signals", "entry_slippage_bps",
    }  # fmt: skip
    grouped = {"by_symbol", "by_strategy", "by_reason", "by_hour", "skipped_by"}
    assert {one.name for one in fields(Figures)} - plain - grouped == set(DEFINITIONS) - {"groups", "reasons"}


def test_definitions_say_fees_as_the_figures_have_them() -> None:
    """Each definition says after fees where fees are known, and before fees where nobody knows them."""
    known, unknown = facts(FOUR), facts(FOUR, fees_unknown="not modelled")
    after = dict(defined(figures(known)))
    before = dict(defined(figures(unknown)))
    for name in ("Win rate", "Profit factor", "Expectancy", "Average win", "Average loss"):
        assert "after fees" in after[name]
        assert "before fees" in before[name]
        assert "after fees" not in before[name]
    assert "fees taken off" not in before["Return"]
