"""What the gate decides, and nothing of how it is asked."""

import json
from dataclasses import dataclass

KIND = "summary"


@dataclass
class Found:
    """A verdict with its reasons."""

    verdict: str
    sentence: str
    failed: int | None = None
    limit: int = 0


def settings(text: str) -> int:
    """Returns how many checks may have failed; a setting that nobody knows is a mistake, never a wish that is passed over."""
    said = json.loads(text.strip() or "{}")
    if not isinstance(said, dict):
        raise ValueError("the settings must be an object")
    for name in said:
        if name != "failedMax":
            raise ValueError(f"unknown setting `{name}`, expected failedMax")
    limit = said.get("failedMax", 0)
    if not count(limit):
        raise ValueError("the setting `failedMax` must be a whole number")
    return limit


def judge(text: str, evidence) -> Found:
    """Returns the verdict. It fails closed: no evidence is no pass, and what cannot be read is an error."""
    try:
        limit = settings(text)
        attached = next((one for one in evidence if one.kind == KIND), None)
        if attached is None:
            return Found("fail", f"the artifact has no evidence of kind `{KIND}`")
        passed, failed = summary(attached)
    except ValueError as error:
        return Found("error", str(error))
    if failed > limit:
        return Found("fail", f"{failed} checks failed, at most {limit} may", failed, limit)
    return Found("pass", f"{passed} checks passed, {failed} failed", failed, limit)


def summary(attached) -> tuple[int, int]:
    """Returns how many checks passed and failed."""
    try:
        said = json.loads(attached.content)
        passed, failed = said["passed"], said["failed"]
    except (ValueError, KeyError, TypeError):
        passed = failed = None
    if not count(passed) or not count(failed):
        raise ValueError(f'the evidence "{attached.name}" is no summary: expected the numbers passed and failed')
    return passed, failed


def count(value) -> bool:
    """Returns whether a value is a whole number that is not negative; True is none."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
