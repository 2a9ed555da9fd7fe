"""A lab with only a browser: sign in, request it, watch, extend and end it, read its receipt, sign out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest

from sandbox.login import ADMINISTRATOR, LEARNER, PASSWORD, PlainBrowser, Seen, make_user, page_url
from sandbox.stage import Stage

pytestmark = pytest.mark.story


class Reader:
    """A person at a browser: follows links and redirects, and sends the forms of the pages."""

    def __init__(self, stage: Stage) -> None:
        self.browser = PlainBrowser(stage.sandbox)
        self.page = page_url(stage.sandbox, stage.outputs)

    def get(self, path: str) -> Seen:
        return self.browser.ask("GET", self.page + path)

    def send(self, path: str, **fields: str) -> Seen:
        shown = self.get("ui/labs").text
        found = re.search(r'name="form_token" value="([^"]+)"', shown)
        assert found, shown
        return self.browser.ask("POST", self.page + path, {"form_token": found[1], **fields})

    def sign_in(self, username: str, password: str = PASSWORD) -> Seen:
        begun = self.get("ui/login")
        assert begun.status == 303, begun.text
        login = self.browser.ask("GET", begun.headers["location"])
        back = self.browser.ask("POST", urljoin(begun.headers["location"], "/login"), {
            **fields_of(login.text), "username": username, "password": password,
        })  # fmt: skip
        assert back.status == 302, back.text
        assert back.headers["location"].startswith(f"{self.page}ui/callback?")
        came = self.browser.ask("GET", back.headers["location"])
        assert came.status == 303, came.text
        return self.browser.ask("GET", urljoin(back.headers["location"], came.headers["location"]))


def fields_of(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: unescape(value) for name, value in found}


def test_a_lab_s_whole_life_with_nothing_but_a_browser(stage: Stage) -> None:
    reader = Reader(stage)
    assert reader.get("ui/labs").status == 401
    assert "Labs" in reader.sign_in(LEARNER).text
    asked = reader.send("ui/ask", name="by-browser", leaseHours="2", key="0" * 32, then="ask")
    assert asked.status == 303, asked.text
    lab_id = urlsplit(asked.headers["location"]).path.rpartition("/")[2]
    admin = stage.people.administrator
    lab = stage.wait(admin, lab_id, lambda lab: lab["phase"] in ("ready", "failed", "blocked"))
    assert lab["phase"] == "ready", lab
    assert re.fullmatch(rf"arn:aws:cognito-idp:[\w-]+:\d+:userpool/[\w-]+/[\w-]+/{LEARNER}", lab["owner"])
    assert f"{lab_id}" in reader.get("ui/labs").text
    assert "clusters:" in reader.get(f"ui/labs/{lab_id}/kubeconfig").text
    assert reader.send(f"ui/labs/{lab_id}/extend", hours="1").status == 303
    assert reader.get("ui/tonight").status == 200
    assert reader.send(f"ui/labs/{lab_id}/end", sure="yes").status == 303
    stage.wait(admin, lab_id, lambda lab: lab["phase"] == "deleted")
    assert "Nothing of the lab" in reader.get(f"ui/labs/{lab_id}").text
    others_see_nothing_administrators_all(stage, lab_id)
    signing_out_ends_here_and_the_login_still_knows_the_browser(reader, stage.outputs)


def others_see_nothing_administrators_all(stage: Stage, lab_id: str) -> None:
    cognito, pool = stage.sandbox.client("cognito-idp"), stage.outputs["LoginPoolId"]
    cognito.create_group(UserPoolId=pool, GroupName="team-shop")
    cognito.admin_add_user_to_group(UserPoolId=pool, Username=LEARNER, GroupName="team-shop")
    make_user(stage.sandbox, pool, "stranger")
    make_user(stage.sandbox, pool, "mate", "team-shop")
    stranger, mate, administrator = Reader(stage), Reader(stage), Reader(stage)
    stranger.sign_in("stranger")
    assert stranger.get(f"ui/labs/{lab_id}").status == 404
    mate.sign_in("mate")
    assert mate.get(f"ui/labs/{lab_id}").status == 200
    administrator.sign_in(ADMINISTRATOR)
    assert administrator.get(f"ui/labs/{lab_id}").status == 200
    for username in ("stranger", "mate"):
        cognito.admin_delete_user(UserPoolId=pool, Username=username)
    cognito.delete_group(UserPoolId=pool, GroupName="team-shop")


def signing_out_ends_here_and_the_login_still_knows_the_browser(reader: Reader, outputs: Mapping[str, str]) -> None:
    out = reader.send("ui/signout")
    assert out.status == 200, outputs
    assert reader.get("ui/labs").status == 401
    again = reader.browser.ask("GET", reader.get("ui/login").headers["location"])
    assert f"Sign in as {LEARNER}" in again.text
    found = re.search(r'href="(http[^"]+/logout\?[^"]+)"', out.text)
    assert found, out.text
    left = reader.browser.ask("GET", unescape(found[1]))
    assert left.headers["location"] == f"{reader.page}ui/signed-out"
    assert reader.get("ui/signed-out").status == 200
    assert "Sign in as" not in reader.browser.ask("GET", reader.get("ui/login").headers["location"]).text


def test_a_code_of_another_browser_and_a_wrong_password_let_nobody_in(stage: Stage) -> None:
    victim, attacker = Reader(stage), Reader(stage)
    begun = attacker.get("ui/login").headers["location"]
    login = attacker.browser.ask("GET", begun)
    form = {**fields_of(login.text), "username": LEARNER}
    assert attacker.browser.ask("POST", urljoin(begun, "/login"), {**form, "password": "wrong"}).status == 200
    back = attacker.browser.ask("POST", urljoin(begun, "/login"), {**form, "password": PASSWORD}).headers["location"]
    assert parse_qs(urlsplit(back).query)["code"]
    assert victim.browser.ask("GET", back).status == 400
    assert attacker.browser.ask("GET", back).status == 303
    assert attacker.browser.ask("GET", back).status == 400
