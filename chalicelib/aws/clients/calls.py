"""Calls of AWS by IAM's name of the action, with AWS's errors as the domain's.

`call(ec2, "ec2:DeleteVolume", VolumeId=...)` names its operation once: boto3's method follows from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from botocore import xform_name

from chalicelib.aws.clients.errors import translate
from chalicelib.domain.core.deferred import dataclass

_TOKENS = ("NextToken", "nextToken")


@dataclass(frozen=True, kw_only=True)
class RegionClients:
    """The boto3 clients of one region for finding labs' resources."""

    tagging: Any
    ec2: Any
    elbv2: Any
    elb: Any
    efs: Any
    eks: Any
    iam: Any
    logs: Any
    route53: Any
    cloudformation: Any
    autoscaling: Any


def call(client: Any, action: str, **request: Any) -> Any:
    """The answer to one request. Raises the errors of `translate`."""
    with translate(action):
        return getattr(client, _method(action))(**request)


def create(client: Any, action: str, **request: Any) -> Any:
    """Like `call`, for a request that creates a resource: AWS's "in use" then means that it exists already."""
    with translate(action, creating=True):
        return getattr(client, _method(action))(**request)


def every(client: Any, action: str, key: str, **request: Any) -> list[Any]:
    """All rows of a paged operation; `key` is the list's name in each page. A page without its list is an error, not empty."""
    with translate(action):
        pages = _paginator(client.get_paginator, _method(action)).paginate(**request)
        return [row for page in pages for row in page[key]]


def instances_of(ec2: Any, filters: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """All EC2 instances that match the filters."""
    reservations = every(ec2, "ec2:DescribeInstances", "Reservations", Filters=filters)
    return [instance for reservation in reservations for instance in reservation["Instances"]]


def tags_of(row: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a row that lists them as Key and Value."""
    return {tag["Key"]: tag.get("Value", "") for tag in row.get("Tags") or []}


def first_pages(client: Any, action: str, most: int, **request: Any) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Up to `most` pages, each with whether it is the last."""
    pages = iter(_paginator(client.get_paginator, _method(action)).paginate(**request))
    for _ in range(most):
        with translate(action):
            page = next(pages, None)
        if page is None:
            return
        yield page, not any(page.get(token) for token in _TOKENS)


@lru_cache(maxsize=64)
def _paginator(get_paginator: Callable[[str], Any], method: str) -> Any:
    """The paginator of this method's client, cached: boto3 creates a new class at each `get_paginator`.

    An assumed role gets a new client with its next credentials, and so new paginators.
    """
    return get_paginator(method)


def _method(action: str) -> str:
    return str(xform_name(action.partition(":")[2]))
