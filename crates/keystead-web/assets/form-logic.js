// Shows and hides the fields of a form by earlier answers, as the server judges them. Without it all are shown.
"use strict";
(() => {
  const form = document.querySelector("form[data-logic]");
  if (!form) return;
  const fields = JSON.parse(form.dataset.logic);

  const SPACE = "\\t\\n\\v\\f\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff";
  const ENDS = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, "g");
  const plain = (text) => text.replace(ENDS, "").replace(/\r+\n/g, "\n");
  const MARKS = /[\u0300-\u036f\u0591-\u05c7\u064b-\u065f]/g;
  const LETTERS = { ß: "ss", æ: "ae", œ: "oe", þ: "th", ø: "o", ł: "l", đ: "d", ð: "d", ħ: "h", ı: "i", ς: "σ" };
  const fold = (text) => {
    const lower = [...text.normalize("NFKD")].map((c) => c.toLowerCase()).join("").normalize("NFKD");
    return lower.replace(MARKS, "").replace(/[ßæœþøłđðħıς]/g, (c) => LETTERS[c]);
  };
  const compared = (text) => plain(plain(fold(plain(text))));
  const number = (text) => {
    const parts = /^(-?)([0-9]{1,15})(?:\.([0-9]{1,9}))?$/.exec(text);
    if (!parts) return null;
    const nanos = BigInt(parts[2] + (parts[3] || "").padEnd(9, "0"));
    return parts[1] ? -nanos : nanos;
  };

  const controls = (key) => [...form.elements].filter((control) => control.name === key);
  const values = ({ key, type }) => {
    const own = controls(key);
    if (type === "checkbox" || type === "consent") return own.some((control) => control.checked) ? [true] : [];
    if (type === "file") return own.flatMap((control) => [...control.files]).map((file) => compared(file.name)).filter((text) => text);
    const sent = own.filter((control) => !["radio", "checkbox"].includes(control.type) || control.checked).map((control) => plain(control.value)).filter((text) => text);
    switch (type) {
      case "number": case "money": case "rating": return sent.map(number).filter((value) => value !== null);
      case "select": case "radio": case "multi": case "time": case "date": return sent;
      case "heading": return [];
      default: return sent.map(compared).filter((text) => text);
    }
  };
  const isNumber = (type) => ["number", "money", "rating"].includes(type);
  const test = ({ field, op, value }, known, types) => {
    const found = known.get(field) || [];
    const read = (value) => (isNumber(types.get(field)) ? number(value) : value);
    const one = read(Array.isArray(value) ? "" : value);
    switch (op) {
      case "exists": return found.length > 0;
      case "not_exists": return found.length === 0;
      case "eq": return found.includes(one);
      case "not_eq": return found.length > 0 && !found.includes(one);
      case "in": return value.some((value) => found.includes(read(value)));
      case "contains": return found.some((text) => text.includes(one));
      case "not_contains": return found.length > 0 && !found.some((text) => text.includes(one));
      case "begins": return found.some((text) => text.startsWith(one));
      case "gt": return found.some((value) => value > one);
      case "gte": return found.some((value) => value >= one);
      case "lt": return found.some((value) => value < one);
      case "lte": return found.some((value) => value <= one);
      default: return false;
    }
  };
  const holds = (condition, known, types) => {
    if (condition.all) return condition.all.every((part) => holds(part, known, types));
    if (condition.any) return condition.any.some((part) => holds(part, known, types));
    if (condition.not) return !holds(condition.not, known, types);
    return test(condition, known, types);
  };

  const show = () => {
    const known = new Map(), types = new Map();
    for (const field of fields) {
      const isShown = !field.if || holds(field.if, known, types);
      const part = form.querySelector(`[data-key="${field.key}"]`);
      if (part) part.hidden = !isShown;
      types.set(field.key, field.type);
      if (isShown) known.set(field.key, values(field));
    }
  };
  form.addEventListener("input", show);
  addEventListener("pageshow", show);
  show();
})();
