"""The service installed in a sandbox, in its own process: the environment of Playwright lacks the packages for it.

`python -m tests.browser.installed`, by the project's own Python. It prints the page's address, then starts a curfew run for
each line that it reads, and ends with its input.
"""

from __future__ import annotations

import json
import sys

from chalicelib.aws.system.clock import SystemClock
from emulator.core.settings import Settings
from sandbox.login import make_user, page_url
from sandbox.mailbox import subscribe
from sandbox.run_schedule import MAILBOX
from sandbox.schedules import run_curfew
from sandbox.stage import installed

#: People beside the sandbox's own two, one for each life in the browser.
USERS = ("kim", "lee", "park")


def main() -> None:
    with installed(Settings(scale=0.006)) as stage:
        # No plan is made for a lab whose owner is unreachable.
        subscribe(stage.sandbox, stage.outputs["NoticesTopicArn"], MAILBOX)
        for name in USERS:
            make_user(stage.sandbox, stage.outputs["LoginPoolId"], name)
        say({"page": page_url(stage.sandbox, stage.outputs)})
        for _ in sys.stdin:
            say({"planned": run_curfew(stage, SystemClock().now())["outcome"]})


def say(answer: dict[str, object]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
