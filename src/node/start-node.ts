import { join } from 'node:path';
import { fromUtf8 } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { messageOf, UserError } from '../base/errors.ts';
import { firstFailure, type Running, Scope } from '../base/lifecycle.ts';
import type { Logger } from '../base/log.ts';
import { networkParams } from '../bitcoin/networks.ts';
import type { NodeConfig } from '../config/node-config.ts';
import { nodeIdOf, type NodeId } from '../directory/node-id.ts';
import { parsePolicy, type Policy } from '../directory/policy.ts';
import { signingKeyFromSeed } from '../directory/signing-key.ts';
import { startElectrumClient } from '../electrum/client.ts';
import { ElectrumClientError } from '../electrum/client-error.ts';
import { HeaderSyncError } from '../electrum/header-sync.ts';
import { ElectrumRpcError } from '../electrum/rpc-error.ts';
import { type Address, DialError, formatAddress } from '../io/dial.ts';
import { makePrivateDirectory, readIfPresent } from '../io/durable-file.ts';
import { loopbackDial } from '../io/loopback-dial.ts';
import { socksDial } from '../io/socks-dial.ts';
import { openEpochKeys } from '../relay/epoch-keys.ts';
import { startRelayServer } from '../relay/relay-server.ts';
import { followConsensusFile } from './consensus-file.ts';
import { publishDescriptor } from './descriptor-publisher.ts';
import { electrumHandler } from './electrum-handler.ts';
import { followHeaders, type NodeHeaders } from './node-headers.ts';
import { openNodeKeys } from './node-keys.ts';
import { openObservationFile } from './observation-file.ts';

export interface NodeDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborts the start only. */
  readonly signal: AbortSignal;
  /** What INFO says of this program. */
  readonly software: string;
}

export interface SottoNode extends Running {
  readonly nodeId: NodeId;
  readonly port: number;
}

const TARGET_TIMEOUT_MS = 30_000;
const TARGET_ERRORS = [DialError, ElectrumClientError, ElectrumRpcError, HeaderSyncError];

/**
 * Starts the relay and gateway roles of one node: keys, target, verified headers, directory, links.
 * When it resolves, the descriptor is in `descriptor` below the data directory.
 * @throws UserError for what the operator can mend.
 */
export async function startNode(config: NodeConfig, deps: NodeDependencies): Promise<SottoNode> {
  const { clock, log, signal } = deps;
  const { network, target } = config;
  await using starting = new Scope();
  await makePrivateDirectory(config.dataDirectory);
  const keys = await openNodeKeys(config.dataDirectory);
  const reply = signingKeyFromSeed(keys.reply);
  const nodeId = nodeIdOf(signingKeyFromSeed(keys.identity).publicKey);
  const epochKeys = starting.use(
    await openEpochKeys({
      directory: join(config.dataDirectory, 'epochs'),
      epochMs: config.epochSeconds * 1000,
      clock,
      log,
    }),
  );
  let headers: NodeHeaders | undefined;
  const client = starting.use(
    await blamingTarget(
      target,
      startElectrumClient({
        dial: (dialing) => loopbackDial(target, { signal: dialing, isolation: 'target' }),
        clientName: 'sotto',
        timeoutMs: TARGET_TIMEOUT_MS,
        log,
        signal,
        onReconnect: () => headers?.resume(),
      }),
    ),
  );
  headers = starting.use(
    await blamingTarget(target, followHeaders({ client, network, clock, log, signal })),
  );
  const { chain } = headers;
  const directory = starting.use(
    await followConsensusFile({
      path: config.consensusFile,
      keptPath: join(config.dataDirectory, 'consensus'),
      policy: await readPolicy(config),
      clock,
      log,
    }),
  );
  const observations =
    config.observeFile === undefined
      ? undefined
      : starting.use(await openObservationFile(config.observeFile));
  const server = starting.use(
    await startRelayServer({
      listen: config.listen,
      network,
      expectProxyHeader: config.expectProxyHeader,
      identity: { nodeId, family: config.family, replyKey: reply },
      directory,
      epochKeys,
      handler: electrumHandler({ client, headers, clock, software: deps.software }),
      headers: (start, count) => chain.rawAt(start, count),
      dial: socksDial(config.socks),
      clock,
      log,
      limits: { cellTimeoutMs: config.cellTimeoutMs },
      ...(observations && { observe: observations.observe }),
    }),
  );
  starting.use(
    await publishDescriptor({
      dataDirectory: config.dataDirectory,
      keys,
      epochKeys,
      family: config.family,
      electrum: { protocol: client.protocol, genesis: networkParams(network).genesisHash },
      directory,
      clock,
      log,
    }),
  );
  const started = starting.move();
  return {
    nodeId,
    port: server.port,
    failed: firstFailure(server),
    [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
  };
}

/** What the target does wrong is its operator's to mend. */
async function blamingTarget<T>(target: Address, starting: Promise<T>): Promise<T> {
  try {
    return await starting;
  } catch (cause) {
    if (!TARGET_ERRORS.some((kind) => cause instanceof kind)) throw cause;
    const where = `the Electrum server at ${formatAddress(target)}`;
    throw new UserError(`${where} cannot be used: ${messageOf(cause)}`, {
      hint: 'Start it, or name another one as "target" in the configuration.',
      cause,
    });
  }
}

async function readPolicy({ policyFile, network }: NodeConfig): Promise<Policy> {
  const policy = parsePolicy(await readText(policyFile));
  if (policy.network === network) return policy;
  throw new UserError(`the policy in ${policyFile} is for ${policy.network}, not ${network}`);
}

async function readText(path: string): Promise<string> {
  const bytes = await readIfPresent(path);
  if (bytes === undefined) throw new UserError(`there is no file ${path}`);
  return fromUtf8(bytes);
}
