import { durationMs } from "./api/v1alpha1/scalars.ts";
import type { MetricSource, Reading } from "./prometheus/source.ts";
import { createSources, type MetricSources, type SourceSettings } from "./prometheus/sources.ts";
import type { AdministratorSettings } from "./settings/file.ts";
import type { SettingsFile } from "./settings/watch.ts";

/** How long readings under way may still use the sources of the settings before. */
const LINGER_MS = 60_000;

/** The administrator's metric sources, following the settings file. */
export function followSources(settings: SettingsFile): {
  find(name: string, namespace: string): Reading<MetricSource>;
  /** Calls the listener when a source that gave no answer does so again, and when the settings have changed. */
  onChange(listener: () => void): void;
  close(): Promise<void>;
} {
  const listeners: (() => void)[] = [];
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  let sources = sourcesOf(settings.current(), tell);
  settings.onChange((changed) => {
    const before = sources;
    sources = sourcesOf(changed, tell);
    tell();
    setTimeout(() => void before.close(), LINGER_MS).unref();
  });
  return {
    find: (name, namespace) => sources.find(name, namespace),
    onChange: (listener) => void listeners.push(listener),
    close: () => sources.close(),
  };
}

function sourcesOf({ sources }: AdministratorSettings, onRecovered: () => void): MetricSources {
  return createSources(sources.map((source) => ({ ...sourceOptions(source), onRecovered })));
}

/** What the settings say of a source, as its client takes it. */
export function sourceOptions(source: AdministratorSettings["sources"][number]): SourceSettings {
  const { allowedNamespaces, tenant, headers, parameters, matchers, scrapeInterval, lag, ...same } = source;
  return {
    ...same,
    scrapeIntervalMs: durationMs(scrapeInterval),
    sourceLagMs: durationMs(lag),
    headers: { ...headers, ...(tenant === undefined ? {} : { "x-scope-orgid": tenant }) },
    ...(parameters === undefined ? {} : { parameters }),
    ...(matchers === undefined ? {} : { matchers }),
    ...(allowedNamespaces.includes("*") ? {} : { allowedNamespaces }),
  };
}
