"""A webhook on loopback: takes what apprise posts to a json:// address, and answers as it is told to."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(slots=True)
class Webhook:
    """What was posted so far; each answer has the next of `answers` as its status, 200 when there is none left."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def address(self, *, user: str = "", path: str = "hook") -> str:
        """Give the apprise address of this webhook."""
        return f"json://{user}127.0.0.1:{self.port}/{path}"


@contextmanager
def webhook() -> Iterator[Webhook]:
    """Listen on a free port of loopback until the end of the block."""
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        """Keeps one post."""

        def do_POST(self) -> None:
            """Take it."""
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            is_json = self.headers["Content-Type"] == "application/json"
            hook.posts.append(json.loads(raw) if is_json else {"raw": raw})
            hook.paths.append(self.path)
            status = hook.answers.pop(0) if hook.answers else 200
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"http://127.0.0.1:{hook.port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            """Note that a redirection was followed."""
            hook.paths.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield hook
        finally:
            server.shutdown()
            thread.join()
