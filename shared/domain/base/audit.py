"""The audit trail: one append-only chain of events per order, each naming the hash of the one before.

A chain starts at seq 0 with GENESIS; a flipped, dropped, swapped or inserted event breaks the hashes behind it
(order-safety.md 1.2; shared/README.md, Architecture). Heads are sealed at the close, which catches a cut tail.
"""

import hashlib
import json
from datetime import datetime

from shared.frozen import frozen

GENESIS = "0" * 64


@frozen
class AuditEvent:
    """One state change of one order: who did it, why, and the facts in plain text."""

    chain: str
    seq: int
    at: datetime
    actor: str
    before: str
    after: str
    cause: str
    detail: dict[str, str]
    prev_hash: str
    hash: str
    schema_version: int = 1


def seal(
    *,
    chain: str,
    seq: int,
    at: datetime,
    actor: str,
    before: str,
    after: str,
    cause: str,
    detail: dict[str, str],
    prev_hash: str,
) -> AuditEvent:
    """Make the next event of a chain, with its hash over every other field."""
    facts = [chain, seq, at.isoformat(), actor, before, after, cause, sorted(detail.items()), prev_hash]
    return AuditEvent(
        chain=chain, seq=seq, at=at, actor=actor, before=before, after=after, cause=cause, detail=detail,
        prev_hash=prev_hash, hash=hashlib.sha256(json.dumps(facts).encode()).hexdigest(),
    )  # fmt: skip


def breaks(events: list[AuditEvent], heads: dict[str, str]) -> list[str]:
    """Name every break, one sentence each: gaps, wrong hashes, chains that do not end at their sealed head.

    `events` may come in any order; `heads` maps a chain to its last hash as it was sealed.
    """
    chains: dict[str, list[AuditEvent]] = {}
    for event in events:
        chains.setdefault(event.chain, []).append(event)
    found = [f"Chain {name} is sealed but has no events." for name in sorted(heads.keys() - chains.keys())]
    for name in sorted(chains):
        found += _chain_breaks(name, sorted(chains[name], key=lambda event: event.seq), heads.get(name))
    return found


def _chain_breaks(name: str, chain: list[AuditEvent], head: str | None) -> list[str]:
    prev = GENESIS
    for seq, event in enumerate(chain):
        if event.seq != seq:
            return [f"Chain {name} has seq {event.seq} where {seq} is due."]
        if event.prev_hash != prev:
            return [f"Chain {name} does not hold at seq {seq}: the event before it is not the one it names."]
        again = seal(
            chain=event.chain, seq=event.seq, at=event.at, actor=event.actor, before=event.before, after=event.after,
            cause=event.cause, detail=event.detail, prev_hash=event.prev_hash,
        )  # fmt: skip
        if again.hash != event.hash:
            return [f"Chain {name} does not hold at seq {seq}: the event was changed after it was written."]
        prev = event.hash
    if head is not None and head not in {event.hash for event in chain}:
        return [f"Chain {name} ends at seq {chain[-1].seq} and does not hold its sealed head."]
    return []
