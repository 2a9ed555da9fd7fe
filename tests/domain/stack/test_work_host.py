"""The work host's first script: it parses, quotes what people named, and runs its parts in the right order."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from chalicelib.domain.labs.spec import WorkHostSpec
from chalicelib.domain.stack.work_host import architecture_of, work_host_user_data
from tests.aws.given import a_lab

#: Everything the script calls beside bash itself, as commands that write down how they were called.
STUBS = ("curl", "dnf", "systemctl", "usermod", "install", "aws", "sha256sum", "tar", "chmod", "sleep")


def script(**differences: object) -> str:
    return work_host_user_data(a_lab(work_host=WorkHostSpec(), **differences))


@pytest.mark.parametrize("version", ["1.36", "1.9"])
def test_it_is_bash(version: str) -> None:
    checked = subprocess.run(["bash", "-n"], input=script(version=version), text=True, capture_output=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_it_fits_into_user_data() -> None:
    assert len(script().encode()) < 16_384


def test_it_quotes_names() -> None:
    assert "cluster='a; reboot'" in script(name="a; reboot")


def test_kubectl_is_of_the_cluster_s_minor_version() -> None:
    assert "minor=1.35" in script(version="1.35")


@pytest.mark.parametrize(
    ("instance_type", "architecture"),
    [
        ("t3.medium", "x86_64"), ("t4g.small", "arm64"), ("m7i.large", "x86_64"), ("c7gn.xlarge", "arm64"),
        ("g4dn.xlarge", "x86_64"), ("g5g.xlarge", "arm64"), ("g6.xlarge", "x86_64"), ("a1.medium", "arm64"),
        ("im4gn.large", "arm64"), ("c5a.large", "x86_64"), ("x2gd.medium", "arm64"), ("u-3tb1.56xlarge", "x86_64"),
    ],
)  # fmt: skip
def test_an_instance_type_s_architecture_is_in_its_name(instance_type: str, architecture: str) -> None:
    assert architecture_of(instance_type) == architecture


def run(tmp_path: Path, failing: str = "") -> tuple[list[str], str]:
    """Run the script with every command it calls replaced; return what was called, and its log."""
    calls, log, commands = tmp_path / "calls", tmp_path / "log", tmp_path / "bin"
    commands.mkdir()
    for name in STUBS:
        status = 1 if name == failing else 0
        stub = commands / name
        stub.write_text(f'#!/bin/sh\necho "{name} $*" >>{calls}\nwhile read -r _; do :; done\nexit {status}\n')
        stub.chmod(0o755)
    (commands / "cat").write_text("#!/bin/sh\necho v1.36.2\n")
    (commands / "grep").write_text('#!/bin/sh\necho "0  archive"\n')
    for name in ("cat", "grep"):
        (commands / name).chmod(0o755)
    text = script().replace("/var/log/ekslab-work-host.log", str(log)).replace("/etc/", f"{tmp_path}/")
    (tmp_path / "profile.d").mkdir()
    (tmp_path / "script").write_text(text)
    environment = {"PATH": f"{commands}:/usr/bin:/bin"}
    subprocess.run(
        ["bash", str(tmp_path / "script")], stdin=subprocess.DEVNULL, env=environment, check=True, timeout=30
    )
    return calls.read_text().splitlines(), log.read_text()


def test_everything_is_put_in_place_and_the_kubeconfig_last(tmp_path: Path) -> None:
    calls, log = run(tmp_path)
    assert log.splitlines() == [
        "docker is in place", "kubectl is in place", "eksctl is in place", "the kubeconfig is in place",
    ]  # fmt: skip
    assert any("https://dl.k8s.io/release/v1.36.2/bin/linux/" in call for call in calls)
    assert any(call.startswith("aws eks update-kubeconfig --region ap-northeast-2 --name myeks") for call in calls)


def test_a_download_that_does_not_match_its_checksum_is_not_installed(tmp_path: Path) -> None:
    calls, log = run(tmp_path, failing="sha256sum")
    assert "kubectl could not be installed" in log
    assert "eksctl could not be installed" in log
    assert "the kubeconfig is in place" in log
    assert not any("/usr/local/bin" in call for call in calls)
