"""botocore's descriptions of services, read once for a whole process: each boto3 session would read and keep its own.

That of EC2 alone takes 16 MB and a third of a second, and a session looks into 400 folders before its first client. ministack
reads some a second time for IAM, beside botocore. A client's methods are made from them, 700 for EC2, and are shared as well. Tests
share all of it too, where moto makes a session a test.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from botocore import useragent
from botocore.client import ClientCreator
from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.hooks import EVENT_ALIASES, EventAliaser
from botocore.loaders import JSONFileLoader, Loader

_MOST = 256


def share() -> None:
    """Let all sessions of this process share service files, which no code changes after botocore has completed them."""
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
    _share_methods()
    _share_event_names()
    # botocore builds the User-Agent anew for each request, letter by letter.
    useragent.sanitize_user_agent_string_component = lru_cache(_MOST)(useragent.sanitize_user_agent_string_component)


def _share_methods() -> None:
    """Make the methods of a service's clients once: each holds its operation's name only, no client and no session."""
    make, made = ClientCreator._create_methods, dict[tuple[str, str], dict[str, Any]]()

    def create_methods(creator: Any, model: Any) -> dict[str, Any]:
        key = (model.service_name, model.api_version)
        if key not in made:
            made[key] = make(creator, model)
        return dict(made[key])

    ClientCreator._create_methods = create_methods


def _share_event_names() -> None:
    """Translate the old name of an event once: each session and each client would translate hundreds for itself."""
    begin, known = EventAliaser.__init__, dict[str, str]()

    def begin_knowing(aliaser: Any, *options: Any, **named: Any) -> None:
        begin(aliaser, *options, **named)
        if aliaser._event_aliases == EVENT_ALIASES:
            aliaser._alias_name_cache = known

    EventAliaser.__init__ = begin_knowing


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
