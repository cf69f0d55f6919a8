import { durationMs } from "./api/v1alpha1/scalars.ts";
import type { NotificationSettings, Notifier } from "./notify/notifier.ts";
import type { AdministratorSettings } from "./settings/file.ts";
import type { SettingsFile } from "./settings/watch.ts";

/** Has the notifier follow the settings file. */
export function followReceivers(settings: SettingsFile, notifier: Notifier): void {
  notifier.configure(receiversOf(settings.current()));
  settings.onChange((changed) => notifier.configure(receiversOf(changed)));
}

/** What the settings say of receivers, as the notifier takes it. */
export function receiversOf({ notifications }: AdministratorSettings): NotificationSettings[] {
  return notifications.map(({ namespaces, timeout, ...same }) => ({
    ...same,
    timeoutMs: durationMs(timeout),
    ...(namespaces.includes("*") ? {} : { namespaces }),
  }));
}
