import * as z from "zod";
import { textOf } from "./scalars.ts";

/** What ran before the bridge, and serves as the stable version of its first canary. */
export const takeOver = z
  .strictObject({
    deployment: textOf("objectName", "The Deployment, in the namespace of the bridge.", 253),
    service: textOf(
      "objectName",
      "The Service by which clients reach it. It goes on with the pods of the bridge: from the first canary on its selector follows that of the Service `<bridge>`. Absent: no Service is touched.",
      63,
    ).optional(),
  })
  .meta({
    description:
      "A Deployment to take over from, whose pods serve as the stable version of the first canary. Set when the bridge is made, and never changed; taking it out after the promotion lets go of both.",
  });
