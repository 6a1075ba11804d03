"""Variables of this process's environment that a library reads, put back as they were."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def kept(names: Iterable[str]) -> Iterator[None]:
    """Let variables be set or taken away, and put them back at the end."""
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@contextmanager
def in_environment(values: Mapping[str, str]) -> Iterator[None]:
    """Let Google's libraries in this process find the emulators, and forget them afterwards."""
    with kept(values):
        os.environ.update(values)
        yield
