"""`make sandbox`: the installed service, left running, and how to use it printed for a person with a second terminal."""

import signal
import threading
from pathlib import Path
from types import FrameType

from deployment.packaging import PROJECT
from emulator.core.settings import Settings
from sandbox.course import DOMAIN, KEY_PAIR
from sandbox.login import ADMINISTRATOR, LEARNER, PASSWORD, page_url
from sandbox.mailbox import subscribe
from sandbox.people import Person
from sandbox.run_schedule import ENV_FILE, MAILBOX
from sandbox.stage import TIME_ZONE, Stage, installed
from sandbox.usage import USAGES

_PYTHON = ".venv/bin/python"


def main(port: int, scale: float) -> int:
    """Install the service and wait for Ctrl-C or SIGTERM, or for the end of its server, which is status 1."""
    ended, crash = threading.Event(), list[str]()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    def died(output: str) -> None:
        if not ended.is_set():
            crash.append(output)
            ended.set()

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, end)
    with installed(Settings(port=port, scale=scale), print, died) as stage:
        if port not in (0, stage.sandbox.port):
            print(f"port {port} is taken: this sandbox is on port {stage.sandbox.port}")
        # Curfew leaves a lab alone if no mail can reach its owner.
        subscribe(stage.sandbox, stage.outputs["NoticesTopicArn"], MAILBOX)
        write_environment(ENV_FILE, stage)
        print(message(stage, scale), flush=True)
        ended.wait()
    ENV_FILE.unlink(missing_ok=True)
    if crash:
        print(f"\nThe sandbox's server has ended by itself, and everything in it is gone. It printed:\n{crash[0]}")
        return 1
    print("\nThe sandbox is gone, and everything in it.")
    return 0


def message(stage: Stage, scale: float) -> str:
    """The instructions for its use."""
    region, env = stage.sandbox.region, ENV_FILE.relative_to(PROJECT)
    return f"""
The page:

  {page_url(stage.sandbox, stage.outputs)}

Sign in as {LEARNER} or as {ADMINISTRATOR}; both have the password {PASSWORD}. With AWS credentials, as a learner,
in a second terminal:

  . {env} && {_PYTHON} -m ekslab dashboard

The service answers at
  {stage.url}
as on AWS: only to signed requests. What AWS takes its time for is quick: ten minutes of a control plane take
{600 * scale:.0f} s here. Your address is 127.0.0.1; labs are offered subdomains of
{DOMAIN} (zone {stage.zone_id}), the VPC {stage.course.vpc_id} and the key pair {KEY_PAIR}.
There, as a learner:

  . {env}
  {_PYTHON} -m ekslab create cluster myeks
  {_PYTHON} -m ekslab create cluster --watch=false -f tests/data/eksctl/45-upgrade-policy-example.yaml
  {_PYTHON} -m ekslab get clusters
  {_PYTHON} -m ekslab delete cluster lab-... --watch
  {_PYTHON} -m ekslab get receipt lab-...

kubectl works on a lab that is ready; `make kubectl` puts one into .venv-kubectl/bin:

  PATH=$PWD/.venv/bin:$PWD/.venv-kubectl/bin:$PATH   # it asks the aws command line for its token
  {_PYTHON} -m ekslab get kubeconfig lab-... > .sandbox/kubeconfig
  kubectl --kubeconfig .sandbox/kubeconfig get nodes
  kubectl --kubeconfig .sandbox/kubeconfig create deployment web --image=nginx
  kubectl --kubeconfig .sandbox/kubeconfig get pods -A

or by hand, with curl 7.75 or newer (awscurl --service execute-api --region {region} does the same):

  curl --aws-sigv4 aws:amz:{region}:execute-api --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \\
       -H 'Content-Type: application/yaml' --data-binary @tests/data/eksctl/01-simple-cluster.yaml "$EKSLAB_URL/labs"

The account behind it, as its root, with the aws command line:

  AWS_ACCESS_KEY_ID={stage.sandbox.root.access_key_id} AWS_SECRET_ACCESS_KEY={stage.sandbox.root.secret_access_key} \\
    aws --endpoint-url {stage.sandbox.url} --region {region} eks list-clusters

The other people's keys are in {env}, too. As the other learner, and as an administrator:

  AWS_ACCESS_KEY_ID=$OTHER_LEARNER_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY=$OTHER_LEARNER_SECRET_ACCESS_KEY \\
    {_PYTHON} -m ekslab get clusters
  AWS_ACCESS_KEY_ID=$ADMINISTRATOR_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY=$ADMINISTRATOR_SECRET_ACCESS_KEY {_PYTHON} -m ekslab curfew

Leases, curfew ({TIME_ZONE}) and the schedules keep the clock on the wall: a lease of an hour is an hour, the first watch of
deadlines comes within a day (until then `get deadlines` is empty and `health` says degraded), a receipt's second look after
15 minutes. Who won't wait sends a schedule's event with a later time, and sees what it did and what mail it sent:

  {_PYTHON} -m sandbox run-schedule watch              # reads every cluster; then: {_PYTHON} -m ekslab get deadlines
  {_PYTHON} -m sandbox run-schedule recover --in 16m      # a receipt's second look; the third: --in 25h
  {_PYTHON} -m sandbox run-schedule curfew --in 1h      # plans what ends within four hours, such as a lease of three
  {_PYTHON} -m sandbox run-schedule curfew --in 4h      # ends it; --at 2026-11-25T22:00+09:00 is an instant
  {_PYTHON} -m sandbox use myeks idle            # what its metrics show; without it they show nothing
  {_PYTHON} -m sandbox use myeks keda            # work to come; also {", ".join(name for name in USAGES if name != "keda")}
  {_PYTHON} -m sandbox mails                     # mail since the last look

Ctrl-C ends it all."""


def write_environment(path: Path, stage: Stage) -> None:
    """The environment of a second terminal; nobody else may read it."""
    people = stage.people
    lines = {
        "EKSLAB_URL": stage.url,
        "AWS_ENDPOINT_URL": stage.sandbox.url,
        "AWS_DEFAULT_REGION": stage.sandbox.region,
        **_keys("AWS", people.learner),
        **_keys("OTHER_LEARNER", people.other_learner),
        **_keys("ADMINISTRATOR", people.administrator),
    }
    path.parent.mkdir(exist_ok=True)
    path.touch(mode=0o600)
    path.write_text("unset AWS_SESSION_TOKEN AWS_PROFILE\n" + "".join(f"export {k}={v}\n" for k, v in lines.items()))


def _keys(whose: str, person: Person) -> dict[str, str]:
    keys = person.credentials
    return {f"{whose}_ACCESS_KEY_ID": keys.access_key_id, f"{whose}_SECRET_ACCESS_KEY": keys.secret_access_key}
