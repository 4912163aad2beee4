// The open modal: shows the top of the stack, keeps what is typed, submits, closes.

import { act, explain } from "/page/api.js";
import { blockNodes } from "/page/blocks.js";
import { h, toast } from "/page/dom.js";
import { plainText } from "/page/mrkdwn.js";
import { refreshViews } from "/page/views.js";

const dialog = document.getElementById("modal");
let shown = null;
const typedByView = new Map();

export function showModals(stack, makeContext) {
  const view = stack.at(-1) ?? null;
  for (const id of typedByView.keys()) {
    if (!stack.some((open) => open.id === id)) typedByView.delete(id);
  }
  if (!view) {
    if (dialog.open) dialog.close();
    shown = null;
    return;
  }
  if (shown && shown.view.id === view.id && shown.view.hash === view.hash) return;
  draw(view, makeContext, {}, stack.length);
}

function draw(view, makeContext, errors, depth) {
  const active = dialog.contains(document.activeElement) ? document.activeElement.dataset.action : null;
  if (!typedByView.has(view.id)) typedByView.set(view.id, {});
  const ctx = { ...makeContext({ view_id: view.id }, typedByView.get(view.id)), errors };
  shown = { view, ctx, makeContext, depth };
  const close = view.close ? plainText(view.close) : "Cancel";
  const buttons = [h("button", { type: "button", class: "button", onclick: closeTop }, depth > 1 && !view.close ? "Back" : close)];
  if (view.submit) buttons.push(h("button", { type: "submit", class: "button button-primary" }, plainText(view.submit)));
  const form = h("form", { novalidate: true, onsubmit: submit },
    h("div", { class: "modal-head" },
      h("h2", { id: "modal-title" }, plainText(view.title)),
      h("button", { type: "button", class: "ghost", "aria-label": "Close", onclick: closeTop }, "✕")),
    h("div", { class: "modal-body", id: "modal-body" }, ...blockNodes(view.blocks, ctx)),
    h("div", { class: "modal-actions" }, ...buttons));
  dialog.replaceChildren(form);
  if (!dialog.open) dialog.showModal();
  focusIn(form, active);
}

function focusIn(form, action) {
  const fields = [...form.querySelectorAll(".modal-body :is(input,textarea,select,button)")];
  const wanted = form.querySelector(".has-problem :is(input,textarea,select)")
    ?? fields.find((node) => action && node.dataset.action === action)
    ?? form.querySelector("[data-autofocus]")
    ?? fields[0]
    ?? form.querySelector(".modal-actions .button:last-child");
  wanted?.focus();
  wanted?.closest(".has-problem")?.scrollIntoView({ block: "nearest" });
}

async function submit(event) {
  event.preventDefault();
  const { view, ctx, makeContext, depth } = shown;
  const button = dialog.querySelector('.modal-actions [type="submit"]');
  if (button?.getAttribute("aria-busy") === "true") return;
  button?.setAttribute("aria-busy", "true");
  try {
    const outcome = await act("submit-view", { as: ctx.me, view_id: view.id, values: ctx.values });
    if (outcome.response_action === "errors" && outcome.errors) draw(view, makeContext, outcome.errors, depth);
    else if (outcome.error) toast(`The bot's answer could not be used: ${outcome.error}`, { isError: true });
    await refreshViews();
  } catch (error) {
    toast(explain(error), { isError: true });
  } finally {
    button?.removeAttribute("aria-busy");
  }
}

async function closeTop() {
  const { view, ctx } = shown;
  await act("close-view", { as: ctx.me, view_id: view.id }).catch(() => null);
  await refreshViews();
}

dialog.addEventListener("cancel", (event) => {
  event.preventDefault();
  closeTop();
});
