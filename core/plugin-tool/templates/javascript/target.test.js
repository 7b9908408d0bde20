import assert from 'node:assert/strict';
import { test } from 'node:test';

import { observe, reconcile, settings } from './logic.js';

// A service with one document; its version is the number of writes.
function service() {
  const kept = { writes: 0, document: undefined };
  const send = (method, url, headers, body) => {
    assert.equal(url, 'http://service.test/documents/web/test');
    const version = `"${kept.writes}"`;
    if (method === 'GET') return { status: kept.document ? 200 : 404, headers: [['etag', version]], body: kept.document };
    const matches = headers.every(([name, value]) => (name === 'if-match' ? value === version : kept.document === undefined));
    if (!matches) return { status: 412, headers: [], body: new Uint8Array() };
    kept.writes += 1;
    kept.document = body;
    return { status: 204, headers: [], body: new Uint8Array() };
  };
  return { kept, send };
}

function context(fence) {
  return { service: 'web', environment: 'test', settings: '{"url": "http://service.test/documents/"}', fence: BigInt(fence) };
}

function settle(fence, release, send) {
  const desired = { stable: { release, artifactDigest: `sha256:${release}`, capacityPercent: 100 } };
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const progress = reconcile(context(fence), desired, send);
    if (progress.tag !== 'in-progress') return progress;
  }
  throw new Error('it does not settle');
}

test('it converges and writes once', () => {
  const { kept, send } = service();
  assert.equal(settle(1, 'v1', send).tag, 'converged');
  assert.equal(settle(1, 'v1', send).tag, 'converged');
  const seen = observe(context(0), send);
  assert.deepEqual([seen.sides[0].release, seen.highestFence, kept.writes], ['v1', 1n, 1]);
});

test('what is of the past is refused', () => {
  const { send } = service();
  assert.equal(settle(7, 'v2', send).tag, 'converged');
  assert.deepEqual(settle(6, 'v1', send), { tag: 'superseded', val: 7n });
  assert.equal(observe(context(0), send).sides[0].release, 'v2');
});

test('settings that do not fit are a fault', () => {
  assert.throws(() => settings('[]'), { message: 'the settings must be an object', retryable: false });
  assert.throws(() => settings('{}'), { message: 'the setting `url` must be an address', retryable: false });
  assert.throws(() => settings('{"uri": ""}'), { message: 'unknown setting `uri`, expected url', retryable: false });
});
