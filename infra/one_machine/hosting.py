"""Cloud Run on one machine: functions-framework apps in this process, with a limit of requests at once."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from wsgiref.types import WSGIApplication

import functions_framework

from infra.one_machine.variables import kept
from infra.one_machine.wsgi import Answer, exchange
from shared.topology import Function

_MAIN = "main"
_VARIABLES = ("FUNCTION_TARGET", "FUNCTION_SIGNATURE_TYPE")


def load_app(source: Path) -> WSGIApplication:
    """Start a function's `main.py` as the cloud would and leave nothing of it in the process's globals."""
    with _kept_globals():
        app: WSGIApplication = functions_framework.create_app(  # type: ignore[no-untyped-call]
            _MAIN, source=str(source), signature_type="http"
        )
    return app


class HostedFunction:
    """One deployed function: a request beyond concurrency x instances is answered 429, as by Cloud Run."""

    def __init__(self, function: Function, app: WSGIApplication) -> None:
        self._app = app
        self._places = function.places
        self._busy = 0

    def call(self, *, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Serve one request."""
        if self._busy >= self._places:
            return Answer(429, [("Content-Type", "text/plain")], b"Rate exceeded.")
        self._busy += 1
        try:
            # The framework would draw a random id for a request without one.
            headers = {"Function-Execution-Id": "local", **headers}
            return exchange(self._app, method=method, target=target, headers=headers, body=body)
        finally:
            self._busy -= 1


@contextmanager
def _kept_globals() -> Iterator[None]:
    path, module = list(sys.path), sys.modules.get(_MAIN)
    try:
        with kept(_VARIABLES):
            yield
    finally:
        sys.path[:] = path
        sys.modules.pop(_MAIN, None)
        if module is not None:
            sys.modules[_MAIN] = module
