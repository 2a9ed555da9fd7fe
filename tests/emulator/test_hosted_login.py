"""A user pool's login as browsers see it: a persistent cookie, a `/logout` that ends it, providers by CloudFormation."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from emulator.process import Sandbox

CALLBACK = "https://app.example.com/callback"
SIGNED_OUT = "https://app.example.com/signed-out"
VERIFIER = "v" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
STACK = "login"
TEMPLATE: dict[str, Any] = {
    "Pool": {"Type": "AWS::Cognito::UserPool", "Properties": {"UserPoolName": "people"}},
    "Group": {
        "Type": "AWS::Cognito::UserPoolGroup",
        "Properties": {"UserPoolId": {"Ref": "Pool"}, "GroupName": "administrators"},
    },
    "Organisation": {
        "Type": "AWS::Cognito::UserPoolIdentityProvider",
        "Properties": {
            "UserPoolId": {"Ref": "Pool"},
            "ProviderName": "Organisation",
            "ProviderType": "OIDC",
            "ProviderDetails": {
                "client_id": "c", "client_secret": "s", "oidc_issuer": "https://idp.example.com", "authorize_scopes": "openid",
                "attributes_request_method": "GET", "authorize_url": "https://idp.example.com/authorize",
            },
            "AttributeMapping": {"email": "email"},
        },
    },
    "Client": {
        "Type": "AWS::Cognito::UserPoolClient",
        "Properties": {
            "UserPoolId": {"Ref": "Pool"},
            "GenerateSecret": True,
            "AllowedOAuthFlowsUserPoolClient": True,
            "AllowedOAuthFlows": ["code"],
            "AllowedOAuthScopes": ["openid", "email"],
            "CallbackURLs": [CALLBACK],
            "LogoutURLs": [SIGNED_OUT],
            "SupportedIdentityProviders": ["COGNITO", {"Ref": "Organisation"}],
        },
    },
}  # fmt: skip


@dataclass
class Login:
    """A pool with a client, and a browser without cookies of its own."""

    sandbox: Sandbox
    pool: str
    client_id: str
    secret: str

    def ask(
        self, method: str, path: str, fields: Mapping[str, str], cookie: str = "", authorization: str = ""
    ) -> tuple[int, Mapping[str, str], str]:
        there = http.client.HTTPConnection("127.0.0.1", self.sandbox.port, timeout=30)
        headers = {
            "Cookie": cookie,
            "Content-Type": "application/x-www-form-urlencoded",
            "Authorization": authorization,
        }
        query, body = ("", urlencode(fields)) if method == "POST" else (f"?{urlencode(fields)}", None)
        there.request(method, path + query, body, {name: value for name, value in headers.items() if value})
        answer = there.getresponse()
        text = answer.read().decode()
        there.close()
        return answer.status, dict(answer.getheaders()), text

    def wanted(self, **more: str) -> dict[str, str]:
        fields = {
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid email",
        }
        return (
            fields | {"state": "s", "nonce": "n", "code_challenge": CHALLENGE, "code_challenge_method": "S256"} | more
        )

    def sign_in(self, username: str = "learner") -> tuple[Mapping[str, str], str]:
        """The headers of the redirect to the application, and the cookie in the browser."""
        fields = self.wanted(username=username, password="Learner-1")
        status, headers, text = self.ask("POST", "/login", fields)
        assert status == 302, text
        return headers, headers["Set-Cookie"].partition(";")[0]

    def claims(self, location: str) -> Any:
        code = parse_qs(urlsplit(location).query)["code"][0]
        basic = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        status, _, text = self.ask("POST", "/oauth2/token", fields, authorization=f"Basic {basic}")
        assert status == 200, text
        payload = json.loads(text)["id_token"].split(".")[1]
        return json.loads(base64.urlsafe_b64decode(payload + "=="))


@pytest.fixture(scope="module")
def login(sandbox: Sandbox) -> Iterator[Login]:
    cloudformation, cognito = sandbox.client("cloudformation"), sandbox.client("cognito-idp")
    outputs = {name: {"Value": {"Ref": name}} for name in ("Pool", "Client", "Organisation")}
    cloudformation.create_stack(StackName=STACK, TemplateBody=json.dumps({"Resources": TEMPLATE, "Outputs": outputs}))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    [stack] = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    made = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    client = cognito.describe_user_pool_client(UserPoolId=made["Pool"], ClientId=made["Client"])["UserPoolClient"]
    for name, verified in (("learner", "true"), ("unverified", "false"), ("unsaid", None)):
        attributes = [{"Name": "email", "Value": f"{name}@example.com"}]
        attributes += [{"Name": "email_verified", "Value": verified}] if verified else []
        cognito.admin_create_user(
            UserPoolId=made["Pool"], Username=name, UserAttributes=attributes, MessageAction="SUPPRESS"
        )
        cognito.admin_set_user_password(UserPoolId=made["Pool"], Username=name, Password="Learner-1", Permanent=True)
    yield Login(sandbox, made["Pool"], made["Client"], client["ClientSecret"])
    cloudformation.delete_stack(StackName=STACK)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})


def test_whoever_signed_in_is_offered_to_go_on_without_a_password(login: Login) -> None:
    headers, cookie = login.sign_in()
    for attribute in ("HttpOnly", "Secure", "SameSite=Lax", "Max-Age=3600"):
        assert attribute in headers["Set-Cookie"]
    status, _, page = login.ask("GET", "/oauth2/authorize", login.wanted(), cookie)
    assert (status, "Sign in as learner" in page) == (200, True)
    status, headers, _ = login.ask("POST", "/login", login.wanted(go_on="yes"), cookie)
    assert status == 302
    assert login.claims(headers["Location"])["cognito:username"] == "learner"


def test_a_login_that_is_asked_for_anew_takes_the_password(login: Login) -> None:
    _, cookie = login.sign_in()
    assert "Sign in as" not in login.ask("GET", "/oauth2/authorize", login.wanted(prompt="login"), cookie)[2]
    assert "Sign in as" not in login.ask("GET", "/login", login.wanted())[2]


def test_logging_out_ends_the_cookie_and_leads_where_the_client_allows(login: Login) -> None:
    _, cookie = login.sign_in()
    asked = {"client_id": login.client_id, "logout_uri": SIGNED_OUT}
    status, headers, _ = login.ask("GET", "/logout", asked, cookie)
    assert (status, headers["Location"]) == (302, SIGNED_OUT)
    assert "Max-Age=0" in headers["Set-Cookie"]
    assert "Sign in as" not in login.ask("GET", "/login", login.wanted(), cookie)[2]
    assert login.ask("POST", "/login", login.wanted(go_on="yes"), cookie)[0] == 400


def test_logging_out_leads_nowhere_else(login: Login) -> None:
    _, cookie = login.sign_in()
    asked = {"client_id": login.client_id, "logout_uri": "https://evil.example"}
    assert login.ask("GET", "/logout", asked, cookie)[0] == 400
    assert "Sign in as learner" in login.ask("GET", "/login", login.wanted(), cookie)[2]


def test_logging_out_to_sign_in_again_leads_to_the_login(login: Login) -> None:
    status, headers, _ = login.ask("GET", "/logout", login.wanted())
    assert (status, urlsplit(headers["Location"]).path) == (302, "/login")


def test_a_disabled_user_is_not_offered_to_go_on(login: Login) -> None:
    _, cookie = login.sign_in()
    cognito = login.sandbox.client("cognito-idp")
    cognito.admin_disable_user(UserPoolId=login.pool, Username="learner")
    try:
        assert "Sign in as" not in login.ask("GET", "/login", login.wanted(), cookie)[2]
    finally:
        cognito.admin_enable_user(UserPoolId=login.pool, Username="learner")


@pytest.mark.parametrize(("username", "verified"), [("learner", True), ("unverified", False), ("unsaid", False)])
def test_an_address_is_verified_if_somebody_said_so(login: Login, username: str, verified: bool) -> None:
    headers, _ = login.sign_in(username)
    assert login.claims(headers["Location"])["email_verified"] is verified


def test_an_identity_provider_comes_changes_and_goes_with_its_stack(login: Login) -> None:
    cognito, cloudformation = login.sandbox.client("cognito-idp"), login.sandbox.client("cloudformation")
    found = cognito.describe_identity_provider(UserPoolId=login.pool, ProviderName="Organisation")["IdentityProvider"]
    assert (found["ProviderType"], found["AttributeMapping"]) == ("OIDC", {"email": "email"})
    status, headers, _ = login.ask("GET", "/oauth2/authorize", login.wanted(identity_provider="Organisation"))
    assert (status, headers["Location"].partition("?")[0]) == (302, "https://idp.example.com/authorize")
    changed = json.loads(json.dumps(TEMPLATE))
    changed["Organisation"]["Properties"]["AttributeMapping"] = {"email": "mail"}
    cloudformation.update_stack(StackName=STACK, TemplateBody=json.dumps({"Resources": changed}))
    cloudformation.get_waiter("stack_update_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    found = cognito.describe_identity_provider(UserPoolId=login.pool, ProviderName="Organisation")["IdentityProvider"]
    assert found["AttributeMapping"] == {"email": "mail"}
