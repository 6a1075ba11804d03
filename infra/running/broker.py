"""The simulated broker of a desk that may be stopped and started again: it remembers by doing everything once more.

What can go wrong: `strategy up` ends, or is killed, while the simulator holds orders and shares that the book knows
of. The simulator draws nothing by itself: the same calls at the same instants give the same state. So each call is
written down before it is answered, and a new simulator answers them all again before it opens. Quotes are left out:
they change nothing but the last use of a token, which other calls keep awake too. A call that the disk does not take
is never done: the caller sees a connection that ends, and no half of a line stays. A half-written last line, of a kill,
was never answered either, and is dropped. The file holds signatures of the simulated account, and opens nothing.
"""

import base64
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from io import SEEK_END, BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.brokersim.market import Market
from infra.brokersim.network import OwnTime
from infra.brokersim.settings import SimulatorSettings
from infra.brokersim.simulator import ConnectionDropped, Simulator
from infra.running.plan import FASTEST
from infra.simulated_day.problems import UserError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_KEPT = (
    "REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "REQUEST_URI", "CONTENT_TYPE", "HTTP_HOST", "HTTP_AUTHORIZATION",
    "HTTP_ACCEPT",
)  # fmt: skip
_JITTER_MS = 10
_UNKEPT = "/market/quote"


def last_call(path: Path) -> datetime | None:
    """Give the instant of the last kept call: no time may begin before it; None where there is none."""
    if not path.exists():
        return None
    whole = [line for line in path.read_bytes().splitlines() if line.endswith(b"}")]
    return datetime.fromisoformat(json.loads(whole[-1])["at"]) if whole else None


class KeptSimulator(Simulator):
    """A simulator whose calls are kept in `path`, and which begins where the last one on that file ended."""

    def __init__(
        self,
        *,
        path: Path,
        market: Market,
        now: Callable[[], datetime],
        settings: SimulatorSettings,
        seed: int,
        jitter: timedelta = timedelta(0),
        own_time: OwnTime | None = None,
    ) -> None:
        self._clock = now
        self._at: datetime | None = None
        super().__init__(market=market, now=self._instant, settings=settings, seed=seed, own_time=own_time)
        self._replay(path)
        self._jitter = jitter
        self.bear(jitter)
        self._file = path.open("ab", buffering=0)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Write the call down and answer it; a proxy's word for the scheme is believed, as signatures name it."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        environ["wsgi.url_scheme"] = environ.get("HTTP_X_FORWARDED_PROTO", environ["wsgi.url_scheme"])
        self._at = self._clock()  # for the whole call, and for its repetition
        try:
            if _UNKEPT not in environ["PATH_INFO"]:
                self._keep(environ, body, self._at)
            return super().__call__(environ, start_response)
        finally:
            self._at = None

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _instant(self) -> datetime:
        return self._at or self._clock()

    def _keep(self, environ: "WSGIEnvironment", body: bytes, at: datetime) -> None:
        line = {name: environ[name] for name in _KEPT if name in environ}
        line |= {"at": at.isoformat(), "bears": self._jitter.total_seconds(), "scheme": environ["wsgi.url_scheme"]}
        line["body"] = base64.b64encode(body).decode()
        raw = json.dumps(line).encode() + b"\n"
        end = self._file.seek(0, SEEK_END)
        try:
            written = self._file.write(raw)
        except OSError:
            written = 0
        if written != len(raw):
            self._file.truncate(end)
            raise ConnectionDropped("the disk does not take the call")

    def _replay(self, path: Path) -> None:
        if not path.exists():
            return
        raw = path.read_bytes()
        whole = raw[: raw.rfind(b"\n") + 1]
        if whole != raw:
            with path.open("r+b") as file:
                file.truncate(len(whole))
        for number, raw_line in enumerate(whole.splitlines(), 1):
            try:
                line = json.loads(raw_line)
                body = base64.b64decode(line.pop("body"))
                self._at = datetime.fromisoformat(line.pop("at"))
                self.bear(timedelta(seconds=line.pop("bears")))
            except (ValueError, TypeError, KeyError, AttributeError):
                what = f"{path} is damaged in line {number}"
                raise UserError(what, remedy="take another folder with --state, or move this one away") from None
            self._again(line, body)
        self._at = None

    def _again(self, line: dict[str, Any], body: bytes) -> None:
        environ = {**line, "wsgi.url_scheme": line["scheme"], "wsgi.input": BytesIO(body), "CONTENT_LENGTH": len(body)}
        with suppress(ConnectionDropped):
            super().__call__(environ, lambda *_: lambda _: None)


def own_settings(usual: SimulatorSettings, speed: float) -> SimulatorSettings:
    """Let request tokens live for a person's five minutes at any `speed`; that is for the simulator's page alone.

    What it once answered it has to answer again, also when the next start runs at another speed.
    """
    lives = usual.request_token_minutes * FASTEST
    return replace(usual, request_token_minutes=lives, speed=speed, for_programs=False)


def jitter_of(speed: float) -> timedelta:
    """Give what the simulated limits bear in scaled time: ten real milliseconds of this machine, none at speed 1."""
    return timedelta(milliseconds=min(500.0, _JITTER_MS * (speed - 1))) if speed > 1 else timedelta(0)
