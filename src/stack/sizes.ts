import type { TargetKind } from '../config/stack-config.ts';
import type { ServiceName } from './service.ts';

/** How the memory of the machine is shared out. MiB throughout. */
export interface Sizes {
  /** What each service may take at most. */
  readonly services: Readonly<Record<ServiceName, number>>;
  /** bitcoind's cache of unspent outputs and its indexes. */
  readonly dbcache: number;
  /** Fulcrum's caches of its database. */
  readonly dbMem: number;
}

export interface SizesOptions {
  /** For all services together. */
  readonly memoryMiB: number;
  readonly target: TargetKind;
  readonly initialSyncDone: boolean;
  readonly hasBridge: boolean;
}

const SMALL = { tor: 384, watchdog: 128, node: 384, guard: 192, lan: 192 } as const;
const BRIDGE = 384;
/** The mempool, connections, scripts under verification: what bitcoind takes besides its cache. */
const BITCOIND_BESIDES = 900;
const DBCACHE = { min: 64, max: 8192, steady: 450 } as const;
const DB_MEM = { min: 128, max: 2048 } as const;
/** Fulcrum needs a gigabyte (its README). */
const TARGET_MIN = 1024;

/**
 * While chain and index are built bitcoind's cache is what the time of the first days depends on;
 * afterwards a small one does.
 */
export function sizesOf(options: SizesOptions): Sizes {
  const { memoryMiB, target, initialSyncDone, hasBridge } = options;
  const always = Object.values(SMALL).reduce((sum, size) => sum + size, 0);
  const small = always + (hasBridge ? BRIDGE : 0);
  const large = Math.max(memoryMiB - small, 0);
  const targetMiB = target === 'devnet' ? 384 : Math.max(TARGET_MIN, Math.floor(large * 0.4));
  const room = large - targetMiB - BITCOIND_BESIDES;
  const initial = clamp(room, DBCACHE.min, DBCACHE.max);
  const dbcache = initialSyncDone ? Math.min(initial, DBCACHE.steady) : initial;
  return {
    services: { ...SMALL, bridge: BRIDGE, bitcoind: dbcache + BITCOIND_BESIDES, target: targetMiB },
    dbcache,
    dbMem: clamp(Math.floor(targetMiB / 3), DB_MEM.min, DB_MEM.max),
  };
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
