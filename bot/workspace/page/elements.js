// Block Kit's interactive elements. Each calls ctx.use(element, block, {value | selected}) when a
// person uses it, and keeps what stands in it in ctx.values[block_id][action_id].

import { h, uniqueId } from "/page/dom.js";
import { confirmFirst } from "/page/confirm.js";
import { plainText } from "/page/mrkdwn.js";
import { fromZoned, toZoned } from "/page/zones.js";

export function elementNode(element, block, ctx, labelledBy) {
  const build = BUILDERS[element.type];
  return build ? build(element, block, ctx, labelledBy) : h("em", {}, `(${element.type})`);
}

function current(element, block, ctx, initial) {
  const stored = ctx.values[block.block_id]?.[element.action_id];
  return stored === undefined ? initial : stored;
}

function keep(element, block, ctx, value) {
  (ctx.values[block.block_id] ??= {})[element.action_id] = value;
}

function actsAtOnce(block) {
  return block.type !== "input" || block.dispatch_action === true;
}

async function changed(element, block, ctx, value, node) {
  if (actsAtOnce(block) && !(await confirmFirst(element.confirm))) return;
  keep(element, block, ctx, value);
  if (actsAtOnce(block)) await ctx.use(element, block, { selected: value }, node);
}

function button(element, block, ctx) {
  const isHidden = element.visible_to_user_ids && !element.visible_to_user_ids.includes(ctx.me);
  if (isHidden) return null;
  const look = `button ${element.style ? `button-${element.style}` : ""}`;
  const onclick = async (event) => {
    if (element.url) {
      ctx.use(element, block, {}, node);
      return;
    }
    event.preventDefault();
    if (await confirmFirst(element.confirm)) await ctx.use(element, block, {}, node);
  };
  const label = element.accessibility_label;
  const node = element.url
    ? h("a", { class: look, href: safeUrl(element.url), target: "_blank", rel: "noopener noreferrer", onclick, "aria-label": label }, plainText(element.text))
    : h("button", { class: look, type: "button", onclick, "aria-label": label }, plainText(element.text));
  node.dataset.action = element.action_id;
  return node;
}

function safeUrl(url) {
  return /^https?:/i.test(url) ? url : "about:blank";
}

function overflow(element, block, ctx) {
  const menuId = uniqueId("menu");
  const items = element.options.map((option) =>
    h("button", {
      type: "button",
      role: "menuitem",
      onclick: async () => {
        close();
        if (option.url) window.open(safeUrl(option.url), "_blank", "noopener");
        if (await confirmFirst(element.confirm)) await ctx.use(element, block, { selected: option.value }, toggle);
      },
    }, plainText(option.text)));
  const menu = h("div", { class: "menu", role: "menu", id: menuId, hidden: true }, ...items);
  const close = () => {
    menu.hidden = true;
    toggle.setAttribute("aria-expanded", "false");
  };
  const toggle = h("button", {
    type: "button", class: "button", "aria-label": "More actions", "aria-haspopup": "menu", "aria-expanded": "false", "aria-controls": menuId,
    onclick: () => {
      menu.hidden = !menu.hidden;
      toggle.setAttribute("aria-expanded", String(!menu.hidden));
      if (!menu.hidden) {
        keepInside(menu, toggle);
        items[0].focus();
      }
    },
  }, "⋯");
  const wrapper = h("span", { class: "overflow" }, toggle, menu);
  wrapper.addEventListener("keydown", (event) => {
    const index = items.indexOf(document.activeElement);
    if (event.key === "Escape" && !menu.hidden) {
      event.stopPropagation();
      event.preventDefault();
      close();
      toggle.focus();
    } else if (event.key === "ArrowDown") items[(index + 1) % items.length].focus();
    else if (event.key === "ArrowUp") items[(index - 1 + items.length) % items.length].focus();
  });
  wrapper.addEventListener("focusout", (event) => {
    if (!wrapper.contains(event.relatedTarget)) close();
  });
  return wrapper;
}

// Opens to the other side where the pane would cut the menu off.
function keepInside(menu, toggle) {
  menu.classList.remove("menu-end");
  const pane = toggle.closest(".messages, .home, .modal-body") ?? document.body;
  menu.classList.toggle("menu-end", menu.getBoundingClientRect().right > pane.getBoundingClientRect().right - 8);
  menu.scrollIntoView({ block: "nearest" });
}

function optionNodes(options, chosen) {
  return options.map((option) => h("option", { value: option.value, selected: option.value === chosen }, plainText(option.text)));
}

function select(element, block, ctx, labelledBy, groups, chosen) {
  const placeholder = element.placeholder ? plainText(element.placeholder) : "Choose…";
  const node = h("select", {
    "aria-labelledby": labelledBy,
    "aria-label": labelledBy ? undefined : placeholder,
    onchange: () => changed(element, block, ctx, node.value || null, node),
  }, h("option", { value: "", selected: !chosen }, placeholder), ...groups);
  node.dataset.action = element.action_id;
  return node;
}

function staticSelect(element, block, ctx, labelledBy) {
  const chosen = current(element, block, ctx, element.initial_option?.value);
  const groups = element.option_groups
    ? element.option_groups.map((group) => h("optgroup", { label: plainText(group.label) }, ...optionNodes(group.options, chosen)))
    : optionNodes(element.options, chosen);
  return select(element, block, ctx, labelledBy, groups, chosen);
}

function usersSelect(element, block, ctx, labelledBy) {
  const chosen = current(element, block, ctx, element.initial_user);
  const people = ctx.people.map((p) => h("option", { value: p.id, selected: p.id === chosen }, p.real_name));
  return select(element, block, ctx, labelledBy, people, chosen);
}

function choices(kind) {
  return (element, block, ctx, labelledBy) => {
    const many = kind === "checkbox";
    const offered = element.options ?? element.option_groups?.flatMap((group) => group.options) ?? ctx.people.map((p) => ({ text: { text: p.real_name }, value: p.id }));
    const initial = many
      ? (element.initial_options?.map((option) => option.value) ?? element.initial_users ?? [])
      : element.initial_option?.value;
    const chosen = current(element, block, ctx, initial);
    const name = uniqueId("choice");
    const wrapper = h("div", { class: "choices", role: many ? "group" : "radiogroup", "aria-labelledby": labelledBy });
    for (const option of offered) {
      const input = h("input", {
        type: kind, name, value: option.value,
        checked: many ? chosen.includes(option.value) : chosen === option.value,
        onchange: () => {
          const checked = [...wrapper.querySelectorAll("input:checked")].map((node) => node.value);
          changed(element, block, ctx, many ? checked : (checked[0] ?? null), input);
        },
      });
      const words = [h("span", {}, ctx.text(option.text))];
      if (option.description) words.push(h("small", {}, ctx.text(option.description)));
      wrapper.append(h("label", { class: "choice" }, input, h("span", {}, ...words)));
    }
    return wrapper;
  };
}

function picker(type, initialKey, toShown = (value) => value, toKept = (value) => value) {
  return (element, block, ctx, labelledBy) => {
    const kept = current(element, block, ctx, element[initialKey]);
    const node = h("input", {
      type,
      value: kept === undefined || kept === null ? "" : toShown(kept, ctx),
      "aria-labelledby": labelledBy,
      "aria-label": labelledBy ? undefined : element.placeholder ? plainText(element.placeholder) : type,
      onchange: () => changed(element, block, ctx, node.value ? toKept(node.value, ctx) : null, node),
    });
    node.dataset.action = element.action_id;
    return node;
  };
}

function typed(type) {
  return (element, block, ctx, labelledBy) => {
    const tag = element.multiline ? "textarea" : "input";
    const node = h(tag, {
      ...(tag === "input" ? { type } : { rows: 4 }),
      value: current(element, block, ctx, element.initial_value) ?? "",
      placeholder: element.placeholder ? plainText(element.placeholder) : "",
      maxLength: element.max_length ?? undefined,
      "aria-labelledby": labelledBy,
      "aria-label": labelledBy ? undefined : "Text",
      oninput: () => keep(element, block, ctx, node.value),
      onkeydown: (event) => {
        if (event.key !== "Enter" || element.multiline || event.isComposing) return;
        if (block.dispatch_action) {
          event.preventDefault();
          ctx.use(element, block, { selected: node.value }, node);
        }
      },
    });
    if (type === "number") {
      node.step = element.is_decimal_allowed ? "any" : "1";
      if (element.min_value !== undefined) node.min = element.min_value;
      if (element.max_value !== undefined) node.max = element.max_value;
    }
    if (element.focus_on_load) node.dataset.autofocus = "1";
    node.dataset.action = element.action_id;
    return node;
  };
}

const BUILDERS = {
  button,
  overflow,
  static_select: staticSelect,
  users_select: usersSelect,
  multi_static_select: choices("checkbox"),
  multi_users_select: choices("checkbox"),
  checkboxes: choices("checkbox"),
  radio_buttons: choices("radio"),
  datepicker: picker("date", "initial_date"),
  timepicker: picker("time", "initial_time"),
  datetimepicker: picker("datetime-local", "initial_date_time", (unix, ctx) => toZoned(unix, ctx.tz), (text, ctx) => fromZoned(text, ctx.tz)),
  plain_text_input: typed("text"),
  number_input: typed("number"),
  email_text_input: typed("email"),
  url_text_input: typed("url"),
};
