"""What is said everywhere of a simulated day that is over, so that no two commands say another thing of it."""

from datetime import datetime, time
from pathlib import Path
from shlex import quote

from infra.simulated_day.hours import clock
from infra.simulated_day.problems import UserError


class Ended(UserError):
    """A run or a simulated day that is over: there is nothing to halt, to sell or to sign in to."""


class DayIsOver(Ended):
    """The simulated day of a folder was played to its end: it is never run, halted or signed in to again."""

    def __init__(self, state: Path) -> None:
        super().__init__(
            f"the simulated day of {state} is over and runs no more",
            remedy=f"`strategy report --state {quote(str(state))}` gives its report, `strategy status` tells what "
            "runs; another day begins in another folder: `strategy up --speed 20 --starts 09:05 --state OTHER`",
        )  # fmt: skip

    @property
    def sentences(self) -> str:
        """It and the remedy, for a screen that refuses nothing."""
        return f"{self.what[:1].upper()}{self.what[1:]}. {self.remedy[:1].upper()}{self.remedy[1:]}."


def begins_too_late(starts: time, ends: datetime) -> UserError:
    """Say of a new folder that its day cannot begin after its end."""
    what = f"a simulated day ends at {clock(ends)} New York, before --starts {starts:%H:%M}"
    return UserError(what, remedy="let it begin earlier, such as --starts 09:05")
