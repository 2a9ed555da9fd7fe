"""The metrics of a cluster under each profile of activity, computed from a name and an instant alone.

Each profile is given as differences from `idle`, in which only the nodes and the controllers send requests. The noise on top is a
hash of the name and the instant, so that equal queries get equal answers.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import Enum


class Manner(Enum):
    """People act intermittently; programs run continuously; CronJobs run on the hour, or at 16:00 UTC (01:00 in Seoul)."""

    BURSTS = "bursts"
    STEADY = "steady"
    HOURLY = "hourly"
    NIGHTLY = "nightly"


@dataclass(frozen=True, slots=True)
class Course:
    """The course of a number between `least` and `most`, in a manner."""

    most: float
    least: float = 0.0
    manner: Manner = Manner.STEADY

    def at(self, second: int, noise: float) -> float:
        """The number at a second of the epoch, whose `noise` is between 0 and 1."""
        match self.manner:
            case Manner.BURSTS:
                return self.least + (self.most - self.least) * max(noise - 0.4, 0) / 0.6
            case Manner.HOURLY:
                return self.most if second % 3600 < 300 else self.least
            case Manner.NIGHTLY:
                return self.most if second % 86_400 // 300 == 16 * 12 else self.least
            case Manner.STEADY:
                return self.most * (0.98 + 0.04 * noise)


def _bursts(most: float, least: float = 0.0) -> Course:
    return Course(most, least, Manner.BURSTS)


def _hourly(most: float, least: float = 0.0) -> Course:
    return Course(most, least, Manner.HOURLY)


def _nightly(most: float, least: float = 0.0) -> Course:
    return Course(most, least, Manner.NIGHTLY)


@dataclass(frozen=True, slots=True)
class Profile:
    """`requests`: API-server requests on top of the usual, as parts of it. `scheduled`: pods placed a minute.

    `pending`: pods waiting. `cpu`: percent. `network`: a multiple of the usual. `traffic`: requests or flows a minute of a
    balancer, which publishes no zeros. `connections`: open ones that last. `coverage`: the share of periods with data.
    """

    requests: Course = Course(0)
    scheduled: Course = Course(0)
    pending: Course = Course(0)
    cpu: Course = Course(3)
    network: Course = Course(1)
    traffic: Course = Course(0)
    connections: Course = Course(0)
    coverage: float = 1.0


PROFILES = {
    "idle": Profile(),
    "silent": Profile(coverage=0.0),
    "gaps": Profile(coverage=0.4),
    "busy": Profile(_bursts(3), _bursts(1.2), _bursts(1), _bursts(45, 8), _bursts(12, 1.5), _bursts(120)),
    "job": Profile(requests=Course(0.05), cpu=Course(92), network=Course(1.5)),
    "gpu": Profile(requests=Course(0.03), cpu=Course(5.5), network=Course(1.1)),
    "queue": Profile(cpu=Course(4.5), network=Course(60)),
    "one-core": Profile(cpu=Course(7.8)),
    "websocket": Profile(traffic=_bursts(1), connections=Course(2)),
    "nightly": Profile(scheduled=_nightly(0.2)),
    "web": Profile(cpu=Course(6), network=Course(4), traffic=Course(90)),
    "cron": Profile(requests=_hourly(0.1), scheduled=_hourly(0.2), cpu=_hourly(12, 3)),
    "k9s": Profile(requests=Course(0.4)),
    "gitops": Profile(requests=Course(0.25)),
    "scraped": Profile(requests=Course(0.15), cpu=Course(4), network=Course(1.6)),
    "crash-loop": Profile(requests=Course(0.08), cpu=Course(3.5)),
}
#: Profiles without a start: nothing happens in them.
LASTING = frozenset({"idle", "silent", "gaps", "nightly"})


def rate(profile: Profile, metric: str, cluster: str, nodes: int, at: int) -> float | None:
    """The metric's amount a minute at a second of the epoch (for CPU, flows and pending pods, its level); None without data."""
    noise = zlib.crc32(f"{cluster}/{metric}/{at // 300}".encode()) / 2**32
    if noise >= profile.coverage:
        return None
    match metric:
        case "apiserver_request_total":
            return (240 + 60 * nodes) * (0.97 + 0.06 * noise + profile.requests.at(at, noise))
        case "scheduler_schedule_attempts_SCHEDULED":
            return round(5 * profile.scheduled.at(at, noise)) / 5
        case "scheduler_pending_pods":
            return float(round(profile.pending.at(at, noise)))
        case "CPUUtilization" if nodes:
            return profile.cpu.at(at, noise)
        case "NetworkIn" | "NetworkOut" if nodes:
            return nodes * 240_000 * (0.95 + 0.1 * noise) * profile.network.at(at, noise)
        case "RequestCount" | "NewFlowCount" | "NewConnectionCount" | "EstimatedALBNewConnectionCount":
            return profile.traffic.at(at, noise) or None
        case "ActiveFlowCount" | "ActiveConnectionCount" | "EstimatedALBActiveConnectionCount":
            return profile.traffic.at(at, noise) + profile.connections.at(at, 0.5) or None
        case _:
            return None
