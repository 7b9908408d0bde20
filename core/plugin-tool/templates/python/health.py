"""A health check: asks a path of the candidate.

This file speaks the contract (wit/health.wit); logic.py decides and can be tested in any Python.
"""

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.health import Assessment, Verdict
from wit_world.imports import http
from wit_world.imports.types import Measurement, Side

import logic


class Health(exports.Health):
    """The interface that the host calls."""

    def assess(self, context, subjects, window):
        """Takes a look and judges."""
        found = logic.judge(context.settings, subjects, get)
        measurements = []
        if found.elapsed_ms is not None:
            measurements.append(Measurement("latency", float(found.elapsed_ms), "ms", Side.CANDIDATE, None, 1, None, None))
        return Assessment(Verdict[found.verdict], measurements, found.sentence, None, None)


def get(url):
    """Returns status and milliseconds of an answer."""
    try:
        response = http.fetch(http.Request("GET", url, [], b"", 5000, 0))
    except Err as error:
        raise logic.NoAnswer(str(error.value)) from error
    return response.status, response.elapsed_ms
