"""The archives as this checkout builds them, at work."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.archives import build_all
from infra.one_machine.emulators import Emulators
from tests.architecture.files import ROOT
from tests.once import once
from tests.packaging.graph import Graph, running_graph
from tests.packaging.processes import Runnable, borrow, compiled


@pytest.fixture(scope="session")
def borrowers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Runnable]:
    """Give every archive, unpacked and compiled, to be run by the present interpreter."""
    archives = build_all(ROOT)

    def compile_all(folder: Path) -> None:
        for one in archives:
            compiled(one, folder / one.function)

    ready = once(tmp_path_factory, "borrowed", compile_all)
    return {one.function: borrow(one, tmp_path_factory.mktemp(one.function), ready / one.function) for one in archives}


@pytest.fixture(scope="session")
def graph(running_emulators: Emulators, borrowers: dict[str, Runnable]) -> Iterator[Graph]:
    """Give the graph at work: what one test leaves in its store, the next one finds there."""
    with running_graph(borrowers.values(), running_emulators, firestore={}) as graph:
        yield graph
