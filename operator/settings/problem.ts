import type * as z from "zod";

/** The operator cannot start with what it was given. The message is meant for the person who gave it. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/** `sources[0].url`: where in the file an issue is. */
function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === "number" ? `${text}[${part}]` : text === "" ? String(part) : `${text}.${String(part)}`,
    "",
  );
}

/** All issues of a failed parse in one sentence each, in the order of the file. */
export function formatIssues(error: z.ZodError): string {
  return error.issues
    .map((issue) => {
      const place = formatPath(issue.path);
      // Of a key zod itself only says that it is invalid.
      const said = issue.code === "invalid_key" ? (issue.issues[0]?.message ?? issue.message) : issue.message;
      return place === "" ? said : `${place}: ${said}`;
    })
    .join("; ");
}
