"""A strategy's file that raises KeyboardInterrupt as it is imported is refused as any other; Ctrl-C ends what runs."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.backtest.wish import configured
from infra.simulated_day.problems import UserError
from tests.strategies.own import write

PRESSED = "import signal\nsignal.raise_signal(signal.SIGINT)"


@pytest.fixture(autouse=True)
def keyboard() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt, as it does where a command runs, and find it so after each test."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler


def test_a_file_that_interrupts_itself_is_refused(tmp_path: Path) -> None:
    """The error names the file and what it raised, and the command goes on to its own end."""
    path = write(tmp_path, more="\n\nraise KeyboardInterrupt('enough')\n") / "mine.py"
    with pytest.raises(UserError) as refused:
        configured("demo", ("mine",), str(tmp_path))
    assert f"{path} cannot be imported: KeyboardInterrupt enough" in refused.value.what
    (tmp_path / "mine.toml").write_text("[signals]\nmin_votes = 1\n[strategies.mine]\n")
    with pytest.raises(UserError, match="KeyboardInterrupt enough"):
        configured(str(tmp_path / "mine.toml"), (), str(tmp_path))


def test_a_ctrl_c_while_a_file_is_imported_ends_the_command(tmp_path: Path) -> None:
    """Who presses Ctrl-C then is not told that the file is at fault."""
    write(tmp_path, more=f"\n\n{PRESSED}\n")
    with pytest.raises(KeyboardInterrupt):
        configured("demo", ("mine",), str(tmp_path))
