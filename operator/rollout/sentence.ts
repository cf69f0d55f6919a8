/** A sentence as part of another one: without its full stop. */
export const clause = (sentence: string): string => sentence.trim().replace(/\.+$/, "");

/** A sentence behind a colon: without its full stop, and its article no longer in capitals. */
export const tail = (sentence: string): string =>
  clause(sentence).replace(/^(The|All|No|Its) /, (word) => word.toLowerCase());

/** A clause as a sentence of its own. */
export const full = (text: string): string => `${text.charAt(0).toUpperCase()}${clause(text).slice(1)}.`;
