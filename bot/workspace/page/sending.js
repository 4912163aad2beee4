// Sends what stands in a message box: a message, a reply or a slash command.

import { act, explain } from "/page/api.js";
import { expectAnswerTo, refreshMessages } from "/page/conversation.js";
import { toast } from "/page/dom.js";
import { state } from "/page/state.js";

export async function send(text, threadTs) {
  try {
    if (text.startsWith("/") && !threadTs) return await sendCommand(text);
    const posted = await act("message", { as: state.me.id, channel: state.channel, text, thread_ts: threadTs });
    if (!threadTs) expectAnswerTo(posted.ts);
    await refreshMessages({ toEnd: true });
    return true;
  } catch (error) {
    toast(explain(error), { isError: true });
    return false;
  }
}

async function sendCommand(text) {
  const [name, ...rest] = text.split(" ");
  if (!state.world.commands.includes(name)) {
    toast(`${name} is not a command here. Try ${state.world.commands.join(", ") || "a message"}.`, { isError: true });
    return false;
  }
  const answer = await act("command", { as: state.me.id, channel: state.channel, command: name, text: rest.join(" ") });
  if (answer.status !== 200) toast(`${name} failed: ${answer.delivery_error ?? `HTTP ${answer.status}`}`, { isError: true });
  return true;
}
