/**
 * Finds where a text stops being JSON (RFC 8259). Runs only after JSON.parse refused the text: V8's own messages quote the
 * body, which must not reach logs, and often lack the position.
 * @returns the offset, in UTF-16 units, of the first character that does not fit; the length where the text ends too early.
 */
export function jsonFaultOffset(text: string): number {
  const scalar = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON strings exclude exactly these.
  const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*/y;
  const blank = /[ \t\n\r]*/y;
  let at = 0;
  const skip = (): void => {
    blank.lastIndex = at;
    blank.test(text);
    at = blank.lastIndex;
  };
  const readString = (): boolean => {
    string.lastIndex = at;
    if (!string.test(text)) return false;
    at = string.lastIndex;
    if (text[at] !== '"') return false;
    at++;
    return true;
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
      scalar.lastIndex = at;
      if (!scalar.test(text)) return at;
      at = scalar.lastIndex;
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
