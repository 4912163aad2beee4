// What frames the conversation: who acts, the list on the left, the title and its tabs.

import { h } from "/page/dom.js";
import { avatar } from "/page/messages.js";
import { $, channelOf, dmOf, isDm, state, unread } from "/page/state.js";

export function drawPeople(actAs) {
  const people = state.world.people.filter((p) => !p.deleted);
  $("people").replaceChildren(...people.map((p) => {
    const isMe = p.id === state.me.id;
    const hasNews = !isMe && [...unread].some((id) => channelOf(id)?.im_user === p.id || id === dmOf(p.id));
    return h("button", {
      type: "button", role: "radio", "aria-checked": String(isMe), tabindex: isMe ? "0" : "-1",
      class: `person ${isMe ? "person-me" : ""}`, title: `Act as ${p.real_name} (${p.title})`,
      onclick: () => actAs(p.id), onkeydown: movePeople,
    }, avatar(p, false), h("span", { class: "person-name" }, p.real_name.split(" ")[0], h("small", {}, p.title)),
    hasNews ? h("span", { class: "news" }, h("span", { class: "visually-hidden" }, "has something new")) : null);
  }));
}

function movePeople(event) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const buttons = [...$("people").children];
  const next = (buttons.indexOf(event.currentTarget) + step + buttons.length) % buttons.length;
  buttons[next].click();
  $("people").children[next].focus();
}

export function drawSidebar() {
  const mine = state.world.channels.filter((c) => !c.im_user && c.members.includes(state.me.id));
  const item = (id, mark, label) => h("a", {
    class: `nav-item ${state.channel === id ? "nav-current" : ""} ${unread.has(id) ? "nav-unread" : ""}`,
    href: `#/${id}`, "aria-current": state.channel === id ? "page" : null,
  }, h("span", { class: "nav-mark", "aria-hidden": "true" }, mark), label,
  unread.has(id) ? h("span", { class: "nav-badge" }, "new") : null);
  $("sidebar").replaceChildren(
    h("h2", {}, "Channels"),
    ...mine.map((c) => item(c.id, "#", c.name)),
    h("h2", {}, "Apps"),
    item(dmOf(state.me.id), "✓", state.world.bot.real_name),
    h("p", { class: "sidebar-note" }, "Everything here runs on this machine. Switch who you are at the top."));
}

export function drawHead(openTab) {
  document.body.dataset.tz = state.me.tz;
  const bot = state.world.bot;
  $("title").textContent = isDm() ? bot.real_name : `# ${channelOf(state.channel)?.name ?? state.channel}`;
  $("subtitle").textContent = isDm() ? "App · direct messages" : `${channelOf(state.channel)?.members.length ?? 0} members`;
  $("composer").placeholder = isDm() ? `Message ${bot.real_name}` : `Message #${channelOf(state.channel)?.name} (@${bot.name} to ask)`;
  $("tabs").hidden = !isDm();
  $("tabs").replaceChildren(...["home", "messages"].map((tab) => h("button", {
    type: "button", role: "tab", "aria-selected": String(state.tab === tab), tabindex: state.tab === tab ? "0" : "-1",
    "aria-controls": tab, onclick: () => openTab(tab),
    onkeydown: (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      openTab(tab === "home" ? "messages" : "home");
      $("tabs").querySelector('[aria-selected="true"]').focus();
    },
  }, tab === "home" ? "Home" : "Messages")));
  const isHome = isDm() && state.tab === "home";
  $("home").hidden = !isHome;
  $("messages").hidden = isHome;
  $("composer-form").hidden = isHome;
  document.title = `${isDm() ? bot.real_name : $("title").textContent} · ${state.world.team.name}`;
}
