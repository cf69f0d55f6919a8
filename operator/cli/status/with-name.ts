/** Commands of this tool that take the name of a bridge and stand without one in what the operator says. */
const COMMAND = /`kubectl llmbridge (promote|resume|retry|abort|undo)( --full)?`/g;

/** The operator's words with commands that can be typed as they are. */
export const withName = (text: string, name: string, where: string): string =>
  text.replace(
    COMMAND,
    (_, command: string, full = "") => `\`kubectl llmbridge ${command} ${name}${full}${where}\``,
  );
