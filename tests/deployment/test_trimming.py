"""The code archive is small, has no second boto3, and nothing needs the removed files.

It is tested as shipped: unzipped to an empty folder, by a Python that finds only it and boto3.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import platform
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from deployment.packaging import PROJECT, Package
from deployment.trimming import KEPT, LEFT_OUT, is_left_out, trimmed
from emulator.process import Sandbox
from sandbox.deploy import deploy

CODE = "./deployment.zip"
MOST_BYTES = 6_500_000
#: The packages of the Lambda runtime: boto3 and its dependencies.
RUNTIME = ("boto3", "botocore", "s3transfer", "dateutil", "six", "urllib3", "jmespath")

IMPORT_ALL = """
import importlib, pathlib, pkgutil
import app, chalicelib
found = [m.name for m in pkgutil.walk_packages(chalicelib.__path__, "chalicelib.")]
for name in found:
    importlib.import_module(name)
print(len(found))
"""
HOLIDAYS = """
import json, holidays
codes = sorted(holidays.list_supported_countries(include_aliases=False))
print(json.dumps({code: sorted(map(str, holidays.country_holidays(code, years=[2026, 2027]))) for code in codes}))
"""
CALL = """
import importlib, json, sys
class Context:
    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "x"
    def get_remaining_time_in_millis(self): return 10000
module, _, name = sys.argv[1].rpartition(".")
handler = getattr(importlib.import_module(module), name)
try:
    print(json.dumps({"answer": handler(json.loads(sys.argv[2]), Context())}))
except Exception as error:
    print(json.dumps({"error": type(error).__name__}))
"""

on_lambda_s_platform = pytest.mark.skipif(
    not (sys.platform == "linux" and platform.machine() == "x86_64"), reason="the archive holds libraries for Lambda"
)


@pytest.fixture(scope="module")
def shipped(packaged: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(io.BytesIO(packaged.files[CODE])) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runtime")
    for name in RUNTIME:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        there = origin.parent if origin.name == "__init__.py" else origin
        (folder / there.name).symlink_to(there)
    return folder


def alone(program: str, paths: list[Path], *arguments: str, **environment: str) -> Any:
    """A program's output as JSON, with imports only from the standard library and these paths."""
    found = f"import sys; sys.path[:0] = {[str(path) for path in paths]}; sys.dont_write_bytecode = True\n"
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", found + program, *arguments],
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_archive_is_small_and_has_no_second_boto3(packaged: Package) -> None:
    code = packaged.files[CODE]
    assert len(code) <= MOST_BYTES
    with zipfile.ZipFile(io.BytesIO(code)) as archive:
        roots = {name.partition("/")[0] for name in archive.namelist()}
        assert not roots & {"boto3", "botocore", "s3transfer", "aws_xray_sdk"}
        assert {"app.py", "chalicelib", "pydantic_core", "yaml"} <= roots


def test_nothing_of_ours_is_left_out(packaged: Package) -> None:
    with zipfile.ZipFile(io.BytesIO(packaged.files[CODE])) as archive:
        names = set(archive.namelist())
    ours = {p.relative_to(PROJECT).as_posix() for p in (PROJECT / "chalicelib").rglob("*") if p.is_file()}
    templates = {name for name in ours if name.endswith(".html")}
    catalogues = {name for name in ours if name.endswith(".po")}
    assert {name for name in ours - templates - catalogues if "__pycache__" not in name} <= names
    assert catalogues
    assert {name.removesuffix(".po") + ".mo" for name in catalogues} <= names, "each catalogue goes along compiled"
    compiled = [name for name in names if "/pages/compiled/__pycache__/tmpl_" in name]
    assert len(compiled) == len(templates) > 5, "each template goes along as a module"


def test_the_same_content_is_the_same_archive_whatever_its_order_and_dates() -> None:
    def archive(names: list[str], year: int) -> bytes:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as target:
            for name in names:
                target.writestr(zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0)), name)
        return made.getvalue()

    assert trimmed(archive(["a.py", "b.py", "c.pyi"], 2020)) == trimmed(archive(["b.py", "a.py"], 2026))


@pytest.mark.parametrize("pattern", KEPT)
def test_what_is_kept_would_be_left_out_otherwise(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pattern.replace("*", "x")
    assert not is_left_out(path)
    monkeypatch.setattr("deployment.trimming.KEPT", ())
    assert is_left_out(path)


def test_each_pattern_has_its_reason() -> None:
    assert [pattern for pattern, why in LEFT_OUT.items() if not why] == []


@on_lambda_s_platform
def test_as_it_ships_every_module_can_be_imported(shipped: Path, runtime: Path) -> None:
    assert alone(IMPORT_ALL, [shipped, runtime]) > 50


@on_lambda_s_platform
def test_without_names_of_other_languages_holidays_are_on_the_same_days(shipped: Path, runtime: Path) -> None:
    installed = importlib.util.find_spec("holidays")
    assert installed is not None
    assert installed.origin is not None
    here = alone(HOLIDAYS, [shipped, runtime])
    assert here == alone(HOLIDAYS, [Path(installed.origin).parent.parent])
    assert len(here) > 100


@pytest.fixture(scope="module")
def environment(sandbox: Sandbox, packaged: Package) -> Mapping[str, str]:
    deploy(sandbox.client, packaged, "shipped", {"Administrators": "*"})
    functions = sandbox.client("lambda").get_paginator("list_functions").paginate()
    found = [each for page in functions for each in page["Functions"]]
    handler = next(each for each in found if each["FunctionName"].startswith("shipped-APIHandler"))
    root = sandbox.root
    aws = {"AWS_ENDPOINT_URL": sandbox.url, "AWS_REGION": sandbox.region, "AWS_DEFAULT_REGION": sandbox.region}
    keys = {"AWS_ACCESS_KEY_ID": root.access_key_id, "AWS_SECRET_ACCESS_KEY": root.secret_access_key}
    return {**handler["Environment"]["Variables"], **aws, **keys}


@on_lambda_s_platform
class TestAsItShips:
    """Against the deployed service's own table, with its own environment."""

    def test_it_answers_a_request(self, shipped: Path, runtime: Path, environment: Mapping[str, str]) -> None:
        who = {"userArn": "arn:aws:iam::111122223333:user/learner", "accountId": "111122223333", "user": "x"}
        context = {"httpMethod": "GET", "resourcePath": "/labs", "identity": who, "requestTimeEpoch": 1795000000000}
        request = {"requestContext": context, "multiValueQueryStringParameters": None, "headers": {}}
        request |= {"pathParameters": {}, "body": None, "stageVariables": None, "isBase64Encoded": False}
        said = alone(CALL, [shipped, runtime], "chalicelib.handlers.api.app", json.dumps(request), **environment)
        assert said["answer"]["statusCode"] == 200, said
        assert json.loads(said["answer"]["body"])["labs"] == []

    def test_it_runs_a_step(self, shipped: Path, runtime: Path, environment: Mapping[str, str]) -> None:
        event = json.dumps({"lab_id": "lab-000000000000", "run": 1})
        said = alone(CALL, [shipped, runtime], "chalicelib.handlers.provision.provision_begin", event, **environment)
        assert said == {"error": "LabNotFound"}
