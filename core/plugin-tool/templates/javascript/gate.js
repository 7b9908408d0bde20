// A gate: lets a release pass when few enough of its checks failed. wit/gate.wit says what it is asked and answers.

const KIND = 'summary';
const DEFAULTS = { failedMax: 0 };

export const gate = {
  evaluate(context, evidence) {
    // It fails closed: no evidence is no pass, and what cannot be read is an error.
    try {
      const { failedMax } = settings(context.settings);
      const found = evidence.find((one) => one.kind === KIND);
      if (found === undefined) return answer('fail', `the artifact has no evidence of kind \`${KIND}\``);
      const { passed, failed } = summary(found);
      const measurements = [{ name: 'failed-checks', value: failed, unit: '1', side: undefined, limit: failedMax }];
      if (failed > failedMax) return answer('fail', `${failed} checks failed, at most ${failedMax} may`, measurements);
      return answer('pass', `${passed} checks passed, ${failed} failed`, measurements);
    } catch (error) {
      return answer('error', error.message);
    }
  },
};

function answer(tag, sentence, measurements = []) {
  return { verdict: { tag }, measurements, sentence };
}

// A setting that nobody knows is a mistake and never a wish that is passed over.
function settings(text) {
  const said = JSON.parse(text.trim() === '' ? '{}' : text);
  if (typeof said !== 'object' || said === null || Array.isArray(said)) throw new Error('the settings must be an object');
  const unknown = Object.keys(said).find((name) => !Object.hasOwn(DEFAULTS, name));
  if (unknown !== undefined) throw new Error(`unknown setting \`${unknown}\`, expected one of ${Object.keys(DEFAULTS).join(', ')}`);
  const all = { ...DEFAULTS, ...said };
  if (!count(all.failedMax)) throw new Error('the setting `failedMax` must be a whole number');
  return all;
}

function summary({ name, content }) {
  try {
    const { passed, failed } = JSON.parse(new TextDecoder().decode(content));
    if (count(passed) && count(failed)) return { passed, failed };
  } catch {
    // Said below, like every other form that is not the one.
  }
  throw new Error(`the evidence "${name}" is no summary: expected the numbers passed and failed`);
}

function count(value) {
  return Number.isInteger(value) && value >= 0;
}
