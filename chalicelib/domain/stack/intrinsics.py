"""The CloudFormation functions that the lab's template uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


def resource(kind: str, properties: Mapping[str, Any], depends_on: str | None = None) -> Json:
    """A resource of type `AWS::<kind>`."""
    made: Json = {"Type": f"AWS::{kind}", "Properties": dict(properties)}
    if depends_on is not None:
        made["DependsOn"] = depends_on
    return made


def ref(name: str) -> Json:
    """The resource's id or name, the parameter's value."""
    return {"Ref": name}


def attribute(name: str, of: str) -> Json:
    """An attribute of a resource, such as its Arn."""
    return {"Fn::GetAtt": [name, of]}


def filled(text: str) -> Json:
    """Text with `${AWS::Partition}` and the like in it."""
    return {"Fn::Sub": text}


def tag_list(tags: Mapping[str, str]) -> list[Json]:
    """Tags as CloudFormation spells them, sorted, so that the same lab gives the same text."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
