"""Path parts that API Gateway refuses, which the emulator accepts: `{token}.ics`, or two variables beside each other.

A resource is refused by CreateResource, and by an import with all paths that are wrong, as CloudFormation reports them.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ministack.services import apigateway_v1

Create = Callable[[str, str, Mapping[str, Any]], Any]
Import = Callable[..., str]

_PART = re.compile(r"[a-zA-Z0-9._:-]+|\{[a-zA-Z0-9._-]+\+?\}")
_REFUSED = "Resource's path part only allow a-zA-Z0-9._- and curly braces at the beginning and the end."


def install() -> None:
    """Make REST APIs of this process's emulator refuse them."""
    apigateway_v1._create_resource = _refusing(apigateway_v1._create_resource)
    apigateway_v1._import_rest_api = _looking(apigateway_v1._import_rest_api)


def _refusing(create: Create) -> Create:
    def created(api_id: str, parent_id: str, data: Mapping[str, Any]) -> Any:
        siblings = [
            each["pathPart"]
            for each in apigateway_v1._resources.get(api_id, {}).values()
            if each.get("parentId") == parent_id
        ]
        why = _why_refused(str(data.get("pathPart", "")), siblings)
        if why is not None:
            return apigateway_v1._v1_error("BadRequestException", why, 400)
        return create(api_id, parent_id, data)

    return created


def _looking(imported: Import) -> Import:
    def looked(spec: Mapping[str, Any], *more: Any) -> str:
        wrong = list(_problems(spec.get("paths") or {}))
        if wrong:
            raise ValueError("Errors found during import:\n\t" + "\n\t".join(wrong))
        return imported(spec, *more)

    return looked


def _problems(paths: Mapping[str, Any]) -> Iterator[str]:
    known: dict[tuple[str, ...], list[str]] = {}
    for path in paths:
        parts = tuple(path.strip("/").split("/")) if path != "/" else ()
        for depth, part in enumerate(parts):
            siblings = known.setdefault(parts[:depth], [])
            why = None if part in siblings else _why_refused(part, siblings)
            if why is not None:
                yield f"Unable to create resource at path '{path}': {why}"
                break
            siblings.append(part)


def _why_refused(part: str, siblings: list[str]) -> str | None:
    if not _PART.fullmatch(part):
        return _REFUSED
    variable = next((each for each in siblings if each.startswith("{") and each != part), None)
    if part.startswith("{") and variable is not None:
        return f"A sibling ({variable}) of this resource already has a variable path part -- only one is allowed"
    return None
