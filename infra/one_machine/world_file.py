"""The file in which a process, and a command of the owner, reads what it must know of its world."""

import dataclasses
import hmac
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from infra.one_machine.timeline import AnyTimeline, HeldTimeline, Timeline
from shared.errors import ConfigError

ALIVE = "/.alive"
_MILLISECOND = timedelta(milliseconds=1)

App = Callable[[dict[str, Any], Any], Iterable[bytes]]


SIMULATOR = "the simulator"
"""What the owner's words call the broker where it is simulated."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class WorldFile:
    """What a process must know of its world; the file is this user's alone, because it holds keys.

    Each function has a file of its own, with its own keys and nobody else's; the owner's commands read another one.
    `cloud` is `local` (then `services` and `state` count) or `emulators` (then `project` and the two addresses, which
    the library reads from the environment); `sign_in` is where the browser of the `operator` begins, and `account_id`
    the account of the settings; `broker` is the address of a simulator, or None for the network; `history` names a file
    of daily bars; `time` is the file of a simulated time that stands at `at` until it begins, none for the wall clock,
    and `speed` how fast it then passes; `looks` is the folder of the scan's recordings; `key` is what this
    reader shows to the services, and `push_key` what deliveries to it show ("" for the owner, whom nobody delivers to).
    """

    cloud: str
    push_key: str
    time: str = ""
    at: str = ""
    services: str = ""
    key: str = ""
    state: str = ""
    project: str = "local"
    secrets: str = ""
    firestore: str = ""
    sign_in: str = ""
    operator: str = ""
    account_id: str = ""
    broker: str | None = None
    history: str | None = None
    speed: float = 1.0
    looks: str = ""

    def __repr__(self) -> str:
        return f"WorldFile({self.cloud})"

    @classmethod
    def read(cls, path: Path) -> "WorldFile":
        """Read a file that `write` left; raises ConfigError for another."""
        try:
            return cls(**json.loads(path.read_bytes()))
        except (OSError, ValueError, TypeError):
            what = f"{path} does not describe a running desk"
            raise ConfigError((f"{what}: ask again when it has started, or end it and start it again",)) from None

    def write(self, path: Path) -> None:
        """Write the file, for this user's eyes only."""
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(dataclasses.asdict(self)), encoding="utf-8")

    @property
    def timeline(self) -> AnyTimeline:
        """The world's time."""
        if not self.time:
            return Timeline.real()
        return HeldTimeline(Path(self.time), at=datetime.fromisoformat(self.at))

    @property
    def authorize_page(self) -> str | None:
        """Where the owner accepts, None for E*TRADE's own page."""
        return None if self.broker is None else f"{self.broker}/e/t/etws/authorize"

    def admitting(self, app: App, *, public: bool) -> App:
        """Let only the desk's own deliveries in, unless the function is public; tell the desk that this is its own.

        A delivery shows the key in its header, or in the address, which is all that the Pub/Sub emulator can carry.
        """

        def admitted(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            shown = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
            shown = shown or parse_qs(environ.get("QUERY_STRING", "")).get("key", [""])[0]
            ours = self.push_key != "" and hmac.compare_digest(shown.encode(), self.push_key.encode())
            if environ["PATH_INFO"] == ALIVE:
                start_response("204 No Content" if ours else "403 Forbidden", [])
                return []
            if not (ours or public):
                start_response("403 Forbidden", [("Content-Type", "text/plain")])
                return [b"Only the system itself may deliver here."]
            return app(environ, start_response)

        return admitted

    def told_in_its_time(self, app: App) -> App:
        """Translate the publish time of a push from the emulator, which knows the wall clock only."""
        if self.cloud != "emulators":
            return app
        timeline = self.timeline

        def translated(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            if environ["REQUEST_METHOD"] == "POST":
                raw = _in_time(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)), timeline)
                environ["wsgi.input"], environ["CONTENT_LENGTH"] = BytesIO(raw), str(len(raw))
            return app(environ, start_response)

        return translated


def _in_time(raw: bytes, timeline: AnyTimeline) -> bytes:
    """Translate the publish time; a body that has none is left as it is, for the door to refuse."""
    try:
        body = json.loads(raw)
        message = body["message"]
        for name in ("publishTime", "publish_time"):
            # The emulator cuts to milliseconds: a tick of 10:31:00.0002 must not become one of the minute before.
            message[name] = timeline.seen(datetime.fromisoformat(message[name]) + _MILLISECOND).isoformat()
    except (ValueError, TypeError, KeyError):
        return raw
    return json.dumps(body).encode()
