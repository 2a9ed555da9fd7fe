"""Start an emulator and hold it, for every test and program that needs AWS.

`with running_sandbox() as sandbox:` starts a process of its own on loopback and ends it, and all it started, on the
way out; it also ends itself should this process die. Everything else is ordinary AWS, through `sandbox.client`.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from emulator.core.settings import ACCOUNT, REGION, ROOT_SECRET, Settings

FOLDER = Path(__file__).resolve().parent.parent
"""Where this package lies, from which `python -m emulator` finds it."""
START_TIMEOUT = 30.0
END_TIMEOUT = 5.0
ADMIN_TIMEOUT = 120.0
"""Seconds. One call may add a whole fleet on a busy machine."""
_MAKING_CLIENTS = threading.Lock()
"""boto3 makes all clients from one default session, which only one thread may do at a time."""


class SandboxNotStarted(Exception):
    """The emulator's process ended or stayed silent; the message ends with its output."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A caller's signing credentials."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox: its address, and clients for it."""

    url: str
    region: str = REGION
    account: str = ACCOUNT

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1."""
        return int(self.url.rpartition(":")[2])

    @property
    def root(self) -> Credentials:
        """The credentials of the account's root, whom no policy limits."""
        return Credentials(self.account, ROOT_SECRET)

    def client(self, service: str, *, credentials: Credentials | None = None, region: str | None = None) -> Any:
        """Return a boto3 client of this sandbox, as `credentials` (default: the account's root), without retries."""
        who = credentials or self.root
        with _MAKING_CLIENTS:
            return boto3.client(
                service,
                endpoint_url=self.url,
                region_name=region or self.region,
                aws_access_key_id=who.access_key_id,
                aws_secret_access_key=who.secret_access_key,
                aws_session_token=who.session_token,
                config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
            )

    def credentials_for(self, user: str) -> Credentials:
        """Make a new access key for the IAM user `user`, who must exist; raises NoSuchEntityException if not."""
        key = self.client("iam").create_access_key(UserName=user)["AccessKey"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"])

    def session(self, role: str, session: str, issuer: str = "") -> Credentials:
        """Return a role's credentials, as an instance, a Pod Identity agent or a service account's token brings them.

        `issuer`: the URL of the token's OIDC provider. Raises HTTPError if there is no such role.
        """
        found = self.admin("POST", "sessions", {"role": role, "session": session, "issuer": issuer})
        return Credentials(found["accessKeyId"], found["secretAccessKey"], found["sessionToken"])

    def admin(self, method: str, name: str, body: Mapping[str, Any] | list[Any] | None = None) -> Any:
        """Call one of the emulator's own routes, e.g. `admin("POST", "faults", [...])`; raises HTTPError if refused."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_emulator/{name}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=ADMIN_TIMEOUT) as answer:
            return json.load(answer)


@contextmanager
def running_sandbox(
    settings: Settings | None = None, died: Callable[[str], None] = lambda _output: None
) -> Iterator[Sandbox]:
    """Start an emulator, wait until it answers, and end it at the end of the block.

    `died` is called, on another thread, with the end of the process's output if it ends before that.
    Raises SandboxNotStarted when it does not answer within 30 s.
    """
    settings = settings or Settings()
    with tempfile.TemporaryDirectory(prefix="emulator-") as directory:
        ready_file, output = Path(directory, "ready"), Path(directory, "output")
        with output.open("wb") as log:
            process = subprocess.Popen(
                _command(settings, ready_file), cwd=FOLDER, stdin=subprocess.PIPE, stdout=log, stderr=log
            )
        ending = threading.Event()
        try:
            url = _wait_until_ready(process, ready_file, output)
            threading.Thread(target=_watch, args=(process, ending, output, died), daemon=True).start()
            yield Sandbox(url, settings.region, settings.account)
        finally:
            ending.set()
            _end(process)


def _watch(
    process: "subprocess.Popen[bytes]", ending: threading.Event, output: Path, died: Callable[[str], None]
) -> None:
    process.wait()
    if not ending.is_set():
        died(_last_of(output))


def _last_of(output: Path) -> str:
    return output.read_text(errors="replace")[-4000:].strip() or "it printed nothing"


def _command(settings: Settings, ready_file: Path) -> list[str]:
    options = [f"--{name}={getattr(settings, name)}" for name in ("port", "scale", "region", "account")]
    options += ["--no-auth"] * (not settings.auth) + ["--real-kubernetes"] * settings.real_kubernetes
    options += [f"--log-level={settings.log_level}", f"--recorded-roles={settings.recorded_roles}"]
    options += ["--shared-imports"] * settings.shared_imports
    command = [sys.executable, "-m", "emulator", "serve", *options]
    return [*command, f"--ready-file={ready_file}", "--end-with-parent"]


def _wait_until_ready(process: "subprocess.Popen[bytes]", ready_file: Path, output: Path) -> str:
    deadline = time.monotonic() + START_TIMEOUT
    while process.poll() is None and time.monotonic() < deadline:
        url = ready_file.read_text() if ready_file.exists() else ""
        if url and _answers(url):
            return url
        time.sleep(0.02)
    raise SandboxNotStarted(_last_of(output))


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/_emulator/health", timeout=START_TIMEOUT).close()
    except (urllib.error.URLError, ConnectionError):
        return False
    return True


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin:
        process.stdin.close()
    process.terminate()
    try:
        process.wait(END_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
