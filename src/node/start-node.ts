import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { firstFailure, type Running, Scope } from '../base/lifecycle.ts';
import type { Logger } from '../base/log.ts';
import { networkParams } from '../bitcoin/networks.ts';
import type { NodeConfig } from '../config/node-config.ts';
import { nodeIdOf, type NodeId } from '../directory/node-id.ts';
import { signingKeyFromSeed } from '../directory/signing-key.ts';
import { socksDial } from '../io/socks-dial.ts';
import { openEpochKeys } from '../relay/epoch-keys.ts';
import { startRelayServer } from '../relay/relay-server.ts';
import { publishDescriptor } from './descriptor-publisher.ts';
import { electrumHandler } from './electrum-handler.ts';
import { openNodeNetwork } from './node-network.ts';
import { openNodeKeys, readNodeKeys } from './node-keys.ts';
import { openObservationFile } from './observation-file.ts';
import { openTarget } from '../electrum/open-target.ts';
import { replyKeysOf } from './reply-keys.ts';

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

/**
 * Starts the relay and gateway roles of one node: keys, target, verified headers, directory, links.
 * When it resolves, the descriptor is in `descriptor` below the data directory.
 * @throws UserError for what the operator can mend.
 */
export async function startNode(config: NodeConfig, deps: NodeDependencies): Promise<SottoNode> {
  const { clock, log, signal } = deps;
  await using starting = new Scope();
  const keys = await (config.makeKeys ? openNodeKeys : readNodeKeys)(config.dataDirectory);
  const nodeId = nodeIdOf(signingKeyFromSeed(keys.identity).publicKey);
  const epochKeys = starting.use(
    await openEpochKeys({
      directory: join(config.dataDirectory, 'epochs'),
      epochMs: config.epochSeconds * 1000,
      clock,
      log,
    }),
  );
  const { client, headers } = starting.use(
    await openTarget({ target: config.target, network: config.network, clock, log, signal }),
  );
  const { chain } = headers;
  const dial = socksDial(config.socks);
  const network = starting.use(await openNodeNetwork({ config, nodeId, dial, chain, clock, log }));
  const { directory } = network;
  const replyKeys = replyKeysOf({
    seed: keys.reply,
    nodeId,
    consensuses: () => directory.consensuses(),
    clock,
  });
  starting.use(network.cosign(replyKeys.signer));
  const observations =
    config.observeFile === undefined
      ? undefined
      : starting.use(await openObservationFile(config.observeFile));
  const server = starting.use(
    await startRelayServer({
      listen: config.listen,
      network: config.network,
      expectProxyHeader: config.expectProxyHeader,
      identity: { nodeId, family: config.family, replyKey: replyKeys.signer },
      directory,
      epochKeys,
      handler: electrumHandler({ client, headers, clock, software: deps.software }),
      headers: (start, count) => chain.rawAt(start, count),
      dial,
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
      replyKeys,
      family: config.family,
      electrum: { protocol: client.protocol, genesis: networkParams(config.network).genesisHash },
      bond: network.bond,
      leaves: config.leave,
      publish: (digest, note) => {
        network.publish(digest, note);
      },
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
