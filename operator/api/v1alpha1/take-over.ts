import * as z from "zod";
import { textOf } from "./scalars.ts";

/** What ran before the bridge, and serves as the stable version of its first canary. */
export const takeOver = z
  .strictObject({
    deployment: textOf("objectName", "The Deployment, in the namespace of the bridge.", 253),
    services: z
      .array(textOf("objectName", "Name of a Service.", 63))
      .max(8)
      .default([])
      .meta({
        description:
          "The Services by which clients reach it. They go on with the pods of the bridge: from the first canary on their selectors follow that of the Service `<bridge>`. Others are not touched.",
        "x-kubernetes-list-type": "set",
      }),
  })
  .meta({
    description:
      "A Deployment to take over from, whose pods serve as the stable version of the first canary. Set when the bridge is made, and never changed; taking it out after the promotion lets go of both.",
  });
