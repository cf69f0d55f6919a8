import type { TestProject } from "vitest/node";
import { externalCluster } from "../cluster/external.ts";
import { clusterDown, clusterUp } from "../cluster/up.ts";
import { testProgress } from "./scene.ts";

/** The suites of a project find their cluster up; one that was started for them is stopped after the last. */
export default async function setup({ config }: TestProject): Promise<(() => Promise<void>) | undefined> {
  const env = { ...process.env, ...config.env };
  if (externalCluster(env)) return undefined;
  const options = { progress: testProgress, env };
  const { startedHere } = await clusterUp(options);
  return startedHere ? () => clusterDown(options) : undefined;
}
