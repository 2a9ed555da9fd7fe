"""The part of docs/reference/permissions.md about roles of the template, the boundary, the key and member accounts.

Read off the templates as they are deployed and `.chalice/roles.json`, which has the reasons; `deployment.permissions` calls it.
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
of one stack assume one of them, or none, with the external id. What each right is about and why it is there stands above: it is
the same there.
"""
_FURTHER = """## What reaches further than what is ours

Every right that changes something wants a lab's mark on what it changes (a tag of ours, a tag with a fixed key that
Kubernetes, Karpenter, EKS or CloudFormation write), or a name that is ours. These can't: AWS has nothing to bind them by.
`tests/deployment/test_bounds.py` fails on any other, and on any of these that is bound after all. The list is
`.chalice/unbound.json`.
"""
_BY_MARKS = """## What deletes by marks that people can write

IAM sees names and tags, not who made a thing. Where AWS itself writes a mark that no user can (tags of CloudFormation, EC2
Auto Scaling and EKS with `aws:` keys), rights to delete want it, and those that reach far spare what another CloudFormation
stack made, whatever it is tagged. The rights below want a mark that somebody with a right to tag could forge: there is no other
condition key. They are no proof: what is deleted with them is decided by
[what-is-deleted.md](../explanation/what-is-deleted.md). The list is `.chalice/written.json`.
"""


def sections() -> Iterator[str]:
    """The lines of all of it."""
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
    """Those of a role, of a managed policy or of a key."""
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
        case {"Fn::If": [str(condition), there, otherwise]}:
            return f"{plain(there)}, or, without {condition}, {plain(otherwise)}"
        case _:
            return str(value)
