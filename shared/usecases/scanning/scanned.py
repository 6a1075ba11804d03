"""What the scan knows of one minute while it scans it, and what it then leaves of it: receipts, and what it saw."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.domain.base.calendar import TradingSession
from shared.domain.market.quality import Sound
from shared.domain.market.receipts import Mark, marks, path_of, said
from shared.domain.market.sight import BLIND, LOOKED, SECONDS, Sight
from shared.domain.orders.positions import Position
from shared.ports import Put
from shared.strategies.verdict import Reason
from shared.usecases.base.desk import Desk, Held, put
from shared.usecases.market.minutes import MINUTE, Minute

SECOND = timedelta(seconds=1)
MILLISECOND = timedelta(milliseconds=1)
Verdict = str | tuple[Reason, ...]
"""What a tick said of a symbol: a word of the scan's own, or the rules that kept it from being bought."""


@dataclass(slots=True)
class Scanned:
    """One minute under way: `notes` are the receipts, a line each time a symbol's verdict changes.

    `owing` says that a message may wait in the outbox, `unsure` that the positions are not read yet, or could not be.
    `seen` are the symbols that had a usable quote, `wrong` the faults of each symbol, `differ` both closes of those
    whose sources disagree, `asked` in which second each symbol answered last. `lease` is None while it is looked at
    ahead of whoever will hold it; `looked` are the seconds at which every symbol that was due was asked and answered,
    `took_ms` how long after the first request of a tick its last verdict was there. `suspects` says that the minute
    before died, perhaps of a strategy.
    """

    session: TradingSession
    begins: datetime
    ticks: int = 0
    quotes: int = 0
    owing: bool = False
    unsure: bool = True
    held: dict[str, Held[Position]] = field(default_factory=dict)
    marks: dict[str, Sound] = field(default_factory=dict)
    notes: dict[str, list[Mark]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    wrong: dict[str, set[str]] = field(default_factory=dict)
    differ: dict[str, str] = field(default_factory=dict)
    lease: Held[Minute] | None = None
    asked: dict[str, int] = field(default_factory=dict)
    looked: set[int] = field(default_factory=set)
    holds: bool = False
    took_ms: list[int] = field(default_factory=list)
    suspects: bool = False

    @property
    def ends(self) -> datetime:
        """When the next one begins."""
        return self.begins + MINUTE

    @property
    def path(self) -> str:
        """Where its receipts lie."""
        return path_of(self.begins)

    def go_on_from(self, desk: Desk, left: Minute | None) -> None:
        """Take over what somebody else saw in the first seconds: which ones, and the receipts."""
        self.looked.update((left.ahead if left else None) or ())
        document = desk.store.get(self.path) if self.looked else None
        if document is not None:
            self.notes = {symbol: list(marks(document.data, symbol)) for symbol in document.data.get("symbols", {})}

    def leave(self, **left: object) -> list[Put]:
        """Give the write that leaves in a minute that is held what was seen in it."""
        return [] if self.lease is None else [put(self.lease.path, replace(self.lease.value, **left))]  # type: ignore[arg-type]

    def judge(self, symbol: str, faults: tuple[str, ...]) -> None:
        """Remember what was wrong with a quote, or that nothing was."""
        if faults:
            self.wrong.setdefault(symbol, set()).update(faults)
        else:
            self.seen.add(symbol)

    def sight(self) -> Sight:
        """Sum up what was seen."""
        unseen = {symbol: tuple(sorted(codes)) for symbol, codes in self.wrong.items() if symbol not in self.seen}
        often = Counter(code for codes in unseen.values() for code in codes)
        return Sight(
            begins=self.begins, symbols=len(self.seen) + len(unseen), usable=len(self.seen),
            faults=tuple(sorted(often, key=lambda code: (-often[code], code))),
            unseen={symbol: codes for symbol, codes in unseen.items() if symbol in self.held},
            seconds="".join(LOOKED if second in self.looked else BLIND for second in range(SECONDS)), holds=self.holds,
        )  # fmt: skip

    def note(self, symbol: str, second: int, verdict: Verdict, *, quoted_at: datetime | None = None) -> None:
        """Write down a verdict when it differs from the one before, with what its rules compared."""
        reasons = () if isinstance(verdict, str) else verdict
        code = verdict if isinstance(verdict, str) else "+".join(one.code for one in reasons)
        lines = self.notes.setdefault(symbol, [])
        if lines and lines[-1].code == code:
            return
        found = "; ".join(said(one.found) for one in reasons)
        asked = "; ".join(said(one.asked) for one in reasons)
        at = self.begins + second * SECOND
        age_ms = None if quoted_at is None else (at - quoted_at) // MILLISECOND
        lines.append(Mark(second=second, code=code, found=found, asked=asked, age_ms=age_ms))
