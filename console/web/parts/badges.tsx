/** States in a word and a colour: never in a colour alone. */
import type { IncidentState, Severity, Verdict } from '#console/web/data/wire.ts';
import { capital } from '#console/web/text/format.ts';

export type Tone = 'critical' | 'warning' | 'ok' | 'unknown' | 'info' | 'calm';

export const Badge = ({ tone, children }: { readonly tone: Tone; readonly children: string }) => (
  <span class={`badge ${tone}`}>{children}</span>
);

export function toneOfSlo({
  verdict,
  severity,
}: {
  readonly verdict: Verdict;
  readonly severity: Severity | null;
}): Tone {
  if (verdict === 'ok') return 'ok';
  if (verdict === 'unknown') return 'unknown';
  return severity ?? 'warning';
}

/** "Burning: critical", "Within", "Not known". */
function wordOfSlo({ verdict, severity }: { readonly verdict: Verdict; readonly severity: Severity | null }): string {
  if (verdict === 'ok') return 'Kept';
  if (verdict === 'unknown') return 'Not known';
  return severity === null ? 'Burning' : `Burning: ${severity}`;
}

export const SloBadge = (slo: { readonly verdict: Verdict; readonly severity: Severity | null }) => (
  <Badge tone={toneOfSlo(slo)}>{wordOfSlo(slo)}</Badge>
);

type StateOf = { readonly state: IncidentState; readonly severity: 'critical' | 'warning' };

export function toneOfIncident({ state, severity }: StateOf): Tone {
  return state === 'resolved' ? 'ok' : severity;
}

const STATE_TONES: Record<IncidentState, (severity: 'critical' | 'warning') => Tone> = {
  open: (severity) => severity,
  acknowledged: () => 'info',
  snoozed: () => 'unknown',
  resolved: () => 'ok',
};

export const StateBadge = ({ state, severity }: StateOf) => (
  <Badge tone={STATE_TONES[state](severity)}>{capital(state)}</Badge>
);

export const SeverityBadge = ({ severity }: { readonly severity: Severity }) => (
  <Badge tone={severity}>{capital(severity)}</Badge>
);
