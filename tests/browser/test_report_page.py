"""The report in a real browser, on a phone and on a desk: nothing is cut, and it is dark where that is asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from infra.results.facts import Beside
from tests.browser.served import DESK, PHONE
from tests.patience import PATIENCE_S
from tests.simulated_day.sample import Sample, at, page_of, result_of

SIZES = {"small phone": 320, "phone": PHONE["width"], "tablet": 768, "narrow window": 940, "desk": DESK["width"]}
_CUT = """() => [...document.querySelectorAll("table, td, th, .card, .tiles > div, summary")]
  .filter((one) => one.offsetParent !== null)
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 0.5 || one.scrollWidth > one.clientWidth + 1)
  .map((one) => `${one.tagName} ${one.textContent.trim().slice(0, 60)}`)"""
"""What reaches beyond the window's edge, or holds more than it shows."""


def report() -> str:
    """Give the page of a day with long words in every table."""
    sample = Sample()
    for symbol, start in (("IBM", at(10, 5)), ("AIG", at(11, 20)), ("SPY", at(13, 0))):
        sample.trade(symbol, at=start, held=timedelta(minutes=52), quantity=12_540)
    sample.denied("BAC", at=at(12, 1), codes=("COOLDOWN_SYMBOL", "EXPOSURE_MAX_ACCOUNT"))
    other = Beside(name="default", note="not run yet: strategy day --config default", profit=Decimal(-1_234_567))
    result = result_of(sample, Path("runs/0001"), beside=(other,))
    trades = [
        replace(one, possible_wash_sale=True, exit_reason="protective stop, flatten") for one in result.facts.trades
    ]
    return page_of(replace(result, facts=replace(result.facts, trades=tuple(trades))))


@contextmanager
def shown(
    chromium: Browser, file: Path, text: str, *, width: int, dark: bool = False
) -> Iterator[tuple[Page, list[str]]]:
    """Show a page of this text, with everything folded out, and what the browser complained about."""
    file.write_text(text, encoding="utf-8")
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light", has_touch=width < 900
    )
    context.set_default_timeout(1000 * PATIENCE_S)
    complaints: list[str] = []
    context.on("console", lambda message: complaints.append(message.text))
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(file.as_uri())
    page.wait_for_selector("#equity .main-svg")
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    yield page, complaints
    context.close()


@pytest.mark.parametrize("width", SIZES.values(), ids=SIZES)
def test_no_table_is_cut(chromium: Browser, tmp_path: Path, width: int) -> None:
    """At no width, from a small phone to a desk, does a table reach beyond the edge or hide some of itself."""
    with shown(chromium, tmp_path / "report.html", report(), width=width) as (page, complaints):
        assert page.evaluate(_CUT) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert complaints == []


def test_a_table_that_is_cut_is_seen(chromium: Browser, tmp_path: Path) -> None:
    """Seeded mistake: rows that stay rows on a phone are found beyond its edge."""
    text = report().replace("@media (max-width: 1060px)", "@media (max-width: 9px)")
    with shown(chromium, tmp_path / "report.html", text, width=PHONE["width"]) as (page, _):
        assert page.evaluate(_CUT)


def test_it_is_dark_where_that_is_asked(chromium: Browser, tmp_path: Path) -> None:
    """Page and charts are dark in a dark browser and light in a light one, and the text stands out from both."""
    seen = {}
    for dark in (False, True):
        with shown(chromium, tmp_path / "report.html", report(), width=DESK["width"], dark=dark) as (page, _):
            seen[dark] = (
                _brightness(page, "getComputedStyle(document.body).backgroundColor"),
                _brightness(page, "getComputedStyle(document.body).color"),
                _brightness(page, "getComputedStyle(document.querySelector('#equity .main-svg')).backgroundColor"),
            )
    for ground, ink, chart in (seen[False], tuple(255 - one for one in seen[True])):
        assert ground > 200
        assert ink < 80
        assert chart > 200


def test_every_chart_is_drawn_when_it_is_reached(chromium: Browser, tmp_path: Path) -> None:
    """Scrolled to, each chart is drawn, as wide as its card."""
    with shown(chromium, tmp_path / "report.html", report(), width=PHONE["width"]) as (page, complaints):
        for chart in page.locator(".plot").all():
            chart.scroll_into_view_if_needed()
            chart.locator(".main-svg").first.wait_for()
            box, card = chart.locator(".main-svg").first.bounding_box(), chart.bounding_box()
            assert box is not None
            assert card is not None
            assert abs(box["width"] - card["width"]) <= 1
        assert complaints == []


_DRAWN = """() => Object.fromEntries([...document.querySelectorAll(".plot")]
  .map((one) => [one.id, one.querySelector(".main-svg")?.clientWidth ?? 0]))"""
"""How wide each chart is drawn, 0 where it is not."""


def test_the_equity_is_drawn_wherever_it_stands(chromium: Browser, tmp_path: Path) -> None:
    """Equity and drawdown are drawn before anybody scrolls to them; prices, which may be many, are not."""
    text = report().replace(
        '<section class="card tiles">', '<div style="height: 9000px"></div><section class="card tiles">'
    )
    with shown(chromium, tmp_path / "report.html", text, width=PHONE["width"]) as (page, complaints):
        page.wait_for_selector("#drawdown .main-svg", state="attached")
        assert {name for name, width in page.evaluate(_DRAWN).items() if not width} == {"price0", "price1", "price2"}
        assert complaints == []


@pytest.mark.parametrize("width", [PHONE["width"], DESK["width"]])
def test_paper_has_every_chart(chromium: Browser, tmp_path: Path, width: int) -> None:
    """A page that is printed before anybody scrolls has all charts, none wider than a sheet; then they fit."""
    with shown(chromium, tmp_path / "report.html", report(), width=width) as (page, complaints):
        page.evaluate(f"addEventListener('beforeprint', () => {{ window.onPaper = ({_DRAWN})(); }})")
        page.pdf()
        widths = page.evaluate("window.onPaper")
        assert set(widths) == {"equity", "drawdown", "price0", "price1", "price2"}
        assert all(0 < one <= 660 for one in widths.values())
        assert page.evaluate(_DRAWN)["equity"] == page.evaluate("document.getElementById('equity').clientWidth")
        assert complaints == []


def test_an_empty_report_is_whole(chromium: Browser, tmp_path: Path) -> None:
    """A day without a trade shows its page without a complaint."""
    empty = page_of(result_of(Sample(), Path("runs/0001")))
    with shown(chromium, tmp_path / "report.html", empty, width=PHONE["width"]) as (page, complaints):
        assert page.evaluate(_CUT) == []
        assert complaints == []


def _brightness(page: Page, colour: str) -> float:
    """Give the mean of red, green and blue, 0 to 255, of a computed colour."""
    channels = page.evaluate(f"{colour}.match(/[0-9.]+/g).map(Number).slice(0, 3)")
    return float(sum(channels) / 3)
