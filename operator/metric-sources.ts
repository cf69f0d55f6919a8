import { durationMs } from "./api/v1alpha1/scalars.ts";
import type { MetricSource, Reading } from "./prometheus/source.ts";
import { createSources, type MetricSources } from "./prometheus/sources.ts";
import type { AdministratorSettings } from "./settings/file.ts";
import type { SettingsFile } from "./settings/watch.ts";

/** How long readings under way may still use the sources of the settings before. */
const LINGER_MS = 60_000;

/** The administrator's metric sources, following the settings file. */
export function followSources(settings: SettingsFile): {
  find(name: string, namespace: string): Reading<MetricSource>;
  close(): Promise<void>;
} {
  let sources = sourcesOf(settings.current());
  settings.onChange((changed) => {
    const before = sources;
    sources = sourcesOf(changed);
    setTimeout(() => void before.close(), LINGER_MS).unref();
  });
  return { find: (name, namespace) => sources.find(name, namespace), close: () => sources.close() };
}

function sourcesOf({ sources }: AdministratorSettings): MetricSources {
  return createSources(
    sources.map(({ name, url, allowedNamespaces, bearerTokenFile, labels, scrapeInterval }) => ({
      name,
      url,
      labels,
      scrapeIntervalMs: durationMs(scrapeInterval),
      ...(bearerTokenFile === undefined ? {} : { bearerTokenFile }),
      ...(allowedNamespaces.includes("*") ? {} : { allowedNamespaces }),
    })),
  );
}
