"""Writes deployment/member-account.json: the roles that let the service watch clusters and create labs in another account.

Two roles for the service (`.chalice/member-account.json`), with the rights that its functions have at home
(`.chalice/statements.json`, so they never differ): one that reads, one that makes labs, and each function assumes one of them or
none (`assume-member-read`, `assume-member-labs` in `.chalice/grants.json`). And the role that CloudFormation works with. `make
compose` runs it.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from deployment.packaging import PROJECT

TEMPLATE = PROJECT / "deployment" / "member-account.json"
#: Rights over the service's own resources, which are all at home.
HOME_ONLY = frozenset(
    {
        "ask-the-user-pool",
        "own-logs",
        "labs-table",
        "read-people",
        "start-workflows",
        "watch-workflows",
        "assume-member-labs",
        "assume-member-read",
        "view-labs",
        "send-notices",
        "put-events",
        "read-link-keys",
        "renew-link-keys",
        "read-bills",
        "read-prices",
        "see-who-is-subscribed",
        "look-at-mail-account",
        "look-at-mail-identity",
        "read-subscriptions",
        "send-mail",
        "leave-dead-letters",
    }
)
#: The permissions for watching clusters; they are also granted in accounts without labs.
_WATCHING = ("watch_support_scan_place",)
_SUPPORT_POLICY = "set-support-policy"
#: IAM allows 6,144 characters a managed policy; pseudo parameters may grow when they are filled in.
_MOST = 5600
_LINE = 118
_TAKES_LABS = "TakesLabs"
_CHANGES_SUPPORT = "ChangesSupport"
_STACK_ROLE = "LabStackRole"

Json = dict[str, Any]


def template() -> Json:
    """The whole template."""
    chalice = PROJECT / ".chalice"
    statements: Mapping[str, Json] = json.loads((chalice / "statements.json").read_text())
    service: Json = json.loads((chalice / "template.json").read_text())
    whole: Json = json.loads((chalice / "member-account.json").read_text())
    whole["Resources"] |= dict(_policies(statements)) | dict(_stack_role(service["Resources"]))
    return whole


def watching(grants: Mapping[str, list[str]]) -> list[str]:
    """The rights that the support watch needs in another account."""
    return [*dict.fromkeys(name for who in _WATCHING for name in grants[who] if name not in HOME_ONLY)]


def rights_by_policy() -> Mapping[str, list[str]]:
    """Names of both roles' policies: the watch, the support type, reads of labs, and the other actions on labs."""
    chalice = PROJECT / ".chalice"
    grants: Mapping[str, list[str]] = json.loads((chalice / "grants.json").read_text())
    watch = watching(grants)
    looked_at = {name for names in grants.values() if "assume-member-read" in names for name in names}
    beside = {*HOME_ONLY, *watch, _SUPPORT_POLICY}
    labs = [name for name in json.loads((chalice / "statements.json").read_text()) if name not in beside]
    return {
        "Watch": watch,
        "Support": [_SUPPORT_POLICY],
        "Read": [name for name in labs if name in looked_at],
        "Labs": [name for name in labs if name not in looked_at],
    }


def text() -> str:
    """The template as stored: short values on one line, because CloudFormation allows 51,200 bytes in a request."""
    return _written(template()) + "\n"


def _written(thing: Any, margin: str = "") -> str:
    line, deeper = json.dumps(thing), margin + " "
    if len(margin) + len(line) <= _LINE or not isinstance(thing, dict | list):
        return line
    if isinstance(thing, dict):
        parts = [f"{json.dumps(key)}: {_written(value, deeper)}" for key, value in thing.items()]
    else:
        parts = [_written(value, deeper) for value in thing]
    opening, closing = "{}" if isinstance(thing, dict) else "[]"
    return f"{opening}\n{deeper}" + f",\n{deeper}".join(parts) + f"\n{margin}{closing}"


def _policies(statements: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    rights = rights_by_policy()
    reader, maker = {"Ref": "ReadRole"}, {"Ref": "LabsRole"}
    if_labs = {"Fn::If": [_TAKES_LABS, maker, {"Ref": "AWS::NoValue"}]}
    yield "WatchPolicy", _policy({name: statements[name] for name in rights["Watch"]}, [reader, if_labs])
    support = _policy({name: statements[name] for name in rights["Support"]}, [reader])
    yield "SupportPolicy", {"Condition": _CHANGES_SUPPORT, **support}
    for title, roles in (("Read", [reader, maker]), ("Labs", [maker])):
        said = {name: statements[name] for name in rights[title]}
        for number, names in enumerate(_parts(said), start=1):
            policy = _policy({name: said[name] for name in names}, roles)
            yield f"{title}Policy{number}", {"Condition": _TAKES_LABS, **policy}


def _parts(statements: Mapping[str, Json]) -> Iterator[list[str]]:
    """Names in order, grouped to fit into one policy."""
    part: list[str] = []
    for name in statements:
        if part and length(_document({each: statements[each] for each in [*part, name]})) > _MOST:
            yield part
            part = []
        part.append(name)
    yield part


def length(document: Json) -> int:
    """The characters that IAM counts: all but white space, with account and partition filled in."""
    filled = re.sub(r'\{"Fn::Sub":("[^"]*")\}', r"\1", json.dumps(document, separators=(",", ":")))
    return len(
        filled.replace("${AWS::Partition}", "aws-us-gov").replace("${AWS::AccountId}", "1" * 12).replace(" ", "")
    )


def _policy(statements: Mapping[str, Json], roles: list[Json]) -> Json:
    properties = {"Roles": roles, "PolicyDocument": _document(statements)}
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": properties}


def _document(statements: Mapping[str, Json]) -> Json:
    return {"Version": "2012-10-17", "Statement": [_statement(name, said) for name, said in statements.items()]}


def _statement(name: str, said: Mapping[str, Any]) -> Json:
    """The statement as at home, with the role that makes labs in place of the service's: only its steps add themselves to
    clusters."""
    rest = {key: value for key, value in said.items() if key != "why"}
    message = json.dumps(rest).replace("role/${AWS::StackName}-*", "role/${RoleName}-labs")
    return {"Sid": re.sub(r"[^A-Za-z0-9]", "", name.title()), "Effect": "Allow", **_here(json.loads(message))}


def _here(said: Json) -> Json:
    """Replace names of the service's stack at home by this stack's."""
    named: Json = json.loads(json.dumps(said).replace("${AWS::StackName}", "${ServiceStack}"))
    return named


def _stack_role(service: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """CloudFormation's role as at home, under a name that the service knows, with the resources that it refers to."""
    known = _here(service[_STACK_ROLE])
    known["Properties"]["RoleName"] = {"Fn::Sub": "${RoleName}-stacks"}
    yield _STACK_ROLE, {"Condition": _TAKES_LABS, **known}
    seen, ahead = {_STACK_ROLE}, list(_named(known))
    while ahead:
        name = ahead.pop()
        if name in service and name not in seen:
            seen.add(name)
            ahead += _named(service[name])
            yield name, {"Condition": _TAKES_LABS, **_here(service[name])}


def _named(thing: Any) -> Iterable[str]:
    """The logical ids that a resource refers to."""
    match thing:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            return [name]
        case {"Fn::Sub": str(message)}:
            return [name.partition(".")[0] for name in re.findall(r"\$\{([A-Za-z0-9.]+)\}", message)]
        case dict():
            return [name for value in thing.values() for name in _named(value)]
        case list():
            return [name for value in thing for name in _named(value)]
        case _:
            return []


def main() -> None:
    """Write the template."""
    TEMPLATE.write_text(text())


if __name__ == "__main__":
    main()
