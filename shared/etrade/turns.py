"""The account's turns at Orders and Accounts, taken by compare-and-set in the documents `turns/<module>`.

What can go wrong: many instances ask at once; the store is away, or its answer to a commit is lost; a commit takes
longer than the turn that it took; E*TRADE throttles all the same. What this promises: no call without a turn, and no
turn without the store's word (NotSent); a turn that came too late is not used but taken anew, wider than that commit
lasted, and the width that was needed is the next turn's, so that with a slow store an order's turn still comes before
its deadline, and an exit's comes however slow the store is; who met another writer rests for up to as long as the
commit lasted, so that with a slow store nobody is always second; after a throttle answer nobody calls for a while,
whichever instance got it. The rules are in `shared.domain.broker.turns`.

Nothing is locked over a port call: threads of one instance compete in the store as instances do.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from shared.codec import decode, encode
from shared.domain.broker.turns import (
    INTERVAL,
    LONGEST_PAUSE,
    WIDE,
    WIDEST,
    WIDTH,
    Purpose,
    Turn,
    Turns,
    Wait,
    awaited,
    next_turn,
    paused,
    plausible,
    taken,
    untouched,
    urgency,
)
from shared.errors import Conflict, Malformed, NotSent, StoreDown
from shared.frozen import frozen
from shared.ports import Chance, Clock, Create, Journal, Severity, Store, Update

MOST_CONFLICTS = 20
LONGEST = {
    Purpose.PROTECT: timedelta(seconds=15),
    Purpose.SETTLE: timedelta(seconds=15),
    Purpose.ENTER: timedelta(seconds=4),
}
"""How long a call without a deadline waits. An entry holds up the exits behind it in its function: it comes again."""
_JITTER_S = 0.02


@frozen
class _Kept:
    """The turns as they were read; `now` is the instant after reading.

    `mended` says that the document has instants that cannot be, which are not in `turns` any more.
    """

    path: str
    turns: Turns
    version: str | None
    now: datetime
    mended: bool = False

    def becomes(self, turns: Turns) -> Create | Update:
        data = encode(turns)
        return Create(self.path, data) if self.version is None else Update(self.path, data, self.version)


class AccountTurns:
    """The turns of one function instance, shared by its threads or greenlets."""

    def __init__(self, *, store: Store, clock: Clock, chance: Chance, journal: Journal) -> None:
        self._store = store
        self._clock = clock
        self._chance = chance
        self._journal = journal
        self._sent: dict[str, dict[datetime, datetime]] = {}
        self._paused: dict[str, datetime] = {}
        self._widths: dict[str, timedelta] = {}

    def take(self, module: str, purpose: Purpose, *, within: timedelta | None = None) -> Turn | None:
        """Wait for a turn and give it; None when none comes `within` a time, or in `LONGEST`.

        Raises NotSent when the store does not say whose turn it is.
        """
        began = self._clock.now()
        longest = LONGEST[purpose] if within is None else within
        width, conflicts = self._widths.get(module, WIDTH), 0
        while conflicts < MOST_CONFLICTS:
            asked_at = self._clock.now()
            try:
                kept = self._read(module)
                urgent = urgency(purpose, kept.now - began)
                width = min(width, WIDEST[purpose])
                found = next_turn(kept.turns, urgent, now=kept.now, width=width)
                if found.at - began > longest:
                    return None
                if isinstance(found, Wait):
                    self._wait(kept, urgent, found, slow=width > WIDE)
                    continue
                self._commit(kept, taken(kept.turns, found, urgent))
            except Conflict:
                conflicts += 1
                self._pause(self._clock.now() - asked_at)
                continue
            if found.at > self._clock.now():
                self._clock.sleep_until(found.at)
            late = self._clock.now() - found.at
            if late < width:
                self._widths[module] = width if 2 * late > width else max(width / 2, WIDTH)
                return found
            width = self._widths[module] = max(2 * width, late * 3 / 2)
        raise NotSent(f"turns at {module}: somebody else is always first")

    def sent(self, module: str, turn: Turn) -> None:
        """Note that a turn's call leaves now: where nobody took the lane since, our next one need not wait longer."""
        self._sent[module] = {**self._sent.get(module, {}), turn.until + INTERVAL: self._clock.now()}

    def throttled(self, module: str) -> None:
        """Stop a module for everybody after a throttle answer."""
        for _ in range(MOST_CONFLICTS):
            try:
                kept = self._read(module)
                self._commit(kept, paused(kept.turns, kept.now))
            except Conflict:
                self._pause()
            except NotSent as problem:
                self._journal.line("pause_untold", Severity.WARNING, module=module, detail=problem.detail)
                break
            else:
                return
        self._paused[module] = self._clock.now() + LONGEST_PAUSE

    def _wait(self, kept: _Kept, purpose: Purpose, wait: Wait, *, slow: bool) -> None:
        """Write down that somebody waits, and wait; in a `slow` store the mark would be there later than the turn."""
        marked = kept.turns if slow else awaited(kept.turns, purpose, wait)
        if marked != kept.turns or kept.mended:
            self._commit(kept, marked)
        self._clock.sleep_until(wait.look_at)

    def _read(self, module: str) -> _Kept:
        """Read the turns, with what this instance alone knows: when its own calls left, and that it was throttled."""
        path = f"turns/{module}"
        try:
            document = self._store.get(path)
        except StoreDown as problem:
            raise NotSent(f"no turn at {module}: {problem.detail}") from problem
        now = self._clock.now()
        if document is None:
            return _Kept(path=path, turns=self._known(module, untouched(now)), version=None, now=now)
        kept = _Kept(path=path, turns=untouched(now + WIDE + INTERVAL), version=document.version, now=now)
        try:
            found = decode(Turns, document.data)
            turns = plausible(found, now)
            return replace(kept, turns=self._known(module, turns), mended=turns != found)
        except Malformed as problem:
            # Replaced by one under which all turns that it may have given are over before the next one.
            self._journal.line("unreadable_document", Severity.CRITICAL, path=path, detail=problem.detail)
            self._commit(kept, kept.turns)
            return kept

    def _known(self, module: str, turns: Turns) -> Turns:
        sent = {free: at for free, at in self._sent.get(module, {}).items() if free in turns.free}
        self._sent[module] = sent
        first, second = (sent[free] + INTERVAL if free in sent else free for free in turns.free)
        ours = self._paused.get(module)
        if ours is not None and (turns.paused_until is None or turns.paused_until < ours):
            turns = replace(turns, paused_until=ours)
        return replace(turns, free=(first, second))

    def _commit(self, kept: _Kept, turns: Turns) -> None:
        try:
            self._store.commit([kept.becomes(turns)])
        except StoreDown as problem:
            raise NotSent(f"no turn: {problem.detail}") from problem

    def _pause(self, lost: timedelta = timedelta(0)) -> None:
        """Rest by chance, for up to as long as what was `lost` by asking in vain."""
        longest = max(lost.total_seconds(), _JITTER_S)
        self._clock.sleep_until(self._clock.now() + timedelta(seconds=self._chance.uniform(0, longest)))
