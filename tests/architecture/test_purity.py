"""The domain, the strategies and the use cases get instants, ids and chance passed in."""

import pytest

from tests.architecture.files import report, texts
from tests.architecture.purity import foreign_imports, impurities, markers

PURE_ROOMS = ("shared/domain", "shared/strategies", "shared/usecases")
ALLOWED_MARKERS = 6


def test_pure_rooms_have_no_impurities() -> None:
    """The pure rooms read no clock, chance or environment and do no input or output."""
    found = [one for path, text in texts(*PURE_ROOMS, suffix=".py").items() for one in impurities(path, text)]
    assert not found, report(found)


def test_exceptions_are_counted() -> None:
    """The number of lines that claim an exception from purity is the one written here."""
    assert sum(markers(text) for text in texts(*PURE_ROOMS, suffix=".py").values()) == ALLOWED_MARKERS


def test_domain_imports_only_the_standard_library() -> None:
    """The domain imports nothing from outside the standard library and this project."""
    sources = texts("shared/domain", suffix=".py")
    found = [one for path, text in sources.items() for one in foreign_imports(path, text)]
    assert not found, report(found)


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.time()",
        "import time as t\nt.sleep(1)",
        "from time import monotonic",
        "import datetime\ndatetime.datetime.now(datetime.UTC)",
        "from datetime import datetime\nclock = datetime.now",
        "from datetime import datetime as dt\ndt.utcnow()",
        "from datetime import datetime\ndatetime.today()",
        "import datetime as d\nd.date.today()",
        "from datetime import date\ndate.today()",
        "import random",
        "from random import choice",
        "import uuid",
        "import secrets",
        "import os\nos.environ['A']",
        "from os import getenv",
        "import os.path",
        "open('a')",
        "print('a')",
        "input()",
        "import logging",
        "import threading",
        "import subprocess",
        "import socket",
        "import requests",
        "def f():\n    import urllib.request",
        "hash('a')",
    ],
)
def test_each_impurity_is_found(source: str) -> None:
    """A seeded impurity is found, also under another name or inside a function."""
    assert impurities("seeded.py", source)


@pytest.mark.parametrize(
    "source",
    [
        "def f(clock):\n    return clock.now()",
        "from datetime import datetime, UTC\nx = datetime(2013, 10, 7, tzinfo=UTC)",
        "class Bar:\n    open: int\n\nx = Bar().open",
        "import re\nre.compile('a')",
        "import hashlib\nhashlib.sha256(b'a')",
        "def f(day):\n    return day.today",
    ],
)
def test_pure_code_passes(source: str) -> None:
    """Code that only resembles an impurity passes."""
    assert impurities("seeded.py", source) == []


def test_marker_needs_a_reason() -> None:
    """A marked line passes only with a reason, and it is counted."""
    assert impurities("seeded.py", "import random  # impure: seeded by the caller") == []
    assert markers("import random  # impure: seeded by the caller") == 1
    assert impurities("seeded.py", "import random  # impure:")


@pytest.mark.parametrize("source", ["import numpy", "from msgspec import Struct", "from . import values"])
def test_foreign_import_is_found(source: str) -> None:
    """A third-party or a relative import is found, the standard library passes."""
    assert foreign_imports("seeded.py", source)
    assert foreign_imports("seeded.py", "import decimal\nfrom shared.domain import quotes") == []
