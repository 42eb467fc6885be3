// That expectations mean in Node what they mean in Python.
const test = require('node:test');
const assert = require('node:assert/strict');
const { check } = require('./expectation');
const cases = require('../stories/expectations.json');

for (const { value, fits, differs } of cases) {
  test(`what fits ${JSON.stringify(value)}, and what does not`, () => {
    for (const expected of fits) check(value, expected);
    for (const expected of differs) {
      assert.throws(() => check(value, expected), assert.AssertionError, `${JSON.stringify(expected)} fits`);
    }
  });
}
