// Shows the pages of a form one after another. Without it all of them stand below each other, with their titles.
"use strict";
(() => {
  const form = document.querySelector("form[data-steps]");
  if (!form) return;
  const pages = [...form.querySelectorAll(".page")];
  const send = form.querySelector(".send button");
  const button = (text) => Object.assign(document.createElement("button"), { type: "button", className: "other", textContent: text });
  const [back, next] = [button("Back"), button("Next")];
  next.className = "";
  send.before(back, next);
  form.classList.add("stepped");
  for (const page of pages) {
    const heading = page.querySelector(":scope > h2") || page.insertAdjacentElement("afterbegin", document.createElement("h2"));
    heading.tabIndex = -1;
    heading.prepend(Object.assign(document.createElement("span"), { className: "count" }), " ");
  }

  // A page whose fields are all hidden by earlier answers is no step.
  const steps = () => pages.filter((page) => [...page.querySelectorAll("[data-key]")].some((part) => !part.hidden));
  let here;
  const show = () => {
    const all = steps();
    if (!all.includes(here)) here = all[0];
    const place = all.indexOf(here);
    for (const page of pages) page.hidden = page !== here;
    if (here) here.querySelector(".count").textContent = `Step ${place + 1} of ${all.length}`;
    back.hidden = place < 1;
    next.hidden = place >= all.length - 1;
    send.hidden = !next.hidden;
  };
  const go = (by) => {
    const all = steps();
    here = all[all.indexOf(here) + by] || here;
    show();
    here.querySelector("h2").focus();
  };
  const forward = () => {
    const wrong = [...here.querySelectorAll("input, select, textarea")].find((control) => !control.closest("[hidden]") && !control.checkValidity());
    if (wrong) wrong.reportValidity();
    else go(1);
  };

  back.addEventListener("click", () => go(-1));
  next.addEventListener("click", forward);
  // Whoever presses Enter in a line goes on; only the last page sends.
  form.addEventListener("submit", (event) => {
    if (next.hidden) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    forward();
  }, true);
  form.addEventListener("click", (event) => {
    const link = event.target.closest(".summary a[href^='#']");
    const page = link && document.getElementById(link.hash.slice(1))?.closest(".page");
    if (!page) return;
    here = page;
    show();
  });
  form.addEventListener("input", show);
  addEventListener("pageshow", show);
  here = form.querySelector(".page .problem")?.closest(".page");
  show();
})();
