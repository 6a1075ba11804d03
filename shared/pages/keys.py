"""The keys that the public page checks links and cookies with, held for a minute by each instance.

What can go wrong: a stranger sends thousands of links a minute, many at once, before any key was read, or while the
vault fails. What this promises: what has not the form of a link or a cookie asks for no key; the vault is asked once a
minute, by one caller, whether one link comes or a million, and reads the key's newest version only where it is another
one; a vault that fails leaves the key in force that was read last, and is asked for a first one every few seconds at
most. So a key that the owner replaces counts within a minute, and the one before as long.
"""

import threading
from dataclasses import replace
from datetime import datetime, timedelta

from shared.errors import DeskError, StoreDown
from shared.ports import Severity, Vault
from shared.usecases.base.desk import Desk
from shared.usecases.base.links import SECRETS, SIGN_IN, Link, LinkKey, has_form, is_cookie, newest

KEY_HELD = timedelta(minutes=1)
ASKED_AGAIN = timedelta(seconds=5)
"""How soon a vault that did not give any key is asked again."""
_LOOK_EVERY = timedelta(milliseconds=20)


class HeldKey:
    """The key of one purpose for who checks with it: asked of the vault once a minute, however often it is used.

    A vault that fails leaves the key in force that was read last.
    """

    def __init__(self, desk: Desk, vault: Vault, operator: str, *, purpose: str = SIGN_IN) -> None:
        self._desk = desk
        self._vault = vault
        self._none = LinkKey(operator=operator, value=b"", purpose=purpose)
        self._key: LinkKey | None = None
        self._version = ""
        self._problem: DeskError | None = None
        self._asked_at: datetime | None = None
        self._lock = threading.Lock()

    def __call__(self) -> LinkKey:
        """Give the key; raises ConfigError where there is none that is long enough, and StoreDown."""
        if self._is_due():
            self._look()
        return self._key or self._awaited()

    def genuine(self, text: str) -> Link | None:
        """Read a link as `LinkKey.genuine` does; one without the form of a link asks for no key."""
        return self().genuine(text) if has_form(text) else None

    def gave(self, cookie: str) -> bool:
        """Tell whether a cookie was drawn here; one without the form of a cookie asks for no key."""
        return is_cookie(cookie) and self().gave(cookie)

    def _is_due(self) -> bool:
        """Tell whether this caller is the one who asks the vault."""
        now = self._desk.clock.now()
        with self._lock:
            pause = KEY_HELD if self._key is not None else ASKED_AGAIN
            due = self._asked_at is None or now - self._asked_at >= pause
            if due:
                self._asked_at, self._problem = now, None
            return due

    def _look(self) -> None:
        try:
            version, value = newest(self._vault, SECRETS[self._none.purpose], known=self._version)
        except DeskError as problem:
            self._problem = problem
            self._desk.journal.line("key_not_read", Severity.ERROR, kind=type(problem).__name__, detail=problem.detail)
            return
        if value is not None:
            self._key, self._version = replace(self._none, value=value), version

    def _awaited(self) -> LinkKey:
        """Wait for the caller who asks for the first key, for some seconds at most."""
        clock = self._desk.clock
        end = clock.now() + ASKED_AGAIN
        while self._key is None and self._problem is None and clock.now() < end:
            clock.sleep_until(clock.now() + _LOOK_EVERY)
        if self._key is None:
            raise self._problem or StoreDown("the vault has not given the key yet")
        return self._key
