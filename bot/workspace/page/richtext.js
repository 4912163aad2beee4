// The rich_text block: sections, lists, quotes, preformatted text.

import { h } from "/page/dom.js";
import { withEmoji } from "/page/emoji.js";
import { link } from "/page/mrkdwn.js";

const STYLES = { bold: "strong", italic: "em", strike: "s", code: "code" };

export function richText(block, ctx) {
  return h("div", { class: "rich-text" }, ...block.elements.map((part) => partNode(part, ctx)));
}

function partNode(part, ctx) {
  const children = () => part.elements.map((element) => leaf(element, ctx));
  if (part.type === "rich_text_list") {
    const items = part.elements.map((item) => h("li", {}, ...item.elements.map((element) => leaf(element, ctx))));
    return h(part.style === "ordered" ? "ol" : "ul", {}, ...items);
  }
  if (part.type === "rich_text_quote") return h("blockquote", {}, ...children());
  if (part.type === "rich_text_preformatted") return h("pre", {}, h("code", {}, ...children()));
  return h("div", { class: "rich-section" }, ...children());
}

function leaf(element, ctx) {
  let node;
  if (element.type === "user") node = h("span", { class: "mention" }, `@${ctx.nameOf(element.user_id) ?? element.user_id}`);
  else if (element.type === "channel") node = h("span", { class: "mention" }, `#${ctx.channelName(element.channel_id) ?? element.channel_id}`);
  else if (element.type === "link") node = link(element.url, element.text ?? element.url);
  else if (element.type === "emoji") node = document.createTextNode(withEmoji(`:${element.name}:`));
  else node = document.createTextNode(element.text ?? "");
  for (const [style, tag] of Object.entries(STYLES)) {
    if (element.style?.[style]) node = h(tag, {}, node);
  }
  return node;
}
