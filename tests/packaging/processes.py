"""An archive as the cloud runs it: its own process, its own environment or ours, and no checkout within reach."""

import compileall
import http.client
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.archives import Archive
from infra.one_machine.loopback import LOOPBACK, held_port
from tests.patience import PATIENCE_S

START_TIMEOUT_S = 60.0
# Packages without the .pth files among them (-S), by which alone the checkout could be found, nor this folder (-P).
_NO_CHECKOUT = ("-S", "-P", "-B", "-m", "functions_framework")


@dataclass(frozen=True, slots=True, kw_only=True)
class Runnable:
    """An unpacked archive, the environment that its packages are in, and how its framework is called there."""

    archive: Archive
    source: Path
    environment: Path
    framework: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Served:
    """A function's process that listens on a port of the loopback address, and all that it has printed."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def request(self, method: str, path: str, body: object = None) -> int:
        """Send one request, what is not bytes as JSON, and return its status; raises OSError without an answer."""
        return self.ask(method, path, body)[0]

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        """Send one request and return its status and what it answers."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=PATIENCE_S)
        try:
            content = body if body is None or isinstance(body, bytes) else json.dumps(body)
            connection.request(method, path, body=content, headers={"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Return the journal's lines of one event, as far as they are whole."""
        printed = self.log.read_text(encoding="utf-8").rpartition("\n")[0].splitlines()
        printed = [line for line in printed if line.startswith("{")]
        return [line for line in map(json.loads, printed) if line.get("event") == event]

    def wait_until_listening(self) -> None:
        """Return when the function answers; a process that ends before that fails the test with its output."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            assert self.process.poll() is None, self.log.read_text()
            try:
                self.request("GET", "/favicon.ico")  # the framework answers this one without the function
            except OSError:
                assert time.monotonic() < deadline, self.log.read_text()
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """End the process and its workers within their work, as nothing can prevent."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


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


def install(archive: Archive, folder: Path, python: str) -> Runnable:
    """Unpack an archive and install its requirements into a fresh environment, every hash checked."""
    source, environment = unpack(archive, folder / "source"), folder / "environment"
    subprocess.run([python, "-m", "venv", str(environment)], check=True)  # noqa: S603 - fixed words
    call = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input", "--no-compile"]
    call += ["--require-hashes", "--only-binary", ":all:", "--requirement", str(source / "requirements.txt")]
    done = subprocess.run(call, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    assert done.returncode == 0, done.stderr
    framework = (str(environment / "bin" / "functions-framework"),)
    return Runnable(archive=archive, source=source, environment=environment, framework=framework)


def compiled(archive: Archive, folder: Path) -> None:
    """Unpack an archive and compile it, for many starts by the present interpreter."""
    assert compileall.compile_dir(unpack(archive, folder), quiet=1)


def borrow(archive: Archive, folder: Path, ready: Path | None = None) -> Runnable:
    """Unpack an archive to be run by the present interpreter, with its packages and without its checkout.

    `ready` is a folder in which `compiled` has done so already: it is copied.
    """
    source = folder / "source"
    if ready is None:
        unpack(archive, source)
    else:
        shutil.copytree(ready, source, dirs_exist_ok=True)
    packages = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    return Runnable(
        archive=archive, source=source, environment=Path(sys.prefix),
        framework=(sys.executable, *_NO_CHECKOUT), environ={"PYTHONPATH": os.pathsep.join(packages)},
    )  # fmt: skip


@contextmanager
def started(runnable: Runnable, environ: Mapping[str, str], *, port: int = 0) -> Iterator[Served]:
    """Start a function as the cloud does, with `environ` and nothing else of this process, and stop it at the end.

    It may not listen yet. `port` is one that the caller holds; without it, it has one of its own. What it prints is
    added to the log of an earlier start.
    """
    log = runnable.source.parent / "log.txt"
    home = {"HOME": str(runnable.source.parent), "PATH": os.defpath, "PYTHONUNBUFFERED": "1", **runnable.environ}
    with nullcontext(port) if port else held_port() as held, log.open("ab") as out:
        call = [*runnable.framework, "--target", "main", "--source", "main.py"]
        call += ["--signature-type", "http", "--host", LOOPBACK, "--port", str(held)]
        process = subprocess.Popen(  # noqa: S603 - fixed words
            call, cwd=runnable.source, env={**home, **environ}, stdout=out, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        running = Served(port=held, process=process, log=log)
        try:
            yield running
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                running.kill()


@contextmanager
def served(runnable: Runnable, environ: Mapping[str, str], *, port: int = 0) -> Iterator[Served]:
    """Start a function, wait until it listens, and stop it at the end."""
    with started(runnable, environ, port=port) as running:
        running.wait_until_listening()
        yield running
