"""`make demo`: the course's evening on the running service, with the ending that it should have had.

Everything goes through the REST API as a learner would send it; only the leftovers of Kubernetes are put into the account from
outside. Every promise is a check; one that does not hold makes the exit status non-zero. The second act is in `support.py`, the
third in `curfew.py`.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from deployment.packaging import NotPackaged
from emulator.core.memory import measured
from emulator.core.settings import REGION, Settings
from sandbox.course import DOMAIN
from sandbox.demo import curfew, money, support
from sandbox.demo.narration import Narrator
from sandbox.login import page_url
from sandbox.scenarios.controllers import controllers_of
from sandbox.scenarios.leftover import Leftover, still_there
from sandbox.scenarios.leftovers import Cluster, drop_all
from sandbox.scenarios.look_alikes import drop_forged, drop_look_alikes
from sandbox.stage import Impatient, Stage, installed

#: The course's command, line by line, in our own form; it named 1.28.
REQUEST: dict[str, Any] = {
    "name": "myeks",
    "region": REGION,
    "version": "1.28",
    "network": {"cidr": "192.168.0.0/16"},
    "endpoint": {"access": "public"},
    "nodegroups": [{"name": "myeks-nodegroup", "instanceTypes": ["t3.medium"], "volumeGib": 30, "placement": "public"}],
    "workHost": True,
    "leaseHours": 4,
}
#: Wall seconds per AWS second.
SCALE = 0.003
_ENDED = {"ready", "deleted", "failed", "blocked"}


def main(scale: float = SCALE) -> int:
    """Play the demo; return its exit status."""
    narrator = Narrator()
    narrator.act("A sandbox")
    with measured(os.getpid()) as peak:
        try:
            with installed(Settings(scale=scale), narrator.say) as stage:
                narrator.lap("the installation")
                _Play(stage, narrator).play()
                narrator.lap("the first act")
                support.play(stage, narrator)
                narrator.lap("the second")
                curfew.play(stage, narrator)
                narrator.lap("the third")
                narrator.say()
                narrator.say(f"People see all of this on a page. It was at {page_url(stage.sandbox, stage.outputs)}")
                narrator.say("and ends with this demo: `make sandbox` leaves one running, and begins with its address.")
        except (Impatient, NotPackaged) as error:
            narrator.check(False, str(error))
    narrator.say()
    if peak.processes:
        narrator.say(f"It took {peak.megabytes:.0f} MiB of memory at most, in {peak.processes} processes.")
    narrator.say(f"Seconds: {', '.join(f'{what} {seconds:.0f}' for what, seconds in narrator.laps.items())}.")
    for promise in narrator.broken:
        narrator.say(f"✗ {promise}")
    narrator.say(f"{len(narrator.broken)} of the promises did not hold." if narrator.broken else "Everything held.")
    return 1 if narrator.broken else 0


class _Play:
    """One lab of one learner, act by act."""

    def __init__(self, stage: Stage, narrator: Narrator) -> None:
        self._stage, self._send = stage, narrator
        self._learner = stage.people.learner
        self._id = ""
        self._ours: list[Leftover] = []
        self._theirs: list[Leftover] = []
        self._forged: list[Leftover] = []

    def play(self) -> None:
        self._refused()
        money.refuse(self._stage, self._send)
        money.price(self._stage, self._send)
        self._made()
        self._looked_at()
        self._used()
        self._sealed()
        self._released()
        self._proved()

    def _refused(self) -> None:
        self._send.act("The course's command, as it was typed: --version 1.28")
        self._send.command("POST /labs")
        for line in format_request(self._request("1.28")):
            self._send.say(f"  {line}")
        answer = self._call("POST", "/labs", self._request("1.28"))
        self._send.say(f"{answer.status} {answer.headers.get('content-type')}")
        for line in format_findings(answer.json.get("findings", [])):
            self._send.say(f"  {line}")
        self._send.check(answer.status == 400, "1.28 is refused, with when it ended and what there is instead")

    def _made(self) -> None:
        version = self._call("GET", f"/versions?region={REGION}").json["default"]
        self._send.act(f"The same on {version}")
        self._send.command(f'POST /labs  (the same, with "version": "{version}")')
        self._stage.offer({"askUsd": money.ASK})
        answer = self._call("POST", "/labs", self._request(version), {"Idempotency-Key": "the-evening"})
        again = self._call("POST", "/labs", self._request(version), {"Idempotency-Key": "the-evening"})
        self._send.check(answer.status == 202, f"{answer.status} Location: {answer.headers.get('location')}")
        if answer.status != 202:
            raise Impatient(answer.body.decode())
        self._id = answer.json["id"]
        money.approve(self._stage, self._send, answer.json)
        self._stage.offer({"askUsd": "none"})
        for line in format_findings(answer.json["warnings"]):
            self._send.say(f"  {line}")
        self._send.check(again.json["id"] == self._id, "the same Idempotency-Key twice is the same lab")
        lab = self._wait()
        if lab["phase"] != "ready":
            raise Impatient(f"myeks is {lab['phase']}{_because(lab)}")
        self._send.check(True, "myeks is ready")

    def _looked_at(self) -> None:
        self._send.act("What was made")
        self._send.command(f"GET /labs/{self._id}/inventory")
        inventory = self._call("GET", f"/labs/{self._id}/inventory").json
        plane, seen = inventory["controlPlane"], inventory["endpoint"]["seen"] or {}
        self._send.say(
            f"control plane {plane['version']} in {', '.join(plane['zones'])}; {inventory['endpoint']['means']}"
        )
        self._send.say(f"its API server's address here: {', '.join(seen.get('addresses', []))}")
        for policy in inventory["nodeRole"]["policies"]:
            self._send.say(f"node role: {policy['name']} — {policy['why']}")
        for group in inventory["securityGroups"]:
            self._send.say(f"security group {group['id']} ({group['role']}) — {group['why']}")
        for entry in inventory["accessEntries"]:
            note = " — this service, to see what runs" if entry["ofService"] else ""
            self._send.say(f"access: {entry['principalArn']}{note}")
        kubeconfig = self._call("GET", f"/labs/{self._id}/kubeconfig")
        self._send.check(b"get-token" in kubeconfig.body, "a kubeconfig without a secret: aws eks get-token")
        self._send.check(not inventory["unreadable"], "all of it could be read")

    def _used(self) -> None:
        self._send.act("Used: what Kubernetes makes behind our back, beside what only looks like it")
        stack = self._outputs()
        cluster = Cluster(
            name="myeks",
            vpc=stack["VpcId"],
            subnets=tuple(stack["PublicSubnetIds"].split(",")),
            txt_owner=f"ekslab-{self._id}",
            hosted_zone=self._stage.zone_id,
            domain=f"{self._id}.{DOMAIN}",
            node_role=stack["NodeRoleName"],
            oidc_issuer=self._eks()["identity"]["oidc"]["issuer"],
        )
        self._ours = drop_all(controllers_of(self._stage.sandbox, cluster.oidc_issuer or ""), cluster)
        self._theirs = drop_look_alikes(self._stage.sandbox.client, replace(cluster, domain=DOMAIN))
        self._send.say(f"the lab's: {_counted(self._ours)}")
        self._forged = drop_forged(self._stage.sandbox.client, cluster, self._id)
        self._send.say(f"others':   {_counted(self._theirs)}")
        self._send.say(f"forged:    {_counted(self._forged)}: others', with the lab's tag on most of them")

    def _sealed(self) -> None:
        self._send.act("The endpoint switched to private: where the course's author was locked out")
        change = {"endpoint": {"access": "private"}}
        self._send.command(f"PATCH /labs/{self._id}  {json.dumps(change)}")
        self._call("PATCH", f"/labs/{self._id}", change)
        lab = self._wait()
        access = self._eks()["resourcesVpcConfig"]
        sealed = access["endpointPrivateAccess"] and not access["endpointPublicAccess"]
        self._send.check(
            lab["phase"] == "ready" and sealed, f"the lab is {lab['phase']}, its endpoint private{_because(lab)}"
        )

    def _released(self) -> None:
        self._send.act("Let go")
        self._send.command(f"DELETE /labs/{self._id}")
        answer = self._call("DELETE", f"/labs/{self._id}")
        self._send.check(answer.status == 202, f"{answer.status} {answer.json['phase']}")
        lab = self._wait()
        if lab["phase"] != "deleted":
            raise Impatient(f"myeks is {lab['phase']}{_because(lab)}")
        self._send.check(True, "myeks is deleted")
        unfinished = [step["title"] for step in lab["steps"] if (step.get("detail") or "").startswith("Given up")]
        self._send.check(
            not unfinished, f"no step was given up on the way{': ' if unfinished else ''}{', '.join(unfinished)}"
        )

    def _proved(self) -> None:
        self._send.act("Proof of empty")
        for looks, later in enumerate((timedelta(minutes=16), timedelta(hours=25)), start=2):
            self._send.command(f"(the five-minute schedule's event, with a time {_describe(later)} later)")
            self._stage.recover_labs(datetime.now(UTC) + later)
            self._await_looks(looks)
        receipt = self._call("GET", f"/labs/{self._id}/receipt").json
        for look in receipt["looks"]:
            self._send.say(f"{look['look']:<17} {_outcomes(look)}")
        for line in receipt["looks"][-1]["lines"]:
            if line["outcome"] != "deleted":
                self._send.say(f"  {line['outcome']} {line['arn']} — {line['reason']}")
        self._send.check(not receipt["clean"] and len(receipt["looks"]) == 3, f"the receipt: {receipt['verdict']}")
        client = self._stage.sandbox.client
        self._settled(receipt)
        left = [thing for thing in self._ours if still_there(client, thing) and thing.kind != "snapshot"]
        harmed = [thing for thing in (*self._theirs, *self._forged) if not still_there(client, thing)]
        self._send.check(not left, f"all {len(self._ours)} of the lab's leftovers are gone{_but(left)}")
        others = len(self._theirs) + len(self._forged)
        self._send.check(not harmed, f"all {others} look-alikes are untouched, the forged among them{_but(harmed)}")

    def _settled(self, receipt: Mapping[str, Any]) -> None:
        """A leftover that only a tag claims is named, with its creator; its owner says that it stays."""
        left = [line["arn"] for line in receipt["looks"][-1]["lines"] if line["outcome"] == "left"]
        named = {thing.arn(self._stage.sandbox.account, REGION) for thing in self._forged} & set(left)
        self._send.check(
            len(named) == len(left) > 0, f"the {len(left)} forged ones are named, and nothing else is left"
        )
        path = f"/labs/{self._id}/leftovers"
        self._send.command(f'POST {path}  {{"keep": [{len(left)} ARNs]}}')
        answer = self._call("POST", path, {"keep": left})
        self._send.check(answer.status == 200 and answer.json["clean"], f"the receipt: {answer.json['verdict']}")

    def _await_looks(self, count: int) -> None:
        def looked(_: Mapping[str, Any]) -> bool:
            answer = self._call("GET", f"/labs/{self._id}/receipt")
            return answer.status == 200 and len(answer.json["looks"]) >= count

        self._stage.wait(self._learner, self._id, looked)

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        return self._stage.call(self._learner, method, path, body, headers)

    def _wait(self) -> dict[str, Any]:
        lab = self._stage.wait(self._learner, self._id, lambda lab: lab["phase"] in _ENDED, seen=self._send.progress)
        self._send.progress(lab)
        return lab

    def _request(self, version: str) -> dict[str, Any]:
        return {**REQUEST, "version": version, "externalDns": {"domain": DOMAIN}, "ssh": {"publicKey": _KEY}}

    def _eks(self) -> dict[str, Any]:
        return dict(self._stage.sandbox.client("eks").describe_cluster(name="myeks")["cluster"])

    def _outputs(self) -> dict[str, str]:
        stacks = self._stage.sandbox.client("cloudformation").describe_stacks(StackName=f"ekslab-{self._id}")["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}


_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHVyc2EtbWFqb3ItaXMtbm90LWEtc2VjcmV0LWtleS0h learner"


def format_request(body: Mapping[str, Any]) -> list[str]:
    """The request in JSON, a field a line; the key's text is left out."""
    shown = {**body, "ssh": {"publicKey": "ssh-ed25519 ..."}}
    fields = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in shown.items()]
    return ["{", *(f"{field}," for field in fields[:-1]), fields[-1], "}"]


def format_findings(findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Errors first; warnings are marked."""
    wrong = [f"{each['path']}: {each['message']}" for each in findings if each["severity"] == "error"]
    notes = [f"note on {each['path']}: {each['message']}" for each in findings if each["severity"] != "error"]
    return wrong + notes


def _because(lab: Mapping[str, Any]) -> str:
    return f": {lab['reason']}" if lab.get("reason") else ""


def _describe(later: timedelta) -> str:
    minutes = later // timedelta(minutes=1)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"


def _counted(things: list[Leftover]) -> str:
    kinds = [str(thing.kind) for thing in things]
    return ", ".join(f"{kind} ×{kinds.count(kind)}" for kind in sorted(set(kinds)))


def _but(things: list[Leftover]) -> str:
    return f", but for {_counted(things)}" if things else ""


def _outcomes(look: Mapping[str, Any]) -> str:
    found = [line["outcome"] for line in look["lines"]]
    return ", ".join(f"{found.count(outcome)} {outcome}" for outcome in sorted(set(found)))


if __name__ == "__main__":
    sys.exit(main())
