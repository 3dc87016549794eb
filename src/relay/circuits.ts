import type { Clock } from '../base/clock.ts';
import type { RelayLimits } from './relay-limits.ts';
import { TokenBucket } from './token-bucket.ts';
import { type Visitor, Visitors } from './visitors.ts';

/** What one Tor circuit may still ask of this node (spec/relay.md section 7). */
export interface CircuitQuota {
  /** As a client. */
  readonly forwards: CellQuota;
  /** As a relay, of the gateway. */
  readonly relayed: CellQuota;
  /** Of notes and headers: some bytes of question make megabytes of answer. */
  readonly publicBytes: TokenBucket;
}

export interface CellQuota {
  readonly cells: TokenBucket;
  /** Refusals are signed, and a signature costs us as much as a cell: they are counted too. */
  readonly refusals: TokenBucket;
}

export type Circuit = Visitor<CircuitQuota>;

/** The circuits that are open, and those that closed lately. */
export class Circuits extends Visitors<CircuitQuota> {
  constructor(limits: RelayLimits, clock: Clock) {
    const { cellsPerCircuit, publicBytesPerCircuit, circuitWindowMs, gatewayQuota } = limits;
    const bucket = (burst: number, perSecond = (burst * 1000) / circuitWindowMs): TokenBucket =>
      new TokenBucket({ perSecond, burst, clock });
    const quota = (burst: number, perSecond?: number): CellQuota => ({
      cells: bucket(burst, perSecond),
      refusals: bucket(burst, perSecond),
    });
    super({
      most: limits.circuits,
      linksOfEach: limits.linksPerCircuit,
      quota: () => ({
        forwards: quota(cellsPerCircuit),
        relayed: quota(gatewayQuota.burst, gatewayQuota.cellsPerSecond),
        publicBytes: bucket(publicBytesPerCircuit),
      }),
    });
  }
}
