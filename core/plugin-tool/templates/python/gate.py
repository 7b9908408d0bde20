"""A gate: lets a release pass when few enough of its checks failed.

This file speaks the contract (wit/gate.wit); logic.py decides and can be tested in any Python.
"""

from wit_world import exports
from wit_world.exports.gate import Answer, Verdict_Error, Verdict_Fail, Verdict_Pass
from wit_world.imports.types import Measurement

import logic

VERDICTS = {"pass": Verdict_Pass, "fail": Verdict_Fail, "error": Verdict_Error}


class Gate(exports.Gate):
    """The interface that the host calls."""

    def evaluate(self, context, evidence):
        """Answers the question."""
        found = logic.judge(context.settings, evidence)
        measurements = []
        if found.failed is not None:
            measurements.append(Measurement("failed-checks", float(found.failed), "1", None, float(found.limit), None, None, None))
        return Answer(VERDICTS[found.verdict](), measurements, found.sentence)
