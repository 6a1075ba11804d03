"""The owner's own desk: their documents and a clock, and no way to announce anything."""

from io import StringIO

from shared.gcp.chance import SystemChance
from shared.gcp.journal import CloudJournal
from shared.gcp.no_bus import NoBus
from shared.ports import Clock, Store
from shared.usecases.base.desk import Desk

ACTOR = "owner"


def owners_desk(clock: Clock, store: Store, *, project: str = "local", pace: float = 1.0) -> Desk:
    """Give the owner a desk of their own: what they do is announced by the functions."""
    journal = CloudJournal(ACTOR, project=project, output=StringIO())
    return Desk(actor=ACTOR, clock=clock, chance=SystemChance(), store=store, bus=NoBus(), journal=journal, pace=pace)
