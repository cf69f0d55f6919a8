/**
 * Kinds of text in the resource: a pattern that JavaScript and RE2 read alike, and the sentence for text that does not match it.
 * The CRD carries each as a CEL rule instead of a `pattern`, because the server's own words for a pattern ("should match '^...'") do not
 * say what to write.
 */
export interface Kind {
  readonly pattern: string;
  /** Follows the refused text, in quotes, in the message. */
  readonly remedy: string;
}

const DURATION =
  "[0-9]{1,6}h([0-9]{1,6}m)?([0-9]{1,7}s)?([0-9]{1,8}ms)?|[0-9]{1,6}m([0-9]{1,7}s)?([0-9]{1,8}ms)?|[0-9]{1,7}s([0-9]{1,8}ms)?|[0-9]{1,8}ms";
/** Below one, and above zero; at most three digits behind the point. */
const FRACTION = "0[.]([1-9][0-9]{0,2}|0[1-9][0-9]?|00[1-9])";
const DNS_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";

const kinds = {
  percent: {
    pattern: "^(100([.]0{1,3})?|[0-9]{1,2}([.][0-9]{1,3})?)%$",
    remedy: "is not a percentage from 0% to 100%; write for example 10% or 0.5%.",
  },
  growth: {
    pattern: "^[0-9]{1,4}([.][0-9]{1,3})?%$",
    remedy: "is not a percentage; write for example 10% or 150%.",
  },
  duration: {
    pattern: `^(${DURATION})$`,
    remedy: "is not a duration; write whole numbers with the units h, m, s, ms, for example 90s or 1h30m.",
  },
  bytes: {
    pattern: `^([1-9][0-9]{0,11}([.][0-9]{1,3})?(Ki|Mi|Gi|Ti|k|M|G|T)?|${FRACTION}(Mi|Gi|Ti|M|G|T))$`,
    remedy:
      "is not a quantity of bytes; write a number with one of the units Ki, Mi, Gi, Ti, k, M, G, T, for example 512Mi or 1Gi.",
  },
  cpu: {
    pattern: `^([1-9][0-9]{0,3}([.][0-9]{1,3})?|${FRACTION}|[1-9][0-9]{0,6}m)$`,
    remedy: "is not a quantity of CPUs above 0; write for example 500m, 2 or 1.5.",
  },
  name: {
    pattern: `^${DNS_LABEL}$`,
    remedy:
      "is not a name; use lower-case letters, digits and '-', beginning and ending with a letter or digit.",
  },
  objectName: {
    pattern: `^${DNS_LABEL}([.]${DNS_LABEL})*$`,
    remedy: "is not a name of an object; use lower-case letters, digits, '-' and '.'.",
  },
  headerName: {
    pattern: "^[A-Za-z0-9][-_A-Za-z0-9]*$",
    remedy: "is not a name of a header or cookie; use letters, digits, '-' and '_'.",
  },
  matchValue: {
    pattern: "^[-_.~A-Za-z0-9]+$",
    remedy: "cannot be matched; use letters, digits, '-', '_', '.' and '~'.",
  },
  hostname: {
    pattern: `^([*][.])?${DNS_LABEL}([.]${DNS_LABEL})*$`,
    remedy:
      "is not a host name; write for example chat.example.com or *.example.com, without scheme, port or path.",
  },
  secretName: {
    pattern: `^${DNS_LABEL}([.]${DNS_LABEL})*$`,
    remedy: "is not the name of a Secret; use lower-case letters, digits, '-' and '.'.",
  },
  secretKey: {
    pattern: "^[-._a-zA-Z0-9]+$",
    remedy: "is not a key of a Secret; use letters, digits, '-', '_' and '.'.",
  },
  configMapName: {
    pattern: `^${DNS_LABEL}([.]${DNS_LABEL})*$`,
    remedy: "is not the name of a ConfigMap; use lower-case letters, digits, '-' and '.'.",
  },
  configMapKey: {
    pattern: "^[-._a-zA-Z0-9]+$",
    remedy: "is not a key of a ConfigMap; use letters, digits, '-', '_' and '.'.",
  },
  mountPath: {
    pattern: "^(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$",
    remedy:
      "is not a directory to mount at; write an absolute path of letters, digits, '-', '_' and '.', for example /etc/prompts.",
  },
  url: {
    pattern: "^https?://[^\\s/@?#]+(/[^\\s?#]*)?$",
    remedy:
      "is not a base URL; write http:// or https://, host, port and path, without credentials, query or fragment, for example http://ollama.ai.svc:11434.",
  },
  image: {
    pattern: "^[a-z0-9][a-zA-Z0-9._/:-]*(@sha256:[a-f0-9]{64})?$",
    remedy:
      "is not an image reference; write for example registry.example/bridge:1.4.0 or name@sha256:... with 64 hex digits.",
  },
  nodeVersion: {
    pattern: "^2[2-6]([.][0-9]{1,2}([.][0-9]{1,2})?)?$",
    remedy:
      "is not a Node version this operator knows; the image needs Node 22 to 26, and the version is written in quotes, for example '24' or '24.21'.",
  },
  envName: {
    pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
    remedy:
      "is not the name of an environment variable; use letters, digits and '_', not beginning with a digit.",
  },
  limit: {
    pattern: "^[0-9]{1,12}([.][0-9]{1,3})?(%|ms|s|m|h|Ki|Mi|Gi)?$",
    remedy:
      "is not a limit; write a percentage (5%), a duration (120ms), bytes (512Mi) or a count (35000), as the metric needs.",
  },
  threshold: {
    pattern: "^[0-9]{1,9}([.][0-9]{1,3})?(%|ms|s|m|h)?$",
    remedy:
      "is not a threshold; write a percentage (90%), a duration (50ms) or a count (3), as the metric needs.",
  },
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof kinds;
export const KINDS: Readonly<Record<KindName, Kind>> = kinds;

/** The sentence for text that is not of its kind; the CRD's rule and the local check say the same. */
export function refusedText(kind: KindName, text: string): string {
  return `"${text}" ${KINDS[kind].remedy}`;
}
