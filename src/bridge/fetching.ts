import { setMaxListeners } from 'node:events';
import { type Clock } from '../base/clock.ts';
import { type Logger } from '../base/log.ts';
import { withDeadline } from '../electrum/deadline.ts';
import { ElectrumRpcError } from '../electrum/rpc-error.ts';
import { LookupError, NOBODY } from '../lookup/fault.ts';
import { type Lookup, type VerifiedHistory } from '../lookup/lookup.ts';
import { NEVER, type Schedule } from '../lookup/schedule.ts';
import { lookupReason } from './lookup-reason.ts';
import { Questions } from './questions.ts';
import { isStillProved } from './still-proved.ts';
import { type WatchedScript } from './watched-script.ts';

export interface FetchingOptions {
  readonly lookup: Pick<Lookup, 'history' | 'headers'>;
  readonly schedule: Schedule;
  /** Takes a history that the chain proves now. @throws ElectrumRpcError when there is no room for it. */
  readonly take: (script: WatchedScript, history: VerifiedHistory) => void;
  readonly windowMs: number;
  readonly atOnce: number;
  readonly clock: Clock;
  readonly log: Logger;
}

const MINUTE_MS = 60_000;
/** The longest that one question takes, all pages and other ways included. */
const QUESTION_MS = 5 * MINUTE_MS;
/** Between tries; doubled with each. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 5 * MINUTE_MS;
/** Less than the patience of a wallet, so that it sees a try. */
const LONGEST_WAITED_FOR_MS = 15_000;
/** How long a history that cannot be had is not asked for. */
const REFUSED_MS = 60 * MINUTE_MS;
/** A server may give hints at any rate; one script is not asked about more often than this for them. */
const HINT_SPACING_MS = 1_000;
/** Failures that asking again does not mend. */
const LASTING: ReadonlySet<string> = new Set(['history-too-long', 'unsupported', 'token-needed']);

/** Asks for histories: at once for what is waited for or lost, by the schedule for the others. */
export class Fetching implements AsyncDisposable {
  readonly #options: FetchingOptions;
  readonly #questions: Questions<WatchedScript>;
  readonly #closing = new AbortController();

  constructor(options: FetchingOptions) {
    this.#options = options;
    // Each question under way listens.
    setMaxListeners(0, this.#closing.signal);
    this.#questions = new Questions({ ...options, ask: (script) => this.#ask(script) });
  }

  /** For a wallet that waits. */
  start(script: WatchedScript): void {
    if (this.#questions.isPending(script)) return;
    if (script.alarm.at === NEVER) this.#questions.gather(script);
    else script.alarm.noLaterThan(this.#options.clock() + LONGEST_WAITED_FOR_MS);
  }

  /** The blocks that proved it have left the chain. */
  startAnew(script: WatchedScript): void {
    script.isLost = true;
    this.#questions.gather(script);
  }

  /** The script's alarm has rung. */
  ring(script: WatchedScript): void {
    this.#questions.ask(script);
  }

  /** The source says that something has changed. */
  hint(script: WatchedScript): void {
    if (script.told === undefined) return;
    script.hintedAt = this.#options.clock();
    script.alarm.noLaterThan(script.askedAt + HINT_SPACING_MS);
  }

  /** Puts no more questions, and waits for those under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the bridge stops'));
    await this.#questions[Symbol.asyncDispose]();
  }

  async #ask(script: WatchedScript): Promise<void> {
    const { told, isLost, audience } = script;
    const isOfUse = told !== undefined || isLost || audience.isWaiting;
    if (script.isForgotten || !isOfUse) return;
    script.alarm.clear();
    script.askedAt = this.#options.clock();
    try {
      this.#answered(script, await this.#fetch(script));
    } catch (error) {
      this.#failed(script, error instanceof Error ? error : new Error('unknown', { cause: error }));
    }
  }

  async #fetch({ scriptHash }: WatchedScript): Promise<VerifiedHistory> {
    const { lookup } = this.#options;
    const limits = { signal: this.#closing.signal, timeoutMs: QUESTION_MS };
    const history = await withDeadline(limits, (signal) => lookup.history(scriptHash, { signal }));
    if (isStillProved(history, lookup.headers)) return history;
    const message = 'Blocks left the chain while a history was fetched.';
    throw new LookupError('unknown-tip', message, { culprit: NOBODY });
  }

  #answered(script: WatchedScript, history: VerifiedHistory): void {
    if (script.isForgotten) return;
    const { schedule, clock, take } = this.#options;
    const now = clock();
    script.alarm.noLaterThan(schedule.afterQuestion(now, script.isWanted(now)));
    take(script, history);
    script.isLost = false;
    script.freshAt = script.askedAt;
    script.failure = undefined;
    script.failures = 0;
  }

  #failed(script: WatchedScript, failure: Error): void {
    if (this.#closing.signal.aborted || script.isForgotten) return;
    const { schedule, clock, log } = this.#options;
    const now = clock();
    script.failure = failure;
    script.failures += 1;
    log.debug('a history was not fetched', { reason: lookupReason(failure) });
    if (isLasting(failure)) {
      script.refusedUntil = now + REFUSED_MS;
      script.audience.refuse(failure);
    }
    if (script.isBehind) {
      script.alarm.noLaterThan(Math.max(now + pauseMs(script), script.refusedUntil));
    } else {
      script.alarm.noLaterThan(schedule.afterQuestion(now, script.isWanted(now)));
    }
  }
}

function isLasting(failure: Error): boolean {
  if (failure instanceof LookupError) return LASTING.has(failure.code);
  return failure instanceof ElectrumRpcError;
}

/** Differs from script to script, so that those that failed together are not asked about together. */
function pauseMs({ failures, audience }: WatchedScript): number {
  const longest = audience.isWaiting ? LONGEST_WAITED_FOR_MS : LONGEST_PAUSE_MS;
  return Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), longest) * (0.5 + Math.random() / 2);
}
