"""python3 -m unittest"""

import unittest
from types import SimpleNamespace

import logic


class Judging(unittest.TestCase):
    """Verdicts over answers of a candidate that is not there."""

    def check(self, settings, endpoint, get, verdict, sentence):
        subjects = SimpleNamespace(candidate=SimpleNamespace(release="v2", endpoint=endpoint))
        found = logic.judge(settings, subjects, get)
        self.assertEqual((found.verdict, found.sentence), (verdict, sentence))

    def test_the_status_decides(self):
        def answering(status):
            def get(url):
                self.assertEqual(url, "http://127.0.0.1:8080/healthz")
                return status, 3

            return get

        settings, endpoint = '{"path": "/healthz"}', "127.0.0.1:8080"
        self.check(settings, endpoint, answering(200), "HEALTHY", "the candidate answers")
        self.check(settings, endpoint, answering(503), "UNHEALTHY", "the candidate answers with status 503")

    def test_no_answer_is_not_healthy(self):
        def failing(url):
            raise logic.NoAnswer("timeout")

        self.check("", "127.0.0.1:8080", failing, "UNHEALTHY", "no answer: timeout")
        self.check("", None, failing, "INCONCLUSIVE", "the candidate has no endpoint")

    def test_settings_that_do_not_fit_are_an_error(self):
        self.check('{"paths": "/"}', None, None, "ERROR", "unknown setting `paths`, expected path")
        self.check("[]", None, None, "ERROR", "the settings must be an object")
        self.check('{"path": "x"}', None, None, "ERROR", "the setting `path` must begin with /")


if __name__ == "__main__":
    unittest.main()
