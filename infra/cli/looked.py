"""What a command that only looks reaches: a system, or the folder of a run of `demo` or `day`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.cli.hand import in_words, reached
from infra.cli.whose import SIMULATOR, by_hand
from infra.operations.profiles import Hand
from infra.operations.runs import reach_run, run_at, trips_of
from infra.operations.trips import Trips, trips


@contextmanager
def looked_at(profile: str, state: Path | None) -> Iterator[Hand]:
    """Reach a system as every command does, or a run; raises UserError."""
    run = run_at(profile, state)
    if run is None:
        with reached(profile, state) as hand:
            yield hand
        return
    with in_words(), reach_run(run) as hand:
        yield hand


def trips_at(profile: str, state: Path | None) -> tuple[Trips, str]:
    """Give the round trips of a system, or of a run as its report has them, and what to do about an unreadable one.

    Raises UserError.
    """
    run = run_at(profile, state)
    if run is not None:
        with in_words():
            return trips_of(run), by_hand("look", SIMULATOR, None)
    with reached(profile, state) as hand:
        return trips(hand.desk.store), by_hand("look", hand.broker, hand.mode)
