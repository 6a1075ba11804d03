"""What the owner is told when quotes are doubted, with its words: a halt of what is held, closes that disagree."""

from datetime import date, datetime

from shared.domain.base.ids import digest
from shared.domain.telling.codes_said import halt_signs
from shared.domain.telling.wording import Words, clock, count, short
from shared.frozen import frozen


@frozen
class HeldHalted:
    """Trading in a held symbol looks halted `since` an instant; `signs` are the codes of what says so (`halts`)."""

    symbol: str
    signs: tuple[str, ...]
    since: datetime
    at: datetime

    @property
    def event(self) -> str:
        """One for each halt."""
        return f"{self.symbol}:{self.since.isoformat()}"


@frozen
class SourcesDiffer:
    """The broker's previous close and the stored close of that session lie too far apart; `closes` has both of each."""

    closes: tuple[str, ...]
    session: date
    at: datetime

    @property
    def event(self) -> str:
        """One a session for the symbols that are found together."""
        return f"{self.session.isoformat()}:{digest(*self.closes)[:16]}"


Doubted = HeldHalted | SourcesDiffer


def held_halted(notice: HeldHalted) -> Words:
    """Say what looks halted and what becomes of its stop."""
    return Words(
        title=f"Trading looks halted: {notice.symbol}",
        sentence=f"{notice.symbol} is held, and since {clock(notice.since)} its quotes look as if its trading were "
        f"halted ({halt_signs(notice.signs)}).",
        advice="Its stop at E*TRADE stays, and nothing of it is bought until some minutes after it moves again: look "
        "for news of a halt, after which a stop can sell far below its level.",
        urgent=True,
    )


def sources_differ(notice: SourcesDiffer) -> Words:
    """Say whose closes disagree, and what the owner can do."""
    return Words(
        title="Previous closes that disagree",
        sentence="The close of the session before differs between E*TRADE and the stored daily bars for "
        f"{count(len(notice.closes), 'symbol')}: {short('; '.join(notice.closes))}.",
        advice="Nothing of it is bought while it is so, stops and exits go on: look for a split or a distribution that "
        "no source gave, and bring right bars with `strategy import FILE`.",
        urgent=False,
    )
