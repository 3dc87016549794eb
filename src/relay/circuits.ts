import type { Clock } from '../base/clock.ts';
import type { RelayLimits } from './relay-limits.ts';
import { TokenBucket } from './token-bucket.ts';

/** What one Tor circuit may still ask of this node (spec/relay.md section 7). */
export interface Circuit {
  readonly name: string;
  /** As a client. */
  readonly forwards: CellQuota;
  /** As a relay, of the gateway. */
  readonly relayed: CellQuota;
  /** Of notes and headers: some bytes of question make megabytes of answer. */
  readonly publicBytes: TokenBucket;
  links: number;
}

export interface CellQuota {
  readonly cells: TokenBucket;
  /** Refusals are signed, and a signature costs us as much as a cell: they are counted too. */
  readonly refusals: TokenBucket;
}

/**
 * The circuits that are open, and those that closed lately: closing a link and opening it again
 * does not renew a quota. Bounded: when there are too many, the one longest closed is forgotten.
 */
export class Circuits {
  readonly #limits: RelayLimits;
  readonly #clock: Clock;
  readonly #circuits = new Map<string, Circuit>();

  constructor(limits: RelayLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Counts one more link of a circuit; undefined when there are too many. */
  enter(name: string): Circuit | undefined {
    const circuit = this.#circuits.get(name) ?? this.#add(name);
    if (circuit === undefined || circuit.links >= this.#limits.linksPerCircuit) return undefined;
    circuit.links += 1;
    return circuit;
  }

  leave(circuit: Circuit): void {
    circuit.links -= 1;
    // To the end of the order: the first without a link is then the one longest closed.
    this.#circuits.delete(circuit.name);
    this.#circuits.set(circuit.name, circuit);
  }

  #add(name: string): Circuit | undefined {
    if (this.#circuits.size >= this.#limits.circuits && !this.#forgetOne()) return undefined;
    const { cellsPerCircuit, publicBytesPerCircuit, circuitWindowMs, gatewayQuota } = this.#limits;
    const bucket = (burst: number, perSecond = (burst * 1000) / circuitWindowMs): TokenBucket =>
      new TokenBucket({ perSecond, burst, clock: this.#clock });
    const quota = (burst: number, perSecond?: number): CellQuota => ({
      cells: bucket(burst, perSecond),
      refusals: bucket(burst, perSecond),
    });
    const circuit = {
      name,
      forwards: quota(cellsPerCircuit),
      relayed: quota(gatewayQuota.burst, gatewayQuota.cellsPerSecond),
      publicBytes: bucket(publicBytesPerCircuit),
      links: 0,
    };
    this.#circuits.set(name, circuit);
    return circuit;
  }

  #forgetOne(): boolean {
    for (const [name, { links }] of this.#circuits) {
      if (links === 0) return this.#circuits.delete(name);
    }
    return false;
  }
}
