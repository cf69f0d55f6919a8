import * as z from "zod";
import { headers, headerValue, mountedFile, name, namespaces, scrapeInterval, tls, url } from "./fields.ts";

const label = z
  .string()
  .regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, "must be a Prometheus label name: letters, digits and underscores");

const labels = z
  .strictObject({
    namespace: label.default("namespace").describe("Label that holds a pod's namespace."),
    pod: label.default("pod").describe("Label that holds a pod's name."),
  })
  .prefault({});

const basicAuth = z.strictObject({
  username: z
    .string({ error: "give the user's name in quotes" })
    .regex(/^[^:\p{Cc}]{1,255}$/u, "must be 1 to 255 characters without a colon")
    .describe("Name of the user."),
  passwordFile: mountedFile().describe("File that holds the password. Read for every query."),
});

/** https://grafana.com/docs/mimir: what an ID of a tenant may hold; `|` asks several at once. */
const tenant = z
  .string({ error: "give the tenant in quotes" })
  .regex(/^[A-Za-z0-9!_.*'()|-]+$/, "must be letters, digits and !-_.*'(), several joined by |")
  .max(1024);

/** What the operator itself sends. */
const OWN_PARAMETERS = new Set([
  "query",
  "time",
  "timeout",
  "nocache",
  "start",
  "end",
  "step",
  "stats",
  "limit",
]);
const parameterValue = z
  .string({ error: 'give the value of a parameter in quotes, such as "true"' })
  .min(1, "must not be empty; leave the parameter out")
  .max(1024);
const parameters = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z_][\w.-]{0,62}(\[\])?$/, "must be the name of a parameter, such as partial_response"),
    z.union([parameterValue, z.array(parameterValue).min(1)], {
      error: 'give the value of a parameter in quotes, such as "true", or a list of them',
    }),
  )
  .superRefine((given, context) => {
    const message = "is a parameter of the operator's own; leave it out";
    for (const key of Object.keys(given).filter((one) => OWN_PARAMETERS.has(one)))
      context.addIssue({ code: "custom", path: [key], message });
  });

const matchers = z.record(label, z.string({ error: "give the value of a label in quotes" }));
/** Labels that the operator's own matchers are about; what it adds to them could only hide samples. */
const OWN_LABELS = ["__name__", "bridge", "revision", "cache", "domain", "route", "le"];

/** A Prometheus, or what answers its query API. */
export const source = z
  .strictObject({
    name: name.describe("What bridges write in `spec.metrics.source`."),
    url: url("a metric source", "must not have a query part; name its parameters in `parameters`").describe(
      "Base address of the Prometheus API with its path, without `/api/v1`.",
    ),
    allowedNamespaces: namespaces.describe(
      'Namespaces whose bridges may read from it; `"*"` stands for all.',
    ),
    bearerTokenFile: mountedFile()
      .optional()
      .describe("File whose content is sent as bearer token. Read for every query."),
    basicAuth: basicAuth.optional().describe("User and password; not together with `bearerTokenFile`."),
    tls: tls.describe(
      "For `https`. The files are read for every query; a changed one opens new connections.",
    ),
    tenant: tenant.optional().describe("Sent as `X-Scope-OrgID` (Mimir, Cortex)."),
    headers: headers(headerValue).optional().describe("Headers of every query, by name."),
    headerFiles: headers(mountedFile())
      .optional()
      .describe("The same with secret values: name of a header to the file that holds its value."),
    parameters: parameters
      .optional()
      .describe("Parameters of every query, such as Thanos' `dedup` and `partial_response`."),
    matchers: matchers
      .optional()
      .describe("Labels that every sample must have, such as the cluster's in a source of several clusters."),
    scrapeInterval: scrapeInterval.describe(
      "How often it scrapes a pod. Readings older than two scrapes and `lag` are stale.",
    ),
    lag: z
      .string()
      .regex(/^([0-9]{1,4}s|[1-9][0-9]{0,3}m)$/, 'must be a number of seconds or minutes, such as "5s"')
      .default("1s")
      .describe(
        "Time from a scrape until every query sees it: more where samples arrive by remote write or are cached.",
      ),
    labels: labels.describe("How this server names what a sample belongs to."),
  })
  .superRefine((given, context) => {
    const refuse = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    if (given.bearerTokenFile !== undefined && given.basicAuth !== undefined)
      refuse(
        ["basicAuth"],
        "cannot be used beside bearerTokenFile, both are the Authorization header; remove one",
      );
    if (given.tls !== undefined && /^http:/i.test(given.url))
      refuse(["tls"], "has no effect on an http:// URL; write https:// or remove it");
    const files = new Set(Object.keys(given.headerFiles ?? {}).map((key) => key.toLowerCase()));
    for (const key of Object.keys(given.headers ?? {}).filter((one) => files.has(one.toLowerCase())))
      refuse(["headers", key], "is in headerFiles too; remove one");
    for (const key of Object.keys(given.matchers ?? {})) {
      if ([...OWN_LABELS, given.labels.namespace, given.labels.pod].includes(key))
        refuse(
          ["matchers", key],
          "is matched by the operator itself; who may read is said by allowedNamespaces",
        );
    }
  });
