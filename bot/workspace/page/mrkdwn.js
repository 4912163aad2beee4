// Slack's mrkdwn as DOM nodes: links, mentions, dates, bold, italic, strike, code, quotes.

import { h } from "/page/dom.js";
import { withEmoji } from "/page/emoji.js";

const INLINE = new RegExp(
  [
    "<(?<angle>[^<>\\n]+)>",
    "`(?<code>[^`\\n]+)`",
    "(?<![\\w*])\\*(?<bold>(?=\\S)[^*\\n]+?(?<=\\S))\\*(?![\\w*])",
    "(?<![\\w_])_(?<italic>(?=\\S)[^_\\n]+?(?<=\\S))_(?![\\w_])",
    "(?<![\\w~])~(?<strike>(?=\\S)[^~\\n]+?(?<=\\S))~(?![\\w~])",
  ].join("|"),
  "g",
);
const TAGS = { bold: "strong", italic: "em", strike: "s" };
const SAFE_URL = /^(https?:|mailto:)/i;

export function unescapeText(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

export function mrkdwn(text, ctx) {
  const out = document.createDocumentFragment();
  text.split("```").forEach((part, index) => {
    if (index % 2 === 1) out.append(h("pre", {}, h("code", {}, unescapeText(part.replace(/^\n|\n$/g, "")))));
    else if (part) out.append(...paragraphs(part, ctx));
  });
  return out;
}

export function plainText(object) {
  const text = unescapeText(object.text);
  return object.emoji === false ? text : withEmoji(text);
}

export function textNode(object, ctx) {
  return object.type === "mrkdwn" ? mrkdwn(object.text, ctx) : document.createTextNode(plainText(object));
}

function paragraphs(text, ctx) {
  const nodes = [];
  let quote = null;
  text.split("\n").forEach((line, index) => {
    const isQuote = line.startsWith("&gt;") || line.startsWith(">");
    if (isQuote) {
      if (quote) quote.append(h("br"));
      else nodes.push((quote = h("blockquote")));
      quote.append(...inline(line.replace(/^(&gt;|>)\s?/, ""), ctx));
      return;
    }
    if (index > 0 && !quote) nodes.push(h("br"));
    quote = null;
    nodes.push(...inline(line, ctx));
  });
  return nodes;
}

function inline(text, ctx) {
  const nodes = [];
  let position = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > position) nodes.push(plain(text.slice(position, match.index)));
    nodes.push(token(match.groups, ctx));
    position = match.index + match[0].length;
  }
  if (position < text.length) nodes.push(plain(text.slice(position)));
  return nodes;
}

function plain(text) {
  return document.createTextNode(withEmoji(unescapeText(text)));
}

function token(groups, ctx) {
  if (groups.angle !== undefined) return angle(groups.angle, ctx);
  if (groups.code !== undefined) return h("code", {}, unescapeText(groups.code));
  const kind = Object.keys(TAGS).find((name) => groups[name] !== undefined);
  return h(TAGS[kind], {}, ...inline(groups[kind], ctx));
}

function angle(content, ctx) {
  const [target, ...rest] = content.split("|");
  const label = rest.join("|");
  if (target.startsWith("@")) return mention(ctx.nameOf(target.slice(1)) ?? (label || target.slice(1)), target.slice(1), ctx);
  if (target.startsWith("#")) return h("span", { class: "mention" }, `#${ctx.channelName(target.slice(1)) ?? label}`);
  if (target.startsWith("!date^")) return h("time", {}, slackDate(target, label, ctx));
  if (target.startsWith("!")) return h("span", { class: "mention mention-all" }, `@${label || target.slice(1)}`);
  return link(unescapeText(target), label ? withEmoji(unescapeText(label)) : unescapeText(target));
}

function mention(name, id, ctx) {
  return h("span", { class: id === ctx.me ? "mention mention-me" : "mention" }, `@${name}`);
}

export function link(url, label) {
  if (!SAFE_URL.test(url)) return document.createTextNode(label);
  const isHere = url.startsWith(`${location.origin}/#/`);
  return h("a", isHere ? { href: url } : { href: url, target: "_blank", rel: "noopener noreferrer" }, label);
}

// <!date^unix^format^link|fallback>, shown in the acting person's zone.
function slackDate(target, fallback, ctx) {
  const [, unix, format] = target.split("^");
  const date = new Date(Number(unix) * 1000);
  if (Number.isNaN(date.getTime()) || !format) return fallback;
  const show = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: ctx.tz, ...options }).format(date);
  const long = { weekday: "long", day: "numeric", month: "long", year: "numeric" };
  const forms = {
    date_num: () => show({ year: "numeric", month: "2-digit", day: "2-digit" }),
    date: () => show({ day: "numeric", month: "long", year: "numeric" }),
    date_short: () => show({ day: "numeric", month: "short", year: "numeric" }),
    date_long: () => show(long),
    time: () => show({ hour: "2-digit", minute: "2-digit" }),
    time_secs: () => show({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
    ago: () => ago(date),
  };
  return format.replace(/\{(\w+)\}/g, (whole, name) => (forms[name] ?? forms[name.replace(/_pretty$/, "")] ?? (() => whole))());
}

function ago(date) {
  const minutes = Math.round((date.getTime() - Date.now()) / 60000);
  const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  if (Math.abs(minutes) < 60) return relative.format(minutes, "minute");
  if (Math.abs(minutes) < 1440) return relative.format(Math.round(minutes / 60), "hour");
  return relative.format(Math.round(minutes / 1440), "day");
}
