import type { LinkTiming } from './link.ts';

/** What one node does for others at most (spec/relay.md section 7). */
export interface RelayLimits {
  /** Places for links of clients, and of those that have not said yet what they are. */
  readonly clientLinks: number;
  /** Places for links of relays: neither kind can take those of the other. */
  readonly relayLinks: number;
  /** Circuits whose quota is remembered. */
  readonly circuits: number;
  readonly linksPerCircuit: number;
  /** Cells of one circuit in `circuitWindowMs`. */
  readonly cellsPerCircuit: number;
  /** Of notes and headers for one circuit in `circuitWindowMs`. */
  readonly publicBytesPerCircuit: number;
  readonly circuitWindowMs: number;
  readonly cellsInFlightPerLink: number;
  readonly cellsInFlightPerGateway: number;
  /** From the arrival of a cell until its failure is told. */
  readonly cellTimeoutMs: number;
  /** Of a client's link. A link between nodes stays warm, silent or not, while there is a place for it. */
  readonly clientTiming: LinkTiming;
  /**
   * Between two attempts to reach a gateway: the first pause, doubled up to the last. It begins anew after
   * a link that lasted longer than the last pause: a gateway without a place for all is not to be stormed.
   */
  readonly reconnectMs: { readonly first: number; readonly last: number };
  /** What the gateway lets each relay send it. */
  readonly gatewayQuota: { readonly cellsPerSecond: number; readonly burst: number };
  /** Operations that run at the same time, each of them a call of the target. */
  readonly targetCalls: number;
  /** Operations that wait for their turn; more are answered BUSY. */
  readonly waitingCalls: number;
  readonly operationMs: number;
}

export const DEFAULT_RELAY_LIMITS: RelayLimits = {
  clientLinks: 1024,
  relayLinks: 1024,
  circuits: 8192,
  linksPerCircuit: 16,
  cellsPerCircuit: 600,
  publicBytesPerCircuit: 256 * 1024 * 1024,
  circuitWindowMs: 600_000,
  cellsInFlightPerLink: 64,
  cellsInFlightPerGateway: 256,
  cellTimeoutMs: 30_000,
  clientTiming: { helloMs: 10_000, idleMs: 600_000, stallMs: 60_000 },
  reconnectMs: { first: 1_000, last: 60_000 },
  gatewayQuota: { cellsPerSecond: 200, burst: 2_000 },
  targetCalls: 16,
  waitingCalls: 1_024,
  operationMs: 30_000,
};
