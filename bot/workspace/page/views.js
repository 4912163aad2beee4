// The acting person's open modals and Home.

import { read } from "/page/api.js";
import { blockNodes } from "/page/blocks.js";
import { context, valuesAt } from "/page/context.js";
import { h } from "/page/dom.js";
import { showModals } from "/page/modal.js";
import { $, state } from "/page/state.js";

export async function refreshViews() {
  const body = await read("views", { as: state.me.id });
  state.views = body;
  showModals(body.modals, context);
  drawHome();
}

function drawHome() {
  const view = state.views?.home;
  const fingerprint = JSON.stringify([state.me.id, view?.hash]);
  if ($("home").dataset.fingerprint === fingerprint) return;
  $("home").dataset.fingerprint = fingerprint;
  if (!view) {
    $("home").replaceChildren(h("p", { class: "placeholder" }, "Nothing here yet."));
    return;
  }
  $("home").replaceChildren(...blockNodes(view.blocks, context({ view_id: view.id }, valuesAt(view.id))));
}
