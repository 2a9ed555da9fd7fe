"""botocore's descriptions of services, read once for the whole server: each boto3 session would read and keep its own.

That of EC2 alone takes 16 MB and a third of a second. ministack reads some a second time for IAM, beside botocore.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.loaders import JSONFileLoader, Loader
from ministack.core import iam_actions

_MOST = 128


def install() -> None:
    """Have botocore and ministack share what they read. Nobody changes it after botocore has completed it, always alike."""
    read, builtin = JSONFileLoader.load_file, Loader.BUILTIN_DATA_PATH

    @lru_cache(_MOST)
    def read_once(path: str) -> Any:
        return read(JSONFileLoader(), path)

    def load_file(loader: Any, path: str) -> Any:
        return read_once(path) if path.startswith(builtin) else read(loader, path)

    JSONFileLoader.load_file = load_file
    iam_actions._load_botocore_model = _model


def _model(service: str) -> Any:
    try:
        return Loader().load_service_model(service, "service-2")
    except (UnknownServiceError, DataNotFoundError):
        return {}
