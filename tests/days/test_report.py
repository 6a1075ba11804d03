"""The report: one file that needs nothing, shows everything, and repeats no text as markup."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from infra.day.charts import equity_chart, stop_spans
from infra.day.facts import decisions_of, trades_of
from infra.day.report import render
from infra.results.receipts import why_not
from infra.results.words import dollars, span
from tests.days.sample import CASH, HOURS, SYMBOLS, Sample, Tape, at, quiet_day, result_of

_LOADS = re.compile(r"""<(?:script|img|link|iframe)[^>]*\b(?:src|href)\s*=\s*["']?(?![\s"']*data:)[^>]*>""")


def page(sample: Sample, **changes: object) -> str:
    """Render a sample without plotly's own code."""
    result = replace(result_of(sample, Path("runs/0001")), **changes)  # type: ignore[arg-type]
    return re.sub(r"<script>/\*.*?</script>", "", render(result, Tape()), flags=re.DOTALL)


def test_it_needs_nothing_from_elsewhere() -> None:
    """The page loads no script, style, picture or font, forbids itself to, and stays under 8 MB."""
    whole = render(result_of(quiet_day(), Path("runs/0001")), Tape())
    assert not _LOADS.search(page(quiet_day()))
    assert "default-src 'none'" in whole
    assert len(whole.encode()) < 8_000_000


def test_it_shows_trades_receipts_and_reasons() -> None:
    """Traded symbols, votes, states, denial codes and why-not counts are on the page in plain words."""
    text = page(quiet_day())
    for part in (
        "IBM",
        "bought 54 of 54",
        "momentum",
        "volume 1.9 x",
        "PLACING",
        "spread too wide, daily loss",
    ):
        assert part in text
    assert re.search(r"before opening range <strong>57 s<", text)


def test_a_possible_wash_sale_is_marked() -> None:
    """A trade whose entry was marked says so, on the page and among the trades; another one does not."""
    sample, mark = quiet_day(), "possible wash sale"
    assert mark not in page(sample)
    result = result_of(sample, Path("runs/0001"))
    marked = replace(result.book, orders=tuple(replace(one, possible_wash_sale=True) for one in result.book.orders))
    assert mark in page(sample, book=marked)
    assert all(trade.possible_wash_sale for trade in trades_of(marked, result.ledger))


def test_it_names_the_configuration_and_the_default() -> None:
    """The page says which configuration ran and shows the default's own result, or how to get it."""
    default = {"realized_pnl": "-7.00", "signals": 1, "orders": 2, "fills": 2, "violations": []}
    assert "strategy day --config default" in page(quiet_day())
    assert "-$7.00" in page(quiet_day(), default_result=default)


def test_charts_follow_their_card() -> None:
    """No chart sets a width of its own, none can widen its card, and each is fitted again when the card changes."""
    text = page(quiet_day())
    assert re.search(r"\.plot \{ width: 100%; min-width: 0; overflow: hidden;", text)
    for part in ("autosize: true", "responsive: true", "ResizeObserver", "fitted.observe(entry.target)"):
        assert part in text
    assert text.count("<table") == len(re.findall(r'<div class="card scroll">\s*<table', text))


def test_violations_stand_at_the_top() -> None:
    """A day with violations says so first and does not call itself clean."""
    result = result_of(quiet_day(), Path("runs/0001"), found=["Position <b>open</b> after the close."])
    text = render(result, Tape())
    assert "Position &lt;b&gt;open&lt;/b&gt; after the close." in text
    assert "No violations" not in text


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

    assert evil not in render(result_of(sample, Path("runs/0001"), found=[]), Empty())


def test_an_empty_day_has_a_report() -> None:
    """A day on which nothing was bought renders and says so."""
    assert "Nothing was bought on this day." in page(Sample())


def test_equity_ends_at_the_realised_profit() -> None:
    """The last point of the equity line is what the day realised."""
    day = quiet_day()
    line = equity_chart(prices=Tape(), ledger=day.ledger(), start=CASH, hours=HOURS)["data"][0]
    assert line["y"][-1] == float(day.ledger().realized_pnl)
    assert line["y"][0] == 0
    assert len(line["y"]) == 2341


def test_a_stop_line_lasts_as_long_as_the_stop() -> None:
    """A stop is drawn from the instant it works until it ends."""
    day = Sample()
    day.trade("IBM", at=at(10, 0), held=timedelta(minutes=5), quantity=1)
    (span,) = stop_spans("IBM", day.ledger(), HOURS.closes)
    assert (span.begins, span.ends) == (at(10, 0, 6), at(10, 4, 59))


def test_a_receipt_holds_the_whole_chain() -> None:
    """A decision that bought names its entry, its stop and its exit, a denied one only itself."""
    bought, _, denied = decisions_of(quiet_day().book())
    assert [story.order.kind.value for story in bought.stories] == ["entry", "protect", "exit"]
    assert [len(story.events) for story in bought.stories] == [6, 6, 6]
    assert [story.order.kind.value for story in denied.stories] == ["entry"]


def test_why_not_leaves_out_what_was_traded() -> None:
    """Signals, exits and held seconds are no reasons against a trade."""
    minutes = [receipt.symbols for receipt in quiet_day().book().receipts]
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
