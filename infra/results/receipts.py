"""The receipt of each decision: what was seen, who voted, what became of the order, or why not."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.domain.base.audit import AuditEvent
from shared.domain.orders.orders import Kind, Order
from shared.domain.orders.positions import Fill
from shared.domain.orders.signals import Signal
from shared.frozen import frozen

SCANNED_S = 59
"""Seconds of a minute in which the scan looks: 0 to 58."""

_TRADED = ("signal:", "exit:", "held")


@frozen
class OrderStory:
    """One intent: its document, its state changes in order, and its fills."""

    order: Order
    events: tuple[AuditEvent, ...]
    fills: tuple[Fill, ...]


@frozen
class Decision:
    """One signal with every intent that followed from it; none when it was never taken up."""

    signal: Signal
    stories: tuple[OrderStory, ...]

    @property
    def at(self) -> datetime:
        """When the scan decided."""
        return self.signal.decided_at

    @property
    def entry(self) -> Order | None:
        """The entry that the signal led to."""
        return next((story.order for story in self.stories if story.order.kind is Kind.ENTRY), None)

    @property
    def shares(self) -> int:
        """Shares that its entry bought."""
        return self.entry.filled if self.entry is not None else 0


class Scanned(Protocol):
    """A minute's receipt, as `why_not` reads it."""

    @property
    def symbols(self) -> Mapping[str, Sequence[tuple[int, str]]]:
        """For each symbol pairs of a second and the codes, with + between them, that hold from it on."""

    @property
    def compared(self) -> Mapping[str, Mapping[str, tuple[str, str]]]:
        """For each symbol and code what was found and asked last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyNot:
    """For how many seconds each reason kept one symbol from being traded, the longest first.

    Several may do so at once. `compared` has what a reason found and asked when it spoke last.
    """

    symbol: str
    seconds: tuple[tuple[str, int], ...]
    compared: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def decisions(
    signals: Iterable[Signal], *, orders: Iterable[Order], events: Iterable[AuditEvent], fills: Iterable[Fill]
) -> list[Decision]:
    """Give every signal's receipt in the order in which the scan decided."""
    chains: dict[str, list[AuditEvent]] = {}
    for event in events:
        chains.setdefault(event.chain, []).append(event)
    filled: dict[str, list[Fill]] = {}
    for fill in fills:
        filled.setdefault(fill.intent_id, []).append(fill)
    entries: dict[str, Order] = {}
    positions: dict[str, list[Order]] = {}
    for order in sorted(orders, key=lambda order: (order.created_at, order.intent_id)):
        positions.setdefault(order.position_id, []).append(order)
        if order.kind is Kind.ENTRY and order.signal_id:
            entries[order.signal_id] = order
    found = []
    for signal in sorted(signals, key=lambda signal: (signal.decided_at, signal.signal_id)):
        entry = entries.get(signal.signal_id)
        related = [] if entry is None else _related(entry, positions)
        found.append(Decision(signal=signal, stories=tuple(_story(order, chains, filled) for order in related)))
    return found


def why_not(minutes: Iterable[Scanned], symbols: Iterable[str]) -> list[WhyNot]:
    """Add up, for each scanned symbol, how long each reason in the receipts of the minutes held."""
    seconds: dict[str, Counter[str]] = {symbol: Counter() for symbol in symbols}
    compared: dict[str, dict[str, tuple[str, str]]] = {}
    for minute in minutes:
        for symbol, marks in minute.symbols.items():
            ends = [second for second, _ in marks[1:]] + [SCANNED_S]
            for (begins, codes), end in zip(marks, ends, strict=True):
                if not codes.startswith(_TRADED):
                    seconds.setdefault(symbol, Counter()).update(dict.fromkeys(codes.split("+"), end - begins))
        for symbol, those in minute.compared.items():
            compared.setdefault(symbol, {}).update(those)
    return [
        WhyNot(
            symbol=symbol, seconds=tuple(sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))),
            compared=compared.get(symbol, {}),
        )
        for symbol, found in seconds.items()
    ]  # fmt: skip


def _related(entry: Order, positions: dict[str, list[Order]]) -> list[Order]:
    """Give an entry and, when it bought something, what protected and ended the position."""
    if not entry.filled:
        return [entry]
    return [entry, *(other for other in positions[entry.position_id] if other.kind is not Kind.ENTRY)]


def _story(order: Order, events: dict[str, list[AuditEvent]], fills: dict[str, list[Fill]]) -> OrderStory:
    chain = sorted(events.get(order.intent_id, []), key=lambda event: event.seq)
    return OrderStory(order=order, events=tuple(chain), fills=tuple(fills.get(order.intent_id, [])))
