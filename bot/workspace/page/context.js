// What blocks need to know to be drawn and used: who looks, names, what is typed, where it stands.

import { act, explain } from "/page/api.js";
import { toast } from "/page/dom.js";
import { textNode } from "/page/mrkdwn.js";
import { channelOf, findPerson, state } from "/page/state.js";

const valuesByPlace = new Map();

export function context(place, values) {
  const ctx = {
    me: state.me.id,
    tz: state.me.tz,
    people: state.world.people,
    values,
    nameOf: (id) => findPerson(id)?.real_name,
    channelName: (id) => channelOf(id)?.name,
    text: (object) => textNode(object, ctx),
    use: (element, block, outcome, node) => use(place, values, element, block, outcome, node),
  };
  return ctx;
}

export function valuesAt(key) {
  if (!valuesByPlace.has(key)) valuesByPlace.set(key, {});
  return valuesByPlace.get(key);
}

async function use(place, values, element, block, outcome, node) {
  if (node?.getAttribute("aria-busy") === "true") return;
  node?.setAttribute("aria-busy", "true");
  try {
    const answer = await act("interact", {
      as: state.me.id, ...place, action_id: element.action_id, block_id: block.block_id, state: values, ...outcome,
    });
    if (answer.status === 0) toast(`${state.world.bot.real_name} did not answer in time. Is it running?`, { isError: true });
    else if (answer.status >= 300) toast(`${state.world.bot.real_name} answered this click with an error (HTTP ${answer.status}).`, { isError: true });
  } catch (error) {
    toast(explain(error), { isError: true });
  } finally {
    node?.removeAttribute("aria-busy");
  }
}
