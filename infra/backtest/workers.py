"""Several configurations at once, each in a process of its own, as many as the machine has cores.

What can go wrong: a process outlives the command, a failure of one is lost, an interrupt leaves some behind. What this
promises: whatever ends the command ends every process; one that ends without an answer is a failure with its reason;
none takes a file of the folder that it is started in for a module of Python's.
"""

import os
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from infra.backtest.run import Outcome, Progress, Task, run
from infra.simulated_day.own import aside
from infra.simulated_day.problems import UserError
from shared.frozen import frozen

Tell = Callable[[int, Progress], object]
_SAFE_PATH = "PYTHONSAFEPATH"


class PlayFailed(Exception):
    """A task ended with a mistake of the program's; `details` is what happened."""

    def __init__(self, details: str) -> None:
        super().__init__(details)
        self.details = details


@frozen(kw_only=False)
class _Refused:
    what: str
    remedy: str


@frozen(kw_only=False)
class _Failed:
    details: str


@dataclass(slots=True)
class _Worker:
    number: int
    process: BaseProcess
    inbox: Connection


def run_all(tasks: Sequence[Task], tell: Tell) -> list[Outcome]:
    """Play every task, and give what they came to in their order; raises UserError, PlayFailed, KeyboardInterrupt."""
    waiting = list(enumerate(tasks))
    outcomes: dict[int, Outcome] = {}
    workers: list[_Worker] = []
    try:
        while waiting or workers:
            while waiting and len(workers) < (os.cpu_count() or 1):
                _start(workers, *waiting.pop(0))
            ready = wait([worker.inbox for worker in workers])
            for worker in [one for one in workers if one.inbox in ready]:
                if (outcome := _heard(worker, tell)) is not None:
                    outcomes[worker.number] = outcome
                    worker.process.join()
                    workers.remove(worker)
    finally:
        for worker in workers:
            if worker.process.pid is not None:
                worker.process.kill()
                worker.process.join()
    return [outcomes[number] for number in range(len(tasks))]


def _start(workers: list[_Worker], number: int, task: Task) -> None:
    """Start a process that is among the workers before it runs, so that no interrupt comes between."""
    context = get_context("spawn")
    inbox, outbox = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(task, outbox, os.getpid()), daemon=True)
    workers.append(_Worker(number, process, inbox))
    with _without_this_folder():
        process.start()
    outbox.close()


@contextmanager
def _without_this_folder() -> Iterator[None]:
    """Let a process that begins look for modules where this one does, and not first in the current folder."""
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_SAFE_PATH]
        else:
            os.environ[_SAFE_PATH] = before


def _heard(worker: _Worker, tell: Tell) -> Outcome | None:
    """Take one word of a process: how far it is, or what it came to."""
    try:
        word: object = worker.inbox.recv()
    except EOFError:
        worker.process.join()
        raise PlayFailed(f"the process ended with exit code {worker.process.exitcode}") from None
    match word:
        case Progress():
            tell(worker.number, word)
            return None
        case Outcome():
            return word
        case _Refused():
            raise UserError(word.what, remedy=word.remedy)
        case _:
            raise PlayFailed(word.details if isinstance(word, _Failed) else repr(word))


def _work(task: Task, outbox: Connection, parent: int) -> None:
    """Play one task in this process; who started it is the one that is interrupted, and ends this."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def tell(progress: Progress) -> None:
        if os.getppid() != parent:
            os._exit(1)
        outbox.send(progress)

    try:
        with aside():
            outcome = run(task, tell)
        outbox.send(outcome)
    except UserError as refused:
        outbox.send(_Refused(refused.what, refused.remedy))
    except Exception:  # noqa: BLE001 - whatever it is, whoever asked is told
        outbox.send(_Failed(traceback.format_exc()))
