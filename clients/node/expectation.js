// Whether an answer is what a story expects of it. ../README.md says what an expectation can be.
const assert = require('node:assert/strict');

const of = (pattern) => (value) => typeof value === 'string' && pattern.test(value);

/** Values of which only the kind is known beforehand. */
const KINDS = {
  '<absent>': (value) => value === undefined || value === null,
  '<boolean>': (value) => typeof value === 'boolean',
  '<date>': of(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  '<id>': of(/^[A-Za-z0-9]{20}$/),
  '<integer>': Number.isInteger,
  '<number>': (value) => typeof value === 'number',
  '<string>': of(/./s),
  '<uuid>': of(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
};

/** What is said of a value by the name of a member that no answer has. */
const COMPARISONS = {
  '<has>': (value, part, at) => {
    if (typeof value === 'string') return fails(!value.includes(part), at, value, { '<has>': part });
    fails(!Array.isArray(value) || !value.some((item) => isAsExpected(item, part)), at, value, { '<has>': part });
  },
  '<each>': (value, all, at) => {
    fails(!Array.isArray(value) || value.length === 0, at, value, { '<each>': all });
    value.forEach((item, index) => check(item, all, `${at}[${index}]`));
  },
  '<length>': (value, length, at) => fails(value?.length !== length, at, value, { '<length>': length }),
};

/** Throws where `value` is not what is expected. Objects may have more members than are expected of them, lists may not. */
function check(value, expected, at = 'answer') {
  if (typeof expected === 'string' && expected in KINDS) {
    fails(!KINDS[expected](value), at, value, expected);
  } else if (Array.isArray(expected)) {
    fails(!Array.isArray(value) || value.length !== expected.length, at, value, expected);
    expected.forEach((item, index) => check(value[index], item, `${at}[${index}]`));
  } else if (expected !== null && typeof expected === 'object') {
    fails(value === null || value === undefined, at, value, expected);
    for (const [name, member] of Object.entries(expected)) {
      if (name in COMPARISONS) COMPARISONS[name](value, member, at);
      else check(value[name], member, `${at}.${name}`);
    }
  } else {
    fails(value !== expected, at, value, expected);
  }
}

function isAsExpected(value, expected) {
  try {
    check(value, expected);
    return true;
  } catch {
    return false;
  }
}

function fails(isWrong, at, actual, expected) {
  if (!isWrong) return;
  const message = `${at} is ${JSON.stringify(actual)}, where ${JSON.stringify(expected)} is expected`;
  throw new assert.AssertionError({ message, actual, expected });
}

module.exports = { check };
