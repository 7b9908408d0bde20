"""What the check decides, and nothing of how it is asked: it can be tested in any Python."""

import json
import math
from dataclasses import dataclass, field

# What is remembered from look to look at most; the oldest go first.
SAMPLES_MAX = 500


class Misfit(Exception):
    """Settings that do not fit, as a sentence."""


@dataclass
class Settings:
    """How the check is set up; plugin.json describes each."""

    path: str = "/"
    samplesPerLook: int = 5
    samplesMin: int = 20
    percentile: float = 95
    latencyMsMax: float = 500
    failuresMax: int = 0
    timeoutMs: int = 2000


# The smallest and the largest value of each number.
RANGES = {
    "samplesPerLook": (1, 50),
    "samplesMin": (1, SAMPLES_MAX),
    "percentile": (0.001, 100),
    "latencyMsMax": (0.001, math.inf),
    "failuresMax": (0, math.inf),
    "timeoutMs": (1, 60_000),
}


def settings(text: str) -> Settings:
    """Returns the settings; a setting that nobody knows is a mistake, never a wish that is passed over."""
    try:
        said = json.loads(text.strip() or "{}")
    except ValueError as error:
        raise Misfit(f"the settings do not fit: {error}") from error
    if not isinstance(said, dict):
        raise Misfit("the settings do not fit: expected an object")
    known = Settings.__dataclass_fields__
    for name, value in said.items():
        if name not in known:
            raise Misfit(f"the settings do not fit: unknown setting `{name}`, expected one of {', '.join(known)}")
        if name in RANGES:
            _check_number(name, value, whole=known[name].type is int)
        elif not isinstance(value, str) or not value.startswith("/"):
            raise Misfit(f"the settings do not fit: `{name}` must be a text that begins with /")
    return Settings(**said)


def _check_number(name: str, value: object, whole: bool) -> None:
    low, high = RANGES[name]
    # In Python, True is a number; in settings it is none.
    fits = not isinstance(value, bool) and isinstance(value, int if whole else (int, float))
    if not fits or not low <= value <= high or not math.isfinite(value):
        raise Misfit(f"the settings do not fit: `{name}` must be a number from {low} to {high}")


@dataclass
class Seen:
    """What the looks so far have seen of one release."""

    release: str = ""
    latencies_ms: list[int] = field(default_factory=list)
    failures: int = 0
    last_failure: str = ""

    @classmethod
    def restore(cls, state: bytes | None, release: str) -> "Seen":
        """Returns what the last look left; nothing if it was of another release or of another form."""
        try:
            kept = json.loads(state) if state else {}
            seen = cls(kept["release"], [int(one) for one in kept["latenciesMs"]], int(kept["failures"]), str(kept["lastFailure"]))
        except (ValueError, KeyError, TypeError):
            return cls(release)
        return seen if seen.release == release else cls(release)

    def keep(self) -> bytes:
        """Returns what the next look is to be given."""
        kept = {
            "release": self.release,
            "latenciesMs": self.latencies_ms[-SAMPLES_MAX:],
            "failures": self.failures,
            "lastFailure": self.last_failure[:200],
        }
        return json.dumps(kept, separators=(",", ":")).encode()

    def answered(self, status: int, elapsed_ms: int) -> None:
        """Notes an answer."""
        if status >= 500:
            self.failed(f"the candidate answers with status {status}")
        else:
            self.latencies_ms.append(elapsed_ms)

    def failed(self, why: str) -> None:
        """Notes a request that has no good answer."""
        self.failures += 1
        self.last_failure = why


def percentile(latencies_ms: list[int], rank: float) -> int:
    """Returns the nearest-rank percentile: the smallest value that so many percent of all do not exceed."""
    ordered = sorted(latencies_ms)
    return ordered[max(math.ceil(rank / 100 * len(ordered)), 1) - 1]


@dataclass
class Judgment:
    """A verdict, by the name that the contract gives it."""

    verdict: str
    sentence: str
    value: float | None = None


def judge(wanted: Settings, seen: Seen) -> Judgment:
    """Returns the verdict on what was seen: no data is not healthy."""
    count = len(seen.latencies_ms)
    value = float(percentile(seen.latencies_ms, wanted.percentile)) if count else None
    if seen.failures > wanted.failuresMax:
        return Judgment("UNHEALTHY", f"{seen.failures} requests failed, at most {wanted.failuresMax} may ({seen.last_failure})", value)
    if value is None or count < wanted.samplesMin:
        return Judgment("INCONCLUSIVE", f"{count} of {wanted.samplesMin} latencies were seen", value)
    said = f"p{wanted.percentile:g} of {count} requests is {value:g} ms"
    if value > wanted.latencyMsMax:
        return Judgment("UNHEALTHY", f"{said}, at most {wanted.latencyMsMax:g} ms is allowed", value)
    return Judgment("HEALTHY", said, value)
