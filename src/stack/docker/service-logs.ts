import { setTimeout as sleep } from 'node:timers/promises';
import { merge } from '../../base/merge.ts';
import { programLines } from '../../io/program-lines.ts';
import type { LogLine, LogOptions } from '../backend.ts';
import type { ServiceName } from '../service.ts';

export interface ServiceLogsOptions extends LogOptions {
  readonly services: readonly ServiceName[];
  /** The name of the container of a service. */
  readonly containerOf: (service: ServiceName) => string;
}

/** The engine cuts at 16 KiB; what is longer was put together by its client. */
const MAX_LINE_BYTES = 64 * 1024;
/** How long a container that ended is left alone before it is asked for again. */
const PAUSE_MS = 1_000;
const STAMPED = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) ?(.*)$/s;

interface StampedLine extends LogLine {
  /** RFC 3339 in UTC with nine digits after the point, so that the order of the text is that of time. */
  readonly time: string;
}

/**
 * What the containers of the services print. Without `follow` in the order of time; with it as it
 * comes, over restarts and new containers, until the signal.
 */
export async function* serviceLogs(options: ServiceLogsOptions): AsyncGenerator<LogLine> {
  const { services, follow } = options;
  if (!follow) {
    const all = await Promise.all(services.map((service) => lastLines(service, options)));
    yield* all.flat().sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
    return;
  }
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  try {
    yield* merge(services.map((service) => followService(service, { ...options, signal })));
  } finally {
    stop.abort();
  }
}

async function lastLines(
  service: ServiceName,
  options: ServiceLogsOptions,
): Promise<readonly StampedLine[]> {
  const lines: StampedLine[] = [];
  for await (const line of stamped(service, ['--tail', String(options.lines)], options)) {
    lines.push(line);
  }
  return lines;
}

async function* followService(
  service: ServiceName,
  options: ServiceLogsOptions,
): AsyncGenerator<LogLine> {
  const { lines, signal } = options;
  let last: string | undefined;
  while (!signal.aborted) {
    const from = last === undefined ? ['--tail', String(lines)] : ['--since', last];
    for await (const line of stamped(service, ['--follow', ...from], options)) {
      // `--since` gives the line of that very time again.
      if (last !== undefined && line.time <= last) continue;
      last = line.time;
      yield line;
    }
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Lines without a time are not the service's, but docker's own complaints. */
async function* stamped(
  service: ServiceName,
  args: readonly string[],
  { containerOf, signal }: ServiceLogsOptions,
): AsyncGenerator<StampedLine> {
  const lines = programLines({
    command: 'docker',
    args: ['logs', '--timestamps', ...args, containerOf(service)],
    maxLineBytes: MAX_LINE_BYTES,
    signal,
  });
  for await (const line of lines) {
    const [, time, text] = STAMPED.exec(line) ?? [];
    if (time !== undefined && text !== undefined) yield { service, time, text };
  }
}
