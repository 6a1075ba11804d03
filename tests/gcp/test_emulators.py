"""Where the emulators are looked for."""

import os
from pathlib import Path

import pytest

from infra.one_machine.emulators import ROOT_VARIABLE, find, running
from shared.errors import ConfigError


def _executable(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def _sdk(root: Path, *jars: str) -> Path:
    for jar in jars:
        (root / "platform" / jar).parent.mkdir(parents=True, exist_ok=True)
        (root / "platform" / jar).touch()
    return root


FIRESTORE = "cloud-firestore-emulator/cloud-firestore-emulator.jar"
PUBSUB = "pubsub-emulator/lib/cloud-pubsub-emulator-0.8.{}-all.jar"


def test_the_sdk_is_found_beside_gcloud(tmp_path: Path) -> None:
    """The SDK is the one whose gcloud is in PATH, links followed, and the newest jar counts."""
    root = _sdk(tmp_path / "sdk", FIRESTORE, PUBSUB.format(9), PUBSUB.format(20))
    gcloud = _executable(root / "bin" / "gcloud")
    bin_folder = _executable(tmp_path / "bin" / "java").parent
    (bin_folder / "gcloud").symlink_to(gcloud)
    found = find({"PATH": str(bin_folder)})
    assert found.java == str(bin_folder / "java")
    assert (found.firestore_jar, found.pubsub_jar.name) == (root / "platform" / FIRESTORE, Path(PUBSUB.format(20)).name)


def test_all_that_is_missing_is_named(tmp_path: Path) -> None:
    """Without java and emulators, one message names them all."""
    root = _sdk(tmp_path / "sdk", "other/file")
    with pytest.raises(ConfigError) as missing:
        find({"PATH": "", ROOT_VARIABLE: str(root)})
    needed = ("java", "cloud-firestore-emulator", "pubsub-emulator")
    assert len(missing.value.problems) == len(needed)
    assert all(word in problem for word, problem in zip(needed, missing.value.problems, strict=True))
    with pytest.raises(ConfigError, match=ROOT_VARIABLE):
        find({"PATH": "", ROOT_VARIABLE: str(tmp_path / "nowhere")})


def test_an_emulator_that_dies_is_a_config_error(tmp_path: Path) -> None:
    """A java that ends at once is reported with the place of its output, and leaves no process behind."""
    root = _sdk(tmp_path / "sdk", FIRESTORE, PUBSUB.format(20))
    java = _executable(tmp_path / "bin" / "java", "#!/bin/sh\necho too old\nexit 1\n")
    sdk = find({"PATH": f"{java.parent}{os.pathsep}/nowhere", ROOT_VARIABLE: str(root)})
    with pytest.raises(ConfigError, match="did not start"), running(sdk, tmp_path):
        pytest.fail("it started")
    assert (tmp_path / "firestore.log").read_text() == "too old\n"
