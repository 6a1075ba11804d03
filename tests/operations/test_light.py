"""What an owner's command loads: no library that it does not use, so that its answer costs little."""

import subprocess
import sys
from pathlib import Path

import pytest

from infra.cli.exits import NOT_RUNNING
from tests.architecture.files import ROOT

CALLS_THE_BROKER = "requests"
HEAVY = ("talib", "numpy", "pandas", "plotly", "jinja2", "flask", "werkzeug", "google.cloud", CALLS_THE_BROKER)
"""Each takes a tenth of a second or more."""
_RUN = f"""
import sys
before = frozenset(sys.modules)  # a package of ours or others may be in each interpreter from its start
from infra.cli.main import main
sys.argv = ["strategy", *sys.argv[1:]]
try:
    main()
finally:
    sys.stderr.write("loaded: " + " ".join(name for name in {HEAVY!r} if name in sys.modules and name not in before))
"""


def loaded(desk: Path, *words: str) -> set[str]:
    """Run a command on a desk in a process of its own and give the heavy libraries that it loaded."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", _RUN, *words, "--state", str(desk)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in {0, NOT_RUNNING}, done.stderr
    return set(done.stderr.rpartition("loaded: ")[2].split())


@pytest.mark.parametrize(
    "command",
    [
        "status", "positions", "orders --all", "trades", "notices", "token", "dead-letters", "rank", "config show",
        "config history", "halt --reason a-test",
    ],
)  # fmt: skip
def test_a_look_loads_no_heavy_library(desk: Path, command: str) -> None:
    """What looks at the books, or halts, loads neither TA-Lib nor pandas nor what calls E*TRADE."""
    assert loaded(desk, *command.split()) == set()


def test_a_heavy_library_would_be_noticed(desk: Path) -> None:
    """The report of a session draws, and this finds what it draws with."""
    assert {"plotly", "jinja2"} <= loaded(desk, "report")
