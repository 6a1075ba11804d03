"""What an import of TA-Lib costs: nothing of pandas, and nobody is kept from it afterwards."""

import subprocess
import sys

from tests.architecture.files import ROOT

_SAYS = "; print('pandas' in sys.modules); import pandas; print(pandas.Series([1]).sum())"


def said(first: str) -> list[str]:
    """Import something in a process of its own; give whether pandas came along, and a sum that it makes then."""
    command = [sys.executable, "-c", f"import sys; import {first}{_SAYS}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - our own program
    return done.stdout.split()


def test_the_indicators_do_not_load_pandas() -> None:
    """Where pandas is installed it stays unloaded, though TA-Lib by itself would load it, and can be loaded later."""
    assert said("shared.strategies.rolling") == ["False", "1"]
    assert said("talib") == ["True", "1"]


def test_a_pandas_that_is_loaded_stays() -> None:
    """A process that had loaded pandas before keeps it."""
    assert said("pandas, shared.strategies.rolling") == ["True", "1"]
