import { EVENTS, type Event } from "./events.ts";
import { checkedPass, QUIET } from "./explore.ts";
import { keyOf } from "./key.ts";
import { copyOf, type World } from "./world.ts";

/**
 * The first event that two worlds answer differently, if there is one: by what they come to, or by whether it can meet them at all. Where worlds with the
 * same key never do, one of them is enough.
 */
export function toldApartBy(
  one: World,
  other: World,
  events: Readonly<Record<string, Event>> = EVENTS,
): string | undefined {
  const found = Object.entries(events).find(
    ([name, event]) => comesTo(one, name, event) !== comesTo(other, name, event),
  );
  return found?.[0];
}

function comesTo(world: World, name: string, event: Event): string | undefined {
  const after = copyOf(world);
  if (!event(after)) return undefined;
  if (QUIET.test(name)) return keyOf(after);
  const told = checkedPass(after)
    .decisions.filter(({ action }) => action !== "Hold")
    .map(({ action, reason }) => `${action} ${reason}`);
  return [keyOf(after), ...told].join();
}
