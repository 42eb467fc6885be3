// Stories: what a user of the API does, step by step, by a client of theirs. ../README.md says what a step can be.
const fs = require('node:fs');
const path = require('node:path');
const assert = require('node:assert/strict');
const { check } = require('./expectation');

const { KEYSTEAD_URL } = process.env;

/** The stories of an API: the name of each file, and its stories by their titles. */
function stories(api) {
  const folder = path.join(__dirname, '../stories', api);
  const files = fs.readdirSync(folder).sort();
  return files.map((file) => [path.parse(file).name, JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8'))]);
}

/** Tells stories by one client, and remembers which of its methods they drove. */
class Teller {
  constructor(client, environment) {
    this.client = client;
    this.environment = environment;
    this.driven = new Set();
    this.skipped = new Map();
  }

  /** Takes the steps of a story. What they keep comes to `kept`. */
  async tell(steps, kept) {
    for (const [index, step] of steps.entries()) {
      if (step.only && !step.only.includes(this.client.name)) continue;
      try {
        await this.take(step, kept);
      } catch (error) {
        const options = error instanceof assert.AssertionError ? {} : { cause: error };
        throw new Error(`step ${index + 1}, ${step.call ?? step.raw}: ${error.message}`, options);
      }
    }
  }

  async take(step, kept) {
    const values = { ...this.environment, ...kept };
    const given = { key: step.by ?? '$locationKey', params: step.with, body: step.body, files: step.files };
    const call = { name: step.call, ...filled(given, values) };
    const ask = () => (step.raw ? raw(step.raw, call) : this.client.call(call));
    let { failed, answer } = await ask();
    for (let tries = step.tries ?? 1; tries > 1 && !failed; tries -= 1) ({ failed, answer } = await ask());
    const shown = JSON.stringify(answer);
    if (step.skip) {
      assert.ok(failed === 404, `it is no 404, so that it need not be skipped: ${failed} ${shown}`);
      this.skipped.set(step.call, step.skip);
      return;
    }
    if (step.fails) {
      const { status, ...expected } = filled(step.fails, values);
      assert.ok(failed === status, `it is ${failed ?? 'no failure'}, where a ${status} is expected: ${shown}`);
      check(answer, expected);
    } else {
      assert.ok(failed === undefined, `it is ${failed}: ${shown}`);
      const own = this.client.isV3 ? step.expectV3 : step.expectOlder;
      for (const expected of [step.expect, own]) {
        if (expected !== undefined) check(answer, filled(expected, values));
      }
      for (const [name, at] of Object.entries(step.keep ?? {})) {
        kept[name] = at.split('.').reduce((value, part) => value?.[part], answer);
        assert.ok(kept[name] !== undefined, `there is no ${at} to keep: ${shown}`);
      }
    }
    if (step.call && (!step.fails || step.fault)) this.driven.add(step.call);
  }

  /** That every method was driven, or is skipped for a reason that holds. */
  checkThatAllAreDriven() {
    const methods = this.client.methods();
    const missing = methods.filter((name) => !this.driven.has(name) && !this.skipped.has(name));
    assert.deepEqual(missing, [], 'no story drives these methods, and none skips them');
    const needless = [...this.skipped.keys()].filter((name) => this.driven.has(name) || !methods.includes(name));
    assert.deepEqual(needless, [], 'these are skipped although they are driven, or are no methods');
    return { methods: methods.length, skipped: this.skipped };
  }
}

/** `$name` is a kept value, `${name}` one in the middle of a text. */
function filled(value, values) {
  const known = (name) => {
    assert.ok(name in values, `nothing is kept as ${name}`);
    return values[name];
  };
  if (typeof value === 'string') {
    const whole = /^\$(\w+)$/.exec(value);
    return whole ? known(whole[1]) : value.replace(/\$\{(\w+)\}/g, (_, name) => known(name));
  }
  if (Array.isArray(value)) return value.map((item) => filled(item, values));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [filled(name, values), filled(member, values)]));
}

/** A request of our own, for what the contract has no operation for. `target` is `POST /workflows/{id}`. */
async function raw(target, { key, params = {}, body }) {
  const [method, pattern] = target.split(' ');
  const address = new URL(pattern.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(params[name])), KEYSTEAD_URL);
  for (const [name, value] of Object.entries(params)) {
    if (!pattern.includes(`{${name}}`)) address.searchParams.set(name, value);
  }
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
  const response = await fetch(address, { method, headers, body: body && JSON.stringify(body) });
  return { failed: response.ok ? undefined : response.status, answer: await response.json() };
}

module.exports = { Teller, stories };
