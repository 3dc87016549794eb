import type { Waiting } from './backend.ts';

/** `warn` is for what works and should not stay so; `fail` for what must not run like this. */
export type Verdict = 'ok' | 'warn' | 'fail';

/** What one check found: before the install, or of a server that runs. */
export interface Finding {
  /** Stable, for scripts: `disk`, `clock`. */
  readonly id: string;
  /** What was looked at, in a few words. */
  readonly title: string;
  readonly verdict: Verdict;
  /** What is so, in one sentence without a full stop. */
  readonly found: string;
  /** What the person should do about it; absent when there is nothing to do. */
  readonly todo?: string;
}

/** What a check hands back: the runner adds which check it was. */
export type Outcome = Omit<Finding, 'id' | 'title'>;

/** One thing that is looked at. It changes nothing. */
export interface Check {
  readonly id: string;
  readonly title: string;
  run(options: Waiting): Promise<Outcome>;
}
