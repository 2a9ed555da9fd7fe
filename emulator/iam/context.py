"""Adds condition keys that AWS fills in and the emulator does not: resource tags and request parameters.

Only those that policies of this project name.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from ministack.core import iam_actions, iam_evaluator
from ministack.services import autoscaling, iam, tagging

from emulator.ec2.actions import Params, param
from emulator.eks.http.call import principal_arn

_RECORD_ACTION = re.compile(r"<Action>(\w+)</Action>")
_RECORD_NAME = re.compile(r"<Name>([^<]+)</Name>")
_RECORD_TYPE = re.compile(r"<Type>(\w+)</Type>")
_EC2_TAG = re.compile(r"(TagSpecification\.\d+\.Tag\.\d+)\.Key")

#: service -> those of its tagged resources, as ARN and tags, that may have this ARN: an account has thousands, each call one.
NEAR: dict[str, Callable[[str], Iterator[tuple[str, list[dict[str, str]]]]]] = {}
principal_in_path: ContextVar[str] = ContextVar("principal of an access entry, where the address names it", default="")


def install() -> None:
    """Add these keys to this process's evaluator; call it when every service can report its tags."""
    iam_evaluator._resolve_condition_key = _as_on_aws(iam_evaluator._resolve_condition_key)
    iam_actions.request_tag_context = _and_more(iam_actions.request_tag_context)
    tagging.resource_tags = resource_tags


def resource_tags(arn: str) -> dict[str, str] | None:
    """The tags of an ARN's resource; the ARN may end in `*` for an id that the request lacks; None without a resource.

    `<kind>/*` of EC2 is a resource that the request makes: it has no tags yet.
    """
    service = arn.split(":")[2] if arn.count(":") >= 5 else ""
    if service == "ec2" and arn.endswith("/*"):
        return None
    near = NEAR.get(service)
    collect = partial(near, arn) if near else {**tagging._RESOURCE_TAG_COLLECTORS, **tagging._COLLECTORS}.get(service)
    more = {"iam": _profile_tags, "autoscaling": _group_tags}.get(service)
    for candidate, tags in (*(collect() if collect else ()), *(more() if more else ())):
        if candidate == arn or (arn.endswith("/*") and candidate.startswith(arn[:-1])):
            return {tag["Key"]: tag["Value"] for tag in tags}
    return None


def _profile_tags() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """ministack does not report the tags of instance profiles."""
    for profile in list(iam._instance_profiles.values()):
        yield profile["Arn"], profile.get("Tags") or []


def _group_tags() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Auto Scaling groups likewise; a request has a group's name, and not the id in its ARN."""
    for group in list(autoscaling._asgs.values()):
        arn = re.sub(r"(:autoScalingGroup:)[^:]+:", r"\1*:", group["AutoScalingGroupARN"])
        yield arn, [{"Key": tag["Key"], "Value": tag.get("Value", "")} for tag in group.get("Tags") or []]


def _as_on_aws(resolve: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    """In a condition, aws:PrincipalArn of a role's session is the role's ARN; a request over loopback counts as TLS."""

    def resolve_condition_key(key: str, context: Any) -> Any:
        if key.lower() == "aws:securetransport":
            return "true"
        value = resolve(key, context)
        return principal_arn(str(value)) if key.lower() == "aws:principalarn" and value else value

    return resolve_condition_key


def _and_more(of_tags: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def context(service: str, action: str, body: bytes, params: Mapping[str, Any]) -> dict[str, Any]:
        return {**of_tags(service, action, body, params), **dict(_said(service, body))}

    return context


def _said(service: str, body: bytes) -> Iterator[tuple[str, Any]]:
    match service:
        case "cloudformation":
            if role := param(_form(body), "RoleARN"):
                yield "cloudformation:RoleArn", role
        case "ec2":
            params = _form(body)
            found = {key: field for field in params if (key := _EC2_TAG.fullmatch(field))}
            yield from (
                (f"aws:RequestTag/{param(params, f)}", param(params, f"{k[1]}.Value")) for k, f in found.items()
            )
        case "sts":
            if external_id := param(_form(body), "ExternalId"):
                yield "sts:ExternalId", external_id
        case "route53":
            text = body.decode(errors="replace")
            if changes := _RECORD_ACTION.findall(text):
                yield "route53:ChangeResourceRecordSetsActions", changes
                yield "route53:ChangeResourceRecordSetsRecordTypes", _RECORD_TYPE.findall(text)
                names = [_normalized(name) for name in _RECORD_NAME.findall(text)]
                yield "route53:ChangeResourceRecordSetsNormalizedRecordNames", names
        case "eks":
            yield from _said_to_eks(json.loads(body) if body[:1] == b"{" else {})


def _normalized(name: str) -> str:
    """As IAM compares a record's name: lower case, without the last dot, other characters as three octal digits."""
    plain = name.lower().removesuffix(".")
    return "".join(c if c.isalnum() or c in "-_." else f"\\{ord(c):03o}" for c in plain)


def _said_to_eks(given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if principal := given.get("principalArn") or principal_in_path.get():
        yield "eks:principalArn", principal
    if support_type := (given.get("upgradePolicy") or {}).get("supportType"):
        yield "eks:supportType", support_type


def _form(body: bytes) -> Params:
    return dict(parse_qs(body.decode(errors="replace")))
