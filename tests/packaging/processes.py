"""An archive as the cloud runs it: its own environment, its own process, nothing of the checkout within reach."""

import http.client
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.archives import Archive

START_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """An unpacked archive and the environment that its requirements were installed into."""

    archive: Archive
    source: Path
    environment: Path
    python: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A function's process that listens on a port of the loopback address."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def request(self, method: str, path: str, body: object = None) -> int:
        """Send one request and return its status; raises OSError when there is no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, body=content, headers={"Content-Type": "application/json"})
            return connection.getresponse().status
        finally:
            connection.close()


def python_like_the_clouds() -> str:
    """Return a Python 3.13 that can make environments: of the search path or of pyenv; else the current one."""
    return interpreter("3.13") or sys.executable


def interpreter(version: str) -> str | None:
    """Return a working Python of a version; a name on the search path may be an empty promise, so each is tried."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = [shutil.which(f"python{version}"), *map(str, sorted(pyenv.glob(f"{version}*/bin/python{version}")))]
    return next((one for one in found if one and _works(one, version)), None)


def _works(python: str, version: str) -> bool:
    code = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    return done.returncode == 0 and done.stdout.strip() == version


def unpack(archive: Archive, folder: Path) -> Path:
    """Unpack an archive and return its folder."""
    with zipfile.ZipFile(io.BytesIO(archive.content)) as packed:
        packed.extractall(folder)
    return folder


def install(archive: Archive, folder: Path, python: str) -> Installed:
    """Unpack an archive and install its requirements into a fresh environment, every hash checked."""
    source, environment = unpack(archive, folder / "source"), folder / "environment"
    subprocess.run([python, "-m", "venv", str(environment)], check=True)  # noqa: S603 - fixed words
    call = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input", "--no-compile"]
    call += ["--require-hashes", "--only-binary", ":all:", "--requirement", str(source / "requirements.txt")]
    done = subprocess.run(call, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    assert done.returncode == 0, done.stderr
    return Installed(archive=archive, source=source, environment=environment, python=python)


@contextmanager
def served(installed: Installed, environ: Mapping[str, str]) -> Iterator[Served]:
    """Start a function as the cloud does, with `environ` and nothing else of this process, and stop it at the end.

    Here a test over emulators joins: it gives their addresses and the function's settings as `environ`.
    """
    port, log = _free_port(), installed.source.parent / "log.txt"
    call = [str(installed.environment / "bin" / "functions-framework"), "--target", "main", "--source", "main.py"]
    call += ["--signature-type", "http", "--host", "127.0.0.1", "--port", str(port)]
    home = {"HOME": str(installed.source.parent), "PATH": os.defpath, "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - fixed words
            call, cwd=installed.source, env={**home, **environ}, stdout=out, stderr=subprocess.STDOUT
        )
    running = Served(port=port, process=process, log=log)
    try:
        _wait_until_listening(running)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_listening(running: Served) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        assert running.process.poll() is None, running.log.read_text()
        try:
            running.request("GET", "/favicon.ico")  # the framework answers this one without the function
        except OSError:
            assert time.monotonic() < deadline, running.log.read_text()
            time.sleep(0.1)
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
