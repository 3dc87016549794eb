import type { Backend } from '../backend.ts';
import type { ServiceName } from '../service.ts';
import type { LogObservation } from './observations.ts';
import { readLog } from './read-logs.ts';

/** Fulcrum tells of its index every thousand blocks, with little in between. */
const LINES = 60;

export interface LogProbeOptions {
  readonly backend: Pick<Backend, 'logs'>;
  readonly service: ServiceName;
  /** Which part of the work the blocks up to a height are, when it can be told. */
  readonly partOfWork: (height: number) => Promise<number | undefined>;
  readonly signal: AbortSignal;
}

/** Reads the end of a service's log. */
export async function probeLog(options: LogProbeOptions): Promise<LogObservation> {
  const { backend, service, partOfWork, signal } = options;
  const lines: string[] = [];
  for await (const { text } of backend.logs({ service, lines: LINES, follow: false, signal })) {
    lines.push(text);
  }
  const { trouble, height, part, waitsForBitcoind } = readLog(lines);
  const progress = height === undefined ? undefined : ((await partOfWork(height)) ?? part);
  return {
    trouble,
    waitsForBitcoind: waitsForBitcoind ?? false,
    ...(height !== undefined && { height }),
    ...(progress !== undefined && { progress }),
  };
}
