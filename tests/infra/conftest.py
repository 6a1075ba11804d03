"""The repository that the tests of the Makefile's targets run in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.checkout import Repository, repository_in


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    """Make a repository with stand-ins for Pulumi and for Google's command line."""
    with repository_in(tmp_path / "repository") as made:
        yield made
