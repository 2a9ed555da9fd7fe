"""Fits a mapping to the schema of our own body: valid fields are kept, others become findings by their paths.

Pydantic reports all wrong types at once, but then returns no value. So the reported fields are removed and
the rest is fitted again, until it fits: the rules then judge everything that could be read.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from chalicelib.api.inputs.lab_schema import LabBody
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import Finding, error
from chalicelib.domain.requests.eksctl.config import unquoted_version
from chalicelib.domain.requests.eksctl.reader import FIELDS, TEXT, WHOLE_NUMBER, child, unknown_field, wrong_type

Loc = tuple[int | str, ...]

_EXPECTED = {
    "string_type": TEXT,
    "int_type": WHOLE_NUMBER,
    "int_from_float": WHOLE_NUMBER,
    "list_type": Sentence("a list"),
    "dict_type": Sentence("a mapping of texts to texts"),
    "model_type": FIELDS,
    "model_attributes_type": FIELDS,
}
#: Common names for our fields that no similarity would find.
_SYNONYMS = {"count": "desired"}


def fit(document: Mapping[str, object]) -> tuple[LabBody, tuple[Finding, ...], frozenset[str]]:
    """The valid part, the findings, and the paths that were removed."""
    remaining = copy.deepcopy(dict(document))
    findings: list[Finding] = []
    broken: set[str] = set()
    while True:
        try:
            return LabBody.model_validate(remaining), tuple(findings), frozenset(broken)
        except ValidationError as reason:
            errors = reason.errors(include_url=False)
        findings += [_finding(each) for each in errors if not _is_under_broken(each["loc"], broken)]
        taken = [loc for loc in map(_to_take_out, errors) if _take_out(remaining, loc)]
        broken |= {path_of(loc) for loc in taken}
        if not taken:
            remaining.clear()


def path_of(loc: Iterable[int | str]) -> str:
    """A location in the writer's form: `nodegroups[0].min`."""
    path = ""
    for part in loc:
        path = f"{path}[{part}]" if isinstance(part, int) else child(path, part)
    return path


def _is_under_broken(loc: Loc, broken: set[str]) -> bool:
    return any(path_of(loc[:length]) in broken for length in range(len(loc) + 1))


def _finding(details: ErrorDetails) -> Finding:
    loc, kind, value = details["loc"], details["type"], details["input"]
    path = path_of(loc)
    match kind:
        case "extra_forbidden":
            return error(path, "unknown-field", _unknown(loc))
        case "missing":
            return error(path, "missing", "{name} is required here.", name=loc[-1])
        case "literal_error":
            return error(path, "wrong-value", wrong_type(str(details.get("ctx", {}).get("expected")), value))
        case "too_short":
            return error(path, "empty", "Name at least one, or leave it out.")
        case "string_too_short":
            return error(path, "empty", "It is empty: give a value, or leave it out.")
        case "string_type" if loc == ("version",) and isinstance(value, int | float) and not isinstance(value, bool):
            return error(path, "wrong-type", unquoted_version(value))
    expected = _also_taken(loc) or _EXPECTED.get(kind)
    return error(path, "wrong-type", wrong_type(expected, value) if expected else details["msg"])


def _also_taken(loc: Loc) -> str | None:
    """The field's location if several kinds of values are accepted there."""
    if loc == ("workHost",):
        return Sentence("true, false or a mapping of fields")
    return Sentence("a name or a mapping of fields") if loc[:1] == ("addons",) and len(loc) == 2 else None


def _unknown(loc: Loc) -> str:
    key, known = str(loc[-1]), _fields_at(loc[:-1])
    synonym = _SYNONYMS.get(key)
    return (
        Sentence("Unknown field. Did you mean {name}?", name=synonym) if synonym in known else unknown_field(key, known)
    )


def _fields_at(loc: Loc) -> tuple[str, ...]:
    """The field names of the model at a location."""
    model: type[BaseModel] = LabBody
    for part in loc:
        if isinstance(part, str):
            annotation = next(f.annotation for f in model.model_fields.values() if f.alias == part)
            model = _model_in(annotation) or model
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model within `list[Model] | None` and the like."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part))), None)


def _to_take_out(details: ErrorDetails) -> Loc:
    """The field to remove; of a list, the whole list, so that indices stay right."""
    loc = details["loc"][:-1] if details["type"] == "missing" else details["loc"]
    while loc and isinstance(loc[-1], int):
        loc = loc[:-1]
    return loc


def _take_out(remaining: dict[str, object], loc: Loc) -> bool:
    """Remove a field from the body; return False if it is not there."""
    holder: Any = remaining
    for part in loc[:-1]:
        holder = _step(holder, part)
    if not loc or not isinstance(holder, dict) or loc[-1] not in holder:
        return False
    del holder[loc[-1]]
    return True


def _step(holder: Any, part: int | str) -> Any:
    if isinstance(holder, dict):
        return holder.get(part)
    return holder[part] if isinstance(holder, list) and isinstance(part, int) and part < len(holder) else None
