import { cacheRoot } from "../../tools/setup/cache.ts";
import { externalCluster } from "../cluster/external.ts";
import { clusterDown, clusterUp } from "../cluster/up.ts";
import { suiteImages } from "../images/all.ts";
import { testProgress } from "./scene.ts";

/** The suites of a project find their cluster up; one that was started for them is stopped after the last. */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (externalCluster(process.env)) return undefined;
  const options = { progress: testProgress };
  // Before any suite runs: a build takes both processors, and what is measured meanwhile starves.
  await suiteImages(cacheRoot(process.env), testProgress);
  const { startedHere } = await clusterUp(options);
  return startedHere ? () => clusterDown(options) : undefined;
}
