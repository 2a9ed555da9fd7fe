"""A server that answers EKS and EC2 for a fleet with prepared bodies after a delay, and almost without CPU.

`python -m benchmarks.canned_answers CLUSTERS SECONDS FAULTY` prints its port and ends with its standard input. Its answers have
the shape of botocore's model; `FAULTY` names are refused or fail for ever.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.request import urlopen

REGION, ACCOUNT = "eu-west-1", "111122223333"
_PAGE = 100


def cluster_names(count: int) -> list[str]:
    """Names of `count` clusters."""
    return [f"cluster-{number:05}" for number in range(count)]


@dataclass
class CannedAnswers:
    """The answers, and the number of calls of each operation."""

    names: Sequence[str]
    seconds: float
    faulty: frozenset[str]
    asked: Counter[str] = field(default_factory=Counter)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests, one after another."""
        while head := await _head(reader):
            lines = head.split("\r\n")
            length = next((int(line[15:]) for line in lines if line.lower().startswith("content-length:")), 0)
            await reader.readexactly(length)
            status, kind, answer = self._answer(lines[0].split(" ")[1])
            if kind != "text/plain":
                await asyncio.sleep(self.seconds)
            described = f"HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\nContent-Length: {len(answer)}\r\n\r\n"
            writer.write(described.encode() + answer)
        writer.close()

    def _answer(self, target: str) -> tuple[int, str, bytes]:
        path, _, query = target.partition("?")
        if path == "/asked":
            return 200, "text/plain", json.dumps(self.asked).encode()
        if path == "/":
            self.asked["DescribeInstances"] += 1
            return 200, "text/xml", _INSTANCES
        parts = path.strip("/").split("/")
        operation = _operation(parts)
        self.asked[operation] += 1
        if operation == "DescribeCluster" and parts[1] in self.faulty:
            denied = parts[1] == min(self.faulty)
            return (403 if denied else 500), "application/json", b'{"message": "no"}'
        return (
            200,
            "application/json",
            json.dumps(self.body(operation, parts[1] if parts[1:] else "", query), default=datetime.timestamp).encode(),
        )

    def body(self, operation: str, cluster: str, query: str) -> dict[str, Any]:
        """The answer to an operation; `query` as in a URL."""
        match operation:
            case "ListClusters":
                start = int(dict(each.split("=") for each in query.split("&") if each).get("nextToken", 0))
                more = {"nextToken": str(start + _PAGE)} if start + _PAGE < len(self.names) else {}
                return {"clusters": list(self.names[start : start + _PAGE]), **more}
            case "DescribeCluster":
                return {"cluster": _cluster(cluster)}
            case "ListNodegroups":
                return {"nodegroups": ["workers"]}
            case "DescribeNodegroup":
                scaling = {"minSize": 1, "maxSize": 3, "desiredSize": 2}
                return {"nodegroup": {"nodegroupName": "workers", "version": "1.36", "scalingConfig": scaling}}
            case "ListFargateProfiles":
                return {"fargateProfileNames": []}
        return {"clusterVersions": [_VERSION]}


async def _head(reader: asyncio.StreamReader) -> str:
    """The head of the next request; empty if the connection ends."""
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return ""


def _operation(parts: Sequence[str]) -> str:
    match parts:
        case ["cluster-versions"]:
            return "DescribeClusterVersions"
        case ["clusters"]:
            return "ListClusters"
        case ["clusters", _]:
            return "DescribeCluster"
        case ["clusters", _, "node-groups"]:
            return "ListNodegroups"
        case ["clusters", _, "node-groups", _]:
            return "DescribeNodegroup"
    return "ListFargateProfiles"


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _cluster(name: str) -> dict[str, Any]:
    arn = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{name}"
    vpc = {"vpcId": "vpc-0", "subnetIds": ["subnet-0", "subnet-1"], "endpointPublicAccess": True}
    return {
        "name": name,
        "arn": arn,
        "status": "ACTIVE",
        "version": "1.36",
        "platformVersion": "eks.1",
        "createdAt": _instant(1.77e9),
        "endpoint": "https://0.eks.amazonaws.com",
        "resourcesVpcConfig": vpc,
        "tags": {"owner": "team@example.com"},
        "upgradePolicy": {"supportType": "EXTENDED"},
        "certificateAuthority": {"data": "LS0t" * 300},
    }


_VERSION = {
    "clusterVersion": "1.36",
    "defaultVersion": True,
    "versionStatus": "STANDARD_SUPPORT",
    "releaseDate": _instant(1.778e9),
    "endOfStandardSupportDate": _instant(1.815e9),
    "endOfExtendedSupportDate": _instant(1.846e9),
}
_INSTANCES = b"<DescribeInstancesResponse><requestId>0</requestId><reservationSet/></DescribeInstancesResponse>"


@contextmanager
def canned_answers(clusters: int, seconds: float, faulty: Sequence[str] = ()) -> Iterator[str]:
    """Run the server in a process of its own; its address."""
    command = [sys.executable, "-m", "benchmarks.canned_answers", str(clusters), str(seconds), ",".join(faulty)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        server.terminate()


def asked_of(url: str) -> Counter[str]:
    """The number of calls of each operation so far."""
    with urlopen(f"{url}/asked") as answer:
        return Counter(json.load(answer))


async def _main(clusters: int, seconds: float, faulty: str) -> None:
    answers = CannedAnswers(cluster_names(clusters), seconds, frozenset(filter(None, faulty.split(","))))
    server = await asyncio.start_server(answers.serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]))
