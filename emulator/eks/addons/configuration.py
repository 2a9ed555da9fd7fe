"""The settings of add-ons: the schemas that EKS publishes, and its messages about values that do not fit one.

`schemas.json` has what DescribeAddonConfiguration answered for vpc-cni v1.15.1 (example of the AWS CLI reference), coredns
v1.10.1 and kube-proxy v1.28.8 (cloudbees/terraform-aws-cloudbees-ci-eks-addon), without definitions and titles; other add-ons
take any object. The messages are those of reports: awsdocs/amazon-eks-user-guide#772 (an unknown property),
cookpad/terraform-aws-eks#331 (another type).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

import yaml

from emulator.eks.http.errors import invalid_parameter

Schema = dict[str, Any]
_ANY = {"$schema": "http://json-schema.org/draft-06/schema#", "type": "object"}
_NAMES: tuple[tuple[str, type | tuple[type, ...]], ...] = (
    ("null", type(None)),
    ("boolean", bool),
    ("integer", int),
    ("number", float),
    ("string", str),
    ("array", list),
    ("object", dict),
)


def schema_of(addon: str) -> Schema:
    """The schema of an add-on's settings."""
    return _schemas().get(addon, _ANY)


def check_values(addon: str, text: str | None) -> None:
    """Raise InvalidParameterException for settings, in JSON or YAML, that the add-on's schema does not take."""
    if text is None:
        return
    try:
        given = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise _refused(f"{error}", addon) from error
    if findings := list(_findings(schema_of(addon), given, "$")):
        raise _refused(f"Json schema validation failed with error: [{', '.join(findings)}]", addon)


def _refused(reason: str, addon: str) -> Exception:
    return invalid_parameter(f"ConfigurationValue provided in request is not supported: {reason}", addonName=addon)


@cache
def _schemas() -> dict[str, Schema]:
    found: dict[str, Schema] = json.loads(resources.files("emulator.eks.addons").joinpath("schemas.json").read_text())
    return found


def _findings(schema: Schema, given: Any, where: str) -> Iterator[str]:
    allowed = schema.get("type", [])
    allowed = [allowed] if isinstance(allowed, str) else allowed
    kind = next(name for name, python in _NAMES if isinstance(given, python))
    if allowed and kind not in allowed:
        yield f"{where}: {kind} found, {allowed[0] if len(allowed) == 1 else allowed} expected"
        return
    if given not in schema.get("enum", [given]):
        yield f"{where}: does not have a value in the enumeration [{', '.join(schema['enum'])}]"
    match given:
        case dict():
            yield from _findings_in(schema, given, where)
        case list() if "items" in schema:
            for number, item in enumerate(given):
                yield from _findings(schema["items"], item, f"{where}[{number}]")
        case int() if given < schema.get("minimum", given):
            yield f"{where}: must have a minimum value of {schema['minimum']}"
        case int() if given > schema.get("maximum", given):
            yield f"{where}: must have a maximum value of {schema['maximum']}"


def _findings_in(schema: Schema, given: dict[str, Any], where: str) -> Iterator[str]:
    for name in schema.get("required", []):
        if name not in given:
            yield f"{where}.{name}: is missing but it is required"
    known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name, value in given.items():
        if name in known:
            yield from _findings(known[name], value, f"{where}.{name}")
        elif others is False:
            yield f"{where}.{name}: is not defined in the schema and the schema does not allow additional properties"
        elif isinstance(others, dict):
            yield from _findings(others, value, f"{where}.{name}")
