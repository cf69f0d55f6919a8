import { createPrometheusSource, type PrometheusSourceOptions } from "./prometheus-source.ts";
import { failing, type MetricSource, type Reading } from "./source.ts";

export interface SourceSettings extends PrometheusSourceOptions {
  /** Namespaces whose bridges may use the source; absent: all. */
  readonly allowedNamespaces?: readonly string[];
}

export interface MetricSources {
  /** The source of that name, if the namespace may use it. */
  find(name: string, namespace: string): Reading<MetricSource>;
  close(): Promise<void>;
}

/** The sources of the administrator's settings. Throws RangeError where one cannot work, before any is used. */
export function createSources(settings: readonly SourceSettings[]): MetricSources {
  const sources = new Map(
    settings.map((one) => [
      one.name,
      { source: createPrometheusSource(one), allowed: one.allowedNamespaces },
    ]),
  );
  return {
    find(name, namespace) {
      const entry = sources.get(name);
      if (entry === undefined) {
        return failing(
          "NoSuchSource",
          `spec.metrics.source "${name}" is not in the operator's settings; ask the administrator for a source of that name.`,
        );
      }
      if (entry.allowed !== undefined && !entry.allowed.includes(namespace)) {
        return failing(
          "NotAllowed",
          `spec.metrics.source "${name}" is not open to this namespace; ask the administrator to add it to allowedNamespaces.`,
        );
      }
      return { kind: "ok", value: entry.source };
    },
    async close() {
      await Promise.all([...sources.values()].map(({ source }) => source.close()));
    },
  };
}
