"""A strategy's file that raises KeyboardInterrupt while it is imported is a refused file; a Ctrl-C stays a Ctrl-C."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import extract_tb
from types import FrameType

from shared.domain.control.config import StrategyConfig
from shared.errors import ConfigError
from shared.strategies import registry


def require_usable(config: StrategyConfig, folder: str) -> None:
    """Import the strategies of a configuration; raises ConfigError with every problem, KeyboardInterrupt for Ctrl-C."""
    with _told_apart() as pressed:
        try:
            registry.bound(config, folder)
        except KeyboardInterrupt as raised:
            if pressed:
                raise
            where = extract_tb(raised.__traceback__)[-1].filename
            raise ConfigError((f"{where} cannot be imported: {f'KeyboardInterrupt {raised}'.strip()}",)) from None


@contextmanager
def _told_apart() -> Iterator[list[int]]:
    """Give a list that has an entry once Ctrl-C was pressed; what that did before it does still."""
    pressed: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield pressed  # no Ctrl-C can raise anything here
        return
    does = before

    def heard(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        does(number, frame)

    signal.signal(signal.SIGINT, heard)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)
