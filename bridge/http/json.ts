const BACKSLASH = 0x5c;
const HEX4 = /[\da-fA-F]{4}/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON strings exclude exactly these.
const STRING_SPECIAL = /["\\\u0000-\u001f]/g;
const SCALAR_END = /[^\w.+-]/g;

/** Whether a text without blanks, quotes and brackets is a value: a number, or one of the three words. */
function isScalar(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Finds where a text stops being JSON (RFC 8259). Runs only after JSON.parse refused the text: V8's own messages quote the
 * body, which must not reach logs, and often lack the position.
 * @returns the offset, in UTF-16 units, of the first character that does not fit; the length where the text ends too early.
 */
export function jsonFaultOffset(text: string): number {
  let at = 0;
  // What ends a run is searched for: a regular expression that repeats over millions of characters overflows its stack.
  const skip = (): void => {
    while (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t") at++;
  };
  const readEscape = (): boolean => {
    const letter = text[at + 1];
    if (letter === undefined || !'"\\/bfnrtu'.includes(letter)) return false;
    HEX4.lastIndex = at + 2;
    if (letter === "u" && !HEX4.test(text)) return false;
    at += letter === "u" ? 6 : 2;
    return true;
  };
  const readString = (): boolean => {
    if (text[at] !== '"') return false;
    for (at++; ; ) {
      while (text.charCodeAt(at) === BACKSLASH) if (!readEscape()) return false;
      STRING_SPECIAL.lastIndex = at;
      at = STRING_SPECIAL.test(text) ? STRING_SPECIAL.lastIndex - 1 : text.length;
      if (text[at] === '"') {
        at++;
        return true;
      }
      if (text.charCodeAt(at) !== BACKSLASH) return false;
    }
  };
  /** What may come next: a value, an object's key, or what follows a value. */
  let expect: "value" | "firstValue" | "key" | "firstKey" | "after" = "value";
  const open: string[] = [];
  for (;;) {
    skip();
    const char = text[at];
    if (expect === "after") {
      const inside = open.at(-1);
      if (inside === undefined) return at;
      if (char === ",") expect = inside === "{" ? "key" : "value";
      else if (char === (inside === "{" ? "}" : "]")) open.pop();
      else return at;
      at++;
    } else if (expect === "key" || expect === "firstKey") {
      if (char === "}" && expect === "firstKey") {
        open.pop();
        at++;
        expect = "after";
        continue;
      }
      if (!readString()) return at;
      skip();
      if (text[at] !== ":") return at;
      at++;
      expect = "value";
    } else if (char === "{" || char === "[") {
      open.push(char);
      at++;
      expect = char === "{" ? "firstKey" : "firstValue";
    } else if (char === "]" && expect === "firstValue") {
      open.pop();
      at++;
      expect = "after";
    } else if (char === '"') {
      if (!readString()) return at;
      expect = "after";
    } else {
      SCALAR_END.lastIndex = at;
      const end = SCALAR_END.test(text) ? SCALAR_END.lastIndex - 1 : text.length;
      if (!isScalar(text.slice(at, end))) return at;
      at = end;
      expect = "after";
    }
  }
}

/** `line 3, column 7` of an offset; both count from 1. */
export function linePlace(text: string, offset: number): string {
  let line = 1;
  let start = 0;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) {
    line++;
    start = at + 1;
  }
  return `line ${line}, column ${offset - start + 1}`;
}
