/** Columns of `kubectl get llmbridges`; those of priority 1 show with `-o wide`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: "string" | "integer" | "date";
  readonly jsonPath: string;
  readonly description: string;
  readonly priority?: 1;
}

export const PRINTER_COLUMNS: readonly PrinterColumn[] = [
  column("Ready", '.status.conditions[?(@.type=="Ready")].status', "Whether the stable version serves."),
  column("Phase", ".status.phase", "Phase of the rollout."),
  column("Step", ".status.step.name", "Step of the rollout."),
  column("Stable", ".status.stable.revision", "Revision that serves."),
  column("Canary", ".status.canary.revision", "Revision under trial."),
  column("Weight", ".status.canary.desiredWeight", "Percent of the traffic meant for the canary.", "integer"),
  column("Replicas", ".status.replicas", "Pods of the stable revision.", "integer"),
  column("Workers", ".status.workers.current", "Worker threads in each pod.", "integer"),
  column("Age", ".metadata.creationTimestamp", "Time since creation.", "date"),
  wide("Served", ".status.canary.requestShare", "Share of the requests that the canary really served."),
  wide("Image", ".status.stable.image", "Image of the stable revision."),
  wide("Canary-Image", ".status.canary.image", "Image of the revision under trial."),
  wide("Reason", '.status.conditions[?(@.type=="Ready")].reason', "Why it is or is not ready."),
  wide("Summary", ".status.summary", "What it does now and until when."),
];

function column(
  name: string,
  jsonPath: string,
  description: string,
  type: PrinterColumn["type"] = "string",
): PrinterColumn {
  return { name, type, jsonPath, description };
}

function wide(name: string, jsonPath: string, description: string): PrinterColumn {
  return { ...column(name, jsonPath, description), priority: 1 };
}
