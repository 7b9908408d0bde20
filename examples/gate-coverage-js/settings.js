// The gate's settings. A setting that nobody knows is a mistake and never a wish that is passed over.

const DEFAULTS = { kind: 'lcov', name: null, linesMin: 80, branchesMin: null };

/** Returns the settings with their defaults; throws a sentence that says what does not fit. */
export function parse(text) {
  let said;
  try {
    said = JSON.parse(text.trim() === '' ? '{}' : text);
  } catch (error) {
    throw new Error(`the settings do not fit: ${error.message}`);
  }
  if (typeof said !== 'object' || said === null || Array.isArray(said)) throw new Error('the settings do not fit: expected an object');
  const unknown = Object.keys(said).find((key) => !Object.hasOwn(DEFAULTS, key));
  if (unknown !== undefined) {
    throw new Error(`the settings do not fit: unknown setting \`${unknown}\`, expected one of ${Object.keys(DEFAULTS).join(', ')}`);
  }
  const settings = { ...DEFAULTS, ...said };
  if (!['lcov', 'cobertura'].includes(settings.kind)) throw new Error('the settings do not fit: `kind` must be "lcov" or "cobertura"');
  if (settings.name !== null && typeof settings.name !== 'string') throw new Error('the settings do not fit: `name` must be a text');
  checkPercent('linesMin', settings.linesMin);
  if (settings.branchesMin !== null) checkPercent('branchesMin', settings.branchesMin);
  return settings;
}

function checkPercent(name, value) {
  if (typeof value !== 'number' || !(value >= 0 && value <= 100)) {
    throw new Error(`the settings do not fit: \`${name}\` must be a number from 0 to 100`);
  }
}
