import { type LookupError } from './fault.ts';

const KEPT = 256;

/** The newest faults that did not keep an answer from coming. */
export class FaultLog {
  readonly #entries: LookupError[] = [];

  /** The newest last. */
  get entries(): readonly LookupError[] {
    return this.#entries;
  }

  add(fault: LookupError): void {
    this.#entries.push(fault);
    if (this.#entries.length > KEPT) this.#entries.shift();
  }
}
