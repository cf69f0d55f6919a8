// A version with a defect: every twentieth request (BAD_ERROR_SHARE, default 0.05) meets an exception in the bridge's own code. With
// BAD_FROM_MODEL only from the first request for that model on: it is well until somebody asks it to be bad.
import { setting, startBridge } from "./bridge.ts";

const share = setting("BAD_ERROR_SHARE", 0.05);
const fromModel = process.env.BAD_FROM_MODEL;
const parse = JSON.parse;
let isBad = fromModel === undefined;
let owed = 0;

/** Whether a parsed value is a request of the OpenAI API, and not one of the bridge's own files. */
function isRequest(value: unknown): value is { model: unknown } {
  return (
    typeof value === "object" &&
    value !== null &&
    "model" in value &&
    ("messages" in value || "input" in value)
  );
}

JSON.parse = (text: string, reviver?: Parameters<typeof JSON.parse>[1]) => {
  const value: unknown = parse(text, reviver);
  if (!isRequest(value)) return value;
  isBad ||= value.model === fromModel;
  if (!isBad) return value;
  owed += share;
  if (owed < 1) return value;
  owed -= 1;
  Object.defineProperty(value, "model", {
    get() {
      throw new TypeError("Cannot read properties of undefined (reading 'model')");
    },
  });
  return value;
};
await startBridge();
