"""What a command that only looks reaches: a system, or the folder of a run of `demo` or `day`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.cli import opening
from infra.cli.hand import in_words, reached
from infra.cli.whose import SIMULATOR, by_hand
from infra.operations.profiles import Hand
from infra.operations.runs import reach_run, run_at, trips_of
from infra.operations.trips import Trips, trips


@contextmanager
def looked_at(profile: str, state: Path | None, *, opens: bool = False) -> Iterator[Hand]:
    """Reach a system as every command does, or a run; raises UserError.

    Where it `opens`, what has to be known first of a system is printed once it was looked at.
    """
    run = run_at(profile, state)
    if run is None:
        with reached(profile, state) as hand:
            yield hand
            lines = opening.of(hand, profile) if opens else []
        opening.show(lines)
        return
    with in_words(), reach_run(run) as hand:
        yield hand


def trips_at(profile: str, state: Path | None, *, opens: bool = False) -> tuple[Trips, str]:
    """Give the round trips of a system, or of a run as its report has them, and what to do about an unreadable one.

    `opens` as for `looked_at`; raises UserError.
    """
    run = run_at(profile, state)
    if run is not None:
        with in_words():
            return trips_of(run), by_hand("look", SIMULATOR, None)
    with looked_at(profile, state, opens=opens) as hand:
        return trips(hand.desk.store), by_hand("look", hand.broker, hand.mode)
