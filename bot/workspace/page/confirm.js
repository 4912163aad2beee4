// The confirm object: a small dialog before an action.

import { h } from "/page/dom.js";
import { plainText, textNode } from "/page/mrkdwn.js";

const NO_NAMES = { nameOf: () => null, channelName: () => null };

export function confirmFirst(confirm) {
  if (!confirm) return Promise.resolve(true);
  const dialog = document.getElementById("confirm");
  return new Promise((resolve) => {
    const done = (answer) => {
      dialog.removeEventListener("cancel", refuse);
      dialog.close();
      resolve(answer);
    };
    const refuse = (event) => {
      event.preventDefault();
      done(false);
    };
    dialog.addEventListener("cancel", refuse);
    dialog.replaceChildren(
      h("h2", { id: "confirm-title" }, plainText(confirm.title)),
      h("p", {}, textNode(confirm.text, NO_NAMES)),
      h("div", { class: "modal-actions" },
        h("button", { type: "button", class: "button", onclick: () => done(false) }, plainText(confirm.deny)),
        h("button", { type: "button", class: `button button-${confirm.style ?? "primary"}`, onclick: () => done(true) }, plainText(confirm.confirm))),
    );
    dialog.showModal();
    dialog.querySelector(".button").focus();
  });
}
