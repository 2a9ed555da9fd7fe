"""The third act of `make demo`: a class of labs in Seoul, an evening later, and the labs left in the morning.

Night falls by the hourly schedule's events, each with a later time. Only each lab's use is simulated, in the sandbox's
CloudWatch: verdicts, plan, mails, links and acts are the service's own.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from emulator.core.settings import REGION
from sandbox.activity import run_job, set_activity
from sandbox.demo.narration import Narrator
from sandbox.keep_links import confirm_address, link_in, open_link, press_button
from sandbox.mailbox import Mail, Mailbox, SentMail, letters_in, sent_mails, subscribe
from sandbox.people import HttpAnswer, Person
from sandbox.schedules import describe_curfew_run, run_curfew
from sandbox.stage import NOTICE_ADMINISTRATORS, Impatient, Stage

SEOUL = ZoneInfo("Asia/Seoul")
#: The learner's mail address; the mails are in Korean.
KOREAN = "kim@example.com"
#: name -> the use of its cluster.
CLASS = {
    "forgotten": "idle",
    "sleeper": "idle",
    "kept": "idle",
    "guarded": "idle",
    "training": "job",
    "unmeasured": "silent",
    "extended": "busy",
}
_USES = {"idle": "idle", "job": "busy with a job", "silent": "without metrics", "busy": "busy"}
#: Labs whose use needs a node.
WITH_A_NODE = {"forgotten", "sleeper", "kept", "training"}
#: The least age of a planned lab; the class requests its labs within a quarter of an hour.
YOUNG = timedelta(hours=24)
_ENDED = {"deleted", "failed", "blocked"}


def play(stage: Stage, narrator: Narrator) -> None:
    """Play the act on an installed service."""
    _Class(stage, narrator).play()


class _Class:
    """One class, one night."""

    def __init__(self, stage: Stage, narrator: Narrator) -> None:
        self._stage, self._send = stage, narrator
        self._people = stage.people
        self._ids: dict[str, str] = {}
        self._mails: list[Mail] = []
        self._box: Mailbox = subscribe(stage.sandbox, stage.outputs["NoticesTopicArn"], "class-mail")
        self._began = datetime.now(UTC)
        self._evening = _first_evening(self._began)
        self._awake: dict[str, int] = {}
        self._seen: set[str] = set()

    def play(self) -> None:
        self._gathered()
        self._planned()
        self._answered()
        self._nightfall()
        self._proved()
        self._morning()

    def _gathered(self) -> None:
        self._send.act(f"Third act: a class in Seoul; tonight is {self._evening:%A %-d %B}")
        # The second act has moved AWS's calendar; the class begins today.
        self._stage.sandbox.admin("POST", "clock", {"now": self._began.isoformat()})
        self._call(self._people.administrator, "PUT", "/curfew", {"maxAheadHours": 120})
        self._addressed()
        self._send.command(f"POST /labs, {len(CLASS)} times")
        for number, (name, use) in enumerate(CLASS.items()):
            answer = self._call(self._owner(name), "POST", "/labs", self._request(name, number))
            if answer.status != 202:
                raise Impatient(answer.body.decode())
            self._ids[name] = answer.json["id"]
            self._send.say(f"  {name:<11}will be {_USES[use]}")
        for name in CLASS:
            self._wait(name, {"ready", *_ENDED})
            set_activity(self._stage.sandbox, name, CLASS[name], since=self._began - timedelta(hours=6))
        run_job(self._stage.sandbox, "training", "ml", "train")
        self._send.check(all(self._phase(name) == "ready" for name in CLASS), f"{len(CLASS)} labs are ready")
        until = {"until": _describe(self._evening + timedelta(hours=20)), "why": "The teacher's own."}
        self._send.command("POST /labs/guarded/protect  (as an administrator)")
        answer = self._lab_call("guarded", "POST", "protect", until, self._people.administrator)
        self._send.check(answer.status == 200, "one is protected")
        for hours in (28, 24):
            at = self._evening - timedelta(hours=hours)
            if datetime.now(UTC) < at < self._began + YOUNG:
                self._run_curfew(at)
        self._send.check(not self._warnings(), "they are younger than a day: the evening before asks nothing of them")

    def _addressed(self) -> None:
        """One of the two owners reads Korean mail."""
        self._send.command(f"ekslab me --address {KOREAN} --language ko  (and the button behind the link in the mail)")
        confirm_address(self._stage, self._people.learner, KOREAN, "ko")
        self._sent()

    def _planned(self) -> None:
        self._send.act("18:00 in Seoul: tonight's plan")
        self._run_curfew(self._evening - timedelta(hours=4))
        plan = self._call(self._people.administrator, "GET", f"/plan/{self._evening:%Y-%m-%d}").json
        for line in plan["entries"]:
            self._send.say(f"  {line['name']:<11}{line['act']:<10}{line['reason']}")
        self._send.say(f"hash {plan['hash'][:16]}…, revision {plan['revision']}")
        names = {line["name"] for line in plan["entries"]}
        self._send.check(
            names == {"forgotten", "sleeper", "kept", "extended"},
            f"on the plan: {', '.join(sorted(names))}; not the busy, the unmeasured, the protected",
        )
        for name in ("training", "unmeasured"):
            verdict = self._lab_call(name, "GET", "verdict").json
            self._send.say(f"  {name}: {_last(verdict)}")
        self._mails = self._warnings()
        by_ses = [mail for mail in self._mails if mail.attributes["recipient"] == KOREAN]
        mine = self._mail("kept")
        self._send.say(f"Subject: {mine.subject}")
        self._send.say(mine.body)
        self._send.check(len(self._mails) == len(names), f"{len(self._mails)} warnings, one a lab")
        self._send.check(
            len(by_ses) == 3
            and len({mail.id for mail in by_ses}) == 1
            and all("랩" in mail.subject for mail in by_ses),
            "three of them in one mail by Amazon SES, in Korean, to the one with an address",
        )

    def _answered(self) -> None:
        self._send.act("Two owners answer")
        link = link_in(self._mail("kept"))
        if link is None:
            raise Impatient("there is no link in the mail")
        self._send.command("(a mail scanner opens the link: GET /keep/k1.…)")
        page = open_link(link)
        before = self._lab("kept")
        self._send.check(page.status == 200 and not before.get("keptUntil"), "looking at the link changes nothing")
        self._send.command("(the owner presses the button: POST /keep/k1.…)")
        pressed = press_button(link)
        kept = self._lab("kept").get("keptUntil")
        self._send.check(pressed.status == 200 and bool(kept), f"the lab is kept until {kept}")
        answer = self._lab_call("extended", "POST", "extend", {"hours": 12})
        self._send.check(answer.status == 200, f"another one's lease is extended to {answer.json['leaseEndsLocal']}")
        self._run_curfew(self._evening - timedelta(hours=3))

    def _nightfall(self) -> None:
        self._send.act("22:00 in Seoul: curfew")
        self._awake = self._size("sleeper")
        self._run_curfew(self._evening)
        self._require_act("forgotten", "sleeper")
        self._wait("forgotten", _ENDED)
        self._wait("sleeper", {"hibernated", *_ENDED})
        phases = {name: self._phase(name) for name in CLASS}
        for name, phase in phases.items():
            self._send.say(f"  {name:<11}{phase:<12}{self._why(name)}")
        expected = dict.fromkeys(CLASS, "ready") | {"forgotten": "deleted", "sleeper": "hibernated"}
        self._send.check(phases == expected, "exactly the right ones are gone")
        again = self._run_curfew(self._evening + timedelta(hours=1))
        same = {name: self._phase(name) for name in CLASS} == expected
        self._send.check(same, f"an hour later nothing more happens ({again})")

    def _require_act(self, *names: str) -> None:
        """Raises Impatient if curfew did not act on one of the labs, instead of waiting for it for ten minutes."""
        for name in names:
            if self._phase(name) == "ready":
                raise Impatient(f"curfew left {name} alone: {self._why(name)}")

    def _proved(self) -> None:
        receipt = self._lab_call("forgotten", "GET", "receipt").json
        self._send.check(receipt["clean"], f"the receipt: {receipt['verdict']}")
        asleep = self._size("sleeper")["desiredSize"] == 0
        self._send.check(asleep, "the sleeper has a control plane, and no nodes")

    def _morning(self) -> None:
        self._send.act("Morning: the report at 07:00")
        self._box.take()
        self._run_curfew(self._evening + timedelta(hours=9))
        reports = [mail for mail in self._box.take() if mail.attributes.get("recipient") == NOTICE_ADMINISTRATORS]
        for mail in reports[:1]:
            self._send.say(f"Subject: {mail.subject}")
            self._send.say(mail.body)
        self._send.check(len(reports) == 1, "one report to the administrators")
        self._send.act("The sleeper's waking, due from 08:30 on: the hourly curfew run after it does it")
        self._run_curfew(self._evening + timedelta(hours=10))
        self._send.check(self._phase("sleeper") == "hibernated", "at 08:00 it sleeps on")
        before = self._stage.lag(seed=1)
        self._send.say(
            "From here on AWS lags: what was just made is unknown or denied to the service for up to five minutes."
        )
        self._run_curfew(self._evening + timedelta(hours=11))
        self._wait("sleeper", {"ready", "hibernated", *_ENDED})
        refused = self._stage.lag(seed=None) - before
        self._send.say(f"AWS did not know what it had just made {refused} times; each was waited out.")
        size = self._size("sleeper")
        message = f"{size['minSize']} to {size['maxSize']} nodes, {size['desiredSize']} wanted"
        self._send.check(size == self._awake, f"the sleeper woke with its nodes as they were: {message}")

    def _size(self, name: str) -> dict[str, int]:
        """The scaling of the one node group of a lab, from EKS."""
        groups = self._stage.sandbox.client("eks")
        group = groups.describe_nodegroup(clusterName=name, nodegroupName=f"{name}-nodegroup")["nodegroup"]
        return dict(group["scalingConfig"])

    def _request(self, name: str, number: int) -> dict[str, Any]:
        evening: dict[str, Any] = {"timeZone": "Asia/Seoul", "curfew": "22:00"}
        if name == "sleeper":
            evening |= {"atCurfew": "hibernate", "wake": "08:30"}
        lease = 72
        if name == "extended":
            # It ends within the last hour before curfew, however long asking takes.
            lease = int((self._evening - datetime.now(UTC) - timedelta(minutes=5)) / timedelta(hours=1))
        return {
            "name": name,
            "region": REGION,
            "network": {"cidr": f"10.{number}.0.0/16"},
            "nodegroups": [{"desired": 1}] if name in WITH_A_NODE else [],
            "leaseHours": lease,
            "schedule": evening,
        }

    def _run_curfew(self, at: datetime) -> str:
        self._send.command(f"(the hourly schedule's event of {at.astimezone(SEOUL):%a %H:%M} in Seoul)")
        summary = run_curfew(self._stage, at)
        message, *lost = describe_curfew_run(summary)
        for line in (message, *lost):
            self._send.say(f"  {line}")
        if lost:
            self._send.check(False, "every lab was looked at, and every act done")
        return message

    def _owner(self, name: str) -> Person:
        return self._people.learner if list(CLASS).index(name) < 4 else self._people.other_learner

    def _warnings(self) -> list[Mail]:
        """Messages from the topic and from SES mails."""
        by_topic = [mail for mail in self._box.take() if mail.attributes.get("kind") == "curfew-warning"]
        letters = [
            Mail(sent.id, subject, text, sent.mail.attributes)
            for sent in self._sent()
            for subject, text in letters_in(sent.text) or [(sent.subject, sent.text)]
        ]
        return by_topic + letters

    def _sent(self) -> list[SentMail]:
        """The mails that SES accepted since the last look."""
        new = [mail for mail in sent_mails(self._stage.sandbox) if mail.id not in self._seen]
        self._seen |= {mail.id for mail in new}
        return new

    def _mail(self, name: str) -> Mail:
        found = [mail for mail in self._mails if re.search(rf"\b{name}\b", mail.subject)]
        if not found:
            raise Impatient(f"there is no mail about {name}: {[mail.subject for mail in self._mails]}")
        return found[0]

    def _lab(self, name: str) -> dict[str, Any]:
        return dict(self._call(self._owner(name), "GET", f"/labs/{self._ids[name]}").json)

    def _phase(self, name: str) -> str:
        return str(self._lab(name)["phase"])

    def _why(self, name: str) -> str:
        events = self._lab_call(name, "GET", "events?limit=100").json["events"]
        said = [event["message"] for event in events if event["kind"] == "curfew"]
        protection = self._lab(name)["protection"]
        return said[-1] if said else f"It is protected: {protection['why']}" if protection else ""

    def _wait(self, name: str, phases: set[str]) -> None:
        self._stage.wait(self._owner(name), self._ids[name], lambda lab: lab["phase"] in phases)

    def _lab_call(
        self, name: str, method: str, what: str, body: Mapping[str, Any] | None = None, who: Person | None = None
    ) -> HttpAnswer:
        return self._call(who or self._owner(name), method, f"/labs/{self._ids[name]}/{what}", body)

    def _call(self, who: Person, method: str, path: str, body: Mapping[str, Any] | None = None) -> HttpAnswer:
        return self._stage.call(who, method, path, body)


def _first_evening(now: datetime) -> datetime:
    """The first 22:00 in Seoul whose plan finds labs made now to be a day old; in UTC."""
    day = (now + YOUNG + timedelta(minutes=15)).astimezone(SEOUL)
    tonight = datetime.combine(day.date(), time(22), SEOUL)
    late = tonight - timedelta(hours=4) < day
    return (tonight + timedelta(days=1 if late else 0)).astimezone(UTC)


def _describe(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def _last(verdict: Mapping[str, Any]) -> str:
    kept = verdict.get("kept") or verdict
    return str(kept.get("sentence"))
