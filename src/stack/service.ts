import type { Address } from '../io/dial.ts';

/**
 * The parts of a personal server. `bridge` answers wallets in the target's place; `guard` stands between an open wallet onion and the target, `lan`
 * between the local network and the target; `watchdog` frees a tor that is stuck.
 */
export const SERVICE_NAMES = [
  'tor',
  'watchdog',
  'bitcoind',
  'target',
  'node',
  'bridge',
  'guard',
  'lan',
] as const;

export type ServiceName = (typeof SERVICE_NAMES)[number];

/** A text that Sotto renders for a service, below its configuration directory. */
export interface ConfigFile {
  /** Relative, without directories: `torrc`. */
  readonly name: string;
  readonly text: string;
}

/** What stands at the top of rendered files whose form has comments. */
export const RENDERED =
  '# Rendered by Sotto from sotto.yaml: what is changed here is lost. docs/configuration.md says what each line is for.\n';

/** One service of the plan, whatever runs it. */
export interface ServiceSpec {
  readonly name: ServiceName;
  /** A program on PATH (or in the image), then its arguments. Never a secret among them. */
  readonly command: readonly [string, ...string[]];
  readonly files: readonly ConfigFile[];
  /** What it may write to, on this machine. Absent for one that keeps nothing. */
  readonly dataDirectory?: string;
  /** The services it opens connections to. */
  readonly reaches: readonly ServiceName[];
  /** Where it listens, with the name of what listens there. Empty for one that listens nowhere. */
  readonly listens: readonly { readonly what: string; readonly address: Address }[];
  /** How much memory it may take. */
  readonly memoryMiB: number;
  /** How long it may take to end by itself. */
  readonly stopSeconds: number;
}
