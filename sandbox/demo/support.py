"""The second act of `make demo`: a neglected fleet, and the days around 26 November 2026.

The watch is run by the daily schedule's events, each with a later time, and the sandbox's calendar is moved along; AWS's forced
upgrades happen because that calendar passes their dates.
"""

import re
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from emulator.core.settings import ACCOUNT, REGION
from sandbox.demo.narration import Narrator
from sandbox.deploy import PATIENCE
from sandbox.keep_links import confirm_address
from sandbox.mailbox import Mail, Mailbox, SentMail, sent_mails, subscribe
from sandbox.people import HttpAnswer, Person, make_person
from sandbox.scenarios.fleet import MEMBER_ROLE, OTHER_ACCOUNT, OTHER_REGION, SHUT_ACCOUNT, TODAY, join, put_fleet
from sandbox.schedules import describe_watch_run, run_watch
from sandbox.stage import NOTICE_ADMINISTRATORS, Impatient, Stage

SHOP, SEARCH, TEAM = "shop@example.com", "search@example.com", "payments@example.com"
_PAYMENTS = f"/clusters/{ACCOUNT}/{REGION}/payments"


def play(stage: Stage, narrator: Narrator) -> None:
    """Play the act on an installed service."""
    _Fleet(stage, narrator).play()


class _Fleet:
    """Eleven days of one fleet."""

    def __init__(self, stage: Stage, narrator: Narrator) -> None:
        self._stage, self._send = stage, narrator
        self._shop = make_person(stage.sandbox, SHOP)
        self._admin = stage.people.administrator
        self._mails: list[Mail] = []
        self._known: set[str] = set()
        self._box: Mailbox = subscribe(stage.sandbox, stage.outputs["NoticesTopicArn"], "everybodys-mail")

    def play(self) -> None:
        self._registered()
        self._seen()
        self._describe()
        self._acknowledged()
        self._forced()
        self._followed()
        self._subscribed()

    def _registered(self) -> None:
        self._send.act(f"Second act: a fleet of all ages, {TODAY:%A %-d %B %Y}")
        self._send.command(f"ekslab me --address {SHOP} --language ko  (and the button behind the link in the mail)")
        confirm_address(self._stage, self._shop, SHOP, "ko")
        self._sent()
        put_fleet(self._stage.sandbox)
        join(self._stage.sandbox, OTHER_ACCOUNT)
        for account, name in ((OTHER_ACCOUNT, "analytics"), (SHUT_ACCOUNT, "archive")):
            role = f"arn:aws:iam::{account}:role/{MEMBER_ROLE}-read"
            body = {"name": name, "regions": [OTHER_REGION], "roleArn": role, "owner": f"{name}@example.com"}
            self._send.command(f"PUT /accounts/{account}  ({name}, {OTHER_REGION}, read by role {MEMBER_ROLE}-read)")
            answer = self._call(self._admin, "PUT", f"/accounts/{account}", body)
            self._send.check(answer.status in (200, 201), f"account {account} is watched from the next run on")

    def _seen(self) -> None:
        summary = self._run(TODAY)
        listed = self._call(self._shop, "GET", "/clusters").json["clusters"]
        for cluster in listed:
            self._send.say(_row(cluster))
        names = [cluster["name"] for cluster in listed]
        first = [name for name in names if name in ("museum", "payments", "storefront")]
        self._send.check(
            len(names) == 8 and first == ["museum", "payments", "storefront"],
            f"all {len(names)} clusters are listed by what comes first, the unreadable one among them",
        )
        self._send.check(
            summary["unreadable"] == 1 and len(summary["unreadable_places"]) == 1,
            f"a cluster and an account that can't be read cost the others nothing: {summary['unreadable_places'][0]}",
        )

    def _describe(self) -> None:
        self._send.act(f"What {SHOP} finds in the mail")
        mails = self._take()
        theirs = [mail for mail in mails if mail.attributes["recipient"] == SHOP]
        for mail in theirs[:1]:
            self._send.say(f"Subject: {mail.subject}")
            self._send.say(mail.body)
        says = (
            "payments",
            "storefront",
            "2026년 11월 26일(목)",
            "2026년 12월 2일(수)",
            "월 $365",
            "--kubernetes-version 1.32",
        )
        whole = len(theirs) == 1 and all(words in " ".join(theirs[0].body.split()) for words in says)
        self._send.check(
            whole,
            "one mail by Amazon SES, in Korean, about both of its clusters: what, when, what it costs, the commands",
        )
        others = [mail.attributes["recipient"] for mail in mails if mail not in theirs]
        everyone = {SEARCH, TEAM, NOTICE_ADMINISTRATORS} <= set(others) and len(others) == len(set(others))
        self._send.check(everyone, f"one mail each to {', '.join(sorted(others))}")

    def _acknowledged(self) -> None:
        self._send.act("The owner acknowledges; two days pass")
        self._send.command(f"POST {_PAYMENTS}/acknowledge  (as {SHOP})")
        stranger = self._call(self._stage.people.learner, "POST", f"{_PAYMENTS}/acknowledge")
        answer = self._call(self._shop, "POST", f"{_PAYMENTS}/acknowledge")
        self._send.check(answer.status == 200, "payments' upgrade is acknowledged")
        self._send.check(stranger.status in (403, 404), f"anyone else gets {stranger.status}")
        quiet = self._day(TODAY + timedelta(days=1))
        self._send.check(not quiet, "no reminder is due on 24 November, and nobody is written to")
        eve = _about("payments", self._day(TODAY + timedelta(days=2)))
        message = sorted(mail.attributes["recipient"] for mail in eve)
        self._send.say("Acknowledging mutes what comes before a deadline's last week, and in it all but the owner.")
        self._send.check(
            message == [SHOP],
            f"on the eve {', '.join(message)} is reminded of payments; "
            "about payments, the team and the administrators hear nothing",
        )

    def _forced(self) -> None:
        self._send.act("Thursday 26 November, 02:00 UTC: nobody does anything, and AWS upgrades payments")
        self._calendar(datetime.fromisoformat("2026-11-26T02:00:00+00:00"))
        cluster = self._until_version("payments", "1.32")
        self._send.check(cluster["version"] == "1.32", "EKS says 1.32, and nobody asked for it")
        mails = self._day(TODAY + timedelta(days=3))
        theirs = next((mail for mail in mails if mail.attributes["recipient"] == SHOP), None)
        for line in sentences_with(theirs.body if theirs else "", "에 확인)", "뒤처져"):
            self._send.say(f"  {line}")
        self._send.check(
            theirs is not None and "general 노드 그룹(1.31 노드 3개)" in " ".join(theirs.body.split()),
            "four hours later the owner knows, and which nodes stayed",
        )
        vault = [mail for mail in _about("vault", mails) if mail.attributes["recipient"] == NOTICE_ADMINISTRATORS]
        for line in sentences_with(vault[0].body if vault else "", "could not be read"):
            self._send.say(f"  {line}")
        self._send.check(bool(vault), "after three days the administrators hear of the cluster that can't be read")

    def _followed(self) -> None:
        self._send.act("The owner lets the nodes follow; a week passes, and storefront's day comes")
        eks = self._stage.sandbox.client("eks")
        self._send.command("aws eks update-nodegroup-version --cluster-name payments --nodegroup-name general")
        eks.update_nodegroup_version(clusterName="payments", nodegroupName="general", version="1.32")
        mails = [mail for days in range(4, 9) for mail in self._day(TODAY + timedelta(days=days))]
        self._calendar(datetime.fromisoformat("2026-12-02T03:00:00+00:00"))
        self._until_version("storefront", "1.35")
        mails += [mail for days in (9, 10) for mail in self._day(TODAY + timedelta(days=days))]
        nagged = [mail for mail in _about("payments", mails) if "general" in mail.body]
        self._send.check(not nagged, "the nodes are on 1.32: not a word more about them")
        upgraded = [
            mail
            for mail in _about("storefront", mails)
            if "컨트롤 플레인이 1.35 버전으로" in " ".join(mail.body.split())
        ]
        owner_knows = any(mail.attributes["recipient"] == SHOP for mail in upgraded)
        self._send.check(owner_knows, "AWS upgraded storefront, and its owner knows")
        reminders, message = (
            self._reminders("storefront", "1.34"),
            [mail for mail in self._mails if _warns_of_storefront(mail)],
        )
        self._send.check(
            reminders == [14, 7, 3, 1] and len(message) == 4,
            f"{SHOP} was warned of it at {', '.join(map(str, reminders))} days: in {len(message)} mails, once each",
        )

    def _reminders(self, name: str, version: str) -> list[int]:
        """The reminders of the escalation of a version's end that were sent to the shop's owner, the earliest first."""
        notices = self._call(self._admin, "GET", f"/clusters/{ACCOUNT}/{REGION}/{name}").json["notices"]
        theirs = [n for n in notices if n["recipient"] == SHOP and n["kind"] == "deadline" and n["state"] == "sent"]
        return sorted((n["reminder"] for n in theirs if f"#{version}#" in n["deadlineId"]), reverse=True)

    def _subscribed(self) -> None:
        self._send.act("A calendar to subscribe to")
        self._send.command("GET /deadlines.ics")
        feed = self._call(self._shop, "GET", "/deadlines.ics")
        text = feed.body.decode().replace("\r\n ", "")
        for line in (line for line in text.splitlines() if line.startswith(("SUMMARY", "DTSTART"))):
            self._send.say(f"  {line}")
        whole = feed.status == 200 and text.startswith("BEGIN:VCALENDAR") and "payments" in text and "20270323" in text
        self._send.check(whole, "payments' next deadline is in it: 23 March 2027")

    def _run(self, at: datetime) -> dict[str, Any]:
        self._send.command(f"(the daily schedule's event of {at:%a %-d %b})")
        summary = run_watch(self._stage, at)
        self._send.say(describe_watch_run(summary))
        return summary

    def _day(self, at: datetime) -> list[Mail]:
        self._calendar(at)
        self._run(at)
        mails = self._take()
        for mail in mails:
            self._send.say(f"  → {mail.attributes['recipient']}: {mail.subject}")
        return mails

    def _take(self) -> list[Mail]:
        mails = [*self._box.take(), *(sent.mail for sent in self._sent())]
        self._mails += mails
        return mails

    def _sent(self) -> list[SentMail]:
        """The mails that SES accepted since the last look."""
        new = [mail for mail in sent_mails(self._stage.sandbox) if mail.id not in self._known]
        self._known |= {mail.id for mail in new}
        return new

    def _calendar(self, at: datetime) -> None:
        self._stage.sandbox.admin("POST", "clock", {"now": at.isoformat()})

    def _until_version(self, name: str, version: str) -> dict[str, Any]:
        eks, end = self._stage.sandbox.client("eks"), time.monotonic() + PATIENCE
        while (cluster := dict(eks.describe_cluster(name=name)["cluster"]))["version"] != version:
            if time.monotonic() > end:
                raise Impatient(f"{name} is still on {cluster['version']}")
            time.sleep(0.2)
        return cluster

    def _call(self, who: Person, method: str, path: str, body: Mapping[str, Any] | None = None) -> HttpAnswer:
        return self._stage.call(who, method, path, body)


def _row(cluster: Mapping[str, Any]) -> str:
    where = f"{cluster['account']} {cluster['region']}"
    if cluster["trouble"]:
        return f"  {cluster['name']:<11}{where:<29}can't be read: {cluster['trouble']['code']}"
    following, policy = cluster["next"], cluster["supportType"] or "-"
    ahead = f"{following['at'][:10]} {following['effect']}" if following else "nothing known ahead"
    return f"  {cluster['name']:<11}{where:<29}{cluster['version']:<6}{policy:<10}{ahead}"


def _warns_of_storefront(mail: Mail) -> bool:
    return mail.attributes["recipient"] == SHOP and re.search(r"storefront: \S+ 자동 업그레이드", mail.body) is not None


def _about(name: str, mails: Sequence[Mail]) -> list[Mail]:
    return [mail for mail in mails if name in mail.body]


def sentences_with(body: str, *words: str) -> list[str]:
    """The sentences and items of a mail that contain one of the words, each in one line."""
    whole: list[str] = []
    for paragraph in body.split("\n\n"):
        for number, line in enumerate(paragraph.splitlines()):
            if number == 0 or line.lstrip().startswith("- "):
                whole.append("")
            whole[-1] = f"{whole[-1]} {line.strip()}".strip()
    sentences = [sentence for each in whole for sentence in re.split(r"(?<=\.) (?=[A-Z])", each)]
    return [each for each in sentences if any(word in each for word in words)]
