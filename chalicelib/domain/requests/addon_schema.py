"""Judges an add-on's configuration by the JSON schema that EKS publishes for its version.

A small validator for the keywords that EKS's schemas use (draft 6 and 7). It ignores unknown keywords, so that it
refuses nothing that EKS might accept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chalicelib.domain.core.sentence import Listed, Sentence
from chalicelib.domain.errors.findings import Finding, error
from chalicelib.domain.labs.spec import LabSpec

Schema = Mapping[str, Any]
#: The schemas that are being applied to each part already: a schema may refer to itself.
Seen = frozenset[tuple[int, str]]
_MOST = 5
_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def check_configurations(spec: LabSpec, schemas: Mapping[str, str]) -> Iterator[Finding]:
    """Judge configurations by `schemas`: add-on -> the text of its schema. One without a schema is not judged."""
    for index, addon in enumerate(spec.addons):
        schema = _read(schemas.get(addon.name, ""))
        if addon.configuration is None or schema is None:
            continue
        found = list(_against(json.loads(addon.configuration), schema, schema, "", frozenset()))
        for where, what in found[:_MOST]:
            message = _not_taken(addon.name, where, what)
            yield error(f"addons[{index}].configuration", "configuration-refused", message)


def _read(text: str) -> Schema | None:
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return schema if isinstance(schema, dict) else None


def _against(value: object, schema: object, root: Schema, where: str, seen: Seen) -> Iterator[tuple[str, str]]:
    """(where, fault) of every fault of the value by the schema."""
    if schema is False:
        yield where, Sentence("it is not taken")
    if not isinstance(schema, Mapping) or (id(schema), where) in seen:
        return
    seen = seen | {(id(schema), where)}
    if isinstance(reference := schema.get("$ref"), str):
        yield from _against(value, _referred(reference, root), root, where, seen)
    if (problem := _problem(value, schema)) is not None:
        yield where, problem
        return
    if isinstance(value, dict):
        yield from _members(value, schema, root, where, seen)
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        for index, item in enumerate(value):
            yield from _against(item, schema["items"], root, f"{where}[{index}]", seen)
    yield from _combined(value, schema, root, where, seen)


def _not_taken(name: str, where: str, what: str) -> Sentence:
    if not where:
        return Sentence("{name} does not take it: {what} (EKS's schema for the add-on).", name=name, what=what)
    said = Sentence("{name} does not take it at {where}: {what} (EKS's schema for the add-on).")
    return said.with_slots(name=name, where=where, what=what)


def _combined(value: object, schema: Schema, root: Schema, where: str, seen: Seen) -> Iterator[tuple[str, str]]:
    """Its faults by schemas that must all match, or one of which must; in the latter case by the nearest."""
    for part in _listed(schema.get("allOf")):
        yield from _against(value, part, root, where, seen)
    for name in ("anyOf", "oneOf"):
        ways = [list(_against(value, part, root, where, seen)) for part in _listed(schema.get(name))]
        if ways and all(ways):
            yield from min(ways, key=len)


def _problem(value: object, schema: Schema) -> str | None:
    """The value's own fault by the schema, without those of its parts."""
    kinds = _listed(schema.get("type")) or ([schema["type"]] if isinstance(schema.get("type"), str) else [])
    if kinds and not any(_is(value, kind) for kind in kinds):
        return Sentence(
            "it is to be {names}, not {kind}", names=Listed([str(kind) for kind in kinds], "or"), kind=_kind(value)
        )
    allowed = [schema["const"]] if "const" in schema else _listed(schema.get("enum"))
    if allowed and value not in allowed:
        return Sentence("it is to be one of {names}", names=", ".join(map(str, allowed)))
    if isinstance(value, str) and isinstance(schema.get("pattern"), str) and not _matches(schema["pattern"], value):
        return Sentence("it is to match {pattern}", pattern=schema["pattern"])
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _out_of_bounds(value, schema)
    return None


def _out_of_bounds(value: float, schema: Schema) -> str | None:
    least, most = schema.get("minimum"), schema.get("maximum")
    if isinstance(least, int | float) and value < least:
        return Sentence("it is to be {least} at least", least=least)
    if isinstance(most, int | float) and value > most:
        return Sentence("it is to be {most} at most", most=most)
    return None


def _members(
    value: Mapping[str, object], schema: Schema, root: Schema, where: str, seen: Seen
) -> Iterator[tuple[str, str]]:
    own = schema.get("properties")
    properties = own if isinstance(own, Mapping) else {}
    of_names = schema.get("patternProperties")
    patterns = of_names if isinstance(of_names, Mapping) else {}
    for name in _listed(schema.get("required")):
        if isinstance(name, str) and name not in value:
            yield where, Sentence("{name} is missing", name=name)
    for name, member in value.items():
        inside = f"{where}.{name}".removeprefix(".")
        fitting = [s for pattern, s in patterns.items() if _matches(pattern, name)]
        if name in properties:
            fitting.append(properties[name])
        if fitting:
            for part in fitting:
                yield from _against(member, part, root, inside, seen)
        elif schema.get("additionalProperties") is False:
            names = ", ".join(sorted(properties))
            yield (
                inside,
                Sentence("there is no such field. There are {names}", names=names)
                if names
                else Sentence("there is no such field."),
            )
        else:
            yield from _against(member, schema.get("additionalProperties"), root, inside, seen)


def _referred(reference: str, root: Schema) -> object:
    """The target of a reference within the document; nothing for an outside one."""
    found: object = root
    for part in reference.removeprefix("#").strip("/").split("/") if reference.startswith("#") else ["?"]:
        if part:
            found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
    return found


def _matches(pattern: str, text: str) -> bool:
    """Whether the text matches; a pattern that Python can't read refuses nothing."""
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return True


def _is(value: object, kind: object) -> bool:
    if isinstance(value, bool) and kind != "boolean":
        return False
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(str(kind), (object,)))


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    return next((kind for kind, types in _TYPES.items() if isinstance(value, types)), Sentence("something else"))


def _listed(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else []
