"""The Journal port as Cloud Logging reads it: one JSON object per line of standard output, without a client library.

What can go wrong: a text that breaks its line or fakes a second one, two threads that write into one another's line,
a number that JSON does not know, a line longer than an entry may be, an output that is closed. What this promises:
each line is one whole object in plain ASCII, and a line that cannot be written never disturbs the work.
Fields: cloud.google.com/run/docs/samples/cloudrun-manual-logging.
"""

import json
import math
import sys
import threading
from typing import TextIO

from shared.ports import Scalar, Severity
from shared.trace import trace_id

MAX_TEXT = 8_000  # characters of one field; an entry holds 256 KiB
MAX_MESSAGE = 256
_RESERVED = frozenset({"severity", "message", "event", "logging.googleapis.com/trace"})


class CloudJournal:
    """Writes one function's lines; `lost` counts those that the output refused."""

    def __init__(self, function: str, *, project: str, output: TextIO | None = None) -> None:
        self.lost = 0
        self._function = function
        self._project = project
        self._output = output
        self._lock = threading.Lock()

    def line(self, event: str, severity: Severity = Severity.INFO, **fields: Scalar) -> None:
        """Write one line; a field called `message` becomes `message_`, for `message` is what a person reads."""
        plain = {name: _plain(value) for name, value in fields.items()}
        message = " ".join((event, *(f"{name}={value}" for name, value in plain.items())))
        line: dict[str, Scalar] = {
            "severity": severity.value, "message": message[:MAX_MESSAGE], "event": event, "function": self._function,
            **{f"{name}_" if name in _RESERVED else name: value for name, value in plain.items()},
        }  # fmt: skip
        if trace := trace_id():
            line["logging.googleapis.com/trace"] = f"projects/{self._project}/traces/{trace}"
        text = json.dumps(line, allow_nan=False, separators=(",", ":")).replace("\x7f", "\\u007f")
        self._write(f"{text}\n")

    def _write(self, text: str) -> None:
        output = self._output or sys.stdout
        with self._lock:
            try:
                output.write(text)
                output.flush()
            except (OSError, ValueError):  # closed or broken: the work goes on
                self.lost += 1


def _plain(value: Scalar) -> Scalar:
    match value:
        case str():
            return value[:MAX_TEXT].encode("utf-8", "replace").decode()
        case float() if not math.isfinite(value):
            return str(value)
        case _:
            return value
