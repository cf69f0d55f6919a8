/** What stands in status is part of a sentence, or one: it ends like one here. */
export const ended = (text: string): string => (/[.?]$/.test(text) ? text : `${text}.`);
