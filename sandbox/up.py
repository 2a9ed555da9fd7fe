"""`make sandbox`: the installed service, left running, and how to use it printed for a person with a second terminal."""

import signal
import threading
from pathlib import Path
from types import FrameType

from sandbox.people import Person
from sandbox.settings import PROJECT, Settings
from sandbox.stage import DOMAIN, Stage, installed

ENV_FILE = PROJECT / ".sandbox" / "env"


def main(port: int, scale: float) -> int:
    """Install the service and wait for Ctrl-C or SIGTERM."""
    ended = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, end)
    with installed(Settings(port=port, scale=scale), print) as stage:
        _write(ENV_FILE, stage, stage.people.learner)
        print(told(stage, scale), flush=True)
        ended.wait()
    ENV_FILE.unlink(missing_ok=True)
    print("\nThe sandbox is gone, and everything in it.")
    return 0


def told(stage: Stage, scale: float) -> str:
    """How to use it."""
    region = stage.sandbox.region
    return f"""
The service answers at
  {stage.url}
as on AWS: only to signed requests. An hour there takes {3600 * scale:.0f} s here. Your address is 127.0.0.1;
the hosted zone {DOMAIN} is {stage.zone_id}. In a second terminal, as a learner:

  . {ENV_FILE.relative_to(PROJECT)}
  {_PYTHON} -m ekslab request myeks --watch
  {_PYTHON} -m ekslab request -f tests/data/eksctl/45-upgrade-policy-example.yaml
  {_PYTHON} -m ekslab list
  {_PYTHON} -m ekslab delete lab-... --watch
  {_PYTHON} -m ekslab receipt lab-...

or by hand, with curl 7.75 or newer (awscurl --service execute-api --region {region} does the same):

  curl --aws-sigv4 aws:amz:{region}:execute-api --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \\
       -H 'Content-Type: application/yaml' --data-binary @tests/data/eksctl/01-simple-cluster.yaml "$EKSLAB_URL/labs"

The account behind it, as its root, with the aws command line:

  AWS_ACCESS_KEY_ID={stage.sandbox.root.access_key_id} AWS_SECRET_ACCESS_KEY={stage.sandbox.root.secret_access_key} \\
    aws --endpoint-url {stage.sandbox.url} --region {region} eks list-clusters

An administrator signs with the keys in {ENV_FILE.relative_to(PROJECT)}, too. Ctrl-C ends it all."""


_PYTHON = ".venv/bin/python"


def _write(path: Path, stage: Stage, learner: Person) -> None:
    """The environment of a second terminal; nobody else may read it."""
    admin = stage.people.administrator.credentials
    lines = {
        "EKSLAB_URL": stage.url,
        "AWS_ENDPOINT_URL": stage.sandbox.url,
        "AWS_DEFAULT_REGION": stage.sandbox.region,
        "AWS_ACCESS_KEY_ID": learner.credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": learner.credentials.secret_access_key,
        "ADMINISTRATOR_ACCESS_KEY_ID": admin.access_key_id,
        "ADMINISTRATOR_SECRET_ACCESS_KEY": admin.secret_access_key,
    }
    path.parent.mkdir(exist_ok=True)
    path.touch(mode=0o600)
    path.write_text("unset AWS_SESSION_TOKEN AWS_PROFILE\n" + "".join(f"export {k}={v}\n" for k, v in lines.items()))
