"""Random evenings of several people, labs and subjects: each person has one mail of a run with all subjects, nothing is lost.

A run dies at any call, or the same run comes twice at the same instant. A broken rule shows that the check fails.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.core.message import Message, Severity, letter_of, message_of, para
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.plan import EntryOutcome
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.errors.tree import AwsRefused, AwsUnavailable
from chalicelib.domain.notices.mail import Addressee, mail_id
from chalicelib.domain.notices.posts import Post
from chalicelib.domain.teardown.adoption import PROTECTED_TAG
from chalicelib.ports.deps import Deps
from chalicelib.workflows import curfew
from chalicelib.workflows.mail_events import take_mail_event
from chalicelib.workflows.night import act, send
from chalicelib.workflows.night.outcomes import skip_entry
from chalicelib.workflows.night.run import NightRun
from chalicelib.workflows.night.send import WarningPage, send_all, send_posts, waiting
from chalicelib.workflows.shared.mailing import send_mail
from chalicelib.workflows.shared.posts import post
from tests.examples import examples
from tests.fakes import NOW
from tests.fakes.account import Call
from tests.fakes.fleet_builders import a_fleet_cluster, a_registration
from tests.fakes.mailing import FakeMailing, with_mail
from tests.workflows.machine import LambdaDied, Machine
from tests.workflows.night.nights import CURFEW, Nights, Use, busy, idle
from tests.workflows.night.test_mail import events

ADMINS = "admins@example.com"
#: People with an address. Jane has two names; one of the administrators owns labs, too.
ADDRESSES = {
    "arn:aws:iam::111122223333:user/jane": "jane@example.com",
    "jane@example.com": "jane@example.com",
    "arn:aws:iam::111122223333:user/jun": "jun@example.com",
    ADMINS: "jun@example.com",
}
OWNERS = (*(name for name in ADDRESSES if name.startswith("arn:")), "arn:aws:iam::111122223333:user/nobody")
#: From three hours before curfew to the morning's report, and the hours that make up for a dead run.
HOURS, QUIET = 14, 3


@dataclass(frozen=True)
class Evening:
    """`labs`: owner and kind; `posts`: hour and recipient of other posts; `troubles`: by hour, the trouble and the call of the
    run.
    """

    labs: tuple[tuple[int, str], ...]
    posts: tuple[tuple[int, int], ...]
    troubles: tuple[tuple[str, int], ...]
    rules: CurfewRules


def evenings() -> st.SearchStrategy[Evening]:
    trouble = st.tuples(st.sampled_from(("", "", "dies before", "dies after", "twice")), st.integers(1, 250))
    return st.builds(
        Evening,
        labs=st.lists(
            st.tuples(st.integers(0, 2), st.sampled_from(("idle", "wakes", "protected"))), min_size=1, max_size=6
        ).map(tuple),
        posts=st.lists(st.tuples(st.integers(0, HOURS - 1), st.integers(0, 2)), max_size=6).map(tuple),
        troubles=st.lists(trouble, min_size=HOURS, max_size=HOURS).map(tuple),
        rules=st.builds(CurfewRules, max_percent=st.just(100), max_count=st.sampled_from((1, 20))),
    )


def spent(lab_id: str) -> Use:
    """Idle until shortly before curfew: the announcement is called off."""
    return lambda now: (idle if now < CURFEW - timedelta(minutes=30) else busy)(lab_id)(now)


def a_world(evening: Evening) -> tuple[Nights, FakeMailing]:
    nights = Nights()
    nights.world.curfew.store.put_rules(evening.rules)
    mailing = with_mail(nights.world, ADDRESSES)
    for number, (owner, kind) in enumerate(evening.labs):
        lab_id = f"lab-{number}"
        ends = {"lease_ends_at": NOW + timedelta(hours=3)} if kind == "protected" else {}
        lab = nights.add(lab_id, spent if kind == "wakes" else idle, owner=OWNERS[owner], **ends)
        if kind == "protected":
            seen = nights.world.curfew.signals.evidence[lab_id]
            tags = {**lab.tags, PROTECTED_TAG: "yes"}
            nights.make_cluster(lab, tags=tags)
            nights.world.curfew.signals.evidence[lab_id] = partial(_tagged, seen, tags)
    nights.world.watch.store.register(a_registration())
    nights.world.watch.fleets.add(a_fleet_cluster("orders", "1.31", tags={"owner": "jane@example.com"}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chalicelib.workflows.watch_support.claimed", lambda *_: [])
        Machine("watch_support", nights.world.deps).run({"time": NOW.isoformat()})
    return nights, mailing


def _tagged(seen: Use, tags: dict[str, str], now: datetime) -> Any:
    return replace(seen(now), cluster_tags=tags)


def something(owner: str, number: int) -> Message:
    """As in a notice of another workflow."""
    text = Sentence("Something else, number {n}", n=number)
    return message_of(
        letter_of(text, [para(text)]), owner.rpartition("/")[2], "wake-failed", Severity.WARNING, "1", owner
    )


def lived(evening: Evening) -> tuple[Nights, FakeMailing, list[tuple[datetime, bool]]]:
    """Also records the hours of its runs, and whether the run and the one before were undisturbed."""
    nights, mailing = a_world(evening)
    hours: list[tuple[datetime, bool]] = []
    calm = True
    for hour, (kind, call) in enumerate((*evening.troubles, *(("", 0),) * QUIET)):
        at = NOW + timedelta(hours=hour)
        nights.world.clock.instant = at
        for number, (when, owner) in enumerate(evening.posts):
            if when == hour:
                post(nights.world.deps, [something(OWNERS[owner], number)], f"number {number}")
        hours.append((at, calm and not kind.startswith("dies")))
        calm = not kind.startswith("dies")
        befall(nights, kind, call, at)
        events(nights, mailing, at + timedelta(minutes=1))
        if hours[-1][1]:
            check_nothing_waits(nights, at)
    return nights, mailing, hours


def befall(nights: Nights, kind: str, call: int, at: datetime) -> None:
    """The run of an hour: it dies at a call, or another run overtakes it there."""
    account, left = nights.world.account, call

    def around(asked: Call) -> Any:
        nonlocal left
        left -= 1
        if left == 0 and kind == "dies before":
            raise LambdaDied
        answer = asked.act()
        if left == 0 and kind == "dies after":
            raise LambdaDied
        if left == 0 and kind == "twice":
            nights.run_hour(at, settle=False)
        return answer

    plain, account.around = account.around, around
    nights.run_hour(at)
    account.around = plain


def check_nothing_waits(nights: Nights, at: datetime) -> None:
    """An undisturbed run leaves no pending notice to any reachable recipient."""
    assert nights.world.posts.waiting().posts == (), f"posts wait after {at}"
    unwarned = [status.lab_id for status in nights.world.curfew.store.unwarned(100)]
    assert unwarned == [], f"nobody was warned at {at}"


def check_one_mail(mailing: FakeMailing, hours: list[tuple[datetime, bool]]) -> None:
    """At most one a person and run, and as many calls of SES as mails, plus one for each call that died."""
    sent = Counter(letter.tag for _, letter in mailing.mailer.sent)
    of_runs = {mail_id(address, at.isoformat()) for address in ADDRESSES.values() for at, _ in hours}
    assert set(sent) <= of_runs, "a mail is of no run"
    assert {tag for tag, times in sent.items() if times > 1} == set(), "a mail went out twice"
    assert mailing.mailer.asked <= 1.1 * len(mailing.mailer.sent) + sum(not calm for _, calm in hours)


def check_all_is_told_once(nights: Nights, mailing: FakeMailing) -> None:
    taken = [(letter, mailing.store.mails[letter.tag]) for _, letter in mailing.mailer.sent]
    entries = Counter(each.entry_id for _, mail in taken for each in mail.entries)
    posts = Counter(each for _, mail in taken for each in mail.posts)
    notices = Counter((each.key, each.id) for _, mail in taken for each in mail.notices)
    assert {*entries.values(), *posts.values(), *notices.values()} <= {1}, "told twice"
    for kept in nights.world.posts.posts.values():
        assert kept.told_at is not None, f"{kept.id} was lost"
        reader = next((ADDRESSES[name] for name in ADDRESSES if name.endswith(kept.recipient)), None)
        assert (posts[kept.id] == 1) == (reader is not None), f"{kept.id} went astray"
        letters = [each.letter for each in kept.messages]
        subject = letters[0].subject if letters and letters[0] is not None else ""
        assert bool(kept.messages) == bool(kept.mail), f"{kept.id} keeps messages that no bounce needs, or lacks them"
        texts = [f"{letter.subject}\n{letter.text}" for letter, mail in taken if kept.id in mail.posts]
        assert all(subject in text for text in texts), f"{kept.id} is not named"


def check_what_was_announced_is_called_off(nights: Nights) -> None:
    """The owner of a lab that lives on for its use is notified."""
    for number in range(len(nights.world.store.labs)):
        for entry, status in nights.lines(f"lab-{number}"):
            if status.warned_at and status.warned_at < entry.at and status.outcome is EntryOutcome.SKIPPED:
                assert f"curfew-called-off {entry.id}" in nights.world.posts.posts, f"{entry.id} was never called off"


def promised(evening: Evening) -> None:
    nights, mailing, hours = lived(evening)
    check_one_mail(mailing, hours)
    check_all_is_told_once(nights, mailing)
    check_what_was_announced_is_called_off(nights)


@settings(max_examples=examples(15), deadline=None)
@given(evenings())
def test_each_person_has_one_mail_a_run_that_names_everything_and_nothing_is_lost(evening: Evening) -> None:
    promised(evening)


def an_evening(kind: str = "", call: int = 0, hour: int = 3) -> Evening:
    """Several subjects at once for Jane: a cancelled end, a postponed one, a warning, another subject and a deadline."""
    troubles = [("", 0)] * HOURS
    troubles[hour] = (kind, call)
    labs = ((0, "idle"), (0, "wakes"), (0, "protected"), (1, "protected"), (2, "wakes"), (1, "idle"))
    posts = ((0, 0), (hour, 0), (hour, 1), (hour, 2))
    return Evening(labs, posts, tuple(troubles), CurfewRules(max_percent=100))


def test_a_mail_names_several_subjects_and_begins_with_the_gravest() -> None:
    nights, mailing, _ = lived(an_evening())
    first = mailing.mailer.to("jane@example.com")[0]
    assert [text in first.text for text in ("c-lab-0", "c-lab-1", "is put off", "Something else", "orders")] == [
        True
    ] * 5
    assert "(and 4 more)" in first.subject
    assert "EKS" in first.subject
    assert [kept.recipient for kept in nights.world.posts.posts.values() if kept.recipient == "nobody"] == [
        "nobody"
    ] * 2


@pytest.mark.parametrize("outcome", ["bounce", "soft-bounce", "complaint"])
def test_a_post_whose_mail_comes_back_is_told_to_the_next_at_once_and_to_nobody_twice(outcome: str) -> None:
    nights, mailing = a_world(replace(an_evening(), labs=((0, "idle"),), posts=()))
    mailing.mailer.outcomes["jane@example.com"] = outcome
    told = something(OWNERS[0], 1)
    instead = replace(something(OWNERS[0], 2), recipient=ADMINS)
    post(nights.world.deps, [told, instead], "once", lab_id="lab-0")
    nights.run_hour(NOW)
    events(nights, mailing, NOW + timedelta(minutes=1))
    [kept] = [each for each in nights.world.posts.posts.values() if each.lab_id]
    assert ([name for name, _ in kept.unheard], kept.recipient, kept.told_at is not None) == (["jane"], ADMINS, True)
    letters = [letter for letter in mailing.mailer.to("jun@example.com") if "Something else, number 2" in letter.text]
    assert [letter.text.count("c-lab-0") > 0 for letter in letters] == [True]
    history = "\n".join(event.message for event in nights.world.store.event_table["lab-0"])
    assert "Mail to jane came back" in history
    assert f"{ADMINS} was told: Something else, number 2" in history
    sent = len(mailing.mailer.sent)
    nights.run_hour(NOW + timedelta(hours=1))
    assert len(mailing.mailer.sent) == sent


def test_a_post_that_another_mail_tells_by_now_is_not_settled_by_the_first() -> None:
    nights, mailing = a_world(replace(an_evening(), labs=((0, "idle"),), posts=()))
    mailing.mailer.outcomes["jane@example.com"] = "bounce"
    nights.world.curfew.reach.unreachable["jane"] = "Nobody has confirmed a subscription."
    told, instead = something(OWNERS[0], 1), replace(something(OWNERS[0], 2), recipient=ADMINS)
    post(nights.world.deps, [told, instead], "once", lab_id="lab-0")
    nights.world.lose_answer("_take")
    nights.run_hour(NOW)
    nights.world.fail("_take", AwsUnavailable("no answer"))
    nights.run_hour(NOW + timedelta(hours=1))
    for event in list(mailing.mailer.events(NOW)):
        take_mail_event(nights.world.deps, event, NOW + timedelta(hours=1))
    nights.run_hour(NOW + timedelta(hours=2))
    [kept] = [each for each in nights.world.posts.posts.values() if each.lab_id]
    assert (kept.recipient, kept.told_at) == (ADMINS, NOW + timedelta(hours=2))


def test_a_post_that_nobody_hears_is_published_for_programs_and_the_history_says_so() -> None:
    nights, _ = a_world(replace(an_evening(), labs=((2, "idle"),), posts=()))
    nights.world.curfew.reach.unreachable["nobody"] = "Nobody has confirmed a subscription."
    post(nights.world.deps, [something(OWNERS[2], 1)], "once", lab_id="lab-0")
    nights.run_hour(NOW)
    assert [message.kind for message in nights.world.watch.notifier.to("nobody")] == ["wake-failed"]
    history = "\n".join(event.message for event in nights.world.store.event_table["lab-0"])
    assert "Nobody takes messages for nobody: Something else, number 1" in history
    assert nights.world.posts.waiting().posts == ()


def a_refused_post(refusal: AwsRefused, heard: str = "") -> tuple[Nights, FakeMailing, Callable[[], Post]]:
    """A nightly post to Jane, then to administrators, whose mail SES refuses; `heard`: the topic's subscribers."""
    nights, mailing = a_world(replace(an_evening(), labs=((0, "busy"),), posts=()))
    nights.world.watch.store.notices.clear()
    for name in {"jane", ADMINS} - {heard}:
        nights.world.curfew.reach.unreachable[name] = "Nobody has confirmed a subscription."
    told = something(OWNERS[0], 1)
    post(nights.world.deps, [told, replace(told, recipient=ADMINS)], "once", nightly=True, lab_id="lab-0")
    nights.world.fail("_take", refusal, times=1)
    return nights, mailing, lambda: nights.world.posts.posts["wake-failed once"]


def of_mail(message: str) -> AwsRefused:
    return AwsRefused("ses:SendEmail", "MessageRejected", message)


NOT_VERIFIED = "Email address is not verified. The following identities failed the check in region AP-NORTHEAST-2: "


@pytest.mark.parametrize("words", ["It has a virus.", f"{NOT_VERIFIED}jane@example.com"])
def test_a_post_that_ses_refuses_for_its_reader_goes_to_the_next_one_in_five_minutes(words: str) -> None:
    nights, mailing, kept = a_refused_post(of_mail(words))
    run = NightRun(nights.world.deps, NOW)
    send_all(run, WarningPage(), waiting(run), "a run")
    assert (kept().told_at, [name for name, _ in kept().unheard]) == (None, ["jane"])
    assert "the mail to jane" in run.troubles[0]
    assert send_posts(nights.world.deps, NOW + timedelta(minutes=5)) == []
    assert [letter.address for _, letter in mailing.mailer.sent] == ["jun@example.com"]
    history = "\n".join(event.message for event in nights.world.store.event_table["lab-0"])
    assert "SES refused the mail to jane" in history
    assert f"{ADMINS} was told" in history
    assert "Nobody" not in history


@pytest.mark.parametrize(
    "refusal",
    [
        AwsRefused("ses:SendEmail", "SendingPausedException", "Email sending is disabled for your account."),
        AwsRefused("ses:SendEmail", "MailFromDomainNotVerifiedException", "The sending domain isn't verified."),
        of_mail(f"{NOT_VERIFIED}ekslab@example.org"),
    ],
    ids=lambda refusal: refusal.code,
)
def test_a_post_waits_while_ses_refuses_the_account_and_for_a_day_at_most(refusal: AwsRefused) -> None:
    nights, mailing, kept = a_refused_post(refusal)
    run = NightRun(nights.world.deps, NOW)
    send_all(run, WarningPage(), waiting(run), "a run")
    assert (kept().told_at, kept().unheard, kept().is_free(NOW)) == (None, (), True)
    assert refusal.code in run.troubles[0]
    send_all(run, WarningPage(), waiting(run), "the next run")
    assert [letter.address for _, letter in mailing.mailer.sent] == ["jane@example.com"]
    nights, mailing, kept = a_refused_post(refusal)
    nights.world.clock.instant = NOW + timedelta(days=1)
    run = NightRun(nights.world.deps, nights.world.clock.now())
    send_all(run, WarningPage(), waiting(run), "a run")
    assert [name for name, _ in kept().unheard] == ["jane"]


def test_a_post_that_ses_refuses_goes_to_a_subscription_of_its_reader() -> None:
    nights, mailing, kept = a_refused_post(of_mail("It has a virus."), heard="jane")
    run = NightRun(nights.world.deps, NOW)
    send_all(run, WarningPage(), waiting(run), "a run")
    assert (kept().told_at, kept().recipient, mailing.mailer.sent) == (NOW, "jane", [])
    assert [message.kind for message in nights.world.watch.notifier.to("jane")] == ["wake-failed"]


def test_a_post_whose_mail_came_back_goes_to_the_subscription_of_its_only_reader() -> None:
    nights, _, kept = a_refused_post(of_mail("It has a virus."), heard="jane")
    nights.world.posts.posts[kept().id] = replace(kept(), unheard=(("jane", "it came back"), (ADMINS, "it came back")))
    assert send_posts(nights.world.deps, NOW) == []
    history = "\n".join(event.message for event in nights.world.store.event_table["lab-0"])
    assert "jane was told" in history


def test_a_call_off_that_nobody_hears_is_a_trouble_of_its_run() -> None:
    nights, _, kept = a_refused_post(of_mail("It has a virus."))
    gone = tuple((name, "it came back") for name in ("jane", ADMINS))
    called_off = tuple(replace(each, kind="curfew-called-off") for each in kept().messages)
    nights.world.posts.posts[kept().id] = replace(kept(), unheard=gone, messages=called_off)
    assert send_posts(nights.world.deps, NOW) == ["lab-0: nobody receives the message that it lives on"]
    history = "\n".join(event.message for event in nights.world.store.event_table["lab-0"])
    assert f"Nobody takes messages for jane, {ADMINS}" in history


def test_a_post_that_cannot_be_read_is_a_trouble_and_the_others_are_told() -> None:
    nights, _, kept = a_refused_post(of_mail("never asked"))
    nights.world.account.troubles.clear()
    nights.world.posts.unreadable.add("wake-failed of another version")
    run = NightRun(nights.world.deps, NOW)
    send_all(run, WarningPage(), waiting(run), "a run")
    assert run.troubles == ["the post wake-failed of another version: it can't be read"]
    assert kept().told_at == NOW


def test_an_unreadable_post_is_no_trouble_of_the_five_minute_run() -> None:
    """The run was stuck every five minutes for as long as the post was there."""
    nights, _, _ = a_refused_post(of_mail("never asked"))
    nights.world.account.troubles.clear()
    nights.world.posts.unreadable.add("wake-failed of another version")
    assert send_posts(nights.world.deps, NOW) == []


def test_the_five_minute_run_tells_the_oldest_posts_and_the_next_run_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(send, "_AT_ONCE", 3)
    nights, mailing = a_world(replace(an_evening(), labs=((0, "busy"),), posts=()))
    for number in range(5):
        nights.world.clock.instant = NOW + timedelta(seconds=number)
        post(nights.world.deps, [something(OWNERS[1], number)], f"number {number}")
    for _ in range(2):
        nights.world.clock.instant += timedelta(minutes=5)
        send_posts(nights.world.deps, nights.world.clock.now())
    assert [len(mail.posts) for mail in mailing.store.mails.values()] == [3, 2]


def test_what_the_table_refuses_is_no_refusal_by_ses_and_is_told_by_the_next_run() -> None:
    nights, mailing, kept = a_refused_post(of_mail("never asked"))
    nights.world.account.troubles.clear()
    nights.world.fail("begin_mail", AwsRefused("dynamodb:PutItem", "ValidationException", "Item size has exceeded."))
    nights.world.curfew.reach.unreachable.clear()
    run = NightRun(nights.world.deps, NOW)
    send_all(run, WarningPage(), waiting(run), "a run")
    assert (kept().told_at, kept().unheard, nights.world.watch.notifier.messages) == (None, (), ())
    assert "dynamodb:PutItem" in run.troubles[0]
    nights.world.clock.instant = NOW + timedelta(hours=1)
    send_all(run, WarningPage(), waiting(run), "the next run")
    assert [letter.address for _, letter in mailing.mailer.sent] == ["jane@example.com"]


def test_a_mail_has_as_many_posts_as_its_record_names_and_the_others_come_in_further_mails_of_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(send, "_POSTS", 2)
    nights, mailing = a_world(replace(an_evening(), labs=((0, "idle"),), posts=()))
    for number in range(3):
        post(nights.world.deps, [something(OWNERS[0], number)], f"number {number}")
    nights.run_hour(NOW)
    told = [
        [each for each in mail.posts if " number " in each]
        for mail in mailing.store.mails.values()
        if mail.recipient == "jane"
    ]
    assert told == [["wake-failed number 0", "wake-failed number 1"], ["wake-failed number 2"]]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["dies before", "dies after", "twice"])
def test_a_run_of_several_subjects_that_dies_or_comes_twice_on_its_way(kind: str) -> None:
    for call in range(3, 160, 13):
        promised(an_evening(kind, call))


def names_no_posts(deps: Deps, addressee: Addressee, messages: Sequence[Message], once: str, *given: Any) -> Any:
    """A mail whose record does not list its posts."""
    return send_mail(deps, addressee, messages, once, *given[:2])


BROKEN: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "posts are not told": (curfew, "waiting", lambda run: []),
    "a mail does not name its posts": (send, "send_mail", names_no_posts),
    "nothing is called off": (
        act,
        "skip",
        lambda run, lab, line, reason, by_people: skip_entry(run, lab, line.entry, reason),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("rule", BROKEN)
def test_a_rule_that_is_broken_on_purpose_is_noticed(monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    where, name, broken = BROKEN[rule]
    monkeypatch.setattr(where, name, broken)
    with pytest.raises(AssertionError):
        promised(an_evening())
