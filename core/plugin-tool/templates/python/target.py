"""A target: writes what shall run, as one document, to a service that runs it.

This file speaks the contract (wit/target.wit); logic.py decides and can be tested in any Python.
"""

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import target
from wit_world.imports import http
from wit_world.imports.types import Fault, Side

import logic


class Target(exports.Target):
    """The interface that the host calls."""

    def describe(self, settings):
        """Returns what the target can do."""
        faults(logic.settings, settings)
        return target.Descriptor(True, 1, False, False, False, False, True, target.Fencing.NATIVE)

    def observe(self, context):
        """Returns what really runs."""
        document, _ = faults(logic.read, context, send)
        return observation(document)

    def reconcile(self, context, desired):
        """Moves the world toward the desired state and says how far it got."""
        try:
            outcome, value = logic.reconcile(context, desired, send)
        except logic.Failed as failed:
            return target.Progress_Failed(Fault(str(failed), failed.retryable))
        if outcome == "superseded":
            return target.Progress_Superseded(value)
        if outcome == "converged":
            return target.Progress_Converged(observation(value))
        document, message = value
        return target.Progress_InProgress(target.Pending(observation(document), logic.RETRY_MS, message))

    def preview(self, context, desired):
        """Returns what a reconcile would change."""
        return faults(logic.preview, context, desired, send)


def faults(work, *arguments):
    """Returns what the work returns, or raises what the contract calls a fault."""
    try:
        return work(*arguments)
    except logic.Failed as failed:
        raise Err(Fault(str(failed), failed.retryable)) from failed


def observation(document):
    """Returns what the document says runs."""
    sides = [
        target.SideObservation(side, document[name]["release"], document[name]["digest"], 1, 1, None)
        for name, side in [("stable", Side.STABLE), ("candidate", Side.CANDIDATE)]
        if document[name] is not None
    ]
    return target.Observation(sides, document["candidateBasisPoints"], None, document["fence"], [], None)


def send(method, url, headers, body):
    """Returns status, headers and body of an answer."""
    try:
        response = http.fetch(http.Request(method, url, headers, body, 5000, 0))
    except Err as error:
        raise logic.Failed(f"no answer: {error.value}", True) from error
    return response.status, response.headers, response.body
