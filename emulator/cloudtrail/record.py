"""Records every mutating call, refused ones too, to the services whose resources can be left over.

Reads and calls to other services are not recorded. CloudFormation creates a stack's resources without API calls here, so they
have no events; on AWS they have, by the stack's role and `invokedBy` cloudformation.amazonaws.com. IAM's and Route 53's events
are in us-east-1, as on AWS (user guide, "Global service events").
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from ministack import app
from ministack.core.iam_actions import extract_iam_action
from ministack.core.router import detect_service
from ministack.services import ec2

from emulator.cloudtrail.elements import CLASSIC, error_of, request_parameters, response_elements, xml_elements
from emulator.cloudtrail.history import History
from emulator.cloudtrail.resources import mentioned
from emulator.core.actors import LOAD_BALANCING
from emulator.core.identities import Identity, identify, of_actor
from emulator.core.scope import scope
from emulator.eks.http.routing import find_route
from emulator.elb.balancers import interface_observers

SERVICES = ("ec2", "elasticloadbalancing", "autoscaling", "iam", "logs", "route53", "elasticfilesystem", "eks")
GLOBAL = {"iam": "us-east-1", "route53": "us-east-1"}
_READS = ("Describe", "Get", "List", "Simulate", "Generate", "Filter", "Lookup")
#: Data calls and frequent calls of the services above.
_UNRECORDED = ("PutLogEvents", "CreateLogStream", "StartQuery")
_METHODS = ("POST", "DELETE", "PUT")
_PATH_NAMES = {"clusterName": "name"}
_ZONE = re.compile(r"/hostedzone/([^/]+)")
_LOGGER = logging.getLogger("emulator.cloudtrail")


def install_recording(history: History) -> None:
    """Put the recording around the dispatch of this process's emulator, IAM's refusals included."""
    dispatch = app._dispatch_service_request

    async def dispatch_and_record(
        method: str, path: str, headers: Any, body: bytes, query: Any, request_id: str
    ) -> Any:
        identity = identify(headers, query)
        answer = await dispatch(method, path, headers, body, query, request_id)
        try:
            _record(history, identity, (method, path, headers, body, query), answer)
        except Exception:  # A call must not fail because its record can't be written: that is a defect of this package.
            _LOGGER.exception("no event for %s %s", method, path)
        return answer

    app._dispatch_service_request = dispatch_and_record
    interface_observers.append(lambda interface: _record_interface(history, interface))


def _record(history: History, identity: Identity, request: tuple[str, str, Any, bytes, Any], answer: Any) -> None:
    method, path, headers, body, query = request
    params = app._routing_params(method, path, headers, body, query)
    service = detect_service(method, path, headers, params)
    if service not in SERVICES:
        return
    action = str(extract_iam_action(service, method, path, headers, body, params) or "").rpartition(":")[2]
    if not action or action.startswith(_READS) or action in _UNRECORDED:
        return
    record, names = event_of(service, action, path, body, params, answer)
    place = (scope()[0], GLOBAL.get(service, scope()[1]))
    history.add(place, {**_whence(identity, headers), **record}, identity.name, names)


def _record_interface(history: History, interface: Mapping[str, Any]) -> None:
    """Elastic Load Balancing makes its interfaces with its service-linked role; ministack has no call for that."""
    account, region = scope()
    made = {"networkInterface": xml_elements(ec2._eni_fields_xml(interface))}
    asked = {"subnetId": interface["SubnetId"], "description": interface["Description"]}
    record = {"eventSource": "ec2.amazonaws.com", "eventName": "CreateNetworkInterface"}
    identity = of_actor(LOAD_BALANCING, account)
    elements = {"requestParameters": asked, "responseElements": made}
    names = mentioned("ec2", asked, made)
    history.add((account, region), {**_whence(identity, {}), **record, **elements}, identity.name, names)


def event_of(service: str, action: str, path: str, body: bytes, params: Any, answer: Any) -> tuple[dict[str, Any], Any]:
    """The call, the answer and the resources of an event."""
    status, headers, content = answer[0], answer[1], answer[2]
    content = content.encode() if isinstance(content, str) else bytes(content or b"")
    asked = _in_path(service, path) | (request_parameters(service, action, body) if body else {})
    version = params.get("Version", "")
    version = version[0] if isinstance(version, list) and version else str(version)
    named = "classic balancing" if version == CLASSIC else service
    record: dict[str, Any] = {"eventSource": f"{service}.amazonaws.com", "eventName": action}
    record |= {"requestParameters": asked or None, "responseElements": None}
    if status >= 400:
        code, message = error_of(service, status, headers, content)
        return record | {"errorCode": code, "errorMessage": message}, mentioned(named, asked)
    made = response_elements(service, action, status, {**headers, "version": version}, content)
    return record | {"responseElements": made or None}, mentioned(named, asked, made)


def _in_path(service: str, path: str) -> dict[str, Any]:
    """The names in the path of a REST request: an EKS cluster is `name`, a hosted zone `hostedZoneId`."""
    if service == "route53":
        found = _ZONE.search(path)
        return {"hostedZoneId": found[1]} if found else {}
    if service != "eks":
        return {}
    routes = (find_route(method, path) for method in _METHODS)
    _, labels = next((each for each in routes if each), ("", {}))
    return {_PATH_NAMES.get(name, name): value for name, value in labels.items()}


def user_identity(identity: Identity) -> dict[str, Any]:
    """`userIdentity` of an event (user guide, "CloudTrail userIdentity element")."""
    known = {"principalId": identity.id, "arn": identity.arn, "accountId": identity.account}
    known |= {"accessKeyId": identity.access_key}
    if identity.arn.endswith(":root"):
        return {"type": "Root", **known}
    if not identity.role_arn:
        return {"type": "IAMUser", **known, "userName": identity.name}
    issuer = {"type": "Role", "principalId": identity.id.partition(":")[0], "arn": identity.role_arn}
    issuer |= {"accountId": identity.account, "userName": identity.role_arn.rpartition("/")[2]}
    context: dict[str, Any] = {"sessionIssuer": issuer}
    if identity.provider:
        context["webIdFederationData"] = {"federatedProvider": identity.provider, "attributes": {}}
    since = f"{identity.since:%Y-%m-%dT%H:%M:%SZ}" if identity.since else ""
    context["attributes"] = {"creationDate": since, "mfaAuthenticated": "false"}
    called = {"invokedBy": identity.service} if identity.service else {}
    return {"type": "AssumedRole", **known, "sessionContext": context, **called}


def _whence(identity: Identity, headers: Mapping[str, str]) -> dict[str, Any]:
    address = identity.service or "127.0.0.1"
    agent = identity.service or headers.get("user-agent", "")
    return {"userIdentity": user_identity(identity), "sourceIPAddress": address, "userAgent": agent}
