"""The Pulse port over HTTP: one address is asked, such as a check's of healthchecks.io, which alarms when it is not.

What can go wrong: the address does not answer, answers a byte at a time, points elsewhere, or is shown in a log, where
whoever reads it could keep the check quiet. What this promises: one GET without a body, a proxy or a cookie, no
redirect is followed, the answer is not read, the caller waits `DEADLINE_S` at most, one request at a time, and nothing
but a status or the name of an error is ever said of it.
"""

import logging
from threading import Thread

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from shared.ports import Journal, Severity

DEADLINE_S = 3.0
_PART_S = 2.0
_GOOD = 200


class HttpPulse:
    """Asks one address, and says in the journal when that was not heard."""

    def __init__(self, *, address: str, journal: Journal, deadline_s: float = DEADLINE_S) -> None:
        self._address = address
        self._journal = journal
        self._deadline_s = deadline_s
        self._worker: Thread | None = None
        logging.getLogger("urllib3").setLevel(logging.CRITICAL)

    def __repr__(self) -> str:
        return "HttpPulse(hidden)"

    def beat(self) -> None:
        """Ask once, and wait for the status no longer than the deadline."""
        if self._worker is not None and self._worker.is_alive():
            self._missed("the last one still waits")
            return
        answers: list[str] = []
        self._worker = Thread(target=lambda: answers.append(self._ask()), daemon=True)
        self._worker.start()
        self._worker.join(self._deadline_s)
        why = answers[0] if answers else "no answer in time"
        if why:
            self._missed(why)

    def _ask(self) -> str:
        """Give what is wrong, nothing when the answer is good."""
        request = PreparedRequest()
        try:
            request.prepare(method="GET", url=self._address, headers={"User-Agent": "etrade-strategy"})
            adapter = HTTPAdapter(pool_connections=1, pool_maxsize=1, max_retries=0)
            answer = adapter.send(request, stream=True, timeout=(_PART_S, _PART_S), verify=True, proxies={})
            answer.close()
            adapter.close()
        except (RequestException, HTTPError, OSError, ValueError) as problem:
            return type(problem).__name__
        return "" if answer.status_code == _GOOD else f"status {answer.status_code}"

    def _missed(self, why: str) -> None:
        self._journal.line("heartbeat_missed", Severity.WARNING, why=why)
