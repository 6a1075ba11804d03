"""The audit trail as a file: canonical JSON lines, chains in order, the seals last; and its verification.

The same events give the same bytes, so two runs of one seed and file can be compared with `cmp`.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from infra.simulated_day.book import Documents, heads
from infra.simulated_day.problems import UserError
from shared.codec import decode, dumps, loads
from shared.domain.base.audit import AuditEvent, breaks
from shared.domain.orders.orders import Order
from shared.domain.telling.wording import count
from shared.errors import Malformed
from shared.frozen import frozen

FILE = "audit.jsonl"


@frozen
class Verdict:
    """What a verification found; one sentence for each break, and how many chains have no seal."""

    events: int
    chains: int
    unsealed: int
    broken: tuple[str, ...]


def export(store: Documents) -> bytes:
    """Write every event and seal of a store."""
    events = sorted((one.data for one in store.query("audit")), key=_place)
    seals = sorted((one.data for one in store.query("seals")), key=lambda seal: str(seal["session"]))
    return b"".join(dumps(line) + b"\n" for line in [*events, *seals])


def read(path: Path) -> tuple[list[AuditEvent], dict[str, str]]:
    """Read an exported trail: its events and its sealed heads; raises UserError for nothing, or naming a bad line."""
    try:
        raw = path.read_bytes()
    except OSError as problem:
        run = path.parent if path.name == FILE else "FOLDER"
        remedy = f"write it first, with `strategy audit export --state {run}`"
        raise UserError(f"{path} cannot be read: {problem.strerror}", remedy=remedy) from None
    events: list[AuditEvent] = []
    seals: list[dict[str, Any]] = []
    for number, line in enumerate(raw.splitlines(), start=1):
        try:
            plain = loads(line)
            if isinstance(plain, dict) and isinstance(plain.get("heads"), dict):
                seals.append(plain)
            else:
                events.append(decode(AuditEvent, plain))
        except Malformed as problem:
            remedy = "export the trail again from the run's folder"
            raise UserError(f"{path}, line {number}: {problem.detail}", remedy=remedy) from None
    if not events and not seals:
        remedy = "name the trail of a run, or write one with `strategy audit export`"
        raise UserError(f"{path} is empty: it is no audit trail, and nothing was verified", remedy=remedy)
    return events, heads(seals)


def verify(events: list[AuditEvent], sealed: dict[str, str]) -> Verdict:
    """Check every chain and every seal."""
    chains = {event.chain for event in events}
    return Verdict(
        events=len(events),
        chains=len(chains),
        unsealed=len(chains - sealed.keys()),
        broken=tuple(breaks(events, sealed)),
    )


def differences(events: Iterable[AuditEvent], store: Documents) -> list[str]:
    """Compare a trail with the run's own state, one sentence for each chain that differs; raises UserError.

    A whole chain can be cut out of a file together with its sealed head: only the state knows that it was there.
    """
    try:
        orders = [decode(Order, one.data) for one in store.query("orders")]
        written = {decode(AuditEvent, one.data).chain for one in store.query("audit")}
    except Malformed as problem:
        raise UserError(f"the run's state cannot be read: {problem.detail}", remedy="name another run") from None
    wanted = {order.intent_id: order.audit_head for order in orders}
    kept = wanted.keys() | written
    ends = {event.chain: event.hash for event in sorted(events, key=lambda event: event.seq)}
    found = [f"Chain {name} of the run's state is not in the trail." for name in sorted(kept - ends.keys())]
    found += [f"Chain {name} is not in the run's state." for name in sorted(ends.keys() - kept)]
    found += [
        f"Chain {name} does not end where its order stands in the run's state."
        for name in sorted(wanted.keys() & ends.keys())
        if wanted[name] != ends[name]
    ]
    return found


def sentences(verdict: Verdict, trail: Path) -> Iterable[str]:
    """Say what was found in the trail of a file, the breaks first."""
    yield from verdict.broken
    state = "is intact" if not verdict.broken else "is broken"
    counted = f"{count(verdict.events, 'event')} in {count(verdict.chains, 'chain')}"
    yield f"The audit trail {trail} {state}: {counted}."
    if verdict.unsealed:
        yield f"{count(verdict.unsealed, 'chain')} without a seal: events missing at their end cannot be detected."


def _place(event: dict[str, Any]) -> tuple[str, int]:
    return str(event["chain"]), int(event["seq"])
