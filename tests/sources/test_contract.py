"""Every source of bars keeps the same promises, its own library on a stand-in; each promise finds its mistakes."""

from pathlib import Path

import pytest

from tests.sources.promises import PROMISES
from tests.sources.world import SOURCES, opened

SEEDED = [(name, mistake) for name, promise in PROMISES.items() for mistake in promise.mistakes]


@pytest.mark.parametrize("promise", PROMISES)
@pytest.mark.parametrize("source", SOURCES)
def test_a_source_keeps_its_promise(source: str, promise: str, certificate: Path) -> None:
    """What is promised holds for the library on its stand-in."""
    with opened(source, certificate) as world:
        PROMISES[promise].holds(world)


@pytest.mark.parametrize(("promise", "mistake"), SEEDED)
@pytest.mark.parametrize("source", SOURCES)
def test_a_seeded_mistake_breaks_its_promise(source: str, promise: str, mistake: str, certificate: Path) -> None:
    """Seeded mistake: a source without what is promised does not pass."""
    with opened(source, certificate) as world:
        world.mistake = PROMISES[promise].mistakes[mistake]
        with pytest.raises(AssertionError):
            PROMISES[promise].holds(world)
