/** The text of an answer, token by token: first an echo of the question, so that a caller can tell its own answer from another's. */
export function answerTokens(question: string, tokens: number): string[] {
  const words = [`echo: ${question.slice(-120)}`];
  for (let i = 1; i < tokens; i++) words.push(` word${i}`);
  return words;
}

/** The last text in a list of chat messages. */
export function lastText(messages: unknown): string {
  if (!Array.isArray(messages)) return "";
  const content: unknown = (messages.at(-1) as { content?: unknown } | undefined)?.content;
  if (typeof content === "string") return content;
  return Array.isArray(content)
    ? content.map((part: { text?: unknown }) => String(part?.text ?? "")).join("\n")
    : "";
}

/** Tokens of a text as the stand-in counts them: four characters each. */
export function roughTokens(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4));
}

/** Numbers that depend on the text only. */
export function embedding(text: string, dimensions: number): number[] {
  let state = 2_166_136_261;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 16_777_619) >>> 0;
  return Array.from({ length: dimensions }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}
