"""The page of permissions matches the policies."""

from __future__ import annotations

import json

from deployment.packaging import PROJECT
from deployment.permissions import PAGE, page
from deployment.permissions_roles import REASONS, UNBOUND, statements


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == page(), "run `make compose`"


def test_every_right_is_there_with_its_reason_and_everybody_who_has_it() -> None:
    text = page()
    for name, said in json.loads((PROJECT / ".chalice/statements.json").read_text()).items():
        section = text.partition(f"## {name}\n")[2].partition("\n## ")[0]
        assert said["why"] in section, name
        assert all(
            f"`{action}`" in section
            for action in ([said["Action"]] if isinstance(said["Action"], str) else said["Action"])
        )
    for function, names in json.loads((PROJECT / ".chalice/grants.json").read_text()).items():
        for name in names:
            section = text.partition(f"## {name}\n")[2].partition("\n## ")[0]
            assert function in ("*", "event handlers") or f"`{function}`" in section


def test_every_role_policy_and_key_is_there_with_its_actions_and_reasons() -> None:
    resources = json.loads((PROJECT / ".chalice/resources.json").read_text())["Resources"]
    kinds = ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::KMS::Key")
    reasons, text = json.loads(REASONS.read_text()), page()
    assert set(reasons) == {name for name, made in resources.items() if made.get("Type") in kinds}
    for name, why in reasons.items():
        section = text.partition(f"## {name}\n")[2].partition("\n## ")[0]
        assert set(why) == {"about", *(said["Sid"] for said in statements(resources[name]))}, name
        assert all(reason in section for reason in why.values())
        for said in statements(resources[name]):
            actions = [said["Action"]] if isinstance(said["Action"], str) else said["Action"]
            assert all(f"`{action}`" in section for action in actions), said["Sid"]


def test_what_cannot_be_bound_and_what_a_member_account_gives_is_on_it() -> None:
    text = page()
    assert all(why in text for why in json.loads(UNBOUND.read_text()).values())
    member = text.partition("## ekslab-member-read, ekslab-member-labs\n")[2].partition("\n## ")[0]
    assert "with `ChangeSupport=true`: `set-support-policy`" in member
    assert "`labs-table`" not in member
