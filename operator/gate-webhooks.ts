import type { GateCalls } from "./gates/calls.ts";
import type { WebhookSettings } from "./gates/webhook.ts";
import type { AdministratorSettings } from "./settings/file.ts";
import type { SettingsFile } from "./settings/watch.ts";

/** Has the questions of gates go where the settings file says. */
export function followGateWebhooks(settings: SettingsFile, calls: GateCalls): void {
  calls.configure(webhooksOf(settings.current()));
  settings.onChange((changed) => calls.configure(webhooksOf(changed)));
}

/** Who may ask is seen to where a spec is accepted. */
const webhooksOf = ({ gateWebhooks }: AdministratorSettings): WebhookSettings[] =>
  gateWebhooks.map(({ allowedNamespaces: _, ...same }) => same);
