// A gate in JavaScript: holds coverage reports against a minimum. It needs no power.
//
// This file speaks the contract (sdk/wit/0.3/gate.wit, as componentize-js maps it); coverage.js and settings.js know nothing of it, so
// that their tests run in plain node.

import { percent, read } from './coverage.js';
import { parse } from './settings.js';

export const gate = {
  evaluate(context, evidence) {
    try {
      return evaluate(parse(context.settings), evidence);
    } catch (error) {
      // It fails closed: what cannot be read is no pass.
      return { verdict: { tag: 'error' }, measurements: [], sentence: error.message };
    }
  },
};

function evaluate(settings, evidence) {
  const reports = evidence.filter((one) => one.kind === settings.kind && (settings.name === null || one.name === settings.name));
  if (reports.length === 0) {
    const named = settings.name === null ? '' : ` with the name "${settings.name}"`;
    return fail([], `the artifact has no evidence of kind \`${settings.kind}\`${named}`);
  }
  const counts = reports.map((report) => read(settings.kind, report)).reduce(add);
  const held = [hold('line', counts.lines, settings.linesMin)];
  if (settings.branchesMin !== null) held.push(hold('branch', counts.branches, settings.branchesMin));
  const measurements = held.filter((one) => one.value !== null).map(measurement);
  const missed = held.filter((one) => one.value === null || one.value < one.limit);
  if (missed.length > 0) return fail(measurements, missed.map(miss).join('; '));
  const sentence = held.map((one) => `${one.value.toFixed(1)}% of the ${one.plural} are covered`).join('; ');
  return { verdict: { tag: 'pass' }, measurements, sentence };
}

function add(one, other) {
  const sum = (a, b) => ({ found: a.found + b.found, hit: a.hit + b.hit });
  return { lines: sum(one.lines, other.lines), branches: sum(one.branches, other.branches) };
}

function hold(name, count, limit) {
  return { name, plural: name === 'branch' ? 'branches' : 'lines', value: percent(count), limit, samples: BigInt(count.found) };
}

// Counts of the contract are of 64 bits, which JavaScript writes as BigInt; what is not known is undefined.
function measurement({ name, value, limit, samples }) {
  return { name: `${name}-coverage`, value, unit: 'percent', side: undefined, limit, samples, interval: undefined, test: undefined };
}

function miss({ plural, value, limit }) {
  if (value === null) return `the report counts no ${plural}`;
  return `${value.toFixed(1)}% of the ${plural} are covered, at least ${limit}% must be`;
}

function fail(measurements, sentence) {
  return { verdict: { tag: 'fail' }, measurements, sentence };
}
