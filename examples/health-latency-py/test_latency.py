"""python -m unittest"""

import unittest

import latency
from latency import Misfit, Seen, Settings


class Deciding(unittest.TestCase):
    """Verdicts over what was seen."""

    def check(self, wanted, latencies_ms, verdict, sentence, failures=0):
        seen = Seen("v2", latencies_ms, failures, "timeout" if failures else "")
        judgment = latency.judge(wanted, seen)
        self.assertEqual((judgment.verdict, judgment.sentence), (verdict, sentence))

    def test_the_percentile_is_held_against_the_limit(self):
        samples = list(range(1, 101))
        self.check(Settings(latencyMsMax=95), samples, "HEALTHY", "p95 of 100 requests is 95 ms")
        self.check(Settings(latencyMsMax=94), samples, "UNHEALTHY", "p95 of 100 requests is 95 ms, at most 94 ms is allowed")

    def test_too_few_are_no_verdict(self):
        self.check(Settings(), [1] * 19, "INCONCLUSIVE", "19 of 20 latencies were seen")
        self.check(Settings(), [], "INCONCLUSIVE", "0 of 20 latencies were seen")

    def test_failures_count_at_once(self):
        self.check(Settings(), [1], "UNHEALTHY", "1 requests failed, at most 0 may (timeout)", failures=1)
        self.check(Settings(failuresMax=1), [1] * 20, "HEALTHY", "p95 of 20 requests is 1 ms", failures=1)

    def test_percentiles_are_nearest_ranks(self):
        values = [15, 20, 35, 40, 50]
        for rank, expected in [(0.001, 15), (20, 15), (21, 20), (50, 35), (99, 50), (100, 50)]:
            self.assertEqual(latency.percentile(values, rank), expected, rank)
        self.assertEqual(latency.percentile([7], 95), 7)


class Remembering(unittest.TestCase):
    """What is carried from look to look."""

    def test_a_look_goes_on_where_the_last_one_ended(self):
        seen = Seen("v2")
        seen.answered(200, 7)
        seen.answered(503, 1)
        again = Seen.restore(seen.keep(), "v2")
        self.assertEqual((again.latencies_ms, again.failures, again.last_failure), ([7], 1, "the candidate answers with status 503"))

    def test_another_release_begins_anew(self):
        for state in [None, b"", b"{}", b"not json", Seen("v1", [1]).keep()]:
            self.assertEqual(Seen.restore(state, "v2"), Seen("v2"))

    def test_what_is_kept_is_bounded(self):
        kept = Seen("v2", [60_000] * 10_000, 3, "x" * 10_000).keep()
        self.assertLess(len(kept), 8_000)


class SettingUp(unittest.TestCase):
    """Settings that fit, and those that do not."""

    def test_defaults_hold(self):
        self.assertEqual(latency.settings(""), Settings())
        self.assertEqual(latency.settings('{"path": "/x", "percentile": 99.9}'), Settings(path="/x", percentile=99.9))

    def test_what_does_not_fit_is_named(self):
        cases = {
            '{"paths": "/"}': "unknown setting `paths`",
            '{"path": "x"}': "`path` must be a text that begins with /",
            '{"samplesMin": 1.5}': "`samplesMin` must be a number from 1 to 500",
            '{"samplesMin": true}': "`samplesMin` must be a number from 1 to 500",
            '{"percentile": 101}': "`percentile` must be a number",
            "[]": "expected an object",
            "{": "the settings do not fit",
        }
        for text, expected in cases.items():
            with self.assertRaises(Misfit) as raised:
                latency.settings(text)
            self.assertIn(expected, str(raised.exception), text)


if __name__ == "__main__":
    unittest.main()
