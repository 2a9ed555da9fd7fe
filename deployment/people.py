"""Warns at deployment of patterns of people that match more than one permission set, and so perhaps too many people."""

from collections.abc import Iterator, Mapping

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.identity.callers import DIRECTORY_PATH
from chalicelib.domain.identity.patterns import permission_sets_matched
from deployment.artifacts import ClientFactory

_SETTINGS = ("Administrators", "Viewers", "Teams")


def wide_patterns(client: ClientFactory, parameters: Mapping[str, str]) -> tuple[str, ...]:
    """A line for each pattern of these parameters that matches several permission sets of this account."""
    patterns = tuple(_patterns(parameters))
    if not any("*" in pattern for _, pattern in patterns):
        return ()
    try:
        pages = client("iam").get_paginator("list_roles").paginate(PathPrefix=DIRECTORY_PATH)
        names = [role["RoleName"] for page in pages for role in page["Roles"]]
    except (ClientError, BotoCoreError) as error:
        return (f"Whether a pattern fits several permission sets is not known: {error}",)
    found = ((name, pattern, permission_sets_matched(pattern, names)) for name, pattern in patterns)
    return tuple(
        f"{name}: {pattern} fits people of {len(sets)} permission sets: {', '.join(sets)}."
        for name, pattern, sets in found
        if len(sets) > 1
    )


def _patterns(parameters: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in _SETTINGS:
        for part in filter(None, (one.strip() for one in parameters.get(name, "").split(","))):
            yield name, part.partition("=")[2] if name == "Teams" else part
