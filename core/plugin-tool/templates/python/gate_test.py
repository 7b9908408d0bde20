"""python3 -m unittest"""

import unittest
from types import SimpleNamespace

import logic


class Judging(unittest.TestCase):
    """Verdicts over evidence, good and bad."""

    def check(self, settings, texts, verdict, sentence):
        evidence = [SimpleNamespace(kind="summary", name="checks", content=text.encode()) for text in texts]
        found = logic.judge(settings, evidence)
        self.assertEqual((found.verdict, found.sentence), (verdict, sentence))

    def test_failed_checks_are_held_against_the_limit(self):
        text = '{"passed": 7, "failed": 1}'
        self.check("{}", [text], "fail", "1 checks failed, at most 0 may")
        self.check('{"failedMax": 1}', [text], "pass", "7 checks passed, 1 failed")

    def test_no_evidence_is_no_pass(self):
        self.check("", [], "fail", "the artifact has no evidence of kind `summary`")

    def test_what_cannot_be_read_is_an_error(self):
        sentence = 'the evidence "checks" is no summary: expected the numbers passed and failed'
        for text in ["", "[]", '{"passed": 7}', '{"passed": 7, "failed": true}']:
            self.check("{}", [text], "error", sentence)
        self.check('{"failed": 1}', [], "error", "unknown setting `failed`, expected failedMax")
        self.check("[]", [], "error", "the settings must be an object")
        self.check('{"failedMax": -1}', [], "error", "the setting `failedMax` must be a whole number")


if __name__ == "__main__":
    unittest.main()
