// What the check decides. It is given the way to ask, so that its tests run in plain node.

const DEFAULTS = { path: '/' };

/** Returns the settings. A setting that nobody knows is a mistake and never a wish that is passed over. */
export function settings(text) {
  const said = JSON.parse(text.trim() === '' ? '{}' : text);
  if (typeof said !== 'object' || said === null || Array.isArray(said)) throw new Error('the settings must be an object');
  const unknown = Object.keys(said).find((name) => !Object.hasOwn(DEFAULTS, name));
  if (unknown !== undefined) throw new Error(`unknown setting \`${unknown}\`, expected one of ${Object.keys(DEFAULTS).join(', ')}`);
  const all = { ...DEFAULTS, ...said };
  if (typeof all.path !== 'string' || !all.path.startsWith('/')) throw new Error('the setting `path` must begin with /');
  return all;
}

/** Returns the assessment; `read` gives the settings, `get` asks an address. */
export function judge(read, subjects, get) {
  let path;
  try {
    ({ path } = read());
  } catch (error) {
    return assessment('error', error.message);
  }
  // No data is not healthy.
  const endpoint = subjects.candidate?.endpoint;
  if (endpoint === undefined) return assessment('inconclusive', 'the candidate has no endpoint');
  let answer;
  try {
    answer = get(`http://${endpoint}${path}`);
  } catch (error) {
    const { tag, val } = error.payload ?? { tag: 'broken', val: error.message };
    return assessment('unhealthy', val === undefined ? `no answer: ${tag}` : `no answer: ${tag}: ${val}`);
  }
  if (answer.status < 200 || answer.status > 299) return assessment('unhealthy', `the candidate answers with status ${answer.status}`);
  const latency = { name: 'latency', value: answer.elapsedMs, unit: 'ms', side: 'candidate', limit: undefined };
  return assessment('healthy', 'the candidate answers', [latency]);
}

function assessment(verdict, sentence, measurements = []) {
  return { verdict, measurements, sentence, state: undefined, nextLookMs: undefined };
}
