"""One function of a running desk under a share of one CPU, the others as they are."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from infra.running.station import Station
from tests.benchmarks.share import limited


def pid_of(station: Station, function: str) -> int:
    """Give the process of a function; raises RuntimeError while there is none."""
    pid = station.fleet[function].pid
    if pid is None:
        raise RuntimeError(f"{function} has no process; its log ends with: {station.fleet[function].last_words()}")
    return pid


@contextmanager
def limited_function(station: Station, function: str, share: float | None) -> Iterator[int]:
    """Hold a function's server and its workers to a share, None the whole machine, and give the server's process.

    Raises RuntimeError when it was started again meanwhile, for then it ran free.
    """
    pid = pid_of(station, function)
    with ExitStack() as stack:
        if share is not None:
            stack.enter_context(limited(share)).attach(pid)
        yield pid
    if pid_of(station, function) != pid:
        raise RuntimeError(f"{function} was started again while it was measured")
