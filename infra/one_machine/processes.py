"""Every function as a functions-framework process of its own: started, watched, started again, ended.

What can go wrong: a process cannot start, dies, hangs, outlives its starter, fills the disk with its log.
What this promises: a start that cannot succeed is told with the function's own last words; one that dies later is
started again, at first at once, then less and less often; one that is silent for longer than its requests may last is
ended, and so has died; an end is asked for politely and then forced, for the whole group; a process ends itself when
its starter is gone; a log that has grown large is put aside once, at a start.

Silence is no proof by itself: while every place is taken the question after a function's health waits as a request
does. So an answered delivery counts like an answered question, and only longer silence than a request's time-out is
a hang. Google does otherwise: it answers a request that outlasts its time-out with 504, lets the instance run on
and sends the next request to another one. Here is one process for all instances, so it is the process that goes.
"""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import IO

from infra.one_machine.loopback import LOOPBACK
from infra.one_machine.world_file import ALIVE
from shared.errors import ConfigError
from shared.topology import Function

READY_S = 60.0
END_S = 10.0
LONGEST_ANSWER_S = 300.0
MAX_LOG = 32 << 20
MARGIN_S = 30.0
"""Real seconds of silence that a loaded machine is allowed beyond a request's time-out."""
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 30.0
_TAIL = 4_096
_LONGEST_ROUND_S = 15.0  # to ask every function once, when none answers


@dataclass(slots=True, kw_only=True, eq=False)
class FunctionProcess:
    """One function's process; `environ` is all that it sees of an environment, `launcher` the module that starts it."""

    function: Function
    source: Path
    world: Path
    log: Path
    port: int
    environ: Mapping[str, str]
    push_key: str = field(repr=False)
    launcher: str = "infra.one_machine.launcher"
    restarts: int = 0
    _child: subprocess.Popen[bytes] | None = None
    _started_at: float = 0.0
    _wait_s: float = field(default=_FIRST_WAIT_S)
    _asked_at: float = 0.0
    _silent_s: float = 0.0

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.name

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process, None while there is none."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    @property
    def _shown(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.push_key}"}

    def start(self) -> None:
        """Start it; whether it can serve is told by `await_ready`."""
        self._started_at = self._asked_at = time.monotonic()
        self._silent_s = 0.0
        if self.log.exists() and self.log.stat().st_size > MAX_LOG:
            self.log.replace(self.log.with_suffix(".old"))
        command = [sys.executable, "-m", self.launcher, "--function", self.name]
        command += ["--port", str(self.port), "--world", str(self.world)]
        with self.log.open("ab") as log:
            self._child = self._spawn(command, log)

    def await_ready(self, within_s: float = READY_S) -> None:
        """Wait until it answers; raises ConfigError with its last words when it ends, or does not answer in time."""
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            if self.pid is None:
                raise ConfigError((f"{self.name} did not start; its log ends with: {self.last_words()}",))
            if self.answers():
                return
            time.sleep(0.05)
        raise ConfigError((f"{self.name} does not answer; its log is {self.log}",))

    def answers(self) -> bool:
        """Tell whether the process answers at its address, and not another program that has the port."""
        answered = self._asked()
        self._note(answered=answered)
        return answered

    def _asked(self) -> bool:
        connection = http.client.HTTPConnection(self.address, timeout=2)
        try:
            connection.request("GET", ALIVE, headers=self._shown)
            return self.pid is not None and connection.getresponse().status == HTTPStatus.NO_CONTENT
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Deliver one push and give the status; 503 when no answer came."""
        connection = http.client.HTTPConnection(self.address, timeout=LONGEST_ANSWER_S)
        try:
            connection.request("POST", "/", body=body, headers={**headers, **self._shown})
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            return 503
        else:
            self._note(answered=True)
            return response.status
        finally:
            connection.close()

    def end_if_hung(self, longest_s: float) -> float | None:
        """End its group when it was silent for longer, real seconds, as far as it was asked; give for how long."""
        silent_s = self._silent_s
        if silent_s <= longest_s or self.pid is None:
            return None
        self.kill()
        return silent_s

    def look_after(self) -> int | None:
        """Start it again when it has died and its pause is over; give the exit code of that death.

        Raises OSError when the system refuses; the next call tries again, a pause later.
        """
        child = self._child
        if child is None or child.poll() is None:
            return None
        lived_s = time.monotonic() - self._started_at
        if lived_s < self._wait_s:
            return None
        self._wait_s = _FIRST_WAIT_S if lived_s > 2 * _LONGEST_WAIT_S else min(2 * self._wait_s, _LONGEST_WAIT_S)
        _bury(child)
        self.restarts += 1
        self.start()
        return child.returncode

    def ask_to_end(self) -> None:
        """Ask the process to finish what it does and end."""
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)

    def end(self, within_s: float = END_S) -> None:
        """Wait for its end and force it after a while; nothing of its group stays."""
        child, self._child = self._child, None
        if child is None:
            return
        with suppress(subprocess.TimeoutExpired):
            child.wait(within_s)
        _bury(child)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._child is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()

    def last_words(self) -> str:
        """Give the end of its log."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - _TAIL))
                lines = file.read().decode("utf-8", "replace").splitlines()
        except OSError:
            lines = []
        return next((line for line in reversed(lines) if line.strip()), "nothing")

    def _note(self, *, answered: bool) -> None:
        """Count the silence between questions; that of a starter that was stopped itself is not the function's."""
        now = time.monotonic()
        silent_s = 0.0 if answered else self._silent_s + min(now - self._asked_at, _LONGEST_ROUND_S)
        self._asked_at, self._silent_s = now, silent_s

    def _spawn(self, command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        # A group of its own: Ctrl-C in the terminal reaches only the starter, which ends its functions in order.
        return subprocess.Popen(  # noqa: S603 - our own launcher
            command, cwd=self.source, env=dict(self.environ), stdin=subprocess.PIPE, stdout=log,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip


def _bury(child: subprocess.Popen[bytes]) -> None:
    """End what is left of a process and of its group, which may still hold the port, and let go of its pipe."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    if child.stdin is not None:
        child.stdin.close()
