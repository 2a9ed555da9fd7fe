"""Least privilege: some story uses each permission of a function, and no other of its permissions would do.

The exceptions and their reasons are in tests/data/rights-unasked.json.
"""

import os
from collections.abc import Mapping
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any

import pytest

from sandbox.recorded_requests import questions_left
from sandbox.stage import Stage
from tests.deployment import rights

pytestmark = pytest.mark.story

#: With this variable set, the requested actions are stored in the repository: `make rights`.
KEEP = "EKSLAB_KEEP_RIGHTS"


def test_each_right_of_a_function_is_needed_in_some_story(
    left: Path,
    played: Mapping[str, Future[Any]],
    begun: Mapping[str, Future[None]],
    stage: Stage,
    request: pytest.FixtureRequest,
) -> None:
    wait((*played.values(), *begun.values()))
    asked = [*stage.sandbox.admin("GET", "questions")["questions"], *questions_left(left)]
    questions = rights.questions_of(asked)
    if os.environ.get(KEEP) and _all_were_told(request):
        rights.record(questions)
    if not _all_were_told(request):
        pytest.skip("some stories were not told: what they would have asked for is not known")
    # Whether EKS or a sweep is quicker differs from run to run: an excepted permission may be needed in this one. Whether a
    # reason still holds is judged by the stored record: tests/deployment/test_rights_needed.py.
    assert rights.never_needed((*questions, *rights.recorded())) == set(), "not every time means: sometimes"
    assert rights.unneeded_actions(questions) - rights.excused_actions() == set(), "no story needs these actions"
    assert rights.unneeded_rights(questions) - rights.excused() == set(), "no story needs these rights"


def _all_were_told(request: pytest.FixtureRequest) -> bool:
    written = {path.name for path in Path(__file__).parent.glob("test_*.py")}
    collected = {item.path.name for item in request.session.items}
    return written <= collected and not request.config.option.keyword
