// What the page knows: the workspace, who acts, where, and what is new.

import { read } from "/page/api.js";

export const $ = (id) => document.getElementById(id);
export const state = { world: null, me: null, channel: null, tab: "messages", thread: null, messages: [], views: null };
export const unread = new Set();

export const findPerson = (id) => [...state.world.people, state.world.bot].find((p) => p.id === id);
export const person = (id) => findPerson(id) ?? { id, real_name: id, tz: "UTC" };
export const channelOf = (id) => state.world.channels.find((c) => c.id === id);
export const dmOf = (userId) => `D${userId.slice(1)}`;
export const isDm = () => state.channel === dmOf(state.me.id);

export async function readWorld() {
  const world = await read("state");
  world.people.forEach((p, index) => (p.index = index));
  state.world = world;
}
