"""One position's life, broken at every single port call in every way, ends as if nothing had happened."""

import pytest

from shared.domain.orders.orders import Kind, State
from tests.usecases.gate import Fault
from tests.usecases.lives import FREEZE_ANYWHERE, LEGAL, calls, life, sweep
from tests.usecases.proofs import wrongs

FAULTS = [
    Fault(how="after"),
    Fault(how="freeze", seconds=40),
    FREEZE_ANYWHERE,
    Fault(how="freeze", seconds=400),
    Fault(how="slow", seconds=8),
    Fault(how="slow", seconds=40),
    Fault(how="down_before"),
    Fault(how="down_after"),
    Fault(how="conflict"),
]
PARTS = 3
"""A fault's sweep is cut into tests of a second or two."""


def _name(fault: Fault) -> str:
    return f"{fault.how}{fault.seconds or ''}"


def test_an_undisturbed_life_takes_every_step() -> None:
    """An undisturbed life enters, protects, moves the stop and exits, with shares uncovered under three seconds."""
    bench = life()
    ends = [(order.kind, order.state) for order in bench.orders()]
    assert ends == [
        (Kind.ENTRY, State.FILLED),
        (Kind.PROTECT, State.CANCELLED),
        (Kind.MOVE, State.CANCELLED),
        (Kind.EXIT, State.FILLED),
    ]
    assert wrongs(bench, naked_at_most=3) == []
    assert len(calls()) > 200


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("fault", FAULTS, ids=_name)
def test_a_life_broken_anywhere_ends_well(fault: Fault, part: int) -> None:
    """After one fault anywhere nothing is doubled, lost, oversold, naked or off the table; the book is the broker's."""
    swept = sweep(fault, part=part, of=PARTS)
    assert swept.lives > 40 / PARTS
    assert swept.arrows <= LEGAL
    assert swept.wrong == (), "\n".join(swept.wrong[:20])


@pytest.mark.long
@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("fault", [Fault(how="before"), *FAULTS], ids=_name)
def test_other_interleavings_end_well_too(fault: Fault, seed: int) -> None:
    """The same holds at every single call, also where two leave the same, and when they interleave in other ways."""
    wrong = sweep(fault, seed=seed, every=True).wrong
    assert wrong == (), "\n".join(wrong[:20])
