import { type Running, Scope } from '../base/lifecycle.ts';
import type { NodeId } from '../directory/node-id.ts';
import { type NodeProcess, type NodeProcessOptions, startNodeProcess } from './node-process.ts';

export interface DevnetNode extends Running {
  readonly nodeId: NodeId;
  readonly onion: string;
  readonly dataDirectory: string;
  /** What the node's roles had in hand, one JSON object a line. */
  readonly observeFile: string;
  /** Ends its process. Its keys stay, and its onion, which then leads nowhere. */
  stop(): Promise<void>;
  /** Starts it again. */
  start(signal: AbortSignal): Promise<void>;
}

export interface DevnetNodeOptions extends NodeProcessOptions {
  readonly onion: string;
  readonly observeFile: string;
}

/** A node of the network that can go and come back. */
export async function startDevnetNode(options: DevnetNodeOptions): Promise<DevnetNode> {
  const { onion, observeFile } = options;
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => undefined);
  const run = async (signal: AbortSignal): Promise<NodeProcess> => {
    const started = await startNodeProcess({ ...options, signal });
    started.failed.catch(fail);
    return started;
  };
  const first = await run(options.signal);
  const running = new Scope();
  running.use(first);
  return {
    nodeId: first.ready.nodeId,
    onion,
    dataDirectory: options.config.dataDirectory,
    observeFile,
    failed,
    stop: () => running[Symbol.asyncDispose](),
    start: async (signal) => {
      running.use(await run(signal));
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}
