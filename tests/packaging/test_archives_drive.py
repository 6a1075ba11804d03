"""The archives at work on the emulators, driven as the cloud drives them; installed for themselves in `make long`."""

import pytest

from tests.packaging.drive import ERRANDS, Errand
from tests.packaging.graph import Graph


@pytest.mark.parametrize("errand", ERRANDS, ids=lambda errand: errand.__name__)
def test_archives_do_their_errands(graph: Graph, errand: Errand) -> None:
    """Unpacked, started by the framework and out of reach of the checkout, the archives do what the errand says."""
    errand(graph)
