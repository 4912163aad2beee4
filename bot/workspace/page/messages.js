// A list of messages: each is drawn again only when it changed, so focus and scroll stay.

import { blockNodes } from "/page/blocks.js";
import { h } from "/page/dom.js";
import { mrkdwn } from "/page/mrkdwn.js";
import { clock, day } from "/page/zones.js";

const GROUP_S = 300;

export function drawMessages(list, messages, options) {
  const wasAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const before = new Map([...list.children].map((node) => [node.dataset.key, node]));
  const wanted = rows(messages, options);
  const nodes = wanted.map((row) => {
    const old = before.get(row.key);
    if (old && old.fingerprint === row.fingerprint) return old;
    const node = row.build();
    node.dataset.key = row.key;
    node.fingerprint = row.fingerprint;
    if (old?.contains(document.activeElement)) {
      const action = document.activeElement.dataset.action;
      queueMicrotask(() => refocus(action, node));
    }
    return node;
  });
  let cursor = list.firstChild;
  for (const node of nodes) {
    if (node === cursor) cursor = cursor.nextSibling;
    else list.insertBefore(node, cursor);
  }
  while (cursor) {
    const next = cursor.nextSibling;
    cursor.remove();
    cursor = next;
  }
  if (wasAtEnd || options.toEnd) list.scrollTop = list.scrollHeight;
}

function refocus(action, node) {
  const target = action ? node.querySelector(`[data-action="${CSS.escape(action)}"]`) : null;
  (target ?? node).focus();
}

function rows(messages, options) {
  const out = [];
  let previous = null;
  for (const message of messages) {
    const today = day(message.ts, options.viewer.tz);
    if (!options.isThread && (!previous || day(previous.ts, options.viewer.tz) !== today)) {
      out.push({ key: `day-${today}`, fingerprint: today, build: () => h("div", { class: "day" }, h("span", {}, today)) });
      previous = null;
    }
    const isFollowing = previous && previous.user === message.user && !previous.ephemeral_to === !message.ephemeral_to
      && Number(message.ts) - Number(previous.ts) < GROUP_S && !previous.reply_count;
    out.push({
      key: message.ts,
      fingerprint: JSON.stringify([message, options.viewer.id, isFollowing, options.isThread]),
      build: () => messageNode(message, isFollowing, options),
    });
    previous = message;
  }
  return out;
}

function messageNode(message, isFollowing, options) {
  const author = options.personOf(message.user);
  const isBot = Boolean(message.bot_id);
  const time = clock(message.ts, options.viewer.tz);
  const ctx = options.contextOf(message);
  const body = h("div", { class: "message-body" });
  if (message.ephemeral_to) body.append(h("div", { class: "only-you" }, "👁 Only visible to you"));
  if (!isFollowing) {
    body.append(h("div", { class: "byline" },
      h("span", { class: "author" }, author.real_name),
      isBot ? h("span", { class: "app-badge" }, "APP") : null,
      h("a", { class: "when", href: `#/${options.channel}/${message.ts}` }, time)));
  }
  body.append(...contents(message, ctx));
  if (message.edited && !isBot) body.append(h("span", { class: "edited" }, "(edited)"));
  for (const file of message.files ?? []) body.append(h("div", { class: "file" }, `📎 ${file.name}`));
  if (!options.isThread && message.reply_count) body.append(threadLink(message, options));
  const mark = isFollowing ? h("span", { class: "gutter-time" }, time) : avatar(author, isBot);
  const kinds = ["message", isFollowing ? "following" : "", message.ephemeral_to ? "ephemeral" : ""];
  return h("article", { class: kinds.join(" ").trim(), tabindex: "-1", "aria-label": `${author.real_name}, ${time}` },
    mark, body, toolbar(message, options));
}

function contents(message, ctx) {
  const isTyped = message.client_msg_id !== undefined;
  if (message.blocks?.length && !isTyped) {
    const nodes = blockNodes(message.blocks, ctx);
    const isCard = message.blocks.length > 1 || message.blocks[0].type === "actions";
    return isCard ? [h("div", { class: "card" }, ...nodes)] : nodes;
  }
  return message.text ? [h("div", { class: "text" }, mrkdwn(message.text, ctx))] : [];
}

export function avatar(person, isBot) {
  if (isBot) return h("span", { class: "avatar avatar-bot", "aria-hidden": "true" }, "✓");
  const initials = person.real_name.split(" ").map((word) => word[0]).slice(0, 2).join("");
  return h("span", { class: `avatar hue-${(person.index ?? 0) % 6}`, "aria-hidden": "true" }, initials);
}

function threadLink(message, options) {
  const count = message.reply_count === 1 ? "1 reply" : `${message.reply_count} replies`;
  return h("button", { type: "button", class: "thread-link", onclick: () => options.openThread(message.ts) },
    h("strong", {}, count), h("span", {}, ` last at ${clock(message.latest_reply, options.viewer.tz)}`));
}

function toolbar(message, options) {
  if (message.ephemeral_to) return null;
  const bar = h("div", { class: "toolbar", role: "group", "aria-label": "Message actions" });
  if (!options.isThread) {
    bar.append(h("button", { type: "button", onclick: () => options.openThread(message.ts) }, "Reply"));
  }
  if (message.user === options.viewer.id) {
    bar.append(
      h("button", { type: "button", onclick: () => options.edit(message) }, "Edit"),
      h("button", { type: "button", onclick: () => options.remove(message) }, "Delete"));
  }
  return bar.children.length ? bar : null;
}
