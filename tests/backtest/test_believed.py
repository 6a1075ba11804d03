"""A price that nobody can believe is not played and is named; one that lasts is played."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.backtest import believed as rule
from infra.backtest.believed import LASTS, believed
from infra.backtest.data import survey
from infra.backtest.kept_data import KeptData, in_files
from infra.backtest.spool import COLUMNS, Spool
from infra.brokersim.recorded import DAILY_FILE
from shared.domain.market.bars import Bar
from tests.backtest.made import at, bar, session

MONDAY, TUESDAY = date(2013, 10, 7), date(2013, 10, 8)
TODAY = date(2026, 11, 30)
PRICE, BAD = "14.38", "138.34"


def flat(*prices: str) -> list[Bar]:
    """Give a bar of each price, minute after minute."""
    return [bar(minute, f"{price} {price} {price} {price}") for minute, price in enumerate(prices)]


def played(folder: Path, prices: Sequence[str], *, day: date = MONDAY, daily: Sequence[str] = ()) -> KeptData:
    """Open a file of minutes of a day's first prices, with rows of daily bars beside it."""
    opens = session(day).opens_at
    rows = [f"{(one.end - at(0)) + opens:%Y-%m-%dT%H:%M:%SZ},BAC," + ",".join([price] * 4) + ",1000"
            for one, price in zip(flat(*prices), prices, strict=True)]  # fmt: skip
    (folder / "m.csv").write_text("\n".join([",".join(COLUMNS), *rows, ""]), encoding="utf-8")
    if daily:
        head = "date,symbol,open,high,low,close,volume,split"
        (folder / DAILY_FILE).write_text("\n".join([head, *daily, ""]), encoding="utf-8")
    (folder / "spool").mkdir()
    return in_files(folder, spool=Spool(folder / "spool"), today=TODAY, chosen=False)


def shown(data: KeptData, day: date = MONDAY) -> list[str]:
    """Give the prices that a back-test sees of the day, as bars and as quotes."""
    (chapter,) = data.chapters(day, day, ())
    ticks = [tick for tick in chapter.minutes.ticks() if tick.bars]
    assert [str(tick.quotes["BAC"].last) for tick in ticks] == [str(tick.bars["BAC"].close) for tick in ticks]
    return [str(tick.bars["BAC"].close) for tick in ticks]


def test_minutes_of_ten_times_the_price_are_left_out_and_named(tmp_path: Path) -> None:
    """No bar, no quote and so no fill is made of them; a sentence names each before the run and in its report."""
    data = played(tmp_path, [PRICE] * 61 + [BAD] * 3 + ["14.40"] * 20)
    assert shown(data) == [PRICE] * 61 + ["14.40"] * 20
    (said,) = (one for one in survey(data, MONDAY, MONDAY, ()).missing if "left out" in one)
    assert said.startswith("3 bars left out, with a price more than 40 % from the one before: ")
    assert "BAC on 2013-10-07 at 10:31:00: 138.34 is 862 % from the 14.38 before it" in said


def test_without_the_rule_they_are_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeded: with no limit the same minutes are shown as prices."""
    monkeypatch.setattr(rule, "LIMIT_PCT", Decimal(10_000))
    assert BAD in shown(played(tmp_path, [PRICE] * 61 + [BAD] * 3 + ["14.40"] * 20))


def test_a_daily_bar_made_of_minutes_has_no_price_that_is_not_believed(tmp_path: Path) -> None:
    """A session's highest price, on which the next one's indicators rest, is one that was played."""
    data = played(tmp_path, [PRICE] * 200 + [BAD] + [PRICE] * 189)
    assert data.series["BAC"].bars[-1].high == Decimal(PRICE)


def test_a_jump_that_lasts_is_believed_from_its_sixth_bar_on() -> None:
    """A real fall is not hidden: some bars later it is played; what comes back before that was none."""
    kept, doubts = believed("BAC", flat(PRICE, *["6.10"] * 8), None)
    assert [str(one.close) for one in kept] == [PRICE, *["6.10"] * (8 - LASTS)]
    assert len(doubts) == LASTS
    kept, _ = believed("BAC", flat(PRICE, *["6.10"] * LASTS, PRICE, *["6.10"] * LASTS, PRICE), None)
    assert {str(one.close) for one in kept} == {PRICE}


def test_prices_that_do_not_agree_with_each_other_are_no_level() -> None:
    """Bad prices one after another, each another one, are never believed."""
    kept, _ = believed("BAC", flat(PRICE, *["138", "5", "900", "1"] * 5, PRICE), None)
    assert {str(one.close) for one in kept} == {PRICE}


@pytest.mark.parametrize(("split", "doubted"), [("2", 0), ("", LASTS)])
def test_the_first_bar_is_judged_by_the_close_before(tmp_path: Path, split: str, doubted: int) -> None:
    """A session that begins at half the price before is doubted, unless the split is said."""
    daily = [f"{MONDAY},BAC,14,14,14,14,1000,", f"{TUESDAY},BAC,7,7,7,7,1000,{split}"]
    data = played(tmp_path, ["7.01"] * 20, day=TUESDAY, daily=daily)
    assert len(data.doubts) == doubted
    assert len(shown(data, TUESDAY)) == 20 - doubted


@given(st.lists(st.sampled_from([PRICE, "14.6", "13.9", BAD, "6.1", "6.2"]), min_size=1, max_size=40), st.data())
def test_whether_a_bar_is_believed_rests_on_none_that_comes_later(prices: list[str], data: st.DataObject) -> None:
    """Cut anywhere, the bars up to the cut are judged as they are on the whole day."""
    bars = flat(*prices)
    cut = data.draw(st.integers(0, len(bars)))
    kept, doubts = believed("BAC", bars, Decimal(14))
    early, doubted = believed("BAC", bars[:cut], Decimal(14))
    assert (early, doubted) == (kept[: len(early)], doubts[: len(doubted)])
    assert len(early) + len(doubted) == cut
