import { Document, isMap, isSeq, type Node } from "yaml";
import { GROUP, KIND, VERSION } from "../../api/v1alpha1/llmbridge.ts";
import type { LLMBridgeSpecInput } from "../../api/v1alpha1/spec.ts";
import { YAML_OPTIONS } from "../render/serialised.ts";
import { wrapped } from "../render/wrap.ts";
import type { Note } from "./parts.ts";

export interface ImportedManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: LLMBridgeSpecInput;
}

export const manifestOf = (
  metadata: ImportedManifest["metadata"],
  spec: LLMBridgeSpecInput,
): ImportedManifest => ({ apiVersion: `${GROUP}/${VERSION}`, kind: KIND, metadata, spec });

const WIDTH = 110;

/** Comments of fields, by their paths in the manifest. */
const COMMENTS: readonly (readonly [path: readonly string[], text: string])[] = [
  [
    ["spec", "image"],
    "Listens on 8080, and answers /livez, /readyz and /metrics on 9464; one that does not is never ready, and is rolled back.",
  ],
  [
    ["spec", "upstreams"],
    "A pod has at most maxConcurrencyPerPod requests in progress at each (16 unless you say so); more wait in a bounded queue. Set it to what a pod of the old Deployment takes.",
  ],
  [
    ["spec", "rollout", "analysis", "gates"],
    "Judges the first canary by itself, since the old pods export no metrics to compare it with. Later ones are compared too.",
  ],
  [
    ["spec", "takeOver"],
    "Serves as the stable version of the first canary. Take this out when the old Deployment is not to be returned to.",
  ],
];

const NO_UPSTREAMS = `upstreams: nothing tells of the models behind the Deployment. Write them, such as:
 upstreams:
   - {name: model, protocol: OpenAI, url: "https://host/v1", secretRef: {name: SECRET, key: KEY}}`;

/** The manifest as YAML, with what it does not carry above it and what is worth knowing beside it. */
export function manifestText(
  manifest: ImportedManifest,
  {
    source,
    notes,
    refusals,
  }: { readonly source: string; readonly notes: readonly Note[]; readonly refusals: readonly string[] },
): string {
  const document = new Document(manifest, YAML_OPTIONS);
  for (const [path, text] of COMMENTS) comment(document, path, text);
  if (manifest.spec.upstreams === undefined || manifest.spec.upstreams.length === 0)
    comment(document, ["spec", keyAfterImage(manifest.spec)], NO_UPSTREAMS, false);
  flow(document.getIn(["spec", "rollout", "analysis", "gates"], true) as Node | undefined);
  document.commentBefore = lines([
    `Made from ${source}.`,
    ...(refusals.length === 0 ? [] : ["", "The operator would not begin yet:", ...refusals.map(item)]),
    ...(notes.length === 0
      ? []
      : [
          "",
          "Not carried, or to be looked at:",
          ...notes.map(({ about, message }) => item(`${about}: ${message}`)),
        ]),
  ]);
  return document.toString(YAML_OPTIONS);
}

const keyAfterImage = (spec: object): string => {
  const keys = Object.keys(spec);
  return keys[keys.indexOf("image") + 1] ?? "takeOver";
};

const item = (text: string) => `- ${text}`;

function lines(texts: readonly string[]): string {
  return texts
    .flatMap((text) => (text.startsWith("- ") ? hanging(text) : wrapped(text, WIDTH)))
    .map((line) => ` ${line}`)
    .join("\n");
}

const hanging = (text: string): string[] =>
  wrapped(text, WIDTH - 2).map((line, index) => (index === 0 ? line : `  ${line}`));

/** Above the key of the path; nothing where the manifest does not have it. */
function comment(document: Document, path: readonly string[], text: string, wraps = true): void {
  const parent = document.getIn(path.slice(0, -1), true);
  if (!isMap(parent)) return;
  const pair = parent.items.find(({ key }) => String(key) === path.at(-1));
  if (!pair) return;
  const key = document.createNode(path.at(-1)) as Node;
  const before = (pair.key as Node | undefined)?.commentBefore;
  const said = wraps ? lines([text]) : ` ${text}`;
  key.commentBefore = before ? `${said}\n${before}` : said;
  pair.key = key as typeof pair.key;
}

/** Each entry on a line of its own. */
function flow(node: Node | undefined): void {
  if (isSeq(node)) for (const one of node.items) if (isMap(one)) one.flow = true;
}
