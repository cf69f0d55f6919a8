import * as z from "zod";
import { gateUrl } from "../gates/url.ts";
import { mountedFile, name, namespaces, tls } from "./fields.ts";

const url = z.string().superRefine((text, context) => {
  try {
    gateUrl(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: error instanceof Error ? error.message : String(error) });
  }
});

/** Whom gates of bridges may ask. */
export const gateWebhook = z
  .strictObject({
    name: name.describe("What bridges write in `spec.rollout.gates[].webhook.receiver`."),
    url: url
      .optional()
      .describe(
        "Where questions are posted to; this or `urlFile`. `https`, but for Services of the cluster (`http://name.namespace.svc`).",
      ),
    urlFile: mountedFile()
      .optional()
      .describe("File that holds the URL, for one that is itself a secret. Read for every post."),
    allowedNamespaces: namespaces.describe('Namespaces whose bridges may ask it; `"*"` stands for all.'),
    secretFile: mountedFile()
      .optional()
      .describe(
        "File of the key that signs as Standard Webhooks say (`whsec_...`); several lines while keys are exchanged.",
      ),
    tls: tls.describe("For `https`, as for sources."),
  })
  .superRefine((given, context) => {
    const refuse = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    if ((given.url === undefined) === (given.urlFile === undefined))
      refuse(["url"], "give either url or urlFile: one of them, and not both");
    if (given.tls !== undefined && given.url !== undefined && /^http:/i.test(given.url))
      refuse(["tls"], "has no effect on an http:// URL; write https:// or remove it");
  });
