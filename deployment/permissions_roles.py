"""The part of docs/reference/permissions.md about roles of the template, the boundary, the key and member accounts.

It is generated from the deployed templates and `.chalice/roles.json`, which has the reasons; `deployment.permissions` calls it.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from deployment import member_account
from deployment.packaging import PROJECT

REASONS = PROJECT / ".chalice" / "roles.json"
UNBOUND = PROJECT / ".chalice" / "unbound.json"
_SHORT = {"${AWS::Partition}": "aws", "${AWS::Region}": "<region>", "${AWS::AccountId}": "<account>"}
WRITTEN = PROJECT / ".chalice" / "written.json"
_MEMBER = """## ekslab-member-read, ekslab-member-labs

The roles in a member account ([accounts.md](../how-to/accounts.md)), in `deployment/member-account.json`. The functions' roles
of one stack assume one of them, or none, with the external id. Each permission has the resources and the reason given above.
"""
_FURTHER = """## Permissions beyond our own resources

Every permission to change a resource requires a lab's tag on it (one of ours, or one with a fixed key that Kubernetes,
Karpenter, EKS or CloudFormation write), or a name of ours. These can't: AWS has no condition key for them.
`tests/deployment/test_bounds.py` fails on any other, and on any of these that is limited after all. The list is
`.chalice/unbound.json`.
"""
_BY_MARKS = """## Deletions by tags that people can write

IAM sees names and tags, not the creator of a resource. If AWS itself writes a tag that no user can (CloudFormation's, EC2
Auto Scaling's and EKS's with `aws:` keys), permissions to delete require it, and broad ones spare the resources of other
CloudFormation stacks. The permissions below require a tag that somebody with a permission to tag could forge: there is no other
condition key. The tags are no proof: [what-is-deleted.md](../explanation/what-is-deleted.md) decides about a deletion. The list is
`.chalice/written.json`.
"""


def sections() -> Iterator[str]:
    """The lines of this part."""
    reasons: Mapping[str, Mapping[str, str]] = json.loads(REASONS.read_text())
    resources: Mapping[str, Any] = json.loads((PROJECT / ".chalice" / "resources.json").read_text())["Resources"]
    for name, why in reasons.items():
        yield f"## {name}\n"
        yield f"{why['about']}\n"
        for said in statements(resources[name]):
            yield from _statement(said, why[said["Sid"]])
    yield _MEMBER
    yield from _member()
    yield _FURTHER
    yield from (f"- **{name}**: {why}" for name, why in json.loads(UNBOUND.read_text()).items())
    yield f"\n{_BY_MARKS}"
    yield from (f"- **{name}**: {why}" for name, why in json.loads(WRITTEN.read_text()).items())
    yield ""


def statements(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The statements of a role, a managed policy or a key."""
    properties = resource["Properties"]
    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    documents += [properties[key] for key in ("PolicyDocument", "KeyPolicy") if key in properties]
    for document in documents:
        yield from document["Statement"]


def _statement(said: Mapping[str, Any], why: str) -> Iterator[str]:
    yield f"### {said['Sid']}\n"
    yield f"{why}\n"
    yield f"- {'may' if said['Effect'] == 'Allow' else 'may not'}: {listed(said['Action'])}"
    yield f"- on: {listed(said['Resource'])}" if "Resource" in said else f"- on all but: {listed(said['NotResource'])}"
    if "Principal" in said:
        yield f"- who: {listed([each for some in said['Principal'].values() for each in several(some)])}"
    if "Condition" in said:
        yield f"- if: {listed(conditions(said['Condition']))}"
    yield ""


def _member() -> Iterator[str]:
    rights = member_account.rights_by_policy()
    yield f"- `ekslab-member-read` always: {listed(rights['Watch'])}"
    yield f"- with `ChangeSupport=true`: {listed(rights['Support'])}"
    yield f"- with `Labs=true`: {listed(rights['Read'])}"
    yield f"- `ekslab-member-labs`, with `Labs=true` only: all of the first and third, and {listed(rights['Labs'])}"
    yield "- with `Labs=true`, beside them: `ekslab-member-stacks`, as `LabStackRole` above\n"


def listed(value: Any) -> str:
    """One value or several, each as code."""
    return ", ".join(f"`{plain(each)}`" for each in several(value))


def conditions(condition: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Key, operator and values of each."""
    return [
        f"{key} {operator} {' or '.join(plain(each) for each in several(value))}"
        for operator, keys in condition.items()
        for key, value in keys.items()
    ]


def several(value: Any) -> list[Any]:
    """The value as a list: policies write a single one without."""
    return value if isinstance(value, list) else [value]


def plain(value: Any) -> str:
    """An ARN or a name, with short words for CloudFormation's values."""
    match value:
        case {"Fn::Sub": str(text)}:
            for long, short in _SHORT.items():
                text = text.replace(long, short)
            return text.replace("${AWS::StackName}", "<stack>").replace("${LabsTable.Arn}", "LabsTable")
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            return name
        case {"Fn::If": [str(condition), there, otherwise]}:
            return f"{plain(there)}, or, without {condition}, {plain(otherwise)}"
        case _:
            return str(value)
