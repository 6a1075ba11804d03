"""A strategy's text is read for what would make two runs of one day differ."""

from pathlib import Path

import pytest

from infra.strategies.purity import faults
from shared.strategies.registry import found
from tests.strategies.own import write

_PRIVATE = "a private name: use what a view gives without an underscore"
WRONG = {
    "imports time": "import time",
    "imports random": "from random import random",
    "imports shared.usecases.base.outbox": "from shared.usecases import outbox\nimport shared.usecases.base.outbox",
    "imports .": "from . import other",
    "keeps values between calls with functools.cache": "from functools import cache",
    "changes COUNT outside of the function": "COUNT = 0\n\ndef more():\n    global COUNT\n    COUNT += 1",
    "calls open()": "def more():\n    return open('prices.csv')",
    "calls eval()": "X = eval('1')",
    "reads the clock with .now(): view.at is the time of the tick": "def more(datetime):\n    return datetime.now()",
    "changes SEEN, which the file keeps between calls": "SEEN = []\n\ndef more(view):\n    SEEN.append(view)",
    f"reads ._minutes, {_PRIVATE}": "def more(view):\n    return view.longer._minutes",
    f"reads .__mro__, {_PRIVATE}": "def more(view):\n    return view.bars.__class__.__mro__[1].__subclasses__()",
    "uses random numbers of numpy.random": "import numpy as np\n\ndef more():\n    return np.random.rand()",
}


@pytest.mark.parametrize("what", WRONG)
def test_what_a_strategy_may_not_do_is_named_with_its_line(tmp_path: Path, what: str) -> None:
    """Each usual way to depend on more than view and parameters is found in an otherwise sound strategy."""
    text = (write(tmp_path) / "mine.py").read_text()
    assert faults(text) == ()
    found_there = faults(f"{text}\n{WRONG[what]}\n")
    assert what in [one.what for one in found_there]
    assert all(one.line > len(text.splitlines()) for one in found_there)


def test_an_entry_of_a_kept_table_is_found() -> None:
    """Writing into a table of the file is found as well as calling its methods, and a local one is not."""
    kept = "SEEN = {}\n\ndef vote(view, own):\n    SEEN[view.symbol] = view.at\n"
    local = "def vote(view, own):\n    seen = {}\n    seen[view.symbol] = view.at\n"
    assert [one.line for one in faults(kept)] == [4]
    assert faults(local) == ()


def test_a_class_of_the_file_has_names_of_its_own() -> None:
    """A class may use its own names that begin with an underscore, and anybody those of a named tuple."""
    own = "class _Level:\n    def __init__(self):\n        super().__init__()\n        self._price = 1\n"
    assert faults(f"{own}\ndef vote(view, own):\n    return _Level().price, view.at._replace(hour=1)\n") == ()
    assert [one.line for one in faults(f"{own}\ndef vote(view, own):\n    return _Level()._price\n")] == [7]


def test_what_ships_is_clean() -> None:
    """No strategy that ships does any of it."""
    assert {name: faults(path.read_text()) for name, path in found().items()} == dict.fromkeys(found(), ())
