import { externalCluster } from "../cluster/external.ts";
import { clusterDown, clusterUp } from "../cluster/up.ts";
import { testProgress } from "./scene.ts";

/** The suites of a project find their cluster up; one that was started for them is stopped after the last. */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (externalCluster(process.env)) return undefined;
  const options = { progress: testProgress };
  const { startedHere } = await clusterUp(options);
  return startedHere ? () => clusterDown(options) : undefined;
}
