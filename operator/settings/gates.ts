import * as z from "zod";
import { gateUrl } from "../gates/url.ts";
import { checkTarget, mountedFile, name, namespaces, signingKeys, tls, urlBy } from "./fields.ts";

/** Whom gates of bridges may ask. */
export const gateWebhook = z
  .strictObject({
    name: name.describe("What bridges write in `spec.rollout.gates[].webhook.receiver`."),
    url: urlBy(gateUrl)
      .optional()
      .describe(
        "Where questions are posted to; this or `urlFile`. `https`, but for Services of the cluster (`http://name.namespace.svc`).",
      ),
    urlFile: mountedFile()
      .optional()
      .describe("File that holds the URL, for one that is itself a secret. Read for every post."),
    allowedNamespaces: namespaces.describe('Namespaces whose bridges may ask it; `"*"` stands for all.'),
    secretFile: signingKeys,
    tls: tls.describe("For `https`, as for sources."),
  })
  .superRefine(checkTarget);
