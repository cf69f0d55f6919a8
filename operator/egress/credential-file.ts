import { readFile } from "node:fs/promises";

/** What is sent or trusted cannot be had from its file. The message is for the administrator and holds neither a path nor anything of the content. */
export class CredentialError extends Error {
  override readonly name = "CredentialError";
}

/**
 * The content of a mounted file, without the white space around it.
 * @param field the field of the settings that names the file, for the message
 * @throws CredentialError where it cannot be read, is empty, or is not one line
 */
export async function readSecretLine(file: string, field: string): Promise<string> {
  const text = (await readMounted(file, field)).trim();
  if (text === "") {
    throw new CredentialError(`The file of ${field} is empty; put the credential into the mounted Secret.`);
  }
  if (/\p{Cc}/u.test(text)) {
    throw new CredentialError(`The file of ${field} must hold one line of text and no control characters.`);
  }
  return text;
}

/** @throws CredentialError where the file cannot be read */
export async function readMounted(file: string, field: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "error";
    throw new CredentialError(
      `The file of ${field} cannot be read (${code}); check its path and the mount of its Secret or ConfigMap.`,
    );
  }
}
