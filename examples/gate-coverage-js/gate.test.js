// node --test

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { gate } from './gate.js';

const LCOV = `TN:
SF:src/cart.js
DA:1,4
DA:2,0
LF:10
LH:9
BRF:4
BRH:1
end_of_record
SF:src/price.js
LF:10
LH:8
end_of_record
`;

const COBERTURA = `<?xml version="1.0"?>
<coverage line-rate="0.5" lines-covered="5" lines-valid="10" branches-covered="1" branches-valid="2" version="7.6">
  <packages/>
</coverage>
`;

function evidence(kind, text, name = 'unit') {
  return { kind, name, mediaType: 'text/plain', digest: '', content: new TextEncoder().encode(text) };
}

function check(settings, given, tag, sentence) {
  const answer = gate.evaluate({ settings: JSON.stringify(settings) }, given);
  assert.equal(answer.sentence, sentence);
  assert.equal(answer.verdict.tag, tag);
  return answer;
}

test('enough coverage passes, with the number it rests on', () => {
  const answer = check({}, [evidence('lcov', LCOV)], 'pass', '85.0% of the lines are covered');
  const numbers = answer.measurements.map(({ name, value, unit, limit, samples }) => [name, value, unit, limit, samples]);
  assert.deepEqual(numbers, [['line-coverage', 85, 'percent', 80, 20n]]);
});

test('too little fails', () => {
  check({ linesMin: 90 }, [evidence('lcov', LCOV)], 'fail', '85.0% of the lines are covered, at least 90% must be');
  check({ branchesMin: 50 }, [evidence('lcov', LCOV)], 'fail', '25.0% of the branches are covered, at least 50% must be');
  check({ kind: 'cobertura' }, [evidence('cobertura', COBERTURA)], 'fail', '50.0% of the lines are covered, at least 80% must be');
});

test('several reports are taken together', () => {
  const sentence = '85.0% of the lines are covered; 25.0% of the branches are covered';
  check({ branchesMin: 25 }, [evidence('lcov', LCOV), evidence('lcov', LCOV, 'e2e')], 'pass', sentence);
});

test('no report is no pass', () => {
  check({}, [], 'fail', 'the artifact has no evidence of kind `lcov`');
  check({ name: 'e2e' }, [evidence('lcov', LCOV)], 'fail', 'the artifact has no evidence of kind `lcov` with the name "e2e"');
  check({}, [evidence('lcov', 'SF:a\nLF:0\nLH:0\nend_of_record\n')], 'fail', 'the report counts no lines');
});

test('a report that cannot be read is an error', () => {
  for (const text of ['', 'LF:10\nLH:10\n', 'SF:a\nLF:10\nLH:10\n', 'SF:a\nLF:ten\nend_of_record\n', COBERTURA]) {
    check({}, [evidence('lcov', text)], 'error', 'the report "unit" is not of the form lcov');
  }
  check({ kind: 'cobertura' }, [evidence('cobertura', COBERTURA.slice(0, 150))], 'error', 'the report "unit" is not of the form cobertura');
  const impossible = evidence('lcov', 'SF:a\nLF:1\nLH:2\nend_of_record\n');
  check({}, [impossible], 'error', 'the report "unit" has 2 lines hit of 1');
});

test('settings that do not fit are an error, and unknown ones are named', () => {
  const known = 'kind, name, linesMin, branchesMin';
  check({ lineMin: 1 }, [], 'error', `the settings do not fit: unknown setting \`lineMin\`, expected one of ${known}`);
  check({ linesMin: '80' }, [], 'error', 'the settings do not fit: `linesMin` must be a number from 0 to 100');
  check({ kind: 'jacoco' }, [], 'error', 'the settings do not fit: `kind` must be "lcov" or "cobertura"');
  check([], [], 'error', 'the settings do not fit: expected an object');
});
