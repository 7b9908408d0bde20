"""A health check in Python: sends requests to the candidate and judges their latencies.

This file speaks the contract (sdk/wit/0.3/health.wit, as componentize-py maps it); latency.py decides and knows nothing of it.
"""

import re

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.health import Assessment, Verdict
from wit_world.imports import http
from wit_world.imports.types import Measurement, Side

import latency


class Health(exports.Health):
    """The interface that the host calls."""

    def assess(self, context, subjects, window):
        """Takes a look and judges."""
        try:
            wanted = latency.settings(context.settings)
        except latency.Misfit as misfit:
            return Assessment(Verdict.ERROR, [], str(misfit), None, None)
        candidate = subjects.candidate
        if candidate is None or candidate.endpoint is None:
            return Assessment(Verdict.INCONCLUSIVE, [], "the candidate has no endpoint", context.state, None)
        seen = latency.Seen.restore(context.state, candidate.release)
        for _ in range(wanted.samplesPerLook):
            probe(f"http://{candidate.endpoint}{wanted.path}", wanted, seen)
        judgment = latency.judge(wanted, seen)
        return Assessment(Verdict[judgment.verdict], measurements(wanted, seen, judgment), judgment.sentence, seen.keep(), None)


def probe(url: str, wanted: latency.Settings, seen: latency.Seen) -> None:
    """Sends one request and notes what came of it."""
    try:
        response = http.fetch(http.Request("GET", url, [], b"", wanted.timeoutMs, 0))
    except Err as error:
        # `refused` never comes here as a verdict: the host fails the call.
        seen.failed(sentence(error.value))
    else:
        seen.answered(response.status, response.elapsed_ms)


def sentence(error: http.Error) -> str:
    """Returns the error's case ("Error_TooLarge" is `too large`), and its text where it has one."""
    words = re.findall("[A-Z][a-z]*", type(error).__name__.removeprefix("Error_"))
    name = " ".join(words).lower()
    value = getattr(error, "value", None)
    return name if value is None else f"{name}: {value}"


def measurements(wanted: latency.Settings, seen: latency.Seen, judgment: latency.Judgment) -> list[Measurement]:
    """Returns the numbers that the verdict rests on."""
    found = [measured("failures", float(seen.failures), "1", float(wanted.failuresMax), len(seen.latencies_ms) + seen.failures)]
    if judgment.value is not None:
        found.append(measured("latency", judgment.value, "ms", float(wanted.latencyMsMax), len(seen.latencies_ms)))
    return found


def measured(name: str, value: float, unit: str, limit: float, samples: int) -> Measurement:
    """Returns a number of the candidate's, held against its limit by plain comparison."""
    return Measurement(name, value, unit, Side.CANDIDATE, limit, samples, interval=None, test=None)
