"""The page behind the halt link of a notice: one tap, one confirmation, and a message that asks for the halt.

What can go wrong: a program opens the link in advance; somebody makes one up or keeps an old one; the store is down
when trading has to stop; one link is tapped again and again. What this promises: a GET changes nothing; a genuine link
can halt and nothing else, for it is signed for that purpose alone, and this function has no right on the trading state:
it publishes `HaltAsked`, and order_settlement does it. The way from a genuine link to the message needs the key and the
bus, and no document. What is not genuine gets one constant sentence. One link asks at most once in some seconds, for
each instance, so that no link makes a flood; a message that comes twice halts once.
"""

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.domain.telling.messages import HaltAsked
from shared.pages.keys import HeldKey
from shared.usecases.base.desk import Desk
from shared.usecases.base.links import Link
from shared.usecases.base.outbox import pack

TOPIC = "halt-asks"
AT_MOST_EVERY = timedelta(seconds=5)
_REMEMBERED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Halting:
    """Takes the halt links that `key` signed; `asked` remembers when each link asked last."""

    desk: Desk
    key: HeldKey
    asked: dict[str, datetime] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, text: str) -> bool:
        """Ask for the halt when the link is genuine and its time is not over; gives whether it is.

        Raises ConfigError, StoreDown and NotSent where nothing was asked for.
        """
        now = self.desk.clock.now()
        link = self.key.genuine(text)
        if link is None or now >= link.expires_at:
            return False
        if self._due(link, now):
            self.desk.bus.publish(TOPIC, pack(HaltAsked(link=link.name, at=now)), attributes={})
            self._note(link, now)
            self.desk.journal.line("halt_asked", link=link.name)
        return True

    def _due(self, link: Link, now: datetime) -> bool:
        with self.lock:
            before = self.asked.get(link.name)
        return before is None or now - before >= AT_MOST_EVERY

    def _note(self, link: Link, now: datetime) -> None:
        with self.lock:
            if len(self.asked) >= _REMEMBERED:
                self.asked.clear()
            self.asked[link.name] = now
