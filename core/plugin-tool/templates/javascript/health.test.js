import assert from 'node:assert/strict';
import { test } from 'node:test';

import { judge, settings } from './logic.js';

const CANDIDATE = { candidate: { release: 'v2', endpoint: '127.0.0.1:8080' } };

function check(text, subjects, get, verdict, sentence) {
  const found = judge(() => settings(text), subjects, get);
  assert.deepEqual([found.verdict, found.sentence], [verdict, sentence]);
}

test('the status decides', () => {
  const answering = (status) => (url) => {
    assert.equal(url, 'http://127.0.0.1:8080/healthz');
    return { status, elapsedMs: 3 };
  };
  const text = '{"path": "/healthz"}';
  check(text, CANDIDATE, answering(200), 'healthy', 'the candidate answers');
  check(text, CANDIDATE, answering(503), 'unhealthy', 'the candidate answers with status 503');
});

test('no answer is not healthy', () => {
  const failing = () => {
    throw { payload: { tag: 'timeout' } };
  };
  check('', CANDIDATE, failing, 'unhealthy', 'no answer: timeout');
  check('', {}, failing, 'inconclusive', 'the candidate has no endpoint');
});

test('settings that do not fit are an error', () => {
  check('[]', CANDIDATE, () => ({ status: 200 }), 'error', 'the settings must be an object');
  check('{"paths": "/"}', CANDIDATE, () => ({ status: 200 }), 'error', 'unknown setting `paths`, expected one of path');
});
