"""What a system on one machine meets outside of it: E*TRADE, the time, and how its functions are started.

No option, setting or variable changes any of it. Whoever writes a program of their own may: the tests do, to stand for
E*TRADE's production host and for the sources of history, which nobody else can stand for.
"""

from datetime import datetime

from shared.frozen import frozen


@frozen
class Outside:
    """The outside of a system whose broker is not simulated.

    `broker` is an address that stands for E*TRADE's hosts, None for the network; `begins` is when its time begins,
    which then passes at the plan's speed, None for the wall clock; `launcher` is the module that starts one function.
    """

    broker: str | None = None
    begins: datetime | None = None
    launcher: str = "infra.one_machine.launcher"


REAL = Outside()
