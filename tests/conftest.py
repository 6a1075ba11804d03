"""What every test may ask for."""

import gc
import os
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from pathlib import Path

import pytest
from hypothesis import settings

from infra.one_machine.emulators import Emulators, Sdk, find, running
from infra.running.registry import VARIABLE
from shared.codec import decode, dumps, encode, loads
from shared.errors import ConfigError
from tests.once import common, locked
from tests.recorded import market_data_folder

REQUIRED = "REQUIRE_EMULATORS"

# The same examples on every run and machine, and no verdict from how busy the machine is.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")


@pytest.fixture(scope="session", autouse=True)
def _registry(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what the tests run apart from what the user runs: no test may halt it, and none may be found by it."""
    os.environ[VARIABLE] = str(tmp_path_factory.mktemp("running"))


@pytest.fixture(scope="session")
def market_data() -> Path:
    """Return the folder of recorded market days, or skip."""
    return market_data_folder(os.environ)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Let one process of a run rewrite the asserts of all tests first; the others then read what it kept."""
    if "PYTEST_XDIST_WORKER" not in os.environ or sys.dont_write_bytecode:
        return (yield)
    kept = common(session.config._tmp_path_factory) / "asserts.kept"  # type: ignore[attr-defined]
    with locked(kept.with_suffix(".lock")):
        if not kept.exists():
            kept.touch()
            return (yield)
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest wait, and the last process's part with all others: what is in between has their cores.

    After those each process begins with its share of the longest work: one that begins last would work alone.
    """
    waits, works = _longest(items, "waits"), _longest(items, "works")
    first = {*waits, *works}
    rest = iter([one for one in items if one not in first])
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    parts, whole = [works[number::processes] for number in range(processes)], len(items)
    parts[0] = [*waits[:1], *parts[0]]
    parts[-1] = [*waits[1:], *parts[-1]]
    for number, part in enumerate(parts):
        size = whole * (number + 1) // processes - whole * number // processes
        part.extend(islice(rest, max(size - len(part), 0)))
    items[:] = [*chain(*parts), *rest]


def pytest_collection_finish() -> None:
    """Tell the garbage collector that what is imported by now stays: to look through it is an eighth of some runs."""
    gc.freeze()


def _longest(items: Iterable[pytest.Item], mark: str) -> list[pytest.Item]:
    """Give the tests that have a mark, the one of most seconds first."""
    marked = [(float(marker.args[0]), one) for one in items if (marker := one.get_closest_marker(mark))]
    return [one for _, one in sorted(marked, key=lambda both: -both[0])]


@pytest.fixture(scope="session")
def sdk() -> Sdk:
    """Find Google's emulators; without them the test is skipped, or fails where they are required."""
    try:
        return find(os.environ)
    except ConfigError as missing:
        why = "; ".join(missing.problems)
        if os.environ.get(REQUIRED):
            pytest.fail(f"{REQUIRED} is set, but the emulators are not here: {why}")
        pytest.skip(f"the emulators are not here: {why}")


@pytest.fixture
def available(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Give what skips a test over `emulators` where they are not, unless they must be; `local` is everywhere."""
    return lambda cloud: request.getfixturevalue("sdk") if cloud == "emulators" else None


@pytest.fixture(scope="session")
def running_emulators(sdk: Sdk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulators]:
    """Start Google's emulators once for all processes of a run: each test has a project of its own there.

    Who starts them ends them, when nobody holds the lock of those who use them any more.
    """
    folder = common(tmp_path_factory)
    found, using = folder / "emulators.json", folder / "emulators.using"
    with ExitStack() as mine:
        with locked(folder / "emulators.starting"), ExitStack() as theirs:
            theirs.enter_context(locked(using, shared=True))  # waits while a pair is being ended
            if not _at_work(found):
                both = mine.enter_context(running(sdk, tmp_path_factory.mktemp("emulators")))
                mine.enter_context(_until_unused(using, found))
                found.write_bytes(dumps(encode(both)))
            used = theirs.pop_all()
        with used:
            yield decode(Emulators, loads(found.read_bytes()))


def _at_work(found: Path) -> bool:
    """Tell whether the emulators live: those of a process that was killed died with it."""
    try:
        for pid in decode(Emulators, loads(found.read_bytes())).pids:
            os.kill(pid, 0)
    except (FileNotFoundError, ProcessLookupError):
        return False
    return True


@contextmanager
def _until_unused(using: Path, found: Path) -> Iterator[None]:
    """Wait at the end until nobody uses the emulators, and let nobody find them after that."""
    yield
    with locked(using):
        found.unlink()


@pytest.fixture
def emulators(running_emulators: Emulators, monkeypatch: pytest.MonkeyPatch) -> Emulators:
    """Give Google's emulators, found by the libraries during this test alone."""
    for name, value in running_emulators.environ.items():
        monkeypatch.setenv(name, value)
    return running_emulators
