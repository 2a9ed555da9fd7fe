"""A learner registers by one command and one button; a class joins by a roster; everybody has a calendar."""

import json
import re
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.mailbox import SentMail, sent_mails
from sandbox.stage import Stage
from tests.story.steps import administrator, alone, learner, until

pytestmark = pytest.mark.story

ROSTER = "iamUser,address,language,timeZone\n{user},{address},ko,Asia/Seoul\nanother-{user},another-{address},,\n"


def test_people_say_where_mail_reaches_them(stage: Stage) -> None:
    # Given an unknown person
    kim, admin = learner(stage), administrator(stage)
    assert kim.sends("GET", "/me").json["address"] is None

    # When they enter their address, and press the button behind the link in their mail
    mine = f"{kim.person.name}@example.com"
    said = kim.sends("PUT", "/me", {"address": mine, "language": "ko", "timeZone": "Asia/Seoul"})
    assert (said.status, said.json["pending"]["address"]) == (200, mine)
    [mail] = arrived(stage, mine)
    page = opened(link_of(mail))
    assert kim.person.name in page
    assert kim.sends("GET", "/me").json["address"] is None
    assert "Your address is confirmed" in opened(link_of(mail), b"answer=yes")

    # Then they get mail there, and the link has no further effect
    assert kim.sends("GET", "/me").json["address"] == mine
    assert kim.sends("PUT", "/me", {"address": None}).json["address"] is None
    opened(link_of(mail), b"answer=yes")
    assert kim.sends("GET", "/me").json["address"] is None

    # And their calendar is readable without a signature, until they register another address
    calendar = kim.sends("POST", "/me/calendar").json["url"]
    assert opened(calendar).startswith("BEGIN:VCALENDAR")
    assert kim.sends("DELETE", "/me/calendar").status == 204

    # And a mail program's own button works with a multipart form, here with an invalid link
    one_click = '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
    assert (
        kim.sends("POST", "/unsubscribe/none", one_click, content_type="multipart/form-data; boundary=b").status == 404
    )

    # When an administrator stores a roster, in Excel's Korean encoding or not, and once more
    user = learner(stage)
    theirs = f"{user.person.name}@example.com"
    text = ROSTER.format(user=user.person.name, address=theirs)
    kept = admin.sends("POST", "/people", text.encode("cp949"), content_type="application/octet-stream")
    assert (kept.status, kept.json["added"]) == (200, 2), kept.body.decode()
    assert admin.sends("POST", "/people", text, content_type="text/csv").json["same"] == 2
    assert user.sends("POST", "/people", text, content_type="text/csv").status == 403

    # Then the five-minute run mails each person once, and one press confirms
    with alone:
        # An event's time has whole seconds: one of this second is before the roster.
        stage.recover_labs(datetime.now(UTC) + timedelta(seconds=1))
    [mail] = arrived(stage, theirs)
    opened(link_of(mail), b"answer=yes")
    known = user.sends("GET", "/me").json
    assert (known["address"], known["language"], known["timeZone"]) == (theirs, "ko", "Asia/Seoul")
    assert theirs in admin.sends("GET", "/people", accept="text/csv").body.decode()
    assert admin.sends("DELETE", f"/people/{user.person.name}").json["people"] == 1
    assert user.sends("GET", "/me").json["address"] is None


def arrived(stage: Stage, address: str) -> list[SentMail]:
    """The mails that SES took for a person, as soon as there are any."""

    def look() -> list[SentMail]:
        return [mail for mail in sent_mails(stage.sandbox) if mail.address == address]

    return until(look, bool, f"a mail to {address}")


def link_of(mail: SentMail) -> str:
    """The link in a mail."""
    found = re.search(r"https?://\S+/confirm/\S+", mail.text)
    assert found, json.dumps(mail.text)
    return found[0]


def opened(url: str, form: bytes | None = None) -> str:
    """The answer to a browser without credentials."""
    headers = {"Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded"}
    request = urllib.request.Request(url, data=form, headers=headers if form else {"Accept": "text/html"})
    with urllib.request.urlopen(request) as answer:
        return str(answer.read().decode())
