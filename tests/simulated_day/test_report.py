"""The report: one file that needs nothing, leads with results, and repeats no text as markup."""

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from infra.results.facts import Beside
from infra.results.receipts import why_not
from infra.results.words import dollars, span
from infra.simulated_day.facts import decisions_of, trades_of
from shared.domain.market.sight import LOOKED, Sight
from tests.simulated_day.sample import CASH, HOURS, SYMBOLS, Sample, Tape, at, page_of, quiet_day, result_of

_LOADS = re.compile(r"""<(?:script|img|link|iframe)[^>]*\b(?:src|href)\s*=\s*["']?(?![\s"']*data:)[^>]*>""")
_MOST_BYTES = 1_500_000
"""Of a day's page without the chart library."""


def without_library(text: str) -> str:
    """Give a page without plotly's own code."""
    return re.sub(r"<script>/\*.*?</script>", "", text, flags=re.DOTALL)


def page(sample: Sample, **changes: object) -> str:
    """Render a sample without plotly's own code."""
    return without_library(page_of(result_of(sample, Path("runs/0001"), **changes)))  # type: ignore[arg-type]


def busy_day() -> Sample:
    """Give a day of four hundred trades, sixteen times the busiest one that there is."""
    sample = Sample()
    for number in range(400):
        symbol = SYMBOLS[number % len(SYMBOLS)]
        start = at(9, 45) + timedelta(seconds=53 * number)
        sample.trade(symbol, at=start, held=timedelta(minutes=5), quantity=10)
    for number in range(400):
        sample.denied("BAC", at=at(10, 0, number), codes=("SIZE_ZERO",))
    return sample


def test_it_needs_nothing_from_elsewhere() -> None:
    """The page loads no script, style, picture or font, and forbids itself to."""
    assert not _LOADS.search(page(quiet_day()))
    assert "default-src 'none'" in page_of(result_of(quiet_day(), Path("runs/0001")))


def test_a_day_is_small() -> None:
    """Without the chart library the page of a day has 1.5 MB at the most, also of a far busier day than any."""
    assert len(page(quiet_day()).encode()) < _MOST_BYTES / 4
    busy = page(busy_day())
    assert len(busy.encode()) < _MOST_BYTES
    assert busy.count("<td") > 4_000  # it lists them


def test_results_lead_and_the_machine_comes_last() -> None:
    """Return, drawdown and win rate stand before the trades, then what was skipped, then counts of calls."""
    text = page(quiet_day())
    order = [
        "Return",
        "Largest drawdown",
        "Win rate",
        "<h2>Trades",
        "<h2>Skipped signals",
        "<h2>Technical figures",
        "Broker calls",
    ]
    places = [text.index(part, text.index("<main>")) for part in order]
    assert places == sorted(places)
    assert "Broker calls" not in text[text.index("<main>") : text.index("<h2>Technical figures")]


def test_the_head_of_a_day_says_how_much_was_watched() -> None:
    """As in the report of a running system, the part of the session that was watched stands in the head."""
    sample = quiet_day()
    seen = Sight(begins=HOURS.opens, symbols=4, usable=4, faults=(), unseen={}, seconds=LOOKED * 60)
    shown = page(sample, book=replace(sample.book(), sights=(seen,)))
    head = shown[shown.index("<header") : shown.index("</header>")]
    assert "watched 60 of 23,400 s (0.3 %), not 09:31:00 to 16:00:00" in head


def test_every_table_names_its_figures_for_a_phone() -> None:
    """Each cell of a table carries the name that stands beside it where the heading has no room."""
    text = page(quiet_day())
    assert text.count("<td") == text.count("<td data-name=")
    assert text.count('<td data-name="Exit price"') == 2


def test_the_words_are_those_of_traders() -> None:
    """The page has entry and exit price, exit reasons and reasons of skipped signals in plain words."""
    text = page(quiet_day())
    for part in ("Entry price", "Exit price", "profit target", "blocked: the spread was too wide"):
        assert part in text
    for part in ("Paid", "Got", ">flatten<", "denied by our own rules", "PLACING", "BEFORE_OPENING_RANGE"):
        assert part not in text[text.index("<main>") :]


def test_it_shows_trades_receipts_and_reasons() -> None:
    """Traded symbols, votes, states, reasons and how long each reason held are on the page in plain words."""
    text = page(quiet_day())
    for part in (
        "IBM",
        "bought 54 of 54",
        "momentum",
        "volume 1.9 x",
        "authorised to be sent once, and being sent",
        "The spread was too wide. Daily loss limit.",
    ):
        assert part in text
    assert "<dt>57 s</dt><dd>The symbol could not be judged: before opening range.</dd>" in text


def test_a_possible_wash_sale_is_marked() -> None:
    """A trade whose entry was marked says so, on the page and among the trades; another one does not."""
    sample, mark = quiet_day(), "possible wash sale"
    assert mark not in page(sample)
    result = result_of(sample, Path("runs/0001"))
    marked = replace(result.book, orders=tuple(replace(one, possible_wash_sale=True) for one in result.book.orders))
    assert mark in page(sample, book=marked)
    assert all(trade.possible_wash_sale for trade in trades_of(marked, result.ledger))


def test_it_names_the_configuration_and_the_default() -> None:
    """The page shows the default's own result beside this one, or how to get it."""
    missing = Beside(name="default", note="not run yet: strategy day --config default")
    known = Beside(name="default", note="the same day", profit=Decimal(-7), return_pct=Decimal("-0.01"), trades=1)
    assert "strategy day --config default" in page(quiet_day(), beside=(missing,))
    assert "-$7.00" in page(quiet_day(), beside=(known,))


def test_charts_follow_their_card() -> None:
    """No chart sets a width of its own, none can widen its card, and each is fitted again when the card changes."""
    text = page(quiet_day())
    assert re.search(r"\.plot \{ width: 100%; min-width: 0; overflow: hidden;", text)
    for part in ("autosize: true", "responsive: true", "ResizeObserver", "fitted.observe(plot)"):
        assert part in text


def test_violations_stand_at_the_top() -> None:
    """A day with violations says so before its results and does not call itself clean."""
    text = page(quiet_day(), found=["Position <b>open</b> after the close."])
    assert text.index("Position &lt;b&gt;open&lt;/b&gt; after the close.") < text.index("Largest drawdown")
    assert "All checks passed" not in text


def test_text_cannot_leave_its_place() -> None:
    """A symbol that looks like markup stays text, also inside the charts' data."""
    sample = quiet_day()
    evil = "</script><script>alert(1)</script>"
    sample.fills = [replace(fill, symbol=evil) for fill in sample.fills]
    sample.broker_fills = [replace(fill, symbol=evil) for fill in sample.broker_fills]

    class Empty(Tape):
        """A market without prices."""

        def quote(self, symbol: str, at: object) -> None:  # type: ignore[override]
            """Give nothing."""
            return

    assert evil not in page(sample, found=[], market=Empty())


def test_an_empty_day_has_a_report() -> None:
    """A day on which nothing was bought renders and says so."""
    assert "Nothing was bought." in page(Sample())


def test_equity_ends_at_the_realised_profit() -> None:
    """The curve begins at the starting cash, has a point a minute, and ends with what the day realised."""
    day = quiet_day()
    result = result_of(day, Path("runs/0001"))
    points = result.facts.equity
    assert (points[0].equity, len(points)) == (CASH, 391)
    assert points[-1].equity == CASH + day.ledger().realized_pnl
    assert result.figures.realized == day.ledger().realized_pnl
    assert result.figures.open_profit == 0


def test_a_stop_line_lasts_as_long_as_the_stop() -> None:
    """A stop is drawn from the instant it was placed until it ends."""
    day = Sample()
    day.trade("IBM", at=at(10, 0), held=timedelta(minutes=5), quantity=1)
    (stop,) = result_of(day, Path("runs/0001")).facts.stops
    assert (stop.begins, stop.ends) == (at(10, 0, 6), at(10, 4, 59))


def test_a_receipt_holds_the_whole_chain() -> None:
    """A decision that bought names its entry, its stop and its exit, a denied one only itself."""
    bought, _, denied = decisions_of(quiet_day().book())
    assert [story.order.kind.value for story in bought.stories] == ["entry", "protect", "exit"]
    assert [len(story.events) for story in bought.stories] == [6, 6, 6]
    assert [story.order.kind.value for story in denied.stories] == ["entry"]


def test_why_not_leaves_out_what_was_traded() -> None:
    """Signals, exits and held seconds are no reasons against a trade."""
    minutes = quiet_day().book().receipts
    ibm = next(line for line in why_not(minutes, SYMBOLS) if line.symbol == "IBM")
    assert ibm.seconds == (("NO_VOTE", 12),)


def test_dollars_carry_their_sign() -> None:
    """A gain has a plus, a loss a minus, nothing neither."""
    assert [dollars(text) for text in ("1234.5", "-0.01", "0", "-0.001")] == [
        "+$1,234.50",
        "-$0.01",
        "$0.00",
        "$0.00",
    ]


def test_lengths_of_time_are_short() -> None:
    """A length of time is written in the units that a person would use."""
    assert [span(seconds) for seconds in (9, 119, 720, 21_000)] == ["9 s", "119 s", "12 min", "5 h 50 min"]
