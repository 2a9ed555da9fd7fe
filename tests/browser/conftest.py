"""A Chromium, and the pages for it: the service on the fakes behind `ekslab dashboard`, in this process with the real proxy; or
the service in a sandbox, with a login by Cognito.

Skipped without Playwright or Chromium, with the commands that install them; in CI the tests fail instead.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from chalicelib.domain.core.resources import EntryState, Kind, LedgerEntry, Resource
from chalicelib.domain.costs import meter_of
from chalicelib.domain.labs.lab import ClusterFacts, Planned
from chalicelib.domain.labs.spec import WorkHostSpec
from chalicelib.domain.labs.steps import Event, Step, StepStatus
from ekslab.dashboard import Door, Page, listen, serve
from tests.api.curfew_world import CURFEW, LAB, NIGHT, SEOUL, a_ready_lab, a_world, an_entry
from tests.api.http import Http
from tests.examples import CI, PYTHON
from tests.fakes import NOW, OWNER, a_lab, a_spec
from tests.fakes.fleet_builders import a_fleet_cluster, a_watched
from tests.paths import PROJECT

INSTALL = "make browser && apt-get install chromium fonts-nanum"
FACTS = ClusterFacts(endpoint="https://0123.gr7.ap-northeast-2.eks.amazonaws.com", certificate_authority="LS0t")


@dataclass
class Shown:
    """A page under test: its own context, the world behind it, and the login link."""

    context: Any
    http: Http
    door: Door

    def page(self, path: str = "/ui/labs") -> Any:
        page = self.context.new_page()
        if self.door.link:
            page.goto(f"{self.door.origin}/start?{self.door.link}")
        page.goto(self.door.origin + path)
        return page


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None and CI:
        pytest.fail(f"CI needs Chromium: {INSTALL}")
    if found is None:
        pytest.skip(f"needs Chromium: {INSTALL}")
    sync_api = pytest.importorskip("playwright.sync_api", reason=f"needs Playwright: {INSTALL}")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Installed:
    """The service in a sandbox: its page's address, as on AWS with a host of its own beside the login's."""

    process: subprocess.Popen[str]
    page: str

    def plan_the_night(self) -> None:
        """Start a curfew run."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write("sweep\n")
        self.process.stdin.flush()
        assert json.loads(self.process.stdout.readline()) == {"planned": "done"}


@pytest.fixture(scope="session")
def installed(chromium: Any) -> Iterator[Installed]:
    command = [PYTHON, "-m", "tests.browser.installed"]
    with subprocess.Popen(
        command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout
        said = process.stdout.readline()
        assert said, "The sandbox did not start: its own words stand above."
        yield Installed(process, json.loads(said)["page"])


def a_world_to_see() -> Http:
    """A ready lab on tonight's plan, a new one, an ended one; clusters."""
    entry = an_entry()
    spec = a_spec(schedule=SEOUL, work_host=WorkHostSpec())
    lab = a_ready_lab(facts=FACTS, planned=Planned(NIGHT, entry.id, CURFEW), spec=spec)
    http = a_world(lab, entry)
    prices = http.world.deps.curfew.prices("ap-northeast-2")
    metered = lab.metered_since(meter_of(spec, prices, None, "UTC"), lab.created_at)
    host = Resource(
        Kind.INSTANCE, "i-0123456789abcdef0", f"arn:aws:ec2:ap-northeast-2:{lab.account}:instance/i-0123456789abcdef0"
    )
    http.world.store.record(LAB, LedgerEntry(host, EntryState.PRESENT, "asked for by provision", NOW, NOW))
    for title in (
        "Network, security groups and roles",
        "Control plane",
        "Work host",
        "Node groups",
        "Add-ons",
        "Verification",
    ):
        http.world.store.record_step(
            LAB, Step("provision", title, title, StepStatus.DONE, lab.created_at, NOW - timedelta(hours=29))
        )
    http.world.store.add_event(LAB, Event(lab.created_at, "requested", "Lab myeks was requested: Kubernetes 1.36."))
    http.world.store.put(metered, a_lab(id="lab-coming", spec=a_spec(name="coming"), phase="provisioning"))
    http.world.watch.store.put(a_watched("orders", cluster=a_fleet_cluster("orders"), owner="learner@example.com"))
    return http


@pytest.fixture(params=["with script", "without script"])
def shown(request: pytest.FixtureRequest, chromium: Any) -> Iterator[Shown]:
    yield from showing(chromium, java_script_enabled=request.param == "with script")


def showing(
    chromium: Any, world: Callable[[], Http] = a_world_to_see, who: str = OWNER, **options: Any
) -> Iterator[Shown]:
    http = world()
    token = http.post("/sessions", None, caller=who).json["token"]
    server = listen(0)
    door = Door(server.server_address[1], time.monotonic())
    alone = threading.Lock()

    def upstream(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Page:
        parts = urlsplit(path)
        sent = body.decode() if body is not None else None
        with alone:
            answer = http.call(
                method, parts.path, body=sent, query=dict(parse_qsl(parts.query)) or None, caller="", headers=headers
            )
        named = {name.lower(): str(value) for name, value in answer.headers.items()}
        return Page(answer.status, named, answer.text.encode())

    thread = threading.Thread(target=serve, args=(door, upstream, token, server))
    thread.start()
    context = chromium.new_context(**options)
    try:
        yield Shown(context, http, door)
    finally:
        context.close()
        server.shutdown()
        thread.join()
        server.server_close()
