"""A package for another Python than the packaging one: its wheels, its name in the template, its compiled modules or none."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from deployment import __main__ as commands
from deployment.compiling import OWN, Runtime, UnknownRuntime, runtime_of
from deployment.packaging import package

ANOTHER = "python3.13" if OWN != "python3.13" else "python3.12"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small application with one library that is compiled for one Python."""
    (tmp_path / ".chalice").mkdir()
    (tmp_path / ".chalice/config.json").write_text(
        json.dumps({"version": "2.0", "app_name": "small", "stages": {"dev": {"autogen_policy": False}}})
    )
    (tmp_path / ".chalice/policy-dev.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": []}))
    (tmp_path / "app.py").write_text(
        "from chalice import Chalice\n\napp = Chalice(app_name='small')\n\n\n"
        "@app.lambda_function()\ndef one(event, context):\n    return 1\n"
    )
    (tmp_path / "requirements.txt").write_text("pydantic-core==2.46.5\n")
    return tmp_path


def test_the_runtime_is_that_of_the_python_that_packages() -> None:
    assert runtime_of().name == OWN
    assert runtime_of(OWN).environment() == {}


@pytest.mark.parametrize("name", ["python3.10", "python3.99", "python3", "nodejs22.x", "python3.13 "])
def test_a_runtime_that_is_none_of_the_services_is_refused_before_anything_is_packaged(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UnknownRuntime):
        runtime_of(name)
    assert commands.main(["package", "--runtime", name]) == 1
    assert "3.13" in capsys.readouterr().err


def test_another_runtime_gets_its_own_wheels_and_without_its_python_no_compiled_modules(project: Path) -> None:
    made = package(project, Runtime(ANOTHER, None))
    functions = [r for r in made.template["Resources"].values() if r["Type"] == "AWS::Serverless::Function"]
    assert [function["Properties"]["Runtime"] for function in functions] == [ANOTHER]
    with zipfile.ZipFile(io.BytesIO(made.files["./deployment.zip"])) as archive:
        names = archive.namelist()
    built = [name for name in names if name.endswith(".so")]
    assert built
    assert all(f"cpython-{ANOTHER.removeprefix('python').replace('.', '')}-" in name for name in built)
    assert not [name for name in names if name.endswith(".pyc")]
