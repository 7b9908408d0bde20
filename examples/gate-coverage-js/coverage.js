// Reads what lcov and Cobertura write. Both say how much was found and how much of it was hit.

/** Returns how many lines and branches a report found, and how many of them were hit; throws a sentence when it cannot be read. */
export function read(kind, evidence) {
  const text = new TextDecoder('utf-8').decode(evidence.content);
  const counts = kind === 'lcov' ? lcov(text) : cobertura(text);
  if (counts === null) throw new Error(`the report "${evidence.name}" is not of the form ${kind}`);
  for (const [name, { found, hit }] of Object.entries(counts)) {
    if (hit > found) throw new Error(`the report "${evidence.name}" has ${hit} ${name} hit of ${found}`);
  }
  return counts;
}

/** Returns how many percent were hit, or null when there was nothing to hit. */
export function percent({ found, hit }) {
  return found === 0 ? null : (100 * hit) / found;
}

// LF and LH (lines), BRF and BRH (branches) sum up a file; `end_of_record` ends it. A report cut in the middle of a file is none.
function lcov(text) {
  const sums = { LF: 0, LH: 0, BRF: 0, BRH: 0 };
  let open = false;
  let records = 0;
  for (const line of text.split(/\r?\n/)) {
    const [, key, value] = /^([A-Z]+):(.*)$/.exec(line) ?? [];
    if (key === 'SF') {
      if (open) return null;
      open = true;
    } else if (line === 'end_of_record') {
      if (!open) return null;
      open = false;
      records += 1;
    } else if (key !== undefined && Object.hasOwn(sums, key)) {
      if (!open || !/^\d{1,12}$/.test(value)) return null;
      sums[key] += Number(value);
    }
  }
  if (open || records === 0) return null;
  return { lines: { found: sums.LF, hit: sums.LH }, branches: { found: sums.BRF, hit: sums.BRH } };
}

// The root element of the report carries the sums; its end must be there.
function cobertura(text) {
  const root = /<coverage\s([^>]*)>/.exec(text)?.[1];
  if (root === undefined || !/<\/coverage>\s*$/.test(text)) return null;
  const number = (name) => {
    const value = new RegExp(`(?:^|\\s)${name}\\s*=\\s*["'](\\d{1,12})["']`).exec(root)?.[1];
    return value === undefined ? null : Number(value);
  };
  const lines = { found: number('lines-valid'), hit: number('lines-covered') };
  if (lines.found === null || lines.hit === null) return null;
  return { lines, branches: { found: number('branches-valid') ?? 0, hit: number('branches-covered') ?? 0 } };
}
