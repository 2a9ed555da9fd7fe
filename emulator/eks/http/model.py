"""The EKS service model that botocore ships: operations, shapes and errors.

Everything here that could be typed from memory (paths, enums, required members, HTTP status codes) is read from it
instead, so this EKS follows AWS when the pinned botocore does.
"""

from __future__ import annotations

from functools import cache

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape


@cache
def service() -> ServiceModel:
    """Return the model of the service named `eks`."""
    return ServiceModel(Loader().load_service_model("eks", "service-2"), "eks")


def operation(name: str) -> OperationModel:
    """Return one operation's model."""
    return service().operation_model(name)


def shape(name: str) -> Shape:
    """Return one shape by its name in the model."""
    return service().shape_for(name)


def enum(name: str) -> list[str]:
    """Return the values of an enumeration of the model, e.g. `NodegroupIssueCode`."""
    return list(shape(name).enum)


def is_error(code: str) -> bool:
    """Tell whether the model has an exception of this name."""
    return any(error.name == code for error in service().error_shapes)


def error_status(code: str) -> int:
    """Return the HTTP status of a modelled exception."""
    return int(shape(code).metadata["error"]["httpStatusCode"])
