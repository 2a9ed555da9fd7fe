"""A call's requestParameters and responseElements, as CloudTrail writes them.

EC2's are its XML, with lists as `{"items": [...]}`; its newer operations wrap them (`CreateLaunchTemplateRequest`). Those of
other services are the API's members with a lower-case first letter (`dNSName`, `loadBalancerArn`). Sources: recorded events in
public repositories (GorillaStack/auto-tag, panther-labs/panther-analysis, awsdocs/aws-kms-developer-guide). All values of query
requests are strings here, where AWS writes numbers as numbers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

import botocore.session
from botocore import parsers
from botocore.model import ServiceModel

Elements = dict[str, Any]
_WRAPPED = ("CreateFleet", "CreateLaunchTemplate", "CreateNatGateway", "CreateVpcEndpoint")
#: EC2 requests: the list's name of a numbered parameter, and its members' names.
_LISTS = {
    "SecurityGroupId": ("groupSet", "groupId"),
    "SecurityGroup": ("groupSet", "groupName"),
    "InstanceId": ("instancesSet", "instanceId"),
    "TagSpecification": ("tagSpecificationSet", ""),
    "ResourceId": ("resourcesSet", "resourceId"),
}
_IMAGE = ("imageId", "minCount", "maxCount")
_TIMES = {"createTime", "launchTime", "attachTime", "startTime"}
CLASSIC = "2012-06-01"


def request_parameters(service: str, operation: str, body: bytes) -> Elements:
    """The request's parameters."""
    if service == "ec2":
        return _ec2_request(operation, _form(body))
    if body[:1] == b"{":
        return _elements(json.loads(body))
    if body[:1] == b"<":
        return _elements(_xml_value(ElementTree.fromstring(body)))
    tree = _tree(_form(body))
    return _elements(_without_members(tree))


def response_elements(service: str, operation: str, status: int, headers: Mapping[str, str], body: bytes) -> Elements:
    """The response's elements."""
    if service == "ec2":
        found = _ec2_value(ElementTree.fromstring(body)) if body else {}
        answer: Elements = found if isinstance(found, dict) else {}
        if operation == "CreateVolume":
            answer["zone"] = answer.pop("availabilityZone", "")
        for instance in answer.get("instancesSet", {}).get("items", ()) if operation == "RunInstances" else ():
            # At that moment there are no volumes yet: a recorded answer has an empty mapping.
            instance |= {"blockDeviceMapping": {}, "instanceState": {"code": 0, "name": "pending"}}
        return {f"{operation}Response": answer} if operation in _WRAPPED else answer
    model = service_model(service, headers.get("version", ""))
    if operation not in model.operation_names:
        return {}
    shape = model.operation_model(operation).output_shape
    if shape is None:
        return {}
    parser = parsers.create_parser(model.metadata["protocol"])
    parsed = parser.parse({"status_code": status, "headers": dict(headers), "body": body}, shape)
    return _elements({key: value for key, value in parsed.items() if key != "ResponseMetadata"})


def xml_elements(text: str) -> Elements:
    """A part of an EC2 answer as CloudTrail writes it."""
    found = _ec2_value(ElementTree.fromstring(text))
    return found if isinstance(found, dict) else {}


def error_of(service: str, status: int, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
    """The errorCode and the errorMessage of a refusal; EC2's begin with `Client.` or `Server.`."""
    text = body.decode(errors="replace")
    if text.lstrip().startswith("<"):
        code, message = (re.search(f"<{name}>(.*?)</{name}>", text, re.DOTALL) for name in ("Code", "Message"))
        found = (code[1] if code else "", message[1] if message else "")
    else:
        given = json.loads(text or "{}")
        kind = str(given.get("__type") or headers.get("x-amzn-ErrorType") or headers.get("x-amzn-errortype") or "")
        found = (kind.rpartition("#")[2], str(given.get("message") or given.get("Message") or ""))
    if service == "ec2":
        return f"{'Client' if status < 500 else 'Server'}.{found[0]}", found[1]
    return _exception_name(service, found[0]), found[1]


@cache
def service_model(service: str, version: str = "") -> ServiceModel:
    """botocore's model of a service, by ministack's name for it."""
    name = {"elasticloadbalancing": "elb" if version == CLASSIC else "elbv2", "elasticfilesystem": "efs"}
    loader = botocore.session.get_session().get_component("data_loader")
    known = name.get(service, service)
    return ServiceModel(loader.load_service_model(known, "service-2"), known)


def _exception_name(service: str, code: str) -> str:
    """CloudTrail names a query service's error by its exception (`EntityAlreadyExistsException`)."""
    if service not in ("iam", "elasticloadbalancing", "autoscaling"):
        return code
    model = service_model(service)
    for name in model.shape_names:
        shape = model.shape_for(name)
        if shape.metadata.get("exception") and shape.metadata.get("error", {}).get("code") == code:
            return str(name)
    return code


def _ec2_request(operation: str, params: Mapping[str, str]) -> Elements:
    tree = _tree(params)
    if operation in _WRAPPED:
        return {f"{operation}Request": _tagged(tree)}
    elements = _ec2_tree(tree)
    if operation == "CreateVolume" and "availabilityZone" in elements:
        elements["zone"] = elements.pop("availabilityZone")
    if operation == "RunInstances":
        image = {name: elements.pop(name) for name in _IMAGE if name in elements}
        elements["instancesSet"] = {"items": [image]}
    return elements


def _ec2_tree(tree: Mapping[str, Any]) -> Elements:
    elements: Elements = {}
    for name, value in tree.items():
        plural, singular = _LISTS.get(name, (_lower(name), _lower(name)))
        if not isinstance(value, Mapping):
            elements[_lower(name)] = _typed(value)
        elif not _is_list(value):
            elements[_lower(name)] = _ec2_tree(value)
        else:
            items = [each if isinstance(each, Mapping) else {singular: each} for each in value.values()]
            if name == "TagSpecification":
                items = [_tag_specification(each) for each in items]
            else:
                items = [_ec2_tree(each) for each in items]
            elements[plural] = {"items": items}
    return elements


def _tag_specification(given: Mapping[str, Any]) -> Elements:
    tags = [_ec2_tree(tag) for tag in (given.get("Tag") or {}).values()]
    return {"resourceType": given.get("ResourceType", ""), "tags": tags}


def _tagged(value: Any) -> Any:
    """Lists of a wrapped request: each member with its number as `tag`."""
    if not isinstance(value, Mapping):
        return _typed(value)
    if not _is_list(value):
        return {name: _tagged(each) for name, each in value.items()}
    found = [({"tag": int(number)}, _tagged(each)) for number, each in value.items()]
    listed = [tag | (each if isinstance(each, dict) else {"content": each}) for tag, each in found]
    return listed[0] if len(listed) == 1 else listed


def _ec2_value(element: ElementTree.Element) -> Any:
    children = list(element)
    if not children:
        text = element.text or ""
        name = _name(element)
        return _typed(_milliseconds(text) if name in _TIMES else text) if text.strip() else {}
    if all(_name(child) == "item" for child in children):
        return {"items": [_ec2_value(child) for child in children]}
    return {"_return" if _name(child) == "return" else _name(child): _ec2_value(child) for child in children}


def _xml_value(element: ElementTree.Element) -> Any:
    children = list(element)
    if not children:
        return element.text or ""
    names = [_name(child) for child in children]
    if len(set(names)) == 1 and _name(element) == f"{names[0]}s":
        return [_xml_value(child) for child in children]
    return {name: _xml_value(child) for name, child in zip(names, children, strict=True)}


def _tree(params: Mapping[str, str]) -> Any:
    """Dotted parameters as a tree, without the protocol's own."""
    root: dict[str, Any] = {}
    for name, value in params.items():
        if name in ("Action", "Version"):
            continue
        node, *rest = name.split(".")
        place = root
        while rest:
            place = place.setdefault(node, {})
            node, *rest = rest
        place[node] = value
    return root


def _without_members(value: Any) -> Any:
    """A query's lists (`Names.member.1`) as lists."""
    if not isinstance(value, dict):
        return _typed(value)
    if set(value) == {"member"}:
        return [_without_members(each) for each in value["member"].values()]
    return {name: _without_members(each) for name, each in value.items()}


def _elements(value: Any) -> Elements:
    return dict(_small(value)) if isinstance(value, Mapping) else {}


def _small(value: Any) -> Any:
    """Names with lower-case first letters at every level; instants as CloudTrail writes those of JSON services."""
    if isinstance(value, Mapping):
        return {_lower(str(name)): _small(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_small(each) for each in value]
    return f"{value:%b %d, %Y %I:%M:%S %p}" if isinstance(value, datetime) else value


def _is_list(value: Mapping[str, Any]) -> bool:
    return bool(value) and all(name.isdigit() for name in value)


def _typed(value: Any) -> Any:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _milliseconds(text: str) -> Any:
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        return text


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _form(body: bytes) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(body.decode(errors="replace")).items()}
