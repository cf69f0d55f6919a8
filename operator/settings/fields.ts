import { isIP } from "node:net";
import { isAbsolute } from "node:path";
import * as z from "zod";
import { outboundUrl } from "../egress/guard.ts";

/** Fields that several parts of the settings file have. The chart's schema takes over their patterns, and Go reads it: no look-around, no count above 1000. */

export const name = z
  .string({ error: "give a name in quotes" })
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "must be 1 to 63 lower-case letters, digits and dashes");

/** @param check throws, with a sentence for people, on a text that is no URL of the kind */
export const urlBy = (check: (text: string) => unknown) =>
  z.string().superRefine((text, context) => {
    try {
      check(text);
    } catch (error) {
      context.addIssue({ code: "custom", message: error instanceof Error ? error.message : String(error) });
    }
  });

/** @param hint what to do in place of a query part, if there is anything */
export const url = (whose: string, hint: string) =>
  urlBy((text) => {
    const { search, hash } = outboundUrl(text, whose);
    if (hint !== "" && search + hash !== "") throw new RangeError(hint);
  });

export const namespaces = z
  .array(
    z
      .string()
      .regex(/^(\*|[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$/, 'must be the name of a namespace, or "*" for all'),
  )
  .default(["*"]);

/** @param holder what a mounted file comes from, for the message */
export const mountedFile = (holder = "Secret") =>
  z.string().refine(isAbsolute, `must be an absolute path; mount the ${holder} and name the file in it`);

export const scrapeInterval = z
  .string()
  .regex(/^[1-9][0-9]{0,4}(s|m)$/, 'must be a number of seconds or minutes, such as "15s"')
  .default("15s");

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/, "must be the name of an HTTP header, such as X-Team");
/** The rest are the connection's own, or have a field. */
const NOT_FREE: Readonly<Record<string, string>> = {
  authorization: "set bearerTokenFile or basicAuth, whose values stay secret",
  "x-scope-orgid": "set tenant",
  host: "the URL says it",
  "content-type": "the operator sets it",
  "content-length": "the operator sets it",
  accept: "the operator sets it",
  "accept-encoding": "the operator sets it",
  "transfer-encoding": "the operator sets it",
  connection: "the operator sets it",
  "keep-alive": "the operator sets it",
  "proxy-connection": "the operator sets it",
  upgrade: "the operator sets it",
  expect: "the operator sets it",
  te: "the operator sets it",
  trailer: "the operator sets it",
};

/** Headers by name, no two of which are the same to HTTP. */
export function headers<V extends z.ZodType>(value: V) {
  return z.record(headerName, value).superRefine((given, context) => {
    const seen = new Set<string>();
    for (const key of Object.keys(given)) {
      const lower = key.toLowerCase();
      const reason = NOT_FREE[lower];
      if (reason !== undefined)
        context.addIssue({ code: "custom", path: [key], message: `may not be set here: ${reason}` });
      if (seen.has(lower))
        context.addIssue({
          code: "custom",
          path: [key],
          message: "is given twice; header names ignore case",
        });
      seen.add(lower);
    }
  });
}

export const headerValue = z
  .string({ error: "give the value of a header in quotes" })
  .regex(/^[\x20-\x7e]+$/, "must be printable ASCII characters")
  .max(4096);

const tlsFiles = z
  .strictObject({
    caFile: mountedFile("ConfigMap or Secret")
      .optional()
      .describe(
        "PEM file of the authorities that its certificate is checked by, in place of the public ones.",
      ),
    certFile: mountedFile()
      .optional()
      .describe("PEM file of the certificate by which it knows the operator; needs `keyFile`."),
    keyFile: mountedFile().optional().describe("PEM file of the key of `certFile`."),
    serverName: z
      .string()
      .regex(/^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$/, "must be a DNS name that the certificate holds")
      .max(253)
      .refine((text) => isIP(text) === 0, "must be a DNS name that the certificate holds, not an address")
      .optional()
      .describe("Name that its certificate must hold, where the URL has another."),
  })
  .superRefine(({ certFile, keyFile }, context) => {
    if ((certFile === undefined) === (keyFile === undefined)) return;
    const [missing, given] = certFile === undefined ? ["certFile", "keyFile"] : ["keyFile", "certFile"];
    context.addIssue({ code: "custom", path: [missing], message: `is missing; ${given} needs it` });
  });

export const tls = tlsFiles.optional();

/** Of whoever is posted to: the key that signs. */
export const signingKeys = mountedFile()
  .optional()
  .describe(
    "File of the key that signs as Standard Webhooks say (`whsec_...`); several lines while keys are exchanged.",
  );

/** Of whoever is posted to: one place to post to, and files for TLS only where there is TLS. */
export function checkTarget(
  given: {
    readonly url?: string | undefined;
    readonly urlFile?: string | undefined;
    readonly tls?: object | undefined;
  },
  context: z.RefinementCtx,
): void {
  const refuse = (path: string, message: string) =>
    context.addIssue({ code: "custom", path: [path], message });
  if ((given.url === undefined) === (given.urlFile === undefined))
    refuse("url", "give either url or urlFile: one of them, and not both");
  if (given.tls !== undefined && given.url !== undefined && /^http:/i.test(given.url))
    refuse("tls", "has no effect on an http:// URL; write https:// or remove it");
}
