"""The bill of materials names every library of the package, once, in CycloneDX's format, and reproducibly."""

import json
import re
from pathlib import Path

from deployment.bom import bill_of_materials, write_bill
from tests.paths import PROJECT


def test_every_library_of_the_lock_is_in_it(tmp_path: Path) -> None:
    bill = json.loads(write_bill(PROJECT, tmp_path / "bom.cdx.json").read_text())
    pinned = re.findall(r"^([a-z0-9-]+)==(\S+)", (PROJECT / "requirements.txt").read_text(), re.MULTILINE)
    assert [(each["name"], each["version"]) for each in bill["components"]] == sorted(pinned)
    assert {each["purl"] for each in bill["components"]} == {f"pkg:pypi/{name}@{version}" for name, version in pinned}
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    assert bill["dependencies"][0]["dependsOn"] == [each["bom-ref"] for each in bill["components"]]


def test_names_are_as_the_index_writes_them_and_the_same_lock_gives_the_same_bill() -> None:
    lock = 'Some_Library.x==1.0 ; python_version < "4" \\\n    --hash=sha256:0\nother==2\n'
    bill = bill_of_materials(lock, "ekslab", "0.1.0")
    assert [each["purl"] for each in bill["components"]] == ["pkg:pypi/some-library-x@1.0", "pkg:pypi/other@2"]
    assert bill == bill_of_materials(lock, "ekslab", "0.1.0")


def test_the_license_is_there_and_said() -> None:
    assert "Apache License" in (PROJECT / "LICENSE").read_text()
    assert 'license = "Apache-2.0"' in (PROJECT / "pyproject.toml").read_text()
