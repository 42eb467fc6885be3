// Tells the page around a frame how high the form is. Nobody hears anything else.
"use strict";
const form = document.querySelector("[data-form]");
if (form && window.parent !== window) {
  const tell = () => window.parent.postMessage({ keystead: "form", id: form.dataset.form, height: Math.ceil(document.documentElement.getBoundingClientRect().height) }, "*");
  new ResizeObserver(tell).observe(document.documentElement);
  tell();
  // A frame that may not take the window says nothing of that: the other link stands there once the first one led nowhere.
  const otherwise = document.querySelector("[data-otherwise]");
  if (otherwise) {
    otherwise.hidden = true;
    document.querySelector("a.on").addEventListener("click", () => setTimeout(() => { otherwise.hidden = false; }, 500));
  }
}
