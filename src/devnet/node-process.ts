import { join } from 'node:path';
import { z } from 'zod';
import type { NodeConfig } from '../config/node-config.ts';
import type { NodeId } from '../directory/node-id.ts';
import { formatAddress } from '../io/dial.ts';
import { makePrivateDirectory, writeDurably } from '../io/durable-file.ts';
import type { Reaper } from '../io/reaper.ts';
import { type Program, startProgram } from './program.ts';

export interface NodeProcessOptions {
  readonly config: NodeConfig;
  /** Aborts the start only. */
  readonly signal: AbortSignal;
  readonly reaper?: Reaper | undefined;
}

export type NodeProcess = Program<{ readonly nodeId: NodeId }>;

const readyLine = z.object({ nodeId: z.string() });

/** Runs `sotto node` in a process of its own, from a configuration file in its data directory. */
export async function startNodeProcess(options: NodeProcessOptions): Promise<NodeProcess> {
  const { config, signal, reaper } = options;
  const path = join(config.dataDirectory, 'node.json');
  const { listen, target, socks } = config;
  await makePrivateDirectory(config.dataDirectory);
  await writeDurably(
    path,
    JSON.stringify({
      ...config,
      listen: formatAddress(listen),
      target: formatAddress(target),
      socks: formatAddress(socks),
    }),
  );
  return await startProgram({
    file: 'cli/main.js',
    args: ['node', '--config', path, '--log-level', 'warn'],
    ready: readyLine,
    signal,
    reaper,
  });
}
