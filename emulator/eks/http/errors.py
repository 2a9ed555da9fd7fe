"""How an EKS operation reports an error: a modelled exception's name, a message, and its extra members."""

from __future__ import annotations

from typing import Any


class EksError(Exception):
    """An exception of the EKS model on its way to the caller; `members` are e.g. clusterName, validZones."""

    def __init__(self, code: str, message: str, status: int | None = None, **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members


def invalid_parameter(message: str, **members: Any) -> EksError:
    """Return the error for input that is always invalid."""
    return EksError("InvalidParameterException", message, **members)


def invalid_request(message: str, **members: Any) -> EksError:
    """Return the error for input that is invalid in the current state."""
    return EksError("InvalidRequestException", message, **members)


def in_use(message: str, **members: Any) -> EksError:
    """Return the error for a name in use or a busy resource."""
    return EksError("ResourceInUseException", message, **members)


def not_found(message: str, **members: Any) -> EksError:
    """Return the error for a missing resource."""
    return EksError("ResourceNotFoundException", message, **members)
