"""The user pool in the template: optional, without a circular dependency on the API, its secret in no environment, retained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from deployment.refusals import is_lost
from deployment.stacks import Change
from tests.paths import PROJECT

TEMPLATE: dict[str, Any] = json.loads((PROJECT / ".chalice/resources.json").read_text())
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
OURS = {name: made for name, made in RESOURCES.items() if str(made.get("Type", "")).startswith("AWS::Cognito::")}
API_RIGHTS: list[dict[str, Any]] = json.loads((PROJECT / ".chalice/policies/api_handler.json").read_text())["Statement"]


def named(value: Any) -> Iterator[str]:
    """Every resource or parameter that a part of the template names."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::Sub": str(text)}:
            yield from (name for name in RESOURCES if f"${{{name}}}" in text or f"${{{name}." in text)
        case dict():
            for each in value.values():
                yield from named(each)
        case list():
            for each in value:
                yield from named(each)


def test_without_a_browser_login_there_is_nothing_of_it() -> None:
    assert TEMPLATE["Parameters"]["BrowserLogin"]["Default"] == "off"
    assert {made["Condition"] for made in OURS.values()} == {"HasBrowserLogin", "HasLoginProvider"}
    assert json.dumps(TEMPLATE["Conditions"]["HasLoginProvider"]).count("HasBrowserLogin") == 1
    variables = RESOURCES["APIHandler"]["Properties"]["Environment"]["Variables"]
    for name in ("EKSLAB_USER_POOL", "EKSLAB_LOGIN_URL"):
        assert (variables[name]["Fn::If"][0], variables[name]["Fn::If"][2]) == ("HasBrowserLogin", "")


def test_the_function_is_told_the_pool_and_neither_its_client_nor_a_secret() -> None:
    for name, made in RESOURCES.items():
        assert name in ("LoginClient",) or "LoginClient" not in set(named(made)), name
    environments = json.dumps([made.get("Properties", {}).get("Environment") for made in RESOURCES.values()])
    assert "ClientSecret" not in environments
    assert "LoginProviderSecret" not in environments


def test_the_pool_and_its_login_know_nothing_of_the_api() -> None:
    for name in ("LoginPool", "LoginDomain", "LoginAdministrators", "LoginViewers", "LoginOrganisation"):
        assert not {"RestAPI", "APIHandler"} & set(named(RESOURCES[name])), name


def test_rights_end_at_the_pool() -> None:
    [said] = [each for each in API_RIGHTS if "cognito-idp" in json.dumps(each["Action"])]
    assert said["Resource"]["Fn::If"][:2] == ["HasBrowserLogin", {"Fn::GetAtt": ["LoginPool", "Arn"]}]
    assert [
        action
        for action in said["Action"]
        if action.split(":")[1].startswith(("Create", "Update", "Delete", "AdminSet"))
    ] == []


def test_nobody_signs_up_by_themselves_and_only_codes_are_given() -> None:
    pool, client = RESOURCES["LoginPool"]["Properties"], RESOURCES["LoginClient"]["Properties"]
    assert pool["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    assert (client["GenerateSecret"], client["AllowedOAuthFlows"]) == (True, ["code"])
    assert client["ExplicitAuthFlows"] == ["ALLOW_REFRESH_TOKEN_AUTH"]
    assert client["PreventUserExistenceErrors"] == "ENABLED"


@pytest.mark.parametrize(
    ("action", "replacement", "lost"),
    [("Remove", "", True), ("Modify", "True", True), ("Modify", "False", False), ("Add", "", False)],
)
def test_a_deployment_that_would_lose_the_pool_is_refused(action: str, replacement: str, lost: bool) -> None:
    change = Change(action, "LoginPool", "AWS::Cognito::UserPool", replacement, frozenset())
    assert is_lost(change) is lost
