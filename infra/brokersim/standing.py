"""What the broker says of the owner's accounts besides their money: status, calls, restrictions, what it leaves out.

Nobody derives these: a test or a person sets them, at the start (`SimulatorSettings.standing`) or while the day runs
(`Simulator.stand`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from infra.brokersim.orders import Action
from infra.brokersim.wire import Refused

CALLS = ("minEquityCall", "fedCall", "cashCall", "houseCall")
RESTRICTED = (1036, "Your account is restricted. Please contact us before you place this order.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One state of affairs for every account of the owner; `calls` in dollars by E*TRADE's names.

    `restricted` refuses buys, or every order, with 1036; `warned` says 1036 beside a preview that is otherwise taken.
    `leaves_out` are the keys that a balance lacks, at whatever depth, as the sandbox's lack some.
    """

    day_trader_status: str = "NO_PDT"
    calls: Mapping[str, Decimal] = field(default_factory=dict)
    restricted: Literal["", "buys", "all"] = ""
    warned: bool = False
    leaves_out: frozenset[str] = frozenset()

    def require_unrestricted(self, action: Action) -> None:
        """Refuses an order that the restriction covers."""
        if self.restricted == "all" or (self.restricted == "buys" and action is Action.BUY):
            code, text = RESTRICTED
            raise Refused(text, code=code)

    def told(self) -> dict[str, float]:
        """The `OpenCalls` of a balance."""
        return {name: float(self.calls.get(name, Decimal(0))) for name in CALLS}

    def left(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """A balance without what is left out."""
        kept = {name: value for name, value in content.items() if name not in self.leaves_out}
        return {name: self.left(value) if isinstance(value, dict) else value for name, value in kept.items()}
