"""What all processes of a run of tests share: made by the first that asks, found there by the others."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest


def common(factory: pytest.TempPathFactory) -> Path:
    """Give the folder of this run that all its processes see."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Give a folder that `make` filled, once for all processes of this run; nobody may change what is in it.

    A `make` that fails leaves nothing: the next process that asks tries again.
    """
    made = common(factory) / name
    with locked(made.with_suffix(".lock")):
        if not made.exists():
            beside = Path(mkdtemp(prefix=f".{name}-", dir=made.parent)) / name
            beside.mkdir()
            make(beside)
            beside.rename(made)
    return made


@contextmanager
def locked(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold a lock, alone or beside others that share it; the system gives it back when the process dies."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
