// Puts a form of this site into the page: <script src="…/f/embed.js" data-form="…" async></script>
// It listens to its own frame only, takes a height from it, and nothing else.
(() => {
  "use strict";
  const script = document.currentScript;
  const id = script && script.dataset.form;
  if (!id || !/^[A-Za-z0-9]{20}$/.test(id)) return;
  const site = new URL(script.src).origin;
  const frame = document.createElement("iframe");
  const address = new URL(`/f/${id}/embed`, site);
  address.search = location.search;
  frame.src = address.href;
  frame.title = script.dataset.title || "Form";
  frame.setAttribute("width", "100%");
  frame.setAttribute("height", "400");
  frame.setAttribute("frameborder", "0");
  script.after(frame);
  addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow || event.origin !== site) return;
    const said = event.data;
    if (!said || said.keystead !== "form" || said.id !== id || !Number.isFinite(said.height)) return;
    frame.setAttribute("height", String(Math.min(20000, Math.max(0, Math.round(said.height)))));
  });
})();
