import assert from 'node:assert/strict';
import { test } from 'node:test';

import { gate } from './plugin.js';

function check(settings, texts, tag, sentence) {
  const evidence = texts.map((text) => ({ kind: 'summary', name: 'checks', content: new TextEncoder().encode(text) }));
  const answer = gate.evaluate({ settings: JSON.stringify(settings) }, evidence);
  assert.deepEqual([answer.verdict.tag, answer.sentence], [tag, sentence]);
}

test('failed checks are held against the limit', () => {
  const text = '{"passed": 7, "failed": 1}';
  check({}, [text], 'fail', '1 checks failed, at most 0 may');
  check({ failedMax: 1 }, [text], 'pass', '7 checks passed, 1 failed');
});

test('no evidence is no pass', () => {
  check({}, [], 'fail', 'the artifact has no evidence of kind `summary`');
});

test('what cannot be read is an error', () => {
  check({}, [''], 'error', 'the evidence "checks" is no summary: expected the numbers passed and failed');
  check({}, ['{"passed": 7}'], 'error', 'the evidence "checks" is no summary: expected the numbers passed and failed');
  check({ failed: 1 }, [], 'error', 'unknown setting `failed`, expected one of failedMax');
  check([], [], 'error', 'the settings must be an object');
  check({ failedMax: -1 }, [], 'error', 'the setting `failedMax` must be a whole number');
});
