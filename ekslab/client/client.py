"""The client: methods for the common requests, `call` for the rest. The command line uses nothing else."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast
from urllib.parse import quote, urlencode

from ekslab.client.http import Answer, NoAnswer, SignedHttp, Transport
from ekslab.client.retries import delays, is_passing, send
from ekslab.client.shapes import Accepted, Lab, LabInList
from ekslab.words import t

#: Seconds between looks at a lab that is being waited for.
EVERY = 3.0
#: Phases in which no work is under way.
RESTING = frozenset({"ready", "hibernated", "deleted", "failed", "refused", "lost", "blocked", "awaiting-approval"})
_JSON = {"Content-Type": "application/json"}


class Refused(Exception):
    """The service refused; `answer` has the status and the problem document."""

    def __init__(self, answer: Answer) -> None:
        """Its message is the service's."""
        body = answer.body
        detail = body.get("detail") or body.get("message") if isinstance(body, dict) else body
        super().__init__(f"{answer.status} {detail}".rstrip())
        self.answer = answer


class NotInTime(Exception):
    """The awaited state did not come in time; `lab` is as last seen, None if never."""

    def __init__(self, lab: Lab | None) -> None:
        """The lab's workflow continues."""
        super().__init__(
            t("It was not seen in time.")
            if lab is None
            else t("{name} is still {phase}.", name=lab["name"], phase=lab["phase"])
        )
        self.lab = lab


class Client:
    """The client of one installation.

    Requests that may be repeated are sent again, with backoff, when they are throttled, fail transiently or get no answer: GET,
    PUT, PATCH and DELETE, and `create_lab`, which has an idempotency key. Others are repeated only when the gateway answers that
    it did not forward them (429).
    """

    def __init__(
        self,
        url: str = "",
        region: str | None = None,
        profile: str | None = None,
        *,
        transport: Transport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`region` is the API's own: None takes it from the URL, else from the AWS configuration."""
        self._transport = transport or SignedHttp(url, region, profile)
        self._sleep, self._clock = sleep, clock
        #: The language of the answers' sentences, such as `ko`; empty: English.
        self.language = ""

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request and return its answer, refusals included. Raises NoAnswer, NoCredentials."""
        return send(self._transport, method, path, body, self._spoken(headers), self._sleep)

    def pages(self, path: str, query: Mapping[str, str | None]) -> Iterator[Answer]:
        """Every page of a list, one call at a time; the last one may be a refusal."""
        cursor: str | None = None
        while True:
            answer = self.call("GET", with_query(path, {**query, "cursor": cursor}))
            yield answer
            cursor = answer.body.get("cursor") if answer.ok else None
            if cursor is None:
                return

    def create_lab(self, request: Mapping[str, Any], key: str | None = None) -> Accepted:
        """Request a lab by the fields of docs/request.md; retries never make a second one. Raises Refused."""
        headers = {**_JSON, "Idempotency-Key": key or new_key()}
        return cast(Accepted, _body(self.call("POST", "/labs", json.dumps(request).encode(), headers)))

    def dry_run(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """The completed request, every warning and the cost; nothing is stored. Raises Refused."""
        answer = self.call("POST", "/labs?dryRun=true", json.dumps(request).encode(), {**_JSON})
        return cast(Mapping[str, Any], _body(answer))

    def lab(self, lab_id: str) -> Lab:
        """One lab. Raises Refused."""
        return cast(Lab, _body(self.call("GET", lab_path(lab_id))))

    def labs(self, owner: str | None = None, phases: Iterable[str] = ()) -> Iterator[LabInList]:
        """Labs, newest first; yours, or `owner`'s, or everyone's (`*`). Raises Refused."""
        for answer in self.pages("/labs", {"owner": owner, "phase": ",".join(phases) or None, "limit": "100"}):
            yield from cast(list[LabInList], _body(answer)["labs"])

    def delete_lab(self, lab_id: str) -> Accepted:
        """Delete a lab. Raises Refused."""
        return cast(Accepted, _body(self.call("DELETE", lab_path(lab_id))))

    def kubeconfig(self, lab_id: str) -> str:
        """Its kubeconfig, as YAML; there is no secret in it. Raises Refused."""
        return str(_body(self.call("GET", lab_path(lab_id, "kubeconfig"))))

    def wait(self, lab_id: str, timeout: float | None = None, seen: Callable[[Lab], None] | None = None) -> Lab:
        """Poll until the lab rests (ready, hibernated, deleted, failed, blocked); pass each answer to `seen`.

        It retries transient failures and lost connections. Raises NotInTime after `timeout` seconds, and Refused for a lab that
        does not exist or that you may not see.
        """
        until = None if timeout is None else self._clock() + timeout
        waiting, lab = delays(EVERY), None
        while True:
            found = self._look(lab_id)
            if found is not None:
                lab, waiting = found, delays(EVERY)
                if seen:
                    seen(lab)
                if lab["phase"] in RESTING:
                    return lab
            if until is not None and self._clock() >= until:
                raise NotInTime(lab)
            self._sleep(EVERY if found is not None else next(waiting))

    def _spoken(self, headers: Mapping[str, str] | None) -> Mapping[str, str] | None:
        return {"Accept-Language": self.language, **(headers or {})} if self.language else headers

    def _look(self, lab_id: str) -> Lab | None:
        """The lab; None after a transient failure."""
        try:
            answer = self._transport.call("GET", lab_path(lab_id), None, self._spoken(None))
        except NoAnswer:
            return None
        return None if is_passing(answer) else cast(Lab, _body(answer))


def new_key() -> str:
    """A new idempotency key."""
    return os.urandom(16).hex()


def lab_path(lab_id: str, part: str = "") -> str:
    """The path of a lab, or of a part of it."""
    return f"/labs/{quote(lab_id, safe='')}" + (f"/{part}" if part else "")


def with_query(path: str, query: Mapping[str, str | None]) -> str:
    """A path with the parameters that have a value."""
    given = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(given, quote_via=quote, safe='')}" if given else path


def _body(answer: Answer) -> Any:
    if not answer.ok:
        raise Refused(answer)
    return answer.body
