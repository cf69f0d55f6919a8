import { describe, expect, it } from "vitest";
import { llmBridgeSpec } from "../api/v1alpha1/spec.ts";
import { VERSION } from "../version.ts";
import type { ChildObject } from "./plan.ts";
import { revisionHash } from "./revision.ts";
import {
  goldenCases,
  goldenVersions,
  type Rendered,
  readGolden,
  renderedIn,
  replaceRendered,
  worldOf,
  writeGoldens,
} from "./testing/golden.ts";

const WRITE = "LLMBRIDGE_GOLDEN=write npx vitest run --project unit operator/bridges/golden.test.ts";
if (process.env.LLMBRIDGE_GOLDEN === "write") writeGoldens(VERSION);

const ANOTHER_REVISION =
  "A bridge that nobody has changed is another revision to this version: at the upgrade every such bridge would start a canary, and all of its " +
  "pods would be replaced. A new field must be left out of the hash at its default (revision.ts), also inside lists and optional parts, and a default " +
  "of v1alpha1 never changes, since API servers have stored it. No file may be written anew for this.";
const ANOTHER_RENDERING =
  `The same spec is rendered differently by what still calls itself ${VERSION}. Running pods keep what they have, for a revision is rendered once; but ` +
  "one version must not stand for two renderings. If this version is released, raise it in package.json and operator/version.ts. " +
  `Then write the files of this version with ${WRITE} and commit them beside those of the versions before.`;
const UNREADABLE =
  "What that version has stored is not left alone. It is read by contract/config.ts and bridges/decide/runtime.ts, which must go on reading it: new " +
  "members of these files are optional, and have no default that would be written into them.";

const all = goldenVersions().flatMap((version) => goldenCases(version).map((name) => ({ version, name })));

/** As a later version would have written it: with another template, and with more in both files. */
function otherwise({ config, runtime, deployment }: Rendered): Rendered {
  const text = JSON.stringify(deployment);
  const other = text.replace('"FallbackToLogsOnError"', '"File"');
  if (other === text) throw new Error("the Deployment has no termination message policy to change");
  return {
    config: withMore(config),
    runtime: withMore(runtime),
    deployment: JSON.parse(other) as ChildObject,
  };
}

/** In the order that the operator writes, since another text would be written again. */
function withMore(file: string): string {
  const members = Object.entries({ ...JSON.parse(file), tomorrow: 1 }).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${JSON.stringify(Object.fromEntries(members), undefined, 2)}\n`;
}

describe.each(all)("$name as $version kept it", ({ version, name }) => {
  const { spec, stored, revision, rendered } = readGolden(version, name);

  it("is the same revision still", () => {
    expect(revisionHash(llmBridgeSpec.parse(spec)), ANOTHER_REVISION).toBe(revision);
    expect(revisionHash(llmBridgeSpec.parse(stored)), ANOTHER_REVISION).toBe(revision);
  });

  it.each([
    ["what it rendered", rendered],
    ["what another one rendered", otherwise(rendered)],
  ])("is left alone by an upgraded operator: %s", (_, found) => {
    const world = worldOf(stored, version);
    replaceRendered(world, revision, found);
    world.rendererVersion = "a later one";
    world.restartOperator();
    world.writes.length = 0;
    world.run("2m");
    expect(world.writes, UNREADABLE).toEqual([]);
    expect(world.status.phase).toBe("Stable");
    expect(world.status.stable?.revision).toBe(revision);
    expect(renderedIn(world, revision)).toEqual(found);
  });

  it("comes back as it was when its Deployment is deleted by hand after the upgrade", () => {
    const found = otherwise(rendered);
    const world = worldOf(stored, version);
    replaceRendered(world, revision, found);
    world.rendererVersion = "a later one";
    world.deployments.delete(`chat-${revision}`);
    world.pods = [];
    world.run("1m");
    const { deployment } = found as unknown as { deployment: { spec: { template: unknown } } };
    expect(world.deployments.get(`chat-${revision}`)?.spec).toMatchObject({
      template: deployment.spec.template,
    });
  });
});

describe(`version ${VERSION}`, () => {
  it("has its files", () => {
    expect(goldenCases(VERSION), `Write the files of this version with ${WRITE}.`).not.toEqual([]);
  });

  it.each(goldenCases(VERSION))("renders %s as it always has", (name) => {
    const { spec, revision, rendered } = readGolden(VERSION, name);
    const now = renderedIn(worldOf(spec, VERSION), revision);
    expect(now, ANOTHER_RENDERING).toEqual(rendered);
  });
});
