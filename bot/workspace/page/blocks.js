// Block Kit blocks as DOM nodes.

import { elementNode } from "/page/elements.js";
import { h, uniqueId } from "/page/dom.js";
import { mrkdwn, plainText, textNode } from "/page/mrkdwn.js";
import { richText } from "/page/richtext.js";

export function blockNodes(blocks, ctx) {
  return blocks.map((block) => {
    const build = BUILDERS[block.type];
    const node = build ? build(block, ctx) : h("em", {}, `(${block.type})`);
    node.dataset.block = block.block_id;
    return node;
  });
}

function section(block, ctx) {
  const body = h("div", { class: "section-body" });
  if (block.text) body.append(h("div", { class: "section-text" }, textNode(block.text, ctx)));
  if (block.fields) {
    body.append(h("div", { class: "fields" }, ...block.fields.map((field) => h("div", { class: "field" }, textNode(field, ctx)))));
  }
  const node = h("div", { class: "block section" }, body);
  if (block.accessory) {
    const accessory = block.accessory.type === "image" ? image(block.accessory) : elementNode(block.accessory, block, ctx);
    if (accessory) node.append(h("div", { class: "accessory" }, accessory));
  }
  return node;
}

// No picture is ever fetched from elsewhere; its description is shown in its place.
function image(block) {
  if (/^(data:image\/|\/)/.test(block.image_url)) return h("img", { src: block.image_url, alt: block.alt_text });
  return h("span", { class: "picture", role: "img", "aria-label": block.alt_text, title: block.alt_text }, "🖼");
}

function imageBlock(block) {
  const caption = block.title ? plainText(block.title) : block.alt_text;
  return h("figure", { class: "block" }, image(block), h("figcaption", {}, caption));
}

function context(block, ctx) {
  const parts = block.elements.map((part) => (part.type === "image" ? image(part) : h("span", {}, textNode(part, ctx))));
  return h("div", { class: "block context" }, ...parts);
}

function actions(block, ctx) {
  return h("div", { class: "block actions" }, ...block.elements.map((element) => elementNode(element, block, ctx)));
}

function input(block, ctx) {
  const labelId = uniqueId("label");
  const label = h("div", { class: "label", id: labelId }, plainText(block.label));
  if (block.optional) label.append(h("span", { class: "optional" }, " (optional)"));
  const control = elementNode(block.element, block, ctx, labelId);
  const node = h("div", { class: "block input" }, label, control);
  if (block.hint) node.append(h("small", { class: "hint" }, plainText(block.hint)));
  const problem = ctx.errors?.[block.block_id];
  if (problem) {
    const problemId = uniqueId("problem");
    node.classList.add("has-problem");
    node.append(h("div", { class: "problem", id: problemId, role: "alert" }, problem));
    const focusable = control.matches("input,textarea,select") ? control : control.querySelector("input");
    focusable?.setAttribute("aria-describedby", problemId);
    focusable?.setAttribute("aria-invalid", "true");
  }
  return node;
}

const BUILDERS = {
  section,
  context,
  actions,
  input,
  image: imageBlock,
  rich_text: (block, ctx) => {
    const node = richText(block, ctx);
    node.classList.add("block");
    return node;
  },
  header: (block) => h("h3", { class: "block header" }, plainText(block.text)),
  divider: () => h("hr", { class: "block" }),
  markdown: (block, ctx) => h("div", { class: "block markdown" }, mrkdwn(block.text.replaceAll("**", "*"), ctx)),
};
