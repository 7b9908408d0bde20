"""What the target decides. It is given the way to send.

The document holds the highest fence that was seen, and is only replaced when it is still the one that was read: so a write that arrives
late changes nothing.
"""

import json

RETRY_MS = 100
NOTHING = {"fence": 0, "stable": None, "candidate": None, "candidateBasisPoints": 0}


class Failed(Exception):
    """What the contract calls a fault."""

    def __init__(self, message: str, retryable: bool):
        super().__init__(message)
        self.retryable = retryable


def settings(text: str) -> str:
    """Returns where the documents are; a setting that nobody knows is a mistake, never a wish that is passed over."""
    try:
        said = json.loads(text.strip() or "{}")
    except ValueError as error:
        raise Failed(f"the settings do not fit: {error}", False) from error
    if not isinstance(said, dict):
        raise Failed("the settings must be an object", False)
    for name in said:
        if name != "url":
            raise Failed(f"unknown setting `{name}`, expected url", False)
    url = said.get("url")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise Failed("the setting `url` must be an address", False)
    return url


def reconcile(context, desired, send):
    """Goes as far as one call can."""
    now, version = read(context, send)
    if now["fence"] > context.fence:
        return "superseded", now["fence"]
    then = wanted(context, desired)
    if now == then:
        return "converged", now
    # if-match has the service refuse the write when somebody else wrote since.
    condition = ("if-none-match", "*") if version is None else ("if-match", version)
    status, _, _ = ask(context, send, "PUT", [condition], json.dumps(then).encode())
    if status != 412 and not 200 <= status <= 299:
        raise Failed(f"the service answers with status {status}", True)
    message = "somebody else wrote first" if status == 412 else "the document was written, and has to be seen"
    return "in-progress", (now, message)


def preview(context, desired, send) -> list[str]:
    """Returns what a reconcile would change."""
    now, _ = read(context, send)
    then = wanted(context, desired) | {"fence": now["fence"]}
    return [] if now == then else [f"the document of {context.service} is replaced"]


def wanted(context, desired) -> dict:
    """Returns the document of a desired state."""

    def running(side):
        return side and {"release": side.release, "digest": side.artifact_digest, "percent": side.capacity_percent}

    share = desired.traffic.candidate_basis_points if desired.traffic else 0
    sides = {"stable": running(desired.stable), "candidate": running(desired.candidate)}
    return {"fence": context.fence, **sides, "candidateBasisPoints": share}


def read(context, send):
    """Returns the document and its version; nothing runs where there is none."""
    status, headers, body = ask(context, send, "GET", [], b"")
    if status == 404:
        return NOTHING, None
    if status != 200:
        raise Failed(f"the service answers with status {status}", True)
    version = next((value for name, value in headers if name.lower() == "etag"), None)
    if version is None:
        raise Failed("the service's document has no version (etag)", False)
    try:
        return {name: json.loads(body)[name] for name in NOTHING}, version
    except (ValueError, KeyError, TypeError) as error:
        raise Failed(f"the document cannot be read: {error}", False) from error


def ask(context, send, method, headers, body):
    """Sends a request about the document of the call's scope."""
    url = f"{settings(context.settings).rstrip('/')}/{context.service}/{context.environment}"
    return send(method, url, headers, body)
