/** What an `alertmanager.yml` says, read and checked: shapes only. `read.ts` makes them, `#alerting/route.ts` walks them. */
import type { Matcher } from '#alerting/matcher.ts';
import type { Secret } from '#kernel/secret.ts';
import type { Milliseconds } from '#kernel/units.ts';

export type AlertmanagerConfig = {
  /** The file with each secret as `<secret>`: YAML that amtool's strict parser accepts. */
  readonly original: string;
  readonly root: Route;
  readonly receivers: ReadonlyMap<string, Receiver>;
  readonly inhibitRules: readonly InhibitRule[];
  readonly timeIntervals: ReadonlyMap<string, readonly TimeInterval[]>;
  /** An alert that comes without an end is taken for resolved this long after it last came. */
  readonly resolveTimeout: Milliseconds;
};

/** One node of the tree, with what it inherits filled in. */
export type Route = {
  /** Unique in the tree and stable while its place is: `{}/{severity="critical"}/0`, as Alertmanager's Route.ID(). */
  readonly id: string;
  /** The same without places, the head of a webhook's `groupKey`: `{}/{severity="critical"}`. */
  readonly key: string;
  readonly receiver: string;
  readonly matchers: readonly Matcher[];
  /** `all`: each alert is a group of its own (`group_by: ['...']`). */
  readonly groupBy: 'all' | readonly string[];
  readonly groupWait: Milliseconds;
  readonly groupInterval: Milliseconds;
  readonly repeatInterval: Milliseconds;
  readonly continue: boolean;
  readonly muteTimeIntervals: readonly string[];
  readonly activeTimeIntervals: readonly string[];
  readonly routes: readonly Route[];
};

export type InhibitRule = {
  readonly name: string | undefined;
  readonly source: readonly Matcher[];
  readonly target: readonly Matcher[];
  readonly equal: readonly string[];
};

export type Receiver = { readonly name: string; readonly integrations: readonly Integration[] };

/** One way out of a receiver. `index` counts within its kind, as Alertmanager's integration names do: `slack[0]`. */
export type Integration = SlackIntegration | EmailIntegration | PagerdutyIntegration | WebhookIntegration;

export type SlackIntegration = {
  readonly kind: 'slack';
  readonly index: number;
  readonly sendResolved: boolean;
  readonly url: Secret;
  readonly channel: string | undefined;
  readonly username: string | undefined;
  readonly timeout: Milliseconds;
};

export type EmailIntegration = {
  readonly kind: 'email';
  readonly index: number;
  readonly sendResolved: boolean;
  readonly to: string;
  readonly from: string;
  readonly smarthost: { readonly host: string; readonly port: number };
  readonly hello: string;
  readonly auth: { readonly username: string; readonly password: Secret } | undefined;
  /** By STARTTLS; without meaning where TLS is implicit. */
  readonly requireTls: boolean;
  /** TLS from the first byte on. */
  readonly implicitTls: boolean;
  readonly headers: Readonly<Record<string, string>>;
};

export type PagerdutyIntegration = {
  readonly kind: 'pagerduty';
  readonly index: number;
  readonly sendResolved: boolean;
  /** Events API v2. */
  readonly routingKey: Secret;
  readonly url: string;
  readonly client: string | undefined;
  readonly clientUrl: string | undefined;
  /** The client where absent. */
  readonly source: string | undefined;
  /** By label value where absent. */
  readonly severity: 'critical' | 'error' | 'warning' | 'info' | undefined;
  readonly class: string | undefined;
  readonly component: string | undefined;
  readonly group: string | undefined;
  readonly details: Readonly<Record<string, string>>;
  readonly timeout: Milliseconds;
};

export type WebhookIntegration = {
  readonly kind: 'webhook';
  readonly index: number;
  readonly sendResolved: boolean;
  readonly url: Secret;
  /** 0: all. */
  readonly maxAlerts: number;
  readonly timeout: Milliseconds;
  readonly authorization: { readonly type: string; readonly credentials: Secret } | undefined;
  readonly basicAuth: { readonly username: string; readonly password: Secret } | undefined;
};

/** As Alertmanager's timeinterval package: a moment is inside when every field that is set holds it. Ends are exclusive. */
export type TimeInterval = {
  /** Minutes of the day, [from, to). */
  readonly times: readonly { readonly from: number; readonly to: number }[];
  /** 0 is Sunday; inclusive. */
  readonly weekdays: readonly Range[];
  /** 1 to 31, or -31 to -1 from the end; inclusive. */
  readonly daysOfMonth: readonly Range[];
  readonly months: readonly Range[];
  readonly years: readonly Range[];
  /** An IANA name, UTC where the file gives none, or `Local` for the machine's own. */
  readonly location: string;
};
export type Range = { readonly from: number; readonly to: number };
