"""The permissions that a sandbox's service used, written to a file when the sandbox ends: stories use several sandboxes.

The environment variable EKSLAB_QUESTIONS_TO names the folder for the files; child processes
(the demo) inherit it.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError

from emulator.process import Sandbox

FOLDER_VARIABLE = "EKSLAB_QUESTIONS_TO"


def leave_questions(sandbox: Sandbox) -> None:
    """Write the permissions used so far, if the files are wanted."""
    if folder := os.environ.get(FOLDER_VARIABLE):
        path = Path(folder, f"{sandbox.port}.json")
        # A server that has died, as in some tests, has nothing to write.
        with suppress(URLError):
            path.write_text(json.dumps(sandbox.admin("GET", "questions")["questions"]))


def questions_left(folder: Path) -> list[dict[str, Any]]:
    """All permissions in the files there."""
    return [asked for path in sorted(folder.glob("*.json")) for asked in json.loads(path.read_text())]
