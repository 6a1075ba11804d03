"""How often one kind of notice is told: `MOST` in `WINDOW`, then one that says so, then none until the window moved.

Held back is not lost: each notice is journalled and recorded, and the next one that is told says how many there were.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.frozen import frozen

MOST = 5
WINDOW = timedelta(minutes=30)


class Turn(StrEnum):
    """What becomes of a notice: told, told as the last one for a while, or held back."""

    TELL = "TELL"
    LAST = "LAST"
    HOLD = "HOLD"


@frozen
class Pace:
    """When notices of one kind were told lately, and how many were held back since."""

    told: tuple[datetime, ...] = ()
    held_back: int = 0
    schema_version: int = 1


def turn(pace: Pace, now: datetime) -> tuple[Turn, Pace]:
    """Judge the next notice of a kind, and give the pace as it is after it."""
    lately = tuple(at for at in pace.told if now - at < WINDOW)
    if len(lately) > MOST:
        return Turn.HOLD, replace(pace, told=lately, held_back=pace.held_back + 1)
    after = Pace(told=(*lately, now))
    return (Turn.LAST if len(lately) == MOST else Turn.TELL), after
