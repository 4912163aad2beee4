// A message box: Enter sends, Shift+Enter makes a new line, a leading slash is a command.

import { h } from "/page/dom.js";

export function setUpComposer({ form, box, send, hint, commands }) {
  const grow = () => {
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight, 180)}px`;
    if (hint) showHint(hint, box, commands());
  };
  box.addEventListener("input", grow);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Tab" && hint && !hint.hidden && !event.shiftKey) {
      event.preventDefault();
      box.value = `${hint.dataset.first} `;
      grow();
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = box.value.trim();
    if (!text) return;
    box.value = "";
    grow();
    if (!(await send(text))) {
      box.value = text;
      grow();
    }
    box.focus();
  });
}

function showHint(hint, box, commands) {
  const typed = box.value;
  const matching = typed.startsWith("/") && !typed.includes(" ") ? commands.filter((name) => name.startsWith(typed)) : [];
  hint.hidden = matching.length === 0;
  if (hint.hidden) return;
  hint.dataset.first = matching[0];
  hint.replaceChildren(...matching.map((name) =>
    h("button", {
      type: "button", tabindex: "-1",
      onclick: () => {
        box.value = `${name} `;
        hint.hidden = true;
        box.focus();
      },
    }, h("strong", {}, name), h("span", {}, " Tab to complete"))));
}
