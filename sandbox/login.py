"""People who sign in to the page by browser: users of the installation's user pool, whose passwords are for this machine alone.

The login knows the page by API Gateway's address on AWS; here it also gets the address on this machine.
"""

import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from emulator.process import Sandbox

LEARNER, ADMINISTRATOR = "learner", "administrator"
#: A sandbox listens on the loopback only, and is gone with its process.
PASSWORD = "Sandbox-Only-1"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def page_url(sandbox: Sandbox, outputs: Mapping[str, str]) -> str:
    """The page's address for a browser: a host of its own, as on AWS, so that page and login are two sites."""
    return f"http://{outputs['RestAPIId']}.execute-api.localhost:{sandbox.port}/api/"


def make_logins(sandbox: Sandbox, outputs: Mapping[str, str]) -> None:
    """Allow the login to redirect here, and make a learner and an administrator."""
    cognito, pool = sandbox.client("cognito-idp"), outputs["LoginPoolId"]
    page = page_url(sandbox, outputs)
    [client] = cognito.list_user_pool_clients(UserPoolId=pool, MaxResults=60)["UserPoolClients"]
    known = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=client["ClientId"])["UserPoolClient"]
    kept = {name: value for name, value in known.items() if name not in _GIVEN and value != ""}
    addresses = {
        "CallbackURLs": [f"{page}ui/callback", *known["CallbackURLs"]],
        "LogoutURLs": [f"{page}ui/signed-out", *known["LogoutURLs"]],
    }
    cognito.update_user_pool_client(**{**kept, **addresses})
    make_user(sandbox, pool, LEARNER)
    make_user(sandbox, pool, ADMINISTRATOR, "administrators")


_GIVEN = ("ClientSecret", "CreationDate", "LastModifiedDate")


def make_user(sandbox: Sandbox, pool: str, username: str, *groups: str) -> None:
    """A user whose password needs no change, in these groups."""
    cognito = sandbox.client("cognito-idp")
    email = [{"Name": "email", "Value": f"{username}@example.com"}]
    cognito.admin_create_user(UserPoolId=pool, Username=username, UserAttributes=email, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username=username, Password=PASSWORD, Permanent=True)
    for group in groups:
        cognito.admin_add_user_to_group(UserPoolId=pool, Username=username, GroupName=group)


@dataclass(frozen=True, slots=True)
class Seen:
    """A browser's answer: `headers` in lower case; `cookies` as they were set."""

    status: int
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    text: str


class PlainBrowser:
    """A browser without a script: it keeps cookies by host, and follows no redirects."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._port, self.kept = sandbox.port, dict[str, dict[str, str]]()

    def ask(self, method: str, url: str, fields: Mapping[str, str] | None = None) -> Seen:
        """Send one request; names below localhost are this machine."""
        parts, body = urlsplit(url), urlencode(fields) if fields is not None else None
        jar = self.kept.setdefault(parts.netloc, {})
        headers = {"Host": parts.netloc, "Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())}
        if body is not None:
            headers |= {**FORM, "Origin": f"{parts.scheme}://{parts.netloc}"}
        there = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        there.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, headers)
        answer = there.getresponse()
        text = answer.read().decode()
        there.close()
        given = dict(cookie.partition(";")[0].split("=", 1) for cookie in answer.headers.get_all("Set-Cookie") or ())
        jar |= given
        for name in [name for name, value in jar.items() if not value]:
            del jar[name]
        return Seen(answer.status, {name.lower(): value for name, value in answer.headers.items()}, given, text)
