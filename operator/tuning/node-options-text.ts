/** Words of a NODE_OPTIONS text, or why Node would refuse the text as a whole. */
export type NodeOptionsWords = { words: string[] } | { error: "UnterminatedString" | "DanglingEscape" };

/**
 * Splits NODE_OPTIONS as Node does: only U+0020 separates, double quotes group, a backslash escapes the next character
 * only inside them, single quotes mean nothing. Either error ends the process with 9 before user code.
 */
export function splitNodeOptions(text: string): NodeOptionsWords {
  const words: string[] = [];
  let word = "";
  let started = false;
  let quoted = false;
  for (let index = 0; index < text.length; index += 1) {
    let character = text.charAt(index);
    if (quoted && character === "\\") {
      index += 1;
      if (index === text.length) return { error: "DanglingEscape" };
      character = text.charAt(index);
    } else if (!quoted && character === " ") {
      if (started) words.push(word);
      word = "";
      started = false;
      continue;
    } else if (character === '"') {
      quoted = !quoted;
      continue;
    }
    word += character;
    started = true;
  }
  if (quoted) return { error: "UnterminatedString" };
  if (started) words.push(word);
  return { words };
}
