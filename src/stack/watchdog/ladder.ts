// The ladder of StartOS' tor package: new guards, again, again, then one wipe, then word to a person.

/** How a tor is, by what it says of itself. */
export type TorHealth =
  /** It has circuits; or sleeps, because nobody has used it for a long time. */
  | { readonly kind: 'well' }
  /** It runs, and has no way into its network. */
  | { readonly kind: 'cut-off'; readonly percent: number }
  /** It does not run, or not answer: for whoever starts it. */
  | { readonly kind: 'absent' };

/** What may free a tor that is cut off. */
export type Remedy = 'drop-guards' | 'wipe-state';

export interface Watch {
  readonly kind: TorHealth['kind'] | 'given-up';
  /** Since when it is not well; absent when it is. Milliseconds since the Unix epoch. */
  readonly since?: number;
  /** When it last got further, or a remedy was tried. */
  readonly movedAt: number;
  /** How far it has got at best since its state was last wiped. */
  readonly percent: number;
  /** Remedies tried since it last got further. */
  readonly tried: number;
  /** Its state has been wiped since it was last well: once is enough. */
  readonly wiped: boolean;
}

const MINUTE_MS = 60_000;

/** How long to wait before each remedy: after 5, 10, 20 and 30 minutes without a step ahead. */
const LADDER: readonly { readonly waitMs: number; readonly remedy: Remedy }[] = [
  { waitMs: 5 * MINUTE_MS, remedy: 'drop-guards' },
  { waitMs: 5 * MINUTE_MS, remedy: 'drop-guards' },
  { waitMs: 10 * MINUTE_MS, remedy: 'drop-guards' },
  { waitMs: 10 * MINUTE_MS, remedy: 'wipe-state' },
];

/** @param before what an earlier watch of the same tor had come to. */
export function beginWatch(now: number, before?: Pick<Watch, 'since' | 'wiped'>): Watch {
  const { since = now, wiped = false } = before ?? {};
  return { kind: 'absent', since, movedAt: now, percent: 0, tried: 0, wiped };
}

/** What follows from how a tor is now, and the remedy to try now. */
export function nextWatch(
  watch: Watch,
  health: TorHealth,
  now: number,
): { readonly watch: Watch; readonly remedy?: Remedy } {
  if (health.kind === 'well') {
    return { watch: { kind: 'well', movedAt: now, percent: 100, tried: 0, wiped: false } };
  }
  const { wiped, since = now } = watch;
  if (health.kind === 'absent') {
    // It gets its time from its start on.
    const percent = watch.kind === 'well' ? 0 : watch.percent;
    return { watch: { kind: 'absent', since, movedAt: now, percent, tried: 0, wiped } };
  }
  const percent = watch.kind === 'well' ? health.percent : Math.max(watch.percent, health.percent);
  const hasMoved = watch.kind === 'well' || watch.kind === 'absent' || percent > watch.percent;
  const cutOff: Watch = { ...watch, kind: 'cut-off', since, percent };
  // A clock that was set back would otherwise have it wait for hours.
  if (hasMoved || now < watch.movedAt) return { watch: { ...cutOff, movedAt: now, tried: 0 } };
  if (watch.kind === 'given-up') return { watch };
  const step = LADDER[watch.tried];
  if (step !== undefined && now - watch.movedAt < step.waitMs) return { watch: cutOff };
  if (step === undefined || (step.remedy === 'wipe-state' && wiped)) {
    return { watch: { ...cutOff, kind: 'given-up' } };
  }
  const { remedy } = step;
  if (remedy === 'drop-guards') {
    return { watch: { ...cutOff, movedAt: now, tried: watch.tried + 1 }, remedy };
  }
  // From the bottom again, on which tor begins anew; there is no second wipe.
  return { watch: { ...cutOff, movedAt: now, tried: 0, percent: 0, wiped: true }, remedy };
}
