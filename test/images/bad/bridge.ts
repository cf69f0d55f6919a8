import { pathToFileURL } from "node:url";

/**
 * Starts the bridge in this process, as its own image would. In the image it lies beside this folder; from the sources
 * BRIDGE_MAIN names it.
 */
export async function startBridge(): Promise<void> {
  const main = process.env.BRIDGE_MAIN;
  const url = main === undefined ? new URL("../bridge/main.js", import.meta.url) : pathToFileURL(main);
  await import(url.href);
}

/** A number that the image or the test sets. */
export function setting(name: string, otherwise: number): number {
  const text = process.env[name];
  return text === undefined ? otherwise : Number(text);
}
