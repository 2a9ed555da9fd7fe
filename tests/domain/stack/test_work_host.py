"""The work host's first script: it parses, quotes people's values, and runs its parts in the right order."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.core.instance_types import architecture_of
from chalicelib.domain.labs.spec import WorkHostSpec
from chalicelib.domain.stack.work_host import EKSCTL_SHA256, work_host_user_data
from tests.aws.given import a_lab

#: All external commands of the script, replaced by ones that record their calls.
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
    """Run the script with all its commands replaced; return their calls, and its log."""
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
    assert not any("kubectl" in call or "eksctl" in call for call in calls if call.startswith("install"))


def test_what_is_downloaded_is_pinned_and_checked() -> None:
    assert "latest" not in script()
    assert script().count("sha256sum --check") == 2, (
        "kubectl's and eksctl's; docker and aws are Amazon Linux's own, signed"
    )


@pytest.mark.parametrize(("machine", "architecture"), [("x86_64", "amd64"), ("aarch64", "arm64")])
def test_eksctl_is_checked_by_a_digest_that_is_not_downloaded_beside_it(machine: str, architecture: str) -> None:
    digest = EKSCTL_SHA256[architecture]
    assert re.fullmatch("[0-9a-f]{64}", digest)
    assert "eksctl_checksums" not in script()
    chosen = next(line for line in script().splitlines() if line.startswith('case "$(uname -m)"'))
    told = f"uname() {{ echo {machine}; }}\n{chosen}\necho $arch $eksctl_sum"
    shell = subprocess.run(["bash", "-c", told], capture_output=True, text=True, check=True)
    assert shell.stdout.split() == [architecture, digest]


def installed(tmp_path: Path, group_may_use_docker: bool) -> dict[str, str]:
    """Install the script's real files below `tmp_path`; return the environment in which `env -i sh` finds them."""
    commands, root = tmp_path / "bin", tmp_path / "machine"
    commands.mkdir()
    for name in ("curl", "dnf", "systemctl", "usermod", "sha256sum", "tar", "sleep"):
        (commands / name).write_text("#!/bin/sh\nwhile read -r _; do :; done\n")
    told = 'echo "$0 $* KUBECONFIG=$KUBECONFIG"'
    (commands / "curl").write_text(f"#!/bin/sh\nprintf '#!/bin/sh\\n%s\\n' '{told}' >\"$9\"\n")
    # As the AWS CLI does, for its caller alone.
    (commands / "aws").write_text('#!/bin/sh\numask 077\nfor word; do :; done\necho the-lab >"$word"\n')
    (commands / "sudo").write_text('#!/bin/sh\necho "sudo $*"\n')
    (root / "var/run").mkdir(parents=True)
    if group_may_use_docker:
        (root / "var/run/docker.sock").touch()
    for folder in ("bin", "libexec"):
        (root / "usr/local" / folder).mkdir(parents=True)
    (root / "etc/profile.d").mkdir(parents=True)
    text = script()
    for place in ("/usr/local", "/var/run", "/etc/", "/var/log/ekslab-work-host.log"):
        text = text.replace(place, f"{root}{place}" if "log" not in place else f"{tmp_path}/log")
    for stub in commands.iterdir():
        stub.chmod(0o755)
    (tmp_path / "script").write_text(text)
    environment = {"PATH": f"{commands}:/usr/bin:/bin"}
    subprocess.run(
        ["bash", str(tmp_path / "script")], stdin=subprocess.DEVNULL, env=environment, check=True, timeout=60
    )
    return {"PATH": f"{root}/usr/local/bin:{commands}:/usr/bin:/bin"}


def in_sh(command: str, environment: dict[str, str], **who: Any) -> str:
    """Run a command in the shell that Session Manager starts: sh, no profile, an empty environment."""
    words = ["env", "-i", *(f"{name}={value}" for name, value in environment.items()), "sh", "-c", command]
    return subprocess.run(words, capture_output=True, text=True, check=True, **who).stdout.strip()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can read."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_another_user_than_root_finds_the_lab_and_may_read_what_root_put_there(open_folder: Path) -> None:
    environment = installed(open_folder, group_may_use_docker=False)
    nobody: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": ()} if os.geteuid() == 0 else {}
    told = in_sh(
        'kubectl get nodes && cat "$(dirname $(command -v kubectl))/../../../etc/ekslab/kubeconfig"',
        environment,
        **nobody,
    )
    ran, config = told.splitlines()
    assert ran.endswith(f"KUBECONFIG={open_folder}/machine/etc/ekslab/kubeconfig")
    assert config == "the-lab"


def test_kubectl_finds_the_lab_in_a_shell_that_read_no_profile(tmp_path: Path) -> None:
    environment = installed(tmp_path, group_may_use_docker=False)
    told = in_sh("kubectl get nodes", environment)
    assert told.endswith(f"libexec/ekslab/kubectl get nodes KUBECONFIG={tmp_path}/machine/etc/ekslab/kubeconfig")


def test_kubectl_leaves_the_choice_of_another_cluster_alone(tmp_path: Path) -> None:
    environment = installed(tmp_path, group_may_use_docker=False)
    assert in_sh("kubectl get nodes", {**environment, "KUBECONFIG": "/mine"}).endswith("KUBECONFIG=/mine")
    (tmp_path / "home/.kube").mkdir(parents=True)
    (tmp_path / "home/.kube/config").touch()
    assert in_sh("kubectl get nodes", {**environment, "HOME": str(tmp_path / "home")}).endswith("KUBECONFIG=")


def test_docker_is_for_whoever_may_become_root_though_in_no_group(tmp_path: Path) -> None:
    environment = installed(tmp_path, group_may_use_docker=False)
    assert in_sh("docker ps", environment) == "sudo -n /usr/bin/docker ps"
