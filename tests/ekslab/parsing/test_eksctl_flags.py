"""Each flag of eksctl's `create cluster` is honoured, warned about or refused, and the page says which."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ekslab.parsing.eksctl_flags import FLAGS, Flag, Kind, Treatment
from ekslab.parsing.parser import parser
from tests.ekslab.wire import Wire, run
from tests.paths import PROJECT

_KINDS = {
    "Bool": Kind.SWITCH,
    "Int": Kind.NUMBER,
    "String": Kind.TEXT,
    "IPNet": Kind.TEXT,
    "StringSlice": Kind.LIST,
    "StringToString": Kind.PAIRS,
    "Duration": Kind.DURATION,
}
_VALUES = {
    Kind.SWITCH: "true",
    Kind.NUMBER: "3",
    Kind.TEXT: "x",
    Kind.LIST: "x,y",
    Kind.PAIRS: "k=v",
    Kind.DURATION: "1m",
}


def of_eksctl() -> list[tuple[str, str, Kind]]:
    """eksctl's own flags: name, short name, kind."""
    lines = (PROJECT / "tests/data/eksctl-flags.txt").read_text().splitlines()
    rows = [line.split() for line in lines if not line.startswith("#")]
    return [(name, "" if short == "-" else short, _KINDS[kind]) for name, short, kind in rows]


def test_every_flag_of_eksctl_is_on_the_table_and_no_other() -> None:
    assert sorted((flag.name, flag.short, flag.kind) for flag in FLAGS) == sorted(of_eksctl())


def test_the_page_shows_the_table() -> None:
    page = (PROJECT / "docs/reference/command-line.md").read_text()
    shown = page.partition("| flag | | |\n|---|---|---|\n")[2].splitlines()
    assert shown == [row(flag) for flag in sorted(FLAGS, key=lambda flag: flag.name.lower())]


def row(flag: Flag) -> str:
    short = f", `-{flag.short}`" if flag.short else ""
    return f"| `--{flag.name}`{short} | {flag.treatment} | {flag.message} |"


@pytest.mark.parametrize("flag", [flag for flag in FLAGS if flag.name != "help"], ids=lambda flag: flag.name)
def test_every_flag_is_taken_with_either_of_its_names(flag: Flag) -> None:
    for name in [f"--{flag.name}", *([f"-{flag.short}"] if flag.short else [])]:
        value = _VALUES[flag.kind]
        options = parser().parse_args(["create", "cluster", "myeks", f"{name}={value}"])
        assert getattr(options, flag.dest if flag.name != "timeout" else "timeout") is not None
        if flag.kind is Kind.SWITCH:
            said = parser().parse_args(["create", "cluster", name, "myeks"])
            assert (getattr(said, flag.dest), said.cluster_name) == (True, "myeks")


@pytest.mark.parametrize(
    "flag", [flag for flag in FLAGS if flag.treatment is not Treatment.HONOURED], ids=lambda flag: flag.name
)
def test_what_is_not_honoured_is_said_and_what_is_refused_makes_nothing(
    flag: Flag, capsys: pytest.CaptureFixture[str]
) -> None:
    wire = Wire()
    status = run(wire, "create", "cluster", "myeks", "--watch=false", f"--{flag.name}={_VALUES[flag.kind]}")
    said = capsys.readouterr().err
    assert f"--{flag.name}: {flag.message}" in said
    refused = flag.treatment is Treatment.REFUSED
    assert (status, len(wire.http.world.store.labs)) == ((1, 0) if refused else (0, 1))
    for value in flag.harmless:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        assert run(wire, "create", "cluster", "again", "--dry-run", f"--{flag.name}={text}") == 0
        assert f"--{flag.name}" not in capsys.readouterr().err


BODIES: dict[str, Any] = {
    "--tags=team=a,course=b": {"tags": {"team": "a", "course": "b"}},
    "--region us-east-1": {"region": "us-east-1"},
    "--zones ap-northeast-2a,ap-northeast-2c": {"network": {"zones": ["ap-northeast-2a", "ap-northeast-2c"]}},
    "--support-type extended": {"supportPolicy": "EXTENDED"},
    "--version 1.36": {"version": "1.36"},
    "--nodegroup-name ng": {"nodegroups": [{"name": "ng"}]},
    "--without-nodegroup": {"nodegroups": []},
    "-t m5.large -N 3 -m 1 -M 4": {"nodegroups": [{"instanceTypes": ["m5.large"], "desired": 3, "min": 1, "max": 4}]},
    "--node-volume-size=30": {"nodegroups": [{"volumeGib": 30}]},
    "-P --spot": {"nodegroups": [{"placement": "private", "capacityType": "SPOT"}]},
    "--node-labels a=b": {"nodegroups": [{"labels": {"a": "b"}}]},
    "--disable-pod-imds=false": {"nodegroups": [{"disablePodIMDS": False}]},
    "--instance-types m5.large,m5.xlarge": {"nodegroups": [{"instanceTypes": ["m5.large", "m5.xlarge"]}]},
    "--ssh-public-key course": {"ssh": {"keyName": "course"}},
    "--ssh-access=false --ssh-public-key course": {},
    "--external-dns-access --external-dns-domain example.com": {"externalDns": {"domain": "example.com"}},
    "--vpc-cidr 10.0.0.0/16 --vpc-nat-mode Disable": {"network": {"cidr": "10.0.0.0/16", "nat": "none"}},
    "--vpc-public-subnets a,b": {"network": {"publicSubnetIds": ["a", "b"]}},
    "--vpc-private-subnets=a,b": {"network": {"privateSubnetIds": ["a", "b"]}},
    "--lease-hours 2 --work-host --volumes keep": {"leaseHours": 2, "workHost": True, "volumes": "keep"},
    "--enable-ssm --managed --write-kubeconfig=false": {},
}


@pytest.mark.parametrize("typed", BODIES)
def test_an_honoured_flag_is_a_field_of_the_request(typed: str) -> None:
    from ekslab.parsing.create_request import request_of

    options = parser().parse_args(["create", "cluster", "--name", "myeks", *typed.split()])
    assert request_of(options, lambda _: None) == {"name": "myeks", **BODIES[typed]}


def test_every_honoured_flag_with_a_field_is_tried() -> None:
    tried = {word.partition("=")[0] for typed in BODIES for word in typed.split() if word.startswith("-")}
    names = {f"-{flag.short}": f"--{flag.name}" for flag in FLAGS if flag.short}
    tried = {names.get(word, word) for word in tried} | {"--name", "--ssh-access"}
    assert {f"--{flag.name}" for flag in FLAGS if flag.field} - tried == set()


def test_a_finding_names_the_flag(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Wire(), "create", "cluster", "myeks", "--node-volume-size", "3", "--version", "1.28") == 1
    said = capsys.readouterr().err
    assert "--node-volume-size: " in said
    assert "--version: EKS support of 1.28 ended on 2025-11-26. Available: " in said


def test_a_version_in_extended_support_is_refused_with_the_flag_and_its_price(
    capsys: pytest.CaptureFixture[str],
) -> None:
    wire = Wire()
    versions = wire.client.call("GET", "/versions").body["versions"]
    old = next(entry["version"] for entry in versions if "extended" in entry["status"].lower())
    assert run(wire, "create", "cluster", "myeks", "--version", old) == 1
    assert "at $0.60 an hour for the control plane: add --support-type EXTENDED." in capsys.readouterr().err
    assert run(wire, "create", "cluster", "myeks", "--version", old, "--support-type=EXTENDED", "--watch=false") == 0


def test_a_dry_run_prints_the_request_and_the_price(capsys: pytest.CaptureFixture[str]) -> None:
    wire = Wire()
    assert run(wire, "create", "cluster", "myeks", "--dry-run") == 0
    said = capsys.readouterr().out
    assert "name: myeks" in said
    assert "price       $" in said
    assert "t3.medium" in said
    assert run(wire, "create", "cluster", "myeks", "--dry-run", "-o", "json") == 0
    assert json.loads(capsys.readouterr().out)["spec"]["name"] == "myeks"
    assert wire.http.world.store.labs == {}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("upgrade cluster --name=myeks --approve", "ekslab has no `upgrade`"),
        ("create nodegroup --cluster myeks", "ekslab scale nodegroup"),
        ("delete nodegroup --cluster=myeks --name=ng", "ekslab scale nodegroup --nodes 0"),
        ("drain nodegroup", "kubectl drain"),
    ],
)
def test_what_a_lab_has_not_says_what_to_do_instead(typed: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Wire(), *typed.split()) == 1
    assert said in capsys.readouterr().err
