// The drawer that lists deliveries to the bot and calls by the bot.

import { read } from "/page/api.js";
import { h } from "/page/dom.js";

const list = document.getElementById("log");
const pane = document.getElementById("inspector");
const toggle = document.getElementById("inspector-toggle");
const KEPT = 200;
let last = 0;
let loading = false;

export async function refreshLog() {
  if (pane.hidden || loading) return;
  loading = true;
  try {
    const { entries } = await read("log", { after: last });
    for (const entry of entries) {
      last = entry.number;
      list.prepend(entryNode(entry));
    }
    while (list.children.length > KEPT) list.lastChild.remove();
  } finally {
    loading = false;
  }
}

export function resetLog() {
  list.replaceChildren();
  last = 0;
  refreshLog();
}

function entryNode(entry) {
  const isOut = !["api", "response_url"].includes(entry.kind);
  const failed = entry.error !== null;
  const retry = entry.attempt > 0 ? ` · retry ${entry.attempt}` : "";
  const time = new Date(entry.at * 1000).toLocaleTimeString("en-GB", { timeZone: document.body.dataset.tz });
  const body = h("pre", { tabindex: "0" });
  const details = h("details", {
    ontoggle: () => {
      if (!body.textContent) body.textContent = pretty(entry);
    },
  },
  h("summary", {},
    h("span", { class: "direction", title: isOut ? "to the bot" : "from the bot" }, isOut ? "→" : "←"),
    h("span", { class: "log-name" }, entry.name),
    h("span", { class: failed ? "log-status failed" : "log-status" }, failed ? `${entry.error}` : String(entry.status)),
    h("span", { class: "log-meta" }, `${entry.kind} · ${entry.ms} ms · ${time}${retry}`)),
  body);
  return h("li", {}, details);
}

function pretty(entry) {
  const payload = new URLSearchParams(entry.body).get("payload");
  try {
    return JSON.stringify(JSON.parse(payload ?? entry.body), null, 2);
  } catch {
    return entry.body || "(empty)";
  }
}

function show(isOpen) {
  pane.hidden = !isOpen;
  toggle.setAttribute("aria-expanded", String(isOpen));
  document.body.classList.toggle("with-inspector", isOpen);
  if (isOpen) refreshLog();
  else toggle.focus();
}

toggle.addEventListener("click", () => show(pane.hidden));
document.getElementById("inspector-close").addEventListener("click", () => show(false));
pane.addEventListener("keydown", (event) => {
  if (event.key === "Escape") show(false);
});
