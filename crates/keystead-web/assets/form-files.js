// Says before anything is sent that a file is too large: the server would take nothing of the form. Without it the server says so.
"use strict";
(() => {
  const MB = 10;
  const form = document.querySelector("form[enctype]");
  if (!form) return;
  const fields = [...form.querySelectorAll("input[type=file]")];
  const check = (field) => {
    const large = [...field.files].find((file) => file.size > MB * 1024 * 1024);
    field.setCustomValidity(large ? `${large.name} is larger than ${MB} MB. Choose a smaller file.` : "");
    return !large;
  };
  for (const field of fields) field.addEventListener("change", () => check(field) || field.reportValidity());
  form.addEventListener("submit", (event) => {
    const wrong = fields.find((field) => !check(field));
    if (!wrong) return;
    event.preventDefault();
    wrong.reportValidity();
  });
})();
