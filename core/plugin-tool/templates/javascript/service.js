// What the target decides. It is given the way to send, so that its tests run in plain node.
//
// The document holds the highest fence that was seen, and is only replaced when it is still the one that was read: so a write that
// arrives late changes nothing. What is thrown is a fault: { message, retryable }.

const RETRY_MS = 100;

export function settings(text) {
  let said;
  try {
    said = JSON.parse(text.trim() === '' ? '{}' : text);
  } catch (error) {
    throw fault(`the settings do not fit: ${error.message}`, false);
  }
  if (typeof said !== 'object' || said === null || Array.isArray(said)) throw fault('the settings must be an object', false);
  // A setting that nobody knows is a mistake and never a wish that is passed over.
  const unknown = Object.keys(said).find((name) => name !== 'url');
  if (unknown !== undefined) throw fault(`unknown setting \`${unknown}\`, expected url`, false);
  if (typeof said.url !== 'string' || !/^https?:\/\//.test(said.url)) throw fault('the setting `url` must be an address', false);
  return said;
}

export function descriptor() {
  return {
    weights: true,
    weightGranularityBasisPoints: 1,
    headerMatch: false,
    cookieMatch: false,
    sticky: false,
    mirror: false,
    instantSwitch: true,
    fencing: 'native',
  };
}

export function observe(context, send) {
  return observation(read(context, send).document);
}

export function reconcile(context, desired, send) {
  try {
    return step(context, desired, send);
  } catch (error) {
    return { tag: 'failed', val: { message: error.message, retryable: error.retryable ?? false } };
  }
}

export function preview(context, desired, send) {
  const now = read(context, send).document;
  const then = wanted(context, desired);
  return same({ ...then, fence: now.fence }, now) ? [] : [`the document of ${context.service} is replaced`];
}

function step(context, desired, send) {
  const { document: now, version } = read(context, send);
  if (BigInt(now.fence) > context.fence) return { tag: 'superseded', val: BigInt(now.fence) };
  const then = wanted(context, desired);
  if (same(now, then)) return { tag: 'converged', val: observation(now) };
  // if-match has the service refuse the write when somebody else wrote since.
  const condition = version === undefined ? ['if-none-match', '*'] : ['if-match', version];
  const { status } = ask(context, send, 'PUT', [condition], new TextEncoder().encode(JSON.stringify(then)));
  if (status !== 412 && (status < 200 || status > 299)) throw fault(`the service answers with status ${status}`, true);
  const message = status === 412 ? 'somebody else wrote first' : 'the document was written, and has to be seen';
  return { tag: 'in-progress', val: { observation: observation(now), retryAfterMs: RETRY_MS, message } };
}

function wanted(context, desired) {
  const running = (side) => side && { release: side.release, digest: side.artifactDigest, percent: side.capacityPercent };
  return {
    // A fence has 64 bits, more than a number of JavaScript.
    fence: context.fence.toString(),
    stable: running(desired.stable) ?? null,
    candidate: running(desired.candidate) ?? null,
    candidateBasisPoints: desired.traffic?.candidateBasisPoints ?? 0,
  };
}

function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

function observation(document) {
  const sides = ['stable', 'candidate']
    .filter((side) => document[side] !== null)
    .map((side) => ({
      side,
      release: document[side].release,
      artifactDigest: document[side].digest,
      ready: 1,
      wanted: 1,
      endpoint: undefined,
    }));
  return {
    sides,
    candidateBasisPoints: document.candidateBasisPoints,
    publicEndpoint: undefined,
    highestFence: BigInt(document.fence),
    drift: [],
    state: undefined,
  };
}

function read(context, send) {
  const { status, headers, body } = ask(context, send, 'GET', [], new Uint8Array());
  if (status === 404) return { document: { fence: '0', stable: null, candidate: null, candidateBasisPoints: 0 } };
  if (status !== 200) throw fault(`the service answers with status ${status}`, true);
  const version = headers.find(([name]) => name.toLowerCase() === 'etag')?.[1];
  if (version === undefined) throw fault("the service's document has no version (etag)", false);
  try {
    const { fence, stable, candidate, candidateBasisPoints } = JSON.parse(new TextDecoder().decode(body));
    return { document: { fence: BigInt(fence).toString(), stable, candidate, candidateBasisPoints }, version };
  } catch (error) {
    throw fault(`the document cannot be read: ${error.message}`, false);
  }
}

function ask(context, send, method, headers, body) {
  const { url } = settings(context.settings);
  try {
    return send(method, `${url.replace(/\/+$/, '')}/${context.service}/${context.environment}`, headers, body);
  } catch (error) {
    const { tag, val } = error.payload ?? { tag: 'broken', val: error.message };
    throw fault(val === undefined ? `no answer: ${tag}` : `no answer: ${tag}: ${val}`, true);
  }
}

function fault(message, retryable) {
  return { message, retryable };
}
