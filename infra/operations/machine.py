"""How this machine runs a desk, as the running desk itself wrote it down a moment ago (infra.running.status).

What can go wrong: the desk hangs or its disk refuses, and what it wrote is old; another desk's or a damaged file lies
there. What this promises: the age is told with it, and what cannot be read is told as unknown, never as well.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from shared.frozen import frozen

OLD_S = 30.0
"""Real seconds after which what was written each second is news of another time."""


@frozen
class Machine:
    """What the desk's process knows of its functions' processes; `age_s` is None where it could not be read.

    `silent` functions did not answer, `restarted` counts starts after the first in this run; `refused` is what this
    machine refuses the desk.
    """

    age_s: float | None
    silent: tuple[str, ...] = ()
    restarted: Mapping[str, int]
    refused: str | None = None

    @property
    def old(self) -> bool:
        """Whether this says nothing of the present."""
        return self.age_s is None or self.age_s > OLD_S


def read_machine(path: Path, *, now: datetime) -> Machine:
    """Read a status file, at an instant of the wall clock."""
    try:
        plain = json.loads(path.read_bytes())
        functions = plain["functions"]
        return Machine(
            age_s=max(0.0, (now - datetime.fromisoformat(plain["wall"])).total_seconds()),
            silent=tuple(str(one["name"]) for one in functions if not one["answers"]),
            restarted={str(one["name"]): int(one["restarts"]) for one in functions if one["restarts"]},
            refused=None if plain["refused"] is None else str(plain["refused"]),
        )
    except (OSError, ValueError, TypeError, KeyError):
        return Machine(age_s=None, restarted={})
