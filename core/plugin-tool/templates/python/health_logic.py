"""What the check decides, and nothing of how it is asked."""

import json
from dataclasses import dataclass


class NoAnswer(Exception):
    """The candidate did not answer: why."""


@dataclass
class Found:
    """A verdict, by the name that the contract gives it."""

    verdict: str
    sentence: str
    elapsed_ms: int | None = None


def settings(text: str) -> str:
    """Returns the path; a setting that nobody knows is a mistake, never a wish that is passed over."""
    said = json.loads(text.strip() or "{}")
    if not isinstance(said, dict):
        raise ValueError("the settings must be an object")
    for name in said:
        if name != "path":
            raise ValueError(f"unknown setting `{name}`, expected path")
    path = said.get("path", "/")
    if not isinstance(path, str) or not path.startswith("/"):
        raise ValueError("the setting `path` must begin with /")
    return path


def judge(text: str, subjects, get) -> Found:
    """Returns the verdict: no data is not healthy. `get` asks an address."""
    try:
        path = settings(text)
    except ValueError as error:
        return Found("ERROR", str(error))
    if subjects.candidate is None or subjects.candidate.endpoint is None:
        return Found("INCONCLUSIVE", "the candidate has no endpoint")
    try:
        status, elapsed_ms = get(f"http://{subjects.candidate.endpoint}{path}")
    except NoAnswer as why:
        return Found("UNHEALTHY", f"no answer: {why}")
    if not 200 <= status <= 299:
        return Found("UNHEALTHY", f"the candidate answers with status {status}")
    return Found("HEALTHY", "the candidate answers", elapsed_ms)
