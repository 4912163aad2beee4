// The messages of the open conversation and its thread pane.

import { act, explain, read } from "/page/api.js";
import { context, valuesAt } from "/page/context.js";
import { h, toast } from "/page/dom.js";
import { drawMessages } from "/page/messages.js";
import { unescapeText } from "/page/mrkdwn.js";
import { $, dmOf, person, state } from "/page/state.js";

const NARROW_PX = 760;
const sentHere = new Set();
let autoOpened = null;

export function expectAnswerTo(ts) {
  sentHere.add(ts);
}

function listOptions(isThread) {
  return {
    isThread,
    channel: state.channel,
    viewer: state.me,
    personOf: person,
    contextOf: (message) => context({ channel: state.channel, ts: message.ts }, valuesAt(`${state.me.id}/${message.ts}`)),
    openThread: (ts) => openThread(ts, { focus: true }),
    edit: editMessage,
    remove: (message) => attempt("delete-message", { channel: state.channel, ts: message.ts }),
  };
}

export async function attempt(deed, body) {
  try {
    await act(deed, { as: state.me.id, ...body });
  } catch (error) {
    toast(explain(error), { isError: true });
  }
}

// What the person typed, from what Slack stores.
function asTyped(text) {
  return unescapeText(text
    .replace(/<(?:mailto:|https?:)[^|>]*\|([^>]*)>/g, "$1")
    .replace(/<(https?:[^>|]*)>/g, "$1")
    .replace(/<@(\w+)>/g, (_, id) => `@${person(id).name}`));
}

function editMessage(message) {
  const box = h("textarea", { rows: 3, id: "edit-box", value: asTyped(message.text) });
  const dialog = $("confirm");
  const save = async () => {
    dialog.close();
    await attempt("edit-message", { channel: state.channel, ts: message.ts, text: box.value });
  };
  dialog.replaceChildren(h("h2", { id: "confirm-title" }, "Edit message"), h("label", { for: "edit-box", class: "visually-hidden" }, "Text"), box,
    h("div", { class: "modal-actions" },
      h("button", { type: "button", class: "button", onclick: () => dialog.close() }, "Cancel"),
      h("button", { type: "button", class: "button button-primary", onclick: save }, "Save")));
  dialog.showModal();
}

let wantedAgain = false;
let isReading = false;

export async function refreshMessages({ toEnd = false } = {}) {
  if (isReading) {
    wantedAgain = true;
    return;
  }
  isReading = true;
  try {
    const channel = state.channel;
    const body = await read(`messages/${channel === dmOf(state.me.id) ? `dm:${state.me.id}` : channel}`, { as: state.me.id });
    if (channel !== state.channel) wantedAgain = true;
    else {
      state.messages = body.messages;
      drawLists(toEnd);
    }
  } finally {
    isReading = false;
  }
  if (wantedAgain) {
    wantedAgain = false;
    await refreshMessages({ toEnd });
  }
}

function drawLists(toEnd) {
  followOwnThread();
  const top = state.messages.filter((m) => !m.thread_ts || m.thread_ts === m.ts || m.subtype === "thread_broadcast");
  drawMessages($("messages"), top, { ...listOptions(false), toEnd });
  $("messages").classList.toggle("empty", top.length === 0);
  drawThread(toEnd);
}

function drawThread(toEnd = false) {
  const shown = state.messages.filter((m) => m.ts === state.thread || m.thread_ts === state.thread);
  const isOpen = state.thread !== null && shown.length > 0;
  $("thread").hidden = !isOpen;
  document.body.classList.toggle("with-thread", isOpen);
  if (isOpen) drawMessages($("thread-messages"), shown, { ...listOptions(true), toEnd });
  else $("thread-messages").replaceChildren();
}

// A newcomer's first answer comes in a thread: open it where the question was asked here.
function followOwnThread() {
  if (state.thread !== null && state.thread !== autoOpened) return;
  if ($("thread-composer").value || window.innerWidth < NARROW_PX) return;
  const answered = state.messages.filter((m) => sentHere.has(m.ts) && m.reply_count).at(-1);
  if (answered) {
    sentHere.delete(answered.ts);
    state.thread = answered.ts;
    autoOpened = answered.ts;
  }
}

export function openThread(ts, { focus = false } = {}) {
  const message = state.messages.find((m) => m.ts === ts);
  state.thread = message?.thread_ts ?? ts;
  autoOpened = null;
  drawThread(true);
  if (focus) $("thread-composer").focus();
}

export function closeThread() {
  const link = state.thread && $("messages").querySelector(`[data-key="${CSS.escape(state.thread)}"] .thread-link`);
  state.thread = null;
  drawThread();
  (link || $("composer")).focus();
}
