"""The generated calendar of the exchange."""

from datetime import date

import pytest

from infra.tools import nyse_calendar
from shared.domain.base import nyse


def test_calendar_is_up_to_date() -> None:
    """Generating the calendar again gives the committed text to the byte."""
    assert nyse_calendar.render() == nyse_calendar.TARGET.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "day",
    ["2012-10-29", "2013-03-29", "2018-12-05", "2021-12-24", "2022-06-20", "2025-01-09", "2026-07-03"],
)
def test_known_holidays_are_listed(day: str) -> None:
    """Storms, days of mourning, Good Friday and observed holidays are holidays."""
    assert date.fromisoformat(day) in nyse.HOLIDAYS


@pytest.mark.parametrize("day", ["2013-07-03", "2013-11-29", "2013-12-24", "2026-11-27"])
def test_known_early_closes_are_listed(day: str) -> None:
    """The days before Independence Day and Christmas and the one after Thanksgiving close early."""
    assert date.fromisoformat(day) in nyse.EARLY_CLOSES


@pytest.mark.parametrize("day", ["2013-10-07", "2021-12-31", "2022-01-03", "2026-07-02"])
def test_ordinary_days_are_not_listed(day: str) -> None:
    """Ordinary days, also beside a holiday that is not observed, are in neither list."""
    assert date.fromisoformat(day) not in nyse.HOLIDAYS | nyse.EARLY_CLOSES


def test_lists_hold_together() -> None:
    """Every listed day is a weekday within the covered years, and in one list only."""
    days = nyse.HOLIDAYS | nyse.EARLY_CLOSES
    assert not nyse.HOLIDAYS & nyse.EARLY_CLOSES
    assert all(nyse.FIRST <= day <= nyse.LAST and day.weekday() < 5 for day in days)
    assert {day.year for day in nyse.HOLIDAYS} == set(range(nyse.FIRST.year, nyse.LAST.year + 1))
