"""The Kubernetes adapter against API servers on loopback: one that answers, a strict one, an unreachable one."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chalicelib.aws.kubernetes.cluster import BEING_LET_IN, KubernetesApi
from chalicelib.domain.errors.tree import AccessDenied, Throttled
from chalicelib.domain.labs.lab import ClusterFacts, Lab
from chalicelib.domain.labs.spec import VolumePolicy
from tests.aws.given import a_lab

SERVICES, CLAIMS = "/api/v1/services", "/api/v1/persistentvolumeclaims"
NODES = "/api/v1/nodes"
VIEW_ROLE = "arn:aws:iam::111122223333:role/ekslab-LabViewRole"
INGRESSES, NODE_POOLS = "/apis/networking.k8s.io/v1/ingresses", "/apis/karpenter.sh/v1/nodepools"


@dataclass
class FakeApiServer:
    """Lists by path; a deleted object disappears, or stays with a deletionTimestamp if it `has_finalizers`. `refused`: paths."""

    lists: dict[str, list[dict[str, Any]]]
    admits: Callable[[str], int] = lambda token: 200
    has_finalizers: bool = False
    forbids_deletions: bool = False
    refused: frozenset[str] = frozenset()
    page: int = 500
    url: str = ""
    authority: str = ""
    deleted: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def answer(self, method: str, target: str, token: str) -> tuple[int, dict[str, Any]]:
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        if path == "/version":
            return 200, {"gitVersion": "v1.36.2-eks-abc"}
        self.tokens.append(token)
        if (status := self.admits(token)) != 200:
            return status, {}
        if method == "DELETE":
            return (403, {}) if self.forbids_deletions else self._delete(path)
        if path in self.refused:
            return 403, {}
        if path not in self.lists:
            return 404, {}
        start = int(query.get("continue", ["0"])[0] or 0)
        more = str(start + self.page) if start + self.page < len(self.lists[path]) else ""
        return 200, {"items": self.lists[path][start : start + self.page], "metadata": {"continue": more}}

    def _delete(self, path: str) -> tuple[int, dict[str, Any]]:
        self.deleted.append(path)
        for objects in self.lists.values():
            for one in [one for one in objects if path.endswith(f"/{one['metadata']['name']}")]:
                one["metadata"]["deletionTimestamp"] = "2026-11-23T10:00:00Z"
                if not self.has_finalizers:
                    objects.remove(one)
        return 200, {}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    private = serialization.PrivateFormat.PKCS8
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture
def serve(certificate: Path) -> Iterator[Callable[[FakeApiServer], FakeApiServer]]:
    with _servers(certificate) as start:
        yield start


@contextmanager
def _servers(certificate: Path) -> Iterator[Callable[[FakeApiServer], FakeApiServer]]:
    running = []

    def start(api: FakeApiServer) -> FakeApiServer:
        class Handler(BaseHTTPRequestHandler):
            def _handle(self) -> None:
                token = self.headers.get("Authorization", "").removeprefix("Bearer ")
                status, body = api.answer(self.command, self.path, token)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            do_GET = do_DELETE = _handle  # noqa: N815 - the names that http.server looks for

            def log_message(self, *_: object) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        running.append(server)
        api.url = f"https://127.0.0.1:{server.server_address[1]}"
        pem = certificate.read_text()
        api.authority = base64.b64encode(pem[pem.index("-----BEGIN CERTIFICATE") :].encode()).decode()
        return api

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def thing(name: str, namespace: str | None = "default", **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name} | ({"namespace": namespace} if namespace else {})} | more


def a_full_server(**differences: Any) -> FakeApiServer:
    return FakeApiServer(
        {
            SERVICES: [
                thing("web", spec={"type": "LoadBalancer"}),
                thing("kubernetes", spec={"type": "ClusterIP"}),
            ],
            INGRESSES: [thing("shop", "games")],
            CLAIMS: [thing("data-0")],
        },
        **differences,
    )


def lab_at(server: FakeApiServer, **differences: Any) -> Lab:
    facts = ClusterFacts(endpoint=server.url, certificate_authority=server.authority)
    return replace(a_lab(**differences), facts=facts)


def let_nobody_in(lab: Lab) -> None:
    raise AssertionError("nobody was to be let in")


def api(admit: Callable[[Lab], None] = let_nobody_in) -> KubernetesApi:
    return KubernetesApi(lambda cluster: f"token-of-{cluster}", admit, lambda: VIEW_ROLE)


def test_a_server_that_answers_says_its_version(serve: Callable[[FakeApiServer], FakeApiServer]) -> None:
    server = serve(a_full_server())
    probe = api().probe(server.url, server.authority)
    assert (probe.host, probe.addresses, probe.answered) == ("127.0.0.1", ("127.0.0.1",), True)
    assert (probe.version, probe.problem) == ("v1.36.2-eks-abc", None)
    assert server.tokens == []


def test_a_server_of_another_authority_is_not_believed(
    serve: Callable[[FakeApiServer], FakeApiServer],
) -> None:
    server = serve(a_full_server())
    for authority in (None, base64.b64encode(b"no certificate").decode(), "no base64!"):
        probe = api().probe(server.url, authority)
        assert (probe.answered, probe.version) == (False, None)
        assert probe.problem


def test_an_endpoint_that_does_not_resolve_has_no_addresses() -> None:
    probe = api().probe("https://nowhere.invalid", None)
    assert (probe.addresses, probe.answered) == ((), False)
    assert "does not resolve" in str(probe.problem)


def test_a_closed_port_is_a_result() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{free.getsockname()[1]}"
        assert not api().probe(url, None).answered
        swept = api().sweep(replace(a_lab(), facts=ClusterFacts(endpoint=url)))
    assert (swept.reachable, swept.deleted) == (False, ())
    assert swept.problem


def test_a_sweep_deletes_what_makes_aws_things_and_nothing_else(
    serve: Callable[[FakeApiServer], FakeApiServer],
) -> None:
    server = serve(a_full_server())
    swept = api().sweep(lab_at(server))
    assert (swept.reachable, swept.remaining) == (True, ())
    assert swept.deleted == ("Service default/web", "Ingress games/shop", "PersistentVolumeClaim default/data-0")
    assert server.deleted == [
        "/api/v1/namespaces/default/services/web",
        "/apis/networking.k8s.io/v1/namespaces/games/ingresses/shop",
        "/api/v1/namespaces/default/persistentvolumeclaims/data-0",
    ]
    assert set(server.tokens) == {"token-of-myeks"}


def test_node_pools_go_first(serve: Callable[[FakeApiServer], FakeApiServer]) -> None:
    server = a_full_server()
    server.lists[NODE_POOLS] = [thing("default", None)]
    assert api().sweep(lab_at(serve(server))).deleted[0] == "NodePool default"
    assert server.deleted[0] == f"{NODE_POOLS}/default"


@pytest.mark.parametrize("policy", [VolumePolicy.KEEP, VolumePolicy.SNAPSHOT])
def test_volumes_that_are_not_to_be_deleted_keep_their_claims(
    serve: Callable[[FakeApiServer], FakeApiServer], policy: VolumePolicy
) -> None:
    server = serve(a_full_server())
    swept = api().sweep(lab_at(server, volumes=policy))
    assert not any("persistentvolumeclaims" in path for path in server.deleted)
    assert swept.remaining == ()


def test_what_waits_for_its_controller_remains_and_is_not_deleted_twice(
    serve: Callable[[FakeApiServer], FakeApiServer],
) -> None:
    server = serve(a_full_server(has_finalizers=True))
    first, second = api().sweep(lab_at(server)), api().sweep(lab_at(server))
    assert first.remaining == second.remaining == first.deleted
    assert (second.deleted, len(server.deleted)) == ((), 3)


def test_every_page_is_read(serve: Callable[[FakeApiServer], FakeApiServer]) -> None:
    server = FakeApiServer({CLAIMS: [thing(f"data-{n}") for n in range(7)]}, page=3)
    assert len(api().sweep(lab_at(serve(server))).deleted) == 7


def test_a_server_that_does_not_know_us_is_asked_again_once_we_are_let_in(
    serve: Callable[[FakeApiServer], FakeApiServer],
) -> None:
    let_in: list[str] = []
    server = serve(a_full_server(admits=lambda token: 200 if let_in else 401))
    kubernetes = api(lambda lab: let_in.append(lab.id))
    first = kubernetes.sweep(lab_at(server))
    assert (first.reachable, first.deleted, first.remaining) == (True, (), (BEING_LET_IN,))
    assert len(kubernetes.sweep(lab_at(server)).deleted) == 3
    assert let_in == [a_lab().id]


def test_a_server_that_lets_us_see_only_some_of_it_is_asked_again_once_we_may_do_everything(
    serve: Callable[[FakeApiServer], FakeApiServer],
) -> None:
    let_in: list[str] = []
    server = serve(a_full_server(admits=lambda token: 200 if let_in else 403))
    kubernetes = api(lambda lab: let_in.append(lab.id))
    assert kubernetes.sweep(lab_at(server)).remaining == (BEING_LET_IN,)
    assert len(kubernetes.sweep(lab_at(server)).deleted) == 3
    assert let_in == [a_lab().id]


def test_a_server_in_which_something_forbids_deletions_is_not_reachable(
    serve: Callable[[FakeApiServer], FakeApiServer],
) -> None:
    swept = api().sweep(lab_at(serve(a_full_server(forbids_deletions=True))))
    assert not swept.reachable
    assert "403 on DELETE" in str(swept.problem)


def test_not_being_able_to_let_oneself_in_is_a_result(serve: Callable[[FakeApiServer], FakeApiServer]) -> None:
    def refuse(lab: Lab) -> None:
        raise AccessDenied("eks:CreateAccessEntry", "AccessDeniedException", "not for you")

    swept = api(refuse).sweep(lab_at(serve(a_full_server(admits=lambda token: 401))))
    assert (swept.reachable, swept.refused_by_aws) == (False, True)
    assert "not for you" in str(swept.problem)


def test_aws_that_throttles_before_the_server_is_asked_is_told_apart_from_a_server_out_of_reach() -> None:
    def throttle(cluster: str) -> str:
        raise Throttled("sts:AssumeRole", "ThrottlingException", "Rate exceeded")

    lab = replace(a_lab(), facts=ClusterFacts(endpoint="https://127.0.0.1:9", certificate_authority=None))
    assert KubernetesApi(throttle, let_nobody_in, lambda: VIEW_ROLE).sweep(lab).refused_by_aws
    assert not api().sweep(lab).refused_by_aws


def test_a_server_that_fails_is_not_reachable(serve: Callable[[FakeApiServer], FakeApiServer]) -> None:
    assert not api().sweep(lab_at(serve(a_full_server(admits=lambda token: 500)))).reachable


def test_a_lab_without_an_endpoint_has_nothing_to_sweep() -> None:
    assert not api().sweep(a_lab()).reachable


def a_node(name: str, group: str | None, ready: str) -> dict[str, Any]:
    labels = {"eks.amazonaws.com/nodegroup": group} if group else {}
    conditions = [{"type": "MemoryPressure", "status": "True"}, {"type": "Ready", "status": ready}]
    return {"metadata": {"name": name, "labels": labels}, "status": {"conditions": conditions}}


def test_nodes_are_counted_by_node_group_when_they_say_ready(serve: Callable[[FakeApiServer], FakeApiServer]) -> None:
    nodes = [a_node("a", "workers", "True"), a_node("b", "workers", "True"), a_node("c", "workers", "Unknown")]
    nodes += [a_node("d", "gpu", "False"), a_node("karpenters", None, "True"), {"metadata": {"name": "bare"}}]
    server = serve(FakeApiServer({NODES: nodes}, page=2))
    seen = api().nodes(lab_at(server))
    assert (seen.reachable, seen.ready) == (True, {"workers": 2})


def test_a_server_that_does_not_let_us_in_tells_nothing_of_nodes(
    serve: Callable[[FakeApiServer], FakeApiServer],
) -> None:
    seen = api().nodes(lab_at(serve(FakeApiServer({}, admits=lambda token: 401))))
    assert (seen.reachable, seen.ready) == (False, {})
    assert "401" in str(seen.problem)


def test_a_lab_without_an_endpoint_has_no_nodes_to_see() -> None:
    assert api().nodes(a_lab()).problem == "there is no endpoint"
