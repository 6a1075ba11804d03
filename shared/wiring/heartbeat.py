"""The Pulse port over HTTP: one address is asked, such as a check's of healthchecks.io, which alarms when it is not.

What can go wrong: the address does not answer, answers a byte at a time, points elsewhere, or is shown in a log, where
whoever reads it could keep the check quiet. What this promises: one GET without a body, a proxy or a cookie, no
redirect is followed, the answer's body is not read, `DEADLINE_S` ends the whole exchange, one request at a time, and
nothing but a status or the name of an error is ever said of it.
"""

import logging

from requests import PreparedRequest
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from shared.deadline import DeadlineAdapter, within
from shared.ports import Journal, Severity

DEADLINE_S = 3.0
_GOOD = 200


class HttpPulse:
    """Asks one address, and says in the journal when that was not heard."""

    def __init__(self, *, address: str, journal: Journal, deadline_s: float = DEADLINE_S) -> None:
        self._address = address
        self._journal = journal
        self._deadline_s = deadline_s
        logging.getLogger("urllib3").setLevel(logging.CRITICAL)

    def __repr__(self) -> str:
        return "HttpPulse(hidden)"

    def beat(self) -> None:
        """Ask once, and say in the journal when it was not heard."""
        if why := self._ask():
            self._journal.line("heartbeat_missed", Severity.WARNING, why=why)

    def _ask(self) -> str:
        """Give what is wrong, nothing when the answer is good."""
        request = PreparedRequest()
        try:
            request.prepare(method="GET", url=self._address, headers={"User-Agent": "etrade-strategy"})
            adapter = DeadlineAdapter(connections=1)
            with within(self._deadline_s):
                answer = adapter.send(request, stream=True, timeout=(self._deadline_s,) * 2, verify=True, proxies={})
            answer.close()
            adapter.close()
        except (RequestException, HTTPError, OSError, ValueError) as problem:
            return type(problem).__name__
        return "" if answer.status_code == _GOOD else f"status {answer.status_code}"
