"""The parsers of verbs about people: `me`, `get people`, `apply people`, `delete person`, `create calendar`."""

from __future__ import annotations

from ekslab.commands import people
from ekslab.parsing import arguments
from ekslab.parsing.command import Commands


def add_people_verbs(top: Commands, verbs: dict[str, Commands]) -> None:
    """Add the commands."""
    own = top.add_parser(
        "me",
        help="where mail reaches you, in which language, about what",
        description="Show where mail about your labs reaches you, or change it.",
        example="ekslab me --address kim@example.com --language ko --time-zone Asia/Seoul",
    )
    own.add_argument("--address", metavar="MAIL", help="where; a mail with a link asks you to confirm it")
    own.add_switch("--no-address", help="nowhere any more")
    own.add_argument("--language", choices=["en", "ko"], help="of what you are sent")
    own.add_argument("--time-zone", dest="timeZone", metavar="ZONE", help="for example Asia/Seoul")
    topics = "results,deadlines,reports or some of them; or warnings alone, which always come"
    own.add_argument("--hears", type=arguments.words, metavar="A,B", help=topics)
    own.set_defaults(run=people.me)
    _add_calendar(verbs["create"])
    _add_roster(verbs)


def _add_calendar(create: Commands) -> None:
    one = create.add_parser(
        "calendar",
        help="an address to subscribe your calendar to",
        description="Make the secret address of a calendar with your labs' ends, curfews and wake-ups, and your deadlines.",
        example="ekslab create calendar",
    )
    one.add_switch("--revoke", help="end the one there is")
    one.set_defaults(run=people.calendar)


def _add_roster(verbs: dict[str, Commands]) -> None:
    listed = verbs["get"].add_parser(
        "people",
        help="who is known here, and where mail reaches them (administrators)",
        description="List who is known here, and where mail reaches them.",
        example="ekslab get people --csv > roster.csv",
    )
    listed.add_switch("--csv", help="as a roster that `apply people` takes")
    listed.set_defaults(run=people.people)
    kept = verbs["apply"].add_parser(
        "people",
        help="keep a roster (administrators)",
        description="Keep a roster: all its rows, or none. Each person confirms the address by a mail.",
        example="ekslab apply people -f roster.csv",
    )
    kept.add_argument("-f", "--filename", required=True, metavar="FILE", help="CSV or JSON; - is standard input")
    kept.set_defaults(run=people.apply_people)
    gone = verbs["delete"].add_parser(
        "person",
        help="forget a person (administrators)",
        description="Forget a person, and take their name out of what is kept of labs that are over. Labs that are alive go on.",
        example="ekslab delete person kim@example.com",
    )
    gone.add_argument(
        "person", metavar="NAME", type=arguments.person, help="a user's or a session's name, or an address"
    )
    gone.set_defaults(run=people.delete_person)
