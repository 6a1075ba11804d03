"""How much of a session was watched, and when it was not, in a sentence."""

from collections.abc import Sequence
from datetime import datetime

from infra.results.words import clock
from shared.domain.market.sight import Sight, looks, unwatched
from shared.domain.telling.wording import count

MOST_NAMED = 3
"""Stretches that were not watched, the longest ones; the others are counted."""


def watched(sights: Sequence[Sight], begins: datetime, ends: datetime) -> str:
    """Say how much of the whole minutes of a span was watched, and when it was not, "" where nobody wrote that down."""
    found = looks(sights, begins, ends)
    if not sights or not found.seconds:
        return ""
    said = f"watched {found.looked:,} of {found.seconds:,} s ({100 * found.looked / found.seconds:.1f} %)"
    longest = sorted(unwatched(sights, begins, ends), key=lambda one: one[0] - one[1])
    gaps = ", ".join(f"{clock(since)} to {clock(until)}" for since, until in sorted(longest[:MOST_NAMED]))
    more = len(longest) - MOST_NAMED
    shorter = f" and in {count(more, 'shorter gap')}" if more > 0 else ""
    return f"{said}, not {gaps}{shorter}" if gaps else said
