"""Writes the package's bill of materials as a CycloneDX document.

It is made from the lock alone, without a time or a serial number, so that the same sources give the same document.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: Source: CycloneDX 1.6, JSON reference.
_FORMAT, _SPECIFICATION = "CycloneDX", "1.6"
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s\\;]+)", re.MULTILINE)
_LICENSE = [{"license": {"id": "Apache-2.0"}}]


def bill_of_materials(lock: str, name: str, version: str) -> dict[str, Any]:
    """The document: the application, and each library that the lock pins. `lock`: the text of requirements.txt."""
    libraries = list(_libraries(lock))
    return {
        "bomFormat": _FORMAT,
        "specVersion": _SPECIFICATION,
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": name,
                "name": name,
                "version": version,
                "licenses": _LICENSE,
            }
        },
        "components": libraries,
        "dependencies": [{"ref": name, "dependsOn": [library["bom-ref"] for library in libraries]}],
    }


def write_bill(project: Path, to: Path) -> Path:
    """Write the bill of the project's package, and return its path. Name and version are those of pyproject.toml."""
    said = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    bill = bill_of_materials((project / "requirements.txt").read_text(), said["name"], said["version"])
    to.write_text(json.dumps(bill, indent=2) + "\n")
    return to


def _libraries(lock: str) -> Iterator[dict[str, Any]]:
    for name, version in sorted(_PIN.findall(lock)):
        plain = re.sub(r"[-_.]+", "-", name).lower()
        reference = f"pkg:pypi/{plain}@{version}"
        yield {"type": "library", "bom-ref": reference, "name": plain, "version": version, "purl": reference}
