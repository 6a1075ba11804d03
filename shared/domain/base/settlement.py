"""When a cash account may spend what it sold: so many business days after the trade, by the rule of the trade's day.

What can go wrong: a back-test of years ago spends proceeds on the day after, as only today's rule lets it, and so
trades more than anybody could; two accounts of one program settle on different days. What this promises: a back-test,
the simulated broker of a day and the paper account have this one calendar; what is sold settles by the rule of its day,
and neither on a day on which the exchange rests nor on one of the two on which it trades while the banks rest.

Sources: SEC, Rule 15c6-1, as amended in 2017 (T+2, 82 FR 15564) and in 2023 (T+1), for trades made from the day in its
row on. That Columbus Day and Veterans Day are no settlement dates: FINRA's yearly schedules, such as NASD notice 95-77.
A live system does not need this table: E*TRADE says what has settled.
"""

from datetime import date

from shared.domain.base.calendar import session_after, valid_on

CYCLES: tuple[tuple[date, int], ...] = (
    (date(1995, 6, 7), 3),
    (date(2017, 9, 5), 2),
    (date(2024, 5, 28), 1),
)
"""From each day on, in business days after the trade."""
_MONDAY, _OCTOBER, _NOVEMBER = 0, 10, 11
_SECOND_WEEK = range(8, 15)


def settles_on(day: date) -> date:
    """Give the day on which what is sold on a session's day may be spent; raises ValueError beyond the calendar."""
    for _ in range(valid_on(CYCLES, day)):
        day = session_after(day)
        while _banks_rest(day):
            day = session_after(day)
    return day


def told(first: date, last: date) -> str:
    """Say by which rules what is sold in a span settles, such as "T+3, T+2 from 2017-09-05"."""
    begins = f"T+{valid_on(CYCLES, first)}"
    return ", ".join([begins, *(f"T+{days} from {day}" for day, days in CYCLES if first < day <= last)])


def _banks_rest(day: date) -> bool:
    """Tell whether it is Columbus Day, the second Monday of October, or Veterans Day, kept on Monday after a Sunday."""
    monday = day.weekday() == _MONDAY
    if day.month == _OCTOBER:
        return monday and day.day in _SECOND_WEEK
    return day.month == _NOVEMBER and (day.day == 11 or (monday and day.day == 12))
