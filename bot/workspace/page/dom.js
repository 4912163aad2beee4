// Builds DOM nodes. Text only ever enters as text nodes, so no message can become markup.

export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "class") node.className = value;
    else if (key === "dataset") Object.assign(node.dataset, value);
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key in node && typeof node[key] !== "function" && key !== "list") node[key] = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

let counter = 0;

export function uniqueId(prefix) {
  counter += 1;
  return `${prefix}-${counter}`;
}

export function toast(text, { isError = false } = {}) {
  const node = h("div", { class: isError ? "toast toast-error" : "toast" }, text);
  const stack = document.getElementById("toasts");
  stack.append(node);
  // Shown anew, so that it lies above a modal that was opened meanwhile.
  if (stack.matches(":popover-open")) stack.hidePopover();
  stack.showPopover();
  setTimeout(() => node.remove(), isError ? 8000 : 4000);
}
