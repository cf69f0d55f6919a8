/** The heap as it will be written: by the whole heap where the version takes that flag, else by the old space. */
export type HeapFlag = { kind: "MaxHeap"; heapMiB: number } | { kind: "MaxOldSpace"; oldSpaceMiB: number };

/** Typed values of every flag that may be rendered; absent ones are not written. */
export interface NodeOptionValues {
  heap: HeapFlag;
  semiSpaceMiB: number;
  maxHttpHeaderBytes?: number | undefined;
  stackTraceLimit?: number | undefined;
  dnsResultOrder?: "ipv4first" | "ipv6first" | "verbatim" | undefined;
}

/**
 * NODE_OPTIONS in one canonical spelling (F21): known flags only, integers without units, sorted, so that equal values
 * give equal pod templates. The caller has checked that the version takes the flag of `heap`.
 */
export function renderNodeOptions(values: NodeOptionValues): string {
  const flags: string[] = [`--max-semi-space-size=${values.semiSpaceMiB}`];
  if (values.heap.kind === "MaxHeap") flags.push(`--max-heap-size=${values.heap.heapMiB}`);
  else flags.push(`--max-old-space-size=${values.heap.oldSpaceMiB}`);
  if (values.maxHttpHeaderBytes !== undefined)
    flags.push(`--max-http-header-size=${values.maxHttpHeaderBytes}`);
  if (values.stackTraceLimit !== undefined) flags.push(`--stack-trace-limit=${values.stackTraceLimit}`);
  if (values.dnsResultOrder !== undefined) flags.push(`--dns-result-order=${values.dnsResultOrder}`);
  return flags.sort().join(" ");
}
