"""The pages about the support watch match the code: the events' schema, and the policy of the watch's role."""

from __future__ import annotations

import json
import re

from chalicelib.domain.notices.bus_events import DETAIL_TYPES, SCHEMA
from deployment.member_account import template
from tests.paths import PROJECT
from tests.workflows.machine import camel

JSON_BLOCK = re.compile(r"```json\n(.*?)```", re.DOTALL)


def test_the_schema_of_events_is_the_one_on_the_page() -> None:
    page = (PROJECT / "docs/reference/events.md").read_text()
    assert json.loads(JSON_BLOCK.findall(page)[0]) == json.loads(json.dumps(SCHEMA))
    assert [name for name in DETAIL_TYPES.values() if f"`{name}`" not in page] == []


def allowed_by(name: str) -> set[str]:
    """The actions of one policy of the member account's template."""
    allowed: set[str] = set()
    for statement in template()["Resources"][name]["Properties"]["PolicyDocument"]["Statement"]:
        actions = statement["Action"]
        allowed |= {actions} if isinstance(actions, str) else set(actions)
    return allowed


def changing(actions: set[str]) -> set[str]:
    return {action for action in actions if not re.search(":(Describe|Get|List)", action)}


def test_the_role_of_an_account_that_is_only_watched_may_do_what_the_watch_does_and_change_nothing_else() -> None:
    watching, with_support = allowed_by("WatchPolicy"), allowed_by("SupportPolicy")
    allowed = watching | with_support
    called: set[str] = set()
    eks = PROJECT / "chalicelib/aws/eks"
    for path in (*(eks / "watched").glob("*.py"), eks / "versions.py"):
        text = path.read_text()
        called |= set(re.findall(r"\b((?:list|describe|start|update)_[a-z]+(?:_[a-z]+)*)\b", text))
    assert {camel(call) for call in called} <= {action.partition(":")[2] for action in allowed}
    assert changing(watching) == {"eks:StartInsightsRefresh"}
    assert changing(with_support) == {"eks:UpdateClusterConfig"}
