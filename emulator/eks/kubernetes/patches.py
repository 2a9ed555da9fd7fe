"""Patches of objects: JSON patch, merge patch, and Kubernetes' strategic merge patch, by which `kubectl apply` changes lists.

Source: Kubernetes documentation, "Update API Objects in Place Using kubectl patch", and the directives of strategic merge patches
(kubernetes/community, "strategic-merge-patch.md"). A server-side apply is merged strategically, without managers of fields.
"""

from __future__ import annotations

import copy
from typing import Any

from emulator.eks.kubernetes.answers import Refused

#: List -> the members by which its items are one and the same, as in the Go types' `patchMergeKey`.
_KEYS: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "imagePullSecrets": ("name",),
    "secrets": ("name",),
    "ports": ("containerPort", "port"),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey",),
    "conditions": ("type",),
    "ownerReferences": ("uid",),
}
_MERGED_PLAIN = ("finalizers",)


def patched(content_type: str, before: dict[str, Any], patch: Any) -> dict[str, Any]:
    """Return the object as the patch makes it; Refused for a patch of another kind or one that does not fit."""
    match content_type.partition(";")[0]:
        case "application/json-patch+json":
            return _json_patched(before, patch)
        case "application/merge-patch+json":
            found = _merged(before, patch)
        case "application/strategic-merge-patch+json" | "application/apply-patch+yaml":
            found = _strategic(before, patch)
        case other:
            raise Refused(415, f"the body of the request was in an unknown format - accepted media types: not {other}")
    result: dict[str, Any] = found
    return result


def _merged(before: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    found = dict(before) if isinstance(before, dict) else {}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = _merged(found.get(name), value)
    return found


def _strategic(before: Any, patch: Any) -> Any:
    if not isinstance(patch, dict) or not isinstance(before, dict):
        return _without_directives(patch)
    if patch.get("$patch") == "replace":
        return _without_directives(patch)
    kept = patch.get("$retainKeys")
    found = {name: value for name, value in before.items() if kept is None or name in kept}
    for name, value in patch.items():
        if name.startswith("$deleteFromPrimitiveList/"):
            plain = name.partition("/")[2]
            found[plain] = [each for each in found.get(plain, []) if each not in value]
        elif name.startswith("$"):
            continue
        elif value is None:
            found.pop(name, None)
        elif isinstance(value, list) and name in found:
            order = patch.get(f"$setElementOrder/{name}")
            found[name] = _strategic_list(name, found[name], value, order)
        else:
            found[name] = _strategic(found.get(name), value)
    return found


def _strategic_list(name: str, before: list[Any], patch: list[Any], order: list[Any] | None) -> list[Any]:
    if name in _MERGED_PLAIN:
        return [*before, *(each for each in patch if each not in before)]
    key = _key_of(name, [*patch, *before])
    if key is None or any(isinstance(each, dict) and each.get("$patch") == "replace" for each in patch):
        return [_without_directives(each) for each in patch if set(each) != {"$patch"}] if key else list(patch)
    found = {each.get(key): each for each in before}
    for each in patch:
        if each.get("$patch") == "delete":
            found.pop(each.get(key), None)
        else:
            found[each.get(key)] = _strategic(found.get(each.get(key), {}), each)
    if order:
        places = {each.get(key): number for number, each in enumerate(order)}
        return sorted(found.values(), key=lambda each: places.get(each.get(key), len(places)))
    return list(found.values())


def _key_of(name: str, items: list[Any]) -> str | None:
    keys = _KEYS.get(name, ())
    return next((key for key in keys if any(isinstance(each, dict) and key in each for each in items)), None)


def _without_directives(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_directives(each) for name, each in value.items() if not name.startswith("$")}
    return [_without_directives(each) for each in value] if isinstance(value, list) else value


def _json_patched(before: dict[str, Any], patch: Any) -> dict[str, Any]:
    """RFC 6902's add, replace, remove and test."""
    found: Any = copy.deepcopy(before)
    for step in patch:
        *way, last = [part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/")[1:]]
        place = found
        for part in way:
            place = place[int(part)] if isinstance(place, list) else place.get(part)
            if place is None:
                raise Refused(422, "the server rejected our request due to an error in our request")
        _apply_step(place, last, step)
    return dict(found)


def _apply_step(place: Any, last: str, step: dict[str, Any]) -> None:
    is_list = isinstance(place, list)
    index: Any = (len(place) if last == "-" else int(last)) if is_list else last
    match step["op"]:
        case "add" if is_list:
            place.insert(index, step["value"])
        case "add" | "replace":
            place[index] = step["value"]
        case "remove":
            place.pop(index) if is_list else place.pop(index, None)
        case "test" if (place[index] if is_list else place.get(index)) != step["value"]:
            raise Refused(422, "the server rejected our request due to an error in our request")
