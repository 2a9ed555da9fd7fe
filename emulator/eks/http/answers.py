"""Write an answer by the output shape of its operation, and a refusal as the modelled exception.

A member that the model does not have, or a value of another type, is a defect of this package and raises: an
emulator that quietly adds fields teaches its users to rely on them.
"""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from emulator.eks.http import model
from emulator.eks.http.errors import EksError

Answer = tuple[int, dict[str, str], bytes]
_PYTHON_TYPES: dict[str, type] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "timestamp": datetime,
    "structure": dict,
    "map": dict,
    "list": list,
}


def success(operation: str, output: dict[str, Any]) -> Answer:
    """Return status 200 with the output written by the operation's output shape."""
    written = written_by(model.operation(operation).output_shape, output, operation)
    return _answer(200, written, {})


def refusal(error: EksError) -> Answer:
    """Return the exception as rest-json carries it: type in a header, message and members in the body."""
    status = error.status or model.error_status(error.code)
    return _answer(status, {"message": error.message, **error.members}, {"x-amzn-ErrorType": error.code})


def written_by(shape: Shape, value: Any, where: str) -> Any:
    """Return the value as JSON of this shape; None members are left out, what the shape forbids raises TypeError."""
    _require_type(shape, value, where)
    if isinstance(shape, StructureShape):
        unknown = set(value) - set(shape.members)
        if unknown:
            raise TypeError(f"{where} has members the EKS model does not know: {sorted(unknown)}")
        present = {name: member for name, member in value.items() if member is not None}
        missing = set(shape.required_members) - set(present)
        if missing:
            raise TypeError(f"{where} lacks members the EKS model requires: {sorted(missing)}")
        return {name: written_by(shape.members[name], item, f"{where}.{name}") for name, item in present.items()}
    if isinstance(shape, ListShape):
        return [written_by(shape.member, item, f"{where}[]") for item in value]
    if isinstance(shape, MapShape):
        return dict(value)
    if isinstance(value, datetime):
        return round(value.timestamp(), 3)
    return value


def _require_type(shape: Shape, value: object, where: str) -> None:
    expected = _PYTHON_TYPES[shape.type_name]
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
        raise TypeError(f"{where} is {value!r}, not a {shape.type_name}")
    if shape.metadata.get("enum") and value not in shape.metadata["enum"]:
        raise TypeError(f"{where} can't be {value!r} in the EKS model")


def _answer(status: int, body: dict[str, Any], headers: dict[str, str]) -> Answer:
    common = {"Content-Type": "application/json", "x-amzn-RequestId": str(uuid.uuid4())}
    return status, {**common, **headers}, json.dumps(body).encode()
