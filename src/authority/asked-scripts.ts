import { z } from 'zod';
import { fromUtf8 } from '../base/bytes.ts';
import { messageOf } from '../base/errors.ts';
import { type Logger } from '../base/log.ts';
import { MAX_NODES } from '../directory/limits.ts';
import { type NodeId } from '../directory/node-id.ts';
import { readIfPresent, writeDurably } from '../io/durable-file.ts';

export interface OpenAskedScriptsOptions {
  readonly path: string;
  readonly log: Logger;
}

/** The relays that a script is bound to, those bound longest first, by script hash. */
export type BoundScripts = ReadonlyMap<string, readonly NodeId[]>;

/** At each gateway: by the mean interval each is asked about every four hours, as a wallet's addresses are. */
export const SCRIPTS_KEPT = 8;
/** Of a script: those that are not there keep their place. */
export const RELAYS_BOUND = 8;

const id = z.string().regex(/^[0-9a-f]{32}$/);
const scriptHash = z.string().regex(/^[0-9a-f]{64}$/);
const scriptsFile = z.strictObject({
  version: z.literal(1),
  scripts: z
    .array(
      z
        .tuple([
          id,
          z
            .array(z.tuple([scriptHash, z.array(id).max(RELAYS_BOUND).readonly()]).readonly())
            .max(SCRIPTS_KEPT)
            .readonly(),
        ])
        .readonly(),
    )
    .max(2 * MAX_NODES),
});
type ScriptsFile = z.infer<typeof scriptsFile>;

/** Which scripts each gateway is asked about, and by which relays: what wallets keep for as long. */
export class AskedScripts {
  readonly #path: string;
  readonly #scripts: Map<NodeId, BoundScripts>;
  #isSaved = true;

  constructor(path: string, scripts: Iterable<readonly [NodeId, BoundScripts]>) {
    this.#path = path;
    this.#scripts = new Map(scripts);
  }

  of(gateway: NodeId): BoundScripts {
    return this.#scripts.get(gateway) ?? new Map<string, readonly NodeId[]>();
  }

  /** Takes these in the place of those that it had. */
  keep(gateway: NodeId, scripts: BoundScripts): void {
    this.#scripts.set(gateway, scripts);
    this.#isSaved = false;
  }

  /** Forgets all other gateways. */
  retain(isKept: (gateway: NodeId) => boolean): void {
    for (const gateway of this.#scripts.keys()) {
      if (isKept(gateway)) continue;
      this.#scripts.delete(gateway);
      this.#isSaved = false;
    }
  }

  /** When this resolves, a crash undoes nothing. One call at a time. */
  async save(): Promise<void> {
    if (this.#isSaved) return;
    this.#isSaved = true;
    const content: ScriptsFile = {
      version: 1,
      scripts: [...this.#scripts].map(([gateway, scripts]) => [gateway, [...scripts]]),
    };
    try {
      await writeDurably(this.#path, `${JSON.stringify(content)}\n`);
    } catch (error) {
      this.#isSaved = false;
      throw error;
    }
  }
}

/** Those of before the restart. A damaged file is as none. */
export async function openAskedScripts(options: OpenAskedScriptsOptions): Promise<AskedScripts> {
  const { scripts } = (await read(options)) ?? { scripts: [] };
  return new AskedScripts(
    options.path,
    scripts.map(([gateway, bound]) => [gateway, new Map(bound)] as const),
  );
}

async function read({ path, log }: OpenAskedScriptsOptions): Promise<ScriptsFile | undefined> {
  const bytes = await readIfPresent(path);
  if (bytes === undefined) return undefined;
  try {
    return scriptsFile.parse(JSON.parse(fromUtf8(bytes)));
  } catch (error) {
    log.warn('what gateways were asked cannot be read: others are drawn', {
      reason: messageOf(error).slice(0, 200),
    });
    return undefined;
  }
}
