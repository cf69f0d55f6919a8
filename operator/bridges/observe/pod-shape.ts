import { LABELS } from "../../../contract/kubernetes.ts";
import { Names, type Shape } from "../../kube/protobuf.ts";
import { OBJECT_META } from "../../kube/protobuf-watch.ts";
import { READ_ANNOTATIONS } from "./pod.ts";

/** v1.ContainerState, but for that it runs, which needs no word. */
const CONTAINER_STATE: Shape = {
  1: ["waiting", { message: { 1: ["reason", "string"], 2: ["message", "string"] } }],
  3: [
    "terminated",
    {
      message: {
        1: ["exitCode", "int32"],
        3: ["reason", "string"],
        4: ["message", "string"],
      },
    },
  ],
};

/** v1.ContainerStatus. */
const CONTAINER_STATUS: Shape = {
  2: ["state", { message: CONTAINER_STATE }],
  3: ["lastState", { message: CONTAINER_STATE }],
  5: ["restartCount", "int32"],
};

/** v1.PodStatus. */
const STATUS: Shape = {
  1: ["phase", "string"],
  2: ["conditions", { each: { 1: ["type", "string"], 2: ["status", "string"], 6: ["message", "string"] } }],
  8: ["containerStatuses", { each: CONTAINER_STATUS }],
};

/**
 * What RawPod has of a v1.Pod, by the numbers of k8s.io/api/core/v1/generated.proto. The spec (2), which is most of a pod, is not among it.
 */
export const POD_SHAPE: Shape = {
  1: [
    "metadata",
    {
      message: {
        ...OBJECT_META,
        11: ["labels", { strings: new Names(LABELS.bridge, LABELS.revision) }],
        12: ["annotations", { strings: new Names(...READ_ANNOTATIONS) }],
      },
    },
  ],
  3: ["status", { message: STATUS }],
};
