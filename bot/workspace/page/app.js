// The page: starts it, moves about in it, keeps it fresh from the event stream.

import { setUpComposer } from "/page/composer.js";
import { attempt, closeThread, openThread, refreshMessages } from "/page/conversation.js";
import { toast } from "/page/dom.js";
import { drawHead, drawPeople, drawSidebar } from "/page/frame.js";
import { refreshLog, resetLog } from "/page/inspector.js";
import { send } from "/page/sending.js";
import { $, channelOf, dmOf, isDm, person, readWorld, state, unread } from "/page/state.js";
import { refreshViews } from "/page/views.js";

function openTab(tab) {
  state.tab = tab;
  drawHead(openTab);
  attempt("open-home", { tab });
  if (tab === "messages") $("messages").scrollTop = $("messages").scrollHeight;
}

async function actAs(id) {
  state.me = person(id);
  state.thread = null;
  const isShared = channelOf(state.channel)?.members.includes(id) && !channelOf(state.channel).im_user;
  const wanted = isShared ? state.channel : dmOf(id);
  rememberInUrl(id, `#/${wanted}`);
  await go(wanted);
  await refreshViews();
}

function rememberInUrl(id, hash) {
  const url = new URL(location.href);
  url.searchParams.set("as", id);
  url.hash = hash;
  history.replaceState(null, "", url);
}

async function go(channel, ts) {
  state.channel = channel;
  unread.delete(channel);
  state.thread = null;
  if (ts) state.tab = "messages";
  drawHead(openTab);
  drawPeople(actAs);
  drawSidebar();
  $("messages").replaceChildren();
  await refreshMessages({ toEnd: true });
  if (ts) reveal(ts);
  if (isDm()) attempt("open-home", { tab: state.tab });
}

function reveal(ts) {
  const message = state.messages.find((m) => m.ts === ts);
  if (!message) {
    toast("That message is gone.");
    return;
  }
  if (message.thread_ts) openThread(message.thread_ts);
  const node = document.querySelector(`#thread-messages [data-key="${CSS.escape(ts)}"]`) ?? document.querySelector(`#messages [data-key="${CSS.escape(ts)}"]`);
  node?.classList.add("revealed");
  node?.scrollIntoView({ block: "center" });
  node?.focus({ preventScroll: true });
}

async function follow() {
  const [, channel, ts] = location.hash.match(/^#\/([A-Z0-9]+)(?:\/([\d.]+))?$/) ?? [];
  closeMenu();
  if (!channel) return go(dmOf(state.me.id));
  const owner = state.world.people.find((p) => dmOf(p.id) === channel);
  if (owner && owner.id !== state.me.id) {
    toast(`This is ${owner.real_name}'s conversation: you are ${owner.real_name} now.`);
    state.me = owner;
    rememberInUrl(owner.id, location.hash);
    await refreshViews();
  } else if (!owner && !channelOf(channel)?.members.includes(state.me.id)) {
    toast(`${state.me.real_name} is not in that channel.`, { isError: true });
    return go(dmOf(state.me.id));
  }
  return go(channel, ts);
}

function listen() {
  const stream = new EventSource("/_control/events");
  let wasLost = false;
  stream.onopen = () => {
    $("banner").hidden = true;
    if (wasLost) reload();
    else Promise.all([refreshMessages(), refreshViews()]);
    wasLost = false;
  };
  stream.onerror = () => {
    wasLost = true;
    $("banner").textContent = "The workspace does not answer. Trying again…";
    $("banner").hidden = false;
  };
  stream.onmessage = (event) => notice(JSON.parse(event.data));
}

function notice(change) {
  if (change.type === "log") refreshLog();
  else if (change.type === "view" && change.user === state.me.id) refreshViews();
  else if (change.type === "reset") reload();
  else if (change.type === "message") messageNotice(change.channel);
}

function messageNotice(channel) {
  if (channel === state.channel) {
    refreshMessages();
    return;
  }
  unread.add(channel);
  drawPeople(actAs);
  drawSidebar();
}

async function reload() {
  await readWorld();
  resetLog();
  await refreshViews();
  await refreshMessages();
}

function closeMenu() {
  document.body.classList.remove("with-menu");
  $("menu").setAttribute("aria-expanded", "false");
}

async function start() {
  await readWorld();
  const asked = new URL(location.href).searchParams.get("as");
  const active = state.world.people.filter((p) => !p.deleted);
  state.me = active.find((p) => p.id === asked) ?? active[0];
  $("team").textContent = state.world.team.name;
  setUpComposer({ form: $("composer-form"), box: $("composer"), hint: $("command-hint"), commands: () => state.world.commands, send: (text) => send(text) });
  setUpComposer({ form: $("thread-form"), box: $("thread-composer"), send: (text) => send(text, state.thread) });
  $("thread-close").addEventListener("click", closeThread);
  $("thread").addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeThread();
  });
  $("menu").addEventListener("click", () => {
    const isOpen = document.body.classList.toggle("with-menu");
    $("menu").setAttribute("aria-expanded", String(isOpen));
  });
  window.addEventListener("hashchange", follow);
  await refreshViews();
  await follow();
  listen();
  $("composer").focus();
}

start();
