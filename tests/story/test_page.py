"""A lab's life on the page, behind `ekslab dashboard`: requested, watched, extended, ended, its receipt read."""

from __future__ import annotations

import html
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlencode, urljoin

import pytest

from ekslab.dashboard import Door, listen, serve, to_service
from sandbox.stage import Stage
from tests.story.steps import Learner, learner, until

pytestmark = pytest.mark.story
KIND = "application/x-www-form-urlencoded"


@dataclass
class Browser:
    """A browser without scripts, at the proxy's address."""

    door: Door
    cookie: str = ""

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str, str]:
        """Status, text, and the final address."""
        connection = HTTPConnection("127.0.0.1", self.door.port, timeout=60)
        headers = {"cookie": self.cookie}
        if body is not None:
            headers |= {"content-type": KIND, "origin": self.door.origin}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        if cookie := answer.getheader("set-cookie"):
            self.cookie = cookie.partition(";")[0]
        return answer.status, answer.read().decode(), urljoin(path, answer.getheader("location") or "")

    def page(self, path: str) -> str:
        status, text, _ = self.ask("GET", path)
        assert status == 200, (path, status, text)
        return html.unescape(text)

    def send(self, at: str, action: str, **fields: str) -> str:
        """Send the form of a page; return the final address."""
        found = re.search(r'name="form_token" value="([^"]+)"', self.page(at))
        assert found
        status, text, there = self.ask("POST", action, urlencode({"form_token": found[1], **fields}))
        assert status == 303, (status, text)
        return there


@contextmanager
def a_dashboard(who: Learner) -> Iterator[Browser]:
    """The proxy with a person's session."""
    answer = who.stage.call(who.person, "POST", "/sessions")
    assert answer.status == 201, answer.body
    server = listen(0)
    door = Door(server.server_address[1], time.monotonic())
    upstream = to_service(who.stage.url)
    thread = threading.Thread(target=serve, args=(door, upstream, answer.json["token"], server))
    thread.start()
    try:
        browser = Browser(door)
        status, _, there = browser.ask("GET", f"/start?{door.link}")
        assert (status, there) == (303, "/ui/labs")
        yield browser
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_lab_lives_its_life_on_the_page(stage: Stage) -> None:
    with a_dashboard(learner(stage)) as browser:
        # Given a form, when its price is requested, then it is shown and nothing is created
        assert "There is none." in browser.page("/ui/labs")
        found = re.search(r'name="key" value="([^"]+)"', browser.page("/ui/ask"))
        assert found
        fields = {"name": "by-page", "leaseHours": "2", "key": found[1]}

        # When it is submitted, then the page leads to the lab, and it becomes ready
        there = browser.send("/ui/ask", "/ui/ask", then="ask", **fields)
        assert there.startswith("/ui/labs/lab-")
        lab = there.partition("?")[0]
        assert "The lab was asked for." in browser.page(there)
        ready = until(lambda: browser.page(lab), lambda text: 'phase-ready"' in text, "the lab becomes ready")
        assert "by-page" in browser.page("/ui/labs")
        assert "192.168.0.0/18" in ready
        assert "apiVersion: v1" in browser.page(f"{lab}/kubeconfig")

        # When it is extended, then the page says so; tonight's plan, clusters and rules are readable
        assert "The lease was extended." in browser.page(browser.send(lab, f"{lab}/extend", hours="1"))
        assert "The night of" in browser.page("/ui/tonight")
        assert "Clusters" in browser.page("/ui/clusters")
        assert "for administrators to change" in browser.page("/ui/administration")
        assert "openapi.json" in browser.page("/ui/api")

        # When it is ended, then its receipt is on the same page
        browser.send(lab, f"{lab}/end", sure="yes")
        over = until(lambda: browser.page(lab), lambda text: 'phase-deleted"' in text, "the lab ends")
        assert "Receipt</h2>" in over
        assert "Nothing of the lab's is left." in over


def test_a_browser_without_a_session_is_told_the_way_in(stage: Stage) -> None:
    upstream = to_service(stage.url)
    for path in ("/", "/ui/labs", "/ui/nothing/here"):
        page = upstream("GET", path, {"accept": "text/html"}, None)
        assert page.status == 401, (path, page.body)
        assert b"ekslab dashboard" in page.body
    assert upstream("GET", "/openapi.json", {}, None).status == 200
    style = upstream("GET", "/ui/static/style.css", {"accept": "text/css,*/*;q=0.1"}, None)
    assert (style.status, style.headers["content-type"]) == (200, "text/css; charset=utf-8")
    icon = upstream("GET", "/ui/static/icon.svg", {"accept": "image/avif,image/svg+xml,*/*;q=0.8"}, None)
    assert icon.body.startswith(b"<svg")
