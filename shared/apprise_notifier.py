"""The Notifier on apprise: phones, mail, chats and webhooks by address (Telegram, ntfy, SMTP, JSON and a hundred more).

An address holds tokens and passwords. So apprise and what it sends with are silent for good once they are loaded, no
result of theirs is passed on, and what is said of an address is its place in the list and its kind. A notice counts as
told when one address took it: asking again for the others would tell it twice where it arrived. apprise is loaded at
the first notice that has an address: it takes half a second and 40 MB.
"""

import logging
from collections.abc import Callable

from shared.errors import Undelivered
from shared.ports import Journal, Severity

ANSWER_S = 15.0
_SILENT = logging.CRITICAL + 1


class AppriseNotifier:
    """Sends to the addresses of the moment, one after the other, each with a time-out and without a retry."""

    __slots__ = ("_addresses", "_journal", "_said")

    def __init__(self, *, addresses: Callable[[], tuple[str, ...]], journal: Journal) -> None:
        self._addresses = addresses
        self._journal = journal
        self._said = False

    def tell(self, *, title: str, text: str, urgent: bool) -> int:
        """Send to every address and give how many took it; that there is none is said once."""
        addresses = self._addresses()
        if not addresses:
            if not self._said:
                self._journal.line("no_notice_address", Severity.WARNING, effect="notices are only in the journal")
            self._said = True
            return 0
        troubles = [
            f"{place} ({trouble})"
            for place, address in enumerate(addresses, start=1)
            if (trouble := _trouble(address, title=title, text=text, urgent=urgent))
        ]
        if len(troubles) == len(addresses):
            raise Undelivered("no address took the notice: " + ", ".join(troubles))
        if troubles:
            self._journal.line("notice_address_failed", Severity.WARNING, addresses=", ".join(troubles))
        return len(addresses) - len(troubles)


def _trouble(address: str, *, title: str, text: str, urgent: bool) -> str:
    """Send to one address; gives what is wrong with it, without repeating it, or nothing."""
    from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType

    for name in ("apprise", "urllib3"):
        logging.getLogger(name).setLevel(_SILENT)
    asset = AppriseAsset(
        app_id="strategy", app_desc="etrade-strategy", app_url="", async_mode=False, secure_logging=True,
        storage_mode="memory", service_timeout=ANSWER_S, allow_templates=False, http_redirects=False,
        pgp_autogen=False, pem_autogen=False,
    )  # fmt: skip
    one = Apprise(asset=asset)
    if not one.add(address):
        return "apprise does not know such an address"
    kind = NotifyType.WARNING if urgent else NotifyType.INFO
    if one.notify(body=text, title=title, notify_type=kind, body_format=NotifyFormat.TEXT):
        return ""
    return f"{one[0].service_name} did not take it"
