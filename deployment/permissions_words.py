"""How a policy's actions, resources and conditions read on docs/reference/permissions.md."""

from collections.abc import Mapping
from typing import Any

_SHORT = {"${AWS::Partition}": "aws", "${AWS::Region}": "<region>", "${AWS::AccountId}": "<account>"}


def listed(value: Any) -> str:
    """One or several, each as code."""
    return ", ".join(f"`{plain(each)}`" for each in several(value))


def conditions(condition: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Key, operator and values of each."""
    return [
        f"{key} {operator} {' or '.join(plain(each) for each in several(value))}"
        for operator, keys in condition.items()
        for key, value in keys.items()
    ]


def several(value: Any) -> list[Any]:
    """Policies write one thing without a list."""
    return value if isinstance(value, list) else [value]


def plain(value: Any) -> str:
    """An ARN or a name, with short words for what CloudFormation fills in."""
    match value:
        case {"Fn::Sub": str(text)}:
            for long, short in _SHORT.items():
                text = text.replace(long, short)
            return text.replace("${AWS::StackName}", "<stack>").replace("${LabsTable.Arn}", "LabsTable")
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            return name
        case _:
            return str(value)
