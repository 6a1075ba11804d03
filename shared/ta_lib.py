"""TA-Lib, imported without pandas and polars.

What can go wrong: where one of them is installed, as pandas is at home, TA-Lib imports it, to wrap its functions for
it. Nobody here hands it a frame, and the import takes three times as long as TA-Lib itself, in every process that
computes an indicator. What this promises: TA-Lib finds neither while it is imported, as in the cloud, where they are
not installed; whoever needs one afterwards imports it as ever.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["stream", "talib"]


@contextmanager
def _not_installed(*names: str) -> Iterator[None]:
    """Let an import find that packages are not installed; one that is loaded already stays.

    Source: Python, The import system, 5.3.1: a None in `sys.modules` is a package that is not found.
    """
    absent = [name for name in names if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


with _not_installed("pandas", "polars"):
    import talib
    from talib import stream
