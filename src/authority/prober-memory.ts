import { z } from 'zod';
import { fromUtf8 } from '../base/bytes.ts';
import { type Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { type Logger } from '../base/log.ts';
import { MAX_NODES } from '../directory/limits.ts';
import { type NodeId } from '../directory/node-id.ts';
import { readIfPresent, writeDurably } from '../io/durable-file.ts';
import { CarriedCells, CARRIAGES_KEPT } from './carried-cells.ts';
import { MOST_BARRED, ProbeRuns } from './probe-runs.ts';

export interface OpenProberMemoryOptions {
  readonly path: string;
  /** From one look at a node to the next, on average. */
  readonly everyMs: number;
  /** Milliseconds, by a clock that nobody sets: all that is known is timed by it. */
  readonly now: number;
  /** By which the file is timed, because that one begins anew with each process. It may be set. */
  readonly clock: Clock;
  readonly log: Logger;
}

/** All that is known of nodes by looking at them. */
export interface ProberMemory {
  /** Who is at its onion. */
  readonly there: ProbeRuns;
  /** Which gateways answer right. */
  readonly right: ProbeRuns;
  readonly carried: CarriedCells;
  /** Forgets all other nodes, but not which are barred. */
  retain(isKept: (nodeId: NodeId) => boolean): void;
  /** `now`: as when it was opened. When this resolves, a crash undoes nothing. One call at a time. */
  save(now: number): Promise<void>;
}

/** Some leave while others come. */
const MOST_NODES = 2 * MAX_NODES;

const id = z.string().regex(/^[0-9a-f]{32}$/);
const time = z.int().min(0);
const ofNodes = <T extends z.ZodType>(value: T, most = MOST_NODES) =>
  z.array(z.tuple([id, value]).readonly()).max(most);
const runs = ofNodes(z.strictObject({ since: time, last: time }));
const memoryFile = z.strictObject({
  version: z.literal(1),
  /** When it was written. */
  at: time,
  there: runs,
  right: runs,
  barred: ofNodes(time, MOST_BARRED),
  carried: ofNodes(
    z
      .array(z.strictObject({ family: id, carried: z.boolean(), at: time }))
      .max(CARRIAGES_KEPT)
      .readonly(),
  ),
});
type MemoryFile = z.infer<typeof memoryFile>;

/**
 * What was seen before the restart. The time in between counts for nobody: it neither breaks a run nor
 * makes it longer. What was written at a time that is still to come was written just now, because the clock
 * was set back. A damaged file is as none.
 */
export async function openProberMemory(options: OpenProberMemoryOptions): Promise<ProberMemory> {
  const { path, everyMs, now, clock } = options;
  const there = new ProbeRuns(everyMs);
  const right = new ProbeRuns(everyMs);
  const carried = new CarriedCells();
  const read = await readFile(options);
  if (read !== undefined) {
    const byMs = now - Math.max(clock(), read.at);
    const file = retimed(read, (ms) => ms + byMs);
    const between = { stoppedAt: file.at, now };
    there.resume({ runs: file.there, barred: [], ...between });
    right.resume({ runs: file.right, barred: file.barred, ...between });
    for (const [relay, last] of file.carried) {
      for (const each of last) carried.note(relay, { ...each, at: Math.min(each.at, file.at) });
    }
  }
  return {
    ...{ there, right, carried },
    retain(isKept) {
      for (const each of [there, right, carried]) each.retain(isKept);
    },
    save(at) {
      const content: MemoryFile = {
        version: 1,
        at,
        there: [...there.runs()],
        right: [...right.runs()],
        barred: [...right.barred()],
        carried: [...carried.entries()],
      };
      const byMs = clock() - at;
      const timed = retimed(content, (ms) => Math.max(0, ms + byMs));
      return writeDurably(path, `${JSON.stringify(timed)}\n`);
    },
  };
}

/** With all its times by another clock. */
function retimed(file: MemoryFile, time: (ms: number) => number): MemoryFile {
  const timed = (runs: MemoryFile['there']): MemoryFile['there'] =>
    runs.map(([nodeId, { since, last }]) => [nodeId, { since: time(since), last: time(last) }]);
  return {
    version: file.version,
    at: time(file.at),
    there: timed(file.there),
    right: timed(file.right),
    barred: file.barred.map(([nodeId, until]) => [nodeId, time(until)]),
    carried: file.carried.map(([relay, last]) => [
      relay,
      last.map((each) => ({ ...each, at: time(each.at) })),
    ]),
  };
}

async function readFile({ path, log }: OpenProberMemoryOptions): Promise<MemoryFile | undefined> {
  const bytes = await readIfPresent(path);
  if (bytes === undefined) return undefined;
  try {
    return memoryFile.parse(JSON.parse(fromUtf8(bytes)));
  } catch (error) {
    log.warn('what was seen of nodes cannot be read: it begins anew', {
      reason: messageOf(error).slice(0, 200),
    });
    return undefined;
  }
}
