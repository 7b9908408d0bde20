"""python3 -m unittest"""

import unittest
from types import SimpleNamespace

import logic


class Service:
    """A service with one document; its version is the number of writes."""

    def __init__(self):
        self.writes = 0
        self.document = None

    def send(self, method, url, headers, body):
        assert url == "http://service.test/documents/web/test", url
        version = f'"{self.writes}"'
        if method == "GET":
            return (404, [], b"") if self.document is None else (200, [("etag", version)], self.document)
        matches = all(value == version if name == "if-match" else self.document is None for name, value in headers)
        if not matches:
            return 412, [], b""
        self.writes, self.document = self.writes + 1, body
        return 204, [], b""


def context(fence):
    """Returns a call's context."""
    settings = '{"url": "http://service.test/documents/"}'
    return SimpleNamespace(service="web", environment="test", settings=settings, fence=fence)


def settle(fence, release, service):
    """Calls until it is no longer on its way."""
    side = SimpleNamespace(release=release, artifact_digest=f"sha256:{release}", capacity_percent=100)
    desired = SimpleNamespace(stable=side, candidate=None, traffic=None)
    for _ in range(5):
        outcome, value = logic.reconcile(context(fence), desired, service.send)
        if outcome != "in-progress":
            return outcome, value
    raise AssertionError("it does not settle")


class Reconciling(unittest.TestCase):
    """The target against a service in memory."""

    def test_it_converges_and_writes_once(self):
        service = Service()
        self.assertEqual(settle(1, "v1", service)[0], "converged")
        self.assertEqual(settle(1, "v1", service)[0], "converged")
        document, _ = logic.read(context(0), service.send)
        self.assertEqual((document["stable"]["release"], document["fence"], service.writes), ("v1", 1, 1))

    def test_what_is_of_the_past_is_refused(self):
        service = Service()
        self.assertEqual(settle(7, "v2", service)[0], "converged")
        self.assertEqual(settle(6, "v1", service), ("superseded", 7))
        self.assertEqual(logic.read(context(0), service.send)[0]["stable"]["release"], "v2")

    def test_settings_that_do_not_fit_are_a_fault(self):
        with self.assertRaisesRegex(logic.Failed, "must be an object"):
            logic.settings("[]")
        for text, sentence in [("{}", "the setting `url` must be"), ('{"uri": ""}', "unknown setting `uri`, expected url")]:
            with self.assertRaisesRegex(logic.Failed, sentence):
                logic.settings(text)


if __name__ == "__main__":
    unittest.main()
