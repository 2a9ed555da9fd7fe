"""botocore's descriptions of services, read once for a whole process: each boto3 session would read and keep its own.

That of EC2 alone takes 16 MB and a third of a second, and a session looks into 400 folders before its first client. ministack
reads some a second time for IAM, beside botocore. Tests share them too, where moto makes a session a test.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.loaders import JSONFileLoader, Loader

_MOST = 256


def share() -> None:
    """Have all sessions of this process share what they read. Nobody changes it after botocore has completed it, always alike."""
    read, builtin = JSONFileLoader.load_file, Loader.BUILTIN_DATA_PATH
    look = Loader.list_available_services
    listed: dict[tuple[str, ...], Any] = {}

    @lru_cache(_MOST)
    def read_once(path: str) -> Any:
        return read(JSONFileLoader(), path)

    def load_file(loader: Any, path: str) -> Any:
        return read_once(path) if path.startswith(builtin) else read(loader, path)

    def list_available_services(loader: Any, type_name: str) -> Any:
        key = (type_name, *loader.search_paths)
        if key not in listed:
            listed[key] = look(loader, type_name)
        return listed[key]

    JSONFileLoader.load_file = load_file
    Loader.list_available_services = list_available_services


def install() -> None:
    """Have ministack share them, too."""
    from ministack.core import iam_actions

    share()
    iam_actions._load_botocore_model = _model


def _model(service: str) -> Any:
    try:
        return Loader().load_service_model(service, "service-2")
    except (UnknownServiceError, DataNotFoundError):
        return {}
