"""People of the sandbox reach the deployed API with signed requests, as themselves; without permission, they do not."""

import json
from pathlib import Path

import pytest

from deployment.packaging import package
from emulator.process import Credentials, Sandbox
from sandbox.deploy import api_url, deploy
from sandbox.people import People, make_people, signed_request

APP = """
from chalice import Chalice, IAMAuthorizer
app = Chalice(app_name="mirror")
@app.route("/me", methods=["GET", "POST"], authorizer=IAMAuthorizer())
def me():
    request = app.current_request
    return {"arn": request.context["identity"]["userArn"], "body": request.json_body, "query": request.query_params}
"""


@pytest.fixture(scope="module")
def people(sandbox: Sandbox) -> People:
    return make_people(sandbox)


@pytest.fixture(scope="module")
def url(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> str:
    project: Path = tmp_path_factory.mktemp("mirror")
    (project / ".chalice").mkdir()
    (project / "app.py").write_text(APP)
    (project / "requirements.txt").write_text("")
    config = {"version": "2.0", "app_name": "mirror", "api_gateway_stage": "api", "autogen_policy": True}
    (project / ".chalice" / "config.json").write_text(json.dumps(config))
    return api_url(sandbox.url, deploy(sandbox.client, package(project), "mirror"))


def test_each_person_is_seen_as_themselves(url: str, people: People) -> None:
    for person in (people.learner, people.other_learner, people.administrator):
        answer = signed_request("GET", f"{url}/me", person.credentials)
        assert (answer.status, answer.json["arn"]) == (200, person.arn)


def test_a_body_and_a_query_are_signed_too(url: str, people: People) -> None:
    headers = {"Content-Type": "application/json"}
    answer = signed_request(
        "POST", f"{url}/me?phase=ready&owner=a%2Fb", people.learner.credentials, body='{"a": 1}', headers=headers
    )
    assert answer.json["body"] == {"a": 1}
    assert answer.json["query"] == {"phase": "ready", "owner": "a/b"}


def test_a_wrong_secret_is_refused(url: str, people: People) -> None:
    forged = Credentials(people.learner.credentials.access_key_id, "guessed")
    assert signed_request("GET", f"{url}/me", forged).status == 403


def test_a_user_who_may_not_invoke_the_api_is_refused(sandbox: Sandbox, url: str) -> None:
    sandbox.client("iam").create_user(UserName="stranger")
    assert signed_request("GET", f"{url}/me", sandbox.credentials_for("stranger")).status == 403
