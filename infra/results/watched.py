"""How much of a session was watched, and when it was not, in a sentence."""

from collections.abc import Sequence
from datetime import datetime

from infra.results.words import clock
from shared.domain.market.sight import Sight, looks, unwatched
from shared.domain.telling.wording import few

MOST_NAMED = 5
"""Stretches that were not watched, the longest ones; the others are counted."""


def watched(sights: Sequence[Sight], begins: datetime, ends: datetime) -> str:
    """Say how much of the whole minutes of a span was watched, and when it was not, "" where nobody wrote that down."""
    found = looks(sights, begins, ends)
    if not sights or not found.seconds:
        return ""
    said = f"watched {found.looked:,} of {found.seconds:,} s ({100 * found.looked / found.seconds:.1f} %)"
    longest = sorted(unwatched(sights, begins, ends), key=lambda one: one[0] - one[1])
    named = [*sorted(longest[:MOST_NAMED]), *longest[MOST_NAMED:]]
    gaps = few([f"{clock(since)} to {clock(until)}" for since, until in named], MOST_NAMED)
    return f"{said}, not {gaps}" if gaps else said
