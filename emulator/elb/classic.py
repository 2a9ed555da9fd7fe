"""Classic load balancers (API version 2012-06-01), which the emulator lacks: enough to find, tag and delete them.

Kubernetes' in-tree controller still makes these for a Service of type LoadBalancer. The API shares its host and its
IAM names with the newer one; the `Version` of a request tells them apart.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import alb, ec2

from emulator.core.clock import EmulatorClock
from emulator.core.later import later
from emulator.core.scope import scope
from emulator.ec2.actions import Params, Record, Refused, Response, members, new_id, param, store
from emulator.elb.balancers import INTERFACES_LINGER, give_back_interfaces, take_interfaces

VERSION = "2012-06-01"
NAMESPACE = f"http://elasticloadbalancing.amazonaws.com/doc/{VERSION}/"

_balancers: Any = AccountRegionScopedDict()


class ClassicBalancers:
    """The actions, one method each, named as AWS names them."""

    def __init__(self, clock: EmulatorClock) -> None:
        self._clock = clock

    def answer(self, params: Params) -> Response:
        """Perform the request's action."""
        action = param(params, "Action")
        perform = getattr(self, f"_{action}", None)
        try:
            if perform is None:
                raise Refused("InvalidAction", f"These classic load balancers cannot {action}")
            return _xml(action, perform(params))
        except Refused as refused:
            response: Response = alb._error(refused.code, refused.message, refused.status)
            return response

    def _CreateLoadBalancer(self, params: Params) -> str:  # noqa: N802 - AWS's name, looked up by it
        name, subnets = param(params, "LoadBalancerName"), members(params, "Subnets.member")
        if name in _balancers:
            raise Refused("DuplicateLoadBalancerName", f"The load balancer name {name} is already in use")
        groups = members(params, "SecurityGroups.member")
        take_interfaces(subnets, groups, f"ELB {name}")
        _balancers[name] = {
            "LoadBalancerName": name,
            "DNSName": f"{name}-{new_id('')[1:9]}.{scope()[1]}.elb.amazonaws.com",
            "VPCId": store("subnets")[subnets[0]]["VpcId"] if subnets else "",
            "Subnets": subnets,
            "SecurityGroups": groups,
            "Scheme": param(params, "Scheme") or "internet-facing",
            "CreatedTime": ec2._now_ts(),
            "Tags": _tags(params),
        }
        return _element("DNSName", _balancers[name]["DNSName"])

    def _DescribeLoadBalancers(self, params: Params) -> str:  # noqa: N802
        asked_for = members(params, "LoadBalancerNames.member")
        found = [_known(name) for name in asked_for] if asked_for else list(_balancers.values())
        return f"<LoadBalancerDescriptions>{''.join(map(_description, found))}</LoadBalancerDescriptions>"

    def _DescribeTags(self, params: Params) -> str:  # noqa: N802
        found = [_known(name) for name in members(params, "LoadBalancerNames.member")]
        return f"<TagDescriptions>{''.join(map(_tag_description, found))}</TagDescriptions>"

    def _AddTags(self, params: Params) -> str:  # noqa: N802
        for name in members(params, "LoadBalancerNames.member"):
            _known(name)["Tags"] |= _tags(params)
        return ""

    def _DeleteLoadBalancer(self, params: Params) -> str:  # noqa: N802
        name = param(params, "LoadBalancerName")
        if _balancers.pop(name, None):
            later(self._clock, INTERFACES_LINGER, lambda: give_back_interfaces(f"ELB {name}"))
        return ""


def install(clock: EmulatorClock) -> None:
    """Answer the older API's requests here, before the emulator routes them to the newer one."""
    classic, newer = ClassicBalancers(clock), alb.handle_request

    async def handle_request(method: str, path: str, headers: Any, body: Any, query: Any) -> Any:
        params = {**query, **parse_qs(body.decode() if isinstance(body, bytes) else body or "")}
        if param(params, "Version") == VERSION:
            return classic.answer(params)
        return await newer(method, path, headers, body, query)

    alb.handle_request = handle_request


def tagged_arns() -> Iterable[tuple[str, dict[str, str]]]:
    """Yield the ARN and the tags of each classic load balancer in the calling account and region."""
    account, region = scope()
    for name, balancer in list(_balancers.items()):
        yield f"arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/{name}", balancer["Tags"]


def _known(name: str) -> Record:
    if name not in _balancers:
        raise Refused("LoadBalancerNotFound", f"There is no ACTIVE Load Balancer named '{name}'")
    found: Record = _balancers[name]
    return found


def _tags(params: Params) -> dict[str, str]:
    found: dict[str, str] = {}
    while key := param(params, f"Tags.member.{len(found) + 1}.Key"):
        found[key] = param(params, f"Tags.member.{len(found) + 1}.Value")
    return found


def _description(balancer: Record) -> str:
    names = ("LoadBalancerName", "DNSName", "VPCId", "Scheme", "CreatedTime")
    fields = "".join(_element(name, balancer[name]) for name in names)
    lists = "".join(
        f"<{name}>{''.join(_element('member', value) for value in balancer[name])}</{name}>"
        for name in ("Subnets", "SecurityGroups")
    )
    return f"<member>{fields}{lists}</member>"


def _tag_description(balancer: Record) -> str:
    tags = "".join(
        f"<member>{_element('Key', key)}{_element('Value', value)}</member>" for key, value in balancer["Tags"].items()
    )
    return f"<member>{_element('LoadBalancerName', balancer['LoadBalancerName'])}<Tags>{tags}</Tags></member>"


def _element(name: str, value: str) -> str:
    return f"<{name}>{escape(value)}</{name}>"


def _xml(action: str, inner: str) -> Response:
    body = (
        f'<{action}Response xmlns="{NAMESPACE}"><{action}Result>{inner}</{action}Result>'
        f"<ResponseMetadata><RequestId>{new_id('request')}</RequestId></ResponseMetadata></{action}Response>"
    )
    return 200, {"Content-Type": "text/xml"}, body.encode()
