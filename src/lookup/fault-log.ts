import { type LookupError } from './fault.ts';

const KEPT = 256;

/** The newest faults that did not keep an answer from coming, each once: some come again every few seconds. */
export class FaultLog {
  readonly #entries: LookupError[] = [];

  /** The newest last. */
  get entries(): readonly LookupError[] {
    return this.#entries;
  }

  add(fault: LookupError): void {
    const again = this.#entries.findIndex(
      ({ code, message }) => code === fault.code && message === fault.message,
    );
    if (again >= 0) this.#entries.splice(again, 1);
    this.#entries.push(fault);
    if (this.#entries.length > KEPT) this.#entries.shift();
  }
}
