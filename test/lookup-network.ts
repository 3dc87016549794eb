import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Duplex } from 'node:stream';
import { silent } from '../src/base/log.ts';
import { Scope } from '../src/base/lifecycle.ts';
import { scriptOfAddress } from '../src/bitcoin/address.ts';
import { networkParams } from '../src/bitcoin/networks.ts';
import { RegtestChain } from '../src/devnet/chain.ts';
import { FIRST_BLOCKS } from '../src/devnet/chain-backend.ts';
import { startChainServer } from '../src/devnet/chain-server.ts';
import { fundWallet, type WalletAddress } from '../src/devnet/wallet.ts';
import { type Consensus, parseConsensus, renderConsensus } from '../src/directory/consensus.ts';
import { type ConsensusNode } from '../src/directory/consensus-node.ts';
import { keyConfigsOf } from '../src/directory/descriptor.ts';
import { DIRECTORY_KINDS, nodeOf } from '../src/directory/directory-view.ts';
import { type NodeId, nodeIdOf } from '../src/directory/node-id.ts';
import { loadPublicKey } from '../src/directory/public-key.ts';
import { signingKeyFromSeed } from '../src/directory/signing-key.ts';
import { startElectrumClient } from '../src/electrum/client.ts';
import { HeaderChain } from '../src/electrum/header-chain.ts';
import { type Dial, DialError } from '../src/io/dial.ts';
import { listenTcp } from '../src/io/listen.ts';
import { loopbackDial } from '../src/io/loopback-dial.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import { BondChecks } from '../src/lookup/bond-checks.ts';
import { type ClientState, openClientState } from '../src/lookup/client-state.ts';
import { type ConsensusSource } from '../src/lookup/consensus-source.ts';
import { FaultLog } from '../src/lookup/fault-log.ts';
import { nowAndThen } from '../src/lookup/header-news.ts';
import { HeaderView } from '../src/lookup/header-view.ts';
import { syncFromRelays } from '../src/lookup/relay-headers.ts';
import { RelayPool } from '../src/lookup/relay-pool.ts';
import { RelayedLookup } from '../src/lookup/relayed-lookup.ts';
import { StickyChoices } from '../src/lookup/sticky-choices.ts';
import { electrumHandler } from '../src/node/electrum-handler.ts';
import { followHeaders } from '../src/electrum/follow-headers.ts';
import { decodeQuery } from '../src/query/query.ts';
import { openEpochKeys } from '../src/relay/epoch-keys.ts';
import { encodeFrame, type Frame, FrameDecoder, type FrameType } from '../src/relay/frame.ts';
import type { GatewayHandler } from '../src/relay/gateway-handler.ts';
import type { Reply } from '../src/relay/message.ts';
import type { NodeIdentity } from '../src/relay/node-identity.ts';
import { type RelayServer, startRelayServer } from '../src/relay/relay-server.ts';
import { onionAddressOf } from '../src/tor/onion-address.ts';

/** What passes between a node and whoever dialled it, for a test to change. */
export interface Wire {
  /** Towards the node. */
  readonly send: (frame: Frame) => void;
  /** Towards who dialled. */
  readonly back: (frame: Frame) => void;
}

/** How a node misbehaves. What is left out is honest. */
export interface Misdeeds {
  /** Instead of passing a frame on to the node. */
  readonly incoming?: (frame: Frame, wire: Wire) => void;
  /** Instead of passing what the node says on. */
  readonly outgoing?: (frame: Frame, wire: Wire) => void;
  /** Instead of the reply that its handler gave. */
  readonly reply?: (reply: Reply) => Reply | Promise<Reply>;
  readonly sign?: (message: Uint8Array) => Uint8Array;
  readonly unreachable?: boolean;
}

export interface TestNode extends NodeIdentity {
  misdeeds: Misdeeds;
  /** The files of bonds that it shows, its own and those of others. */
  readonly bonds: Map<NodeId, Uint8Array>;
  /** The scripts it was asked about as a gateway. */
  readonly scriptsAsked: string[];
  /** Ends every connection to it; new ones are as its misdeeds say. */
  readonly sever: () => void;
  /** Frames that passed its port. */
  readonly frames: { readonly type: FrameType; readonly bytes: number }[];
}

export interface LookupNetwork extends AsyncDisposable {
  readonly chain: RegtestChain;
  readonly wallet: readonly WalletAddress[];
  readonly nodes: readonly TestNode[];
  readonly consensus: Consensus;
  readonly electrumPort: number;
  node(id: NodeId): TestNode;
  /** Of the consensus that the network goes by from now on, for tests that change its nodes. */
  agree(changes: (node: ConsensusNode) => Partial<ConsensusNode>): Consensus;
  /** All nodes are honest again. */
  repent(): void;
  dial: Dial;
  /** Ends of streams by their isolation word. */
  readonly isolations: Set<string>;
  lookup(options?: LookupOptions): Promise<TestLookup>;
}

export interface LookupOptions {
  readonly answerMs?: number;
  readonly consensus?: ConsensusSource;
  /** Of a wallet that looked something up before. */
  readonly state?: ClientState;
}

export interface TestLookup {
  readonly lookup: RelayedLookup;
  readonly state: ClientState;
}

export interface NetworkOptions {
  readonly nodes: number;
  readonly addresses: number;
  readonly busiest?: number;
  /** Of each stream to a node, each way. */
  readonly delayMs?: number;
}

// One signal ends many questions at once: that is no leak.
setMaxListeners(0);

const SEED = new Uint8Array(32).fill(42);
const CELL_TIMEOUT_MS = 1_500;
const HEADERS_EVERY_MS = 200;
const PACE = { delayMs: 0, lookEveryMs: 20, seenWithinMs: 1_000 };
const clock = Date.now;
const log = silent;
const network = 'regtest';

export async function startLookupNetwork(options: NetworkOptions): Promise<LookupNetwork> {
  await using starting = new Scope();
  const { signal } = new AbortController();
  const chain = new RegtestChain({ seed: SEED, clock });
  chain.mine(FIRST_BLOCKS + 20);
  const backend = {
    mine: (blocks: number) => {
      chain.mine(blocks);
      return Promise.resolve({ height: chain.tip.height, hash: chain.tip.hash });
    },
    pay: (address: string, sats: bigint) =>
      Promise.resolve(chain.pay(scriptOfAddress(address, network), sats)),
  };
  const wallet = await fundWallet(backend, { seed: SEED, ...options });
  const server = starting.use(await startChainServer({ chain, host: '127.0.0.1', port: 0, log }));
  const ports = new Map<string, { port: number; node: TestNode }>();
  const isolations = new Set<string>();
  const dial: Dial = async ({ host }, { isolation, signal: dialing }) => {
    const at = ports.get(host);
    if (at === undefined || at.node.misdeeds.unreachable === true) {
      throw new DialError(`nothing answers at ${host}`);
    }
    isolations.add(isolation);
    return loopbackDial({ host: '127.0.0.1', port: at.port }, { isolation, signal: dialing });
  };
  const listing: { consensus?: Consensus } = {};
  const startOne = async (index: number): Promise<StartedNode> => {
    const identity = signingKeyFromSeed(new Uint8Array(32).fill(index + 1));
    const replyKey = signingKeyFromSeed(new Uint8Array(32).fill(index + 101));
    const nodeId = nodeIdOf(identity.publicKey);
    const streams = new Set<Duplex>();
    const node: TestNode = {
      nodeId,
      family: [],
      replyKey,
      misdeeds: {},
      bonds: new Map(),
      scriptsAsked: [],
      sever: () => {
        for (const stream of streams) stream.destroy();
      },
      frames: [],
    };
    const files = starting.use(await makeTemporaryDirectory());
    const epochKeys = starting.use(
      await openEpochKeys({ directory: files.path, epochMs: 86_400_000, clock, log }),
    );
    const client = starting.use(
      await startElectrumClient({
        dial: (dialing) => loopbackDial(server, { signal: dialing, isolation: '' }),
        clientName: 'test',
        timeoutMs: 10_000,
        log,
        signal,
      }),
    );
    const headers = starting.use(await followHeaders({ client, network, clock, log, signal }));
    const honest = electrumHandler({ client, headers, clock, software: 'test' });
    const handler: GatewayHandler = async (query, call) => {
      const asked = decodeQuery(query.op, query.args);
      if (asked?.op === 'HISTORY') node.scriptsAsked.push(asked.scriptHash);
      const reply = await honest(query, call);
      return node.misdeeds.reply?.(reply) ?? reply;
    };
    const relay = starting.use(
      await startRelayServer({
        listen: { host: '127.0.0.1', port: 0 },
        network,
        expectProxyHeader: false,
        identity: {
          nodeId,
          family: [],
          replyKey: { sign: (message) => (node.misdeeds.sign ?? replyKey.sign)(message) },
        },
        directory: {
          current: () => listing.consensus,
          noteOf: (kind, digest) =>
            kind === DIRECTORY_KINDS.bond ? node.bonds.get(nodeOf(digest)) : undefined,
        },
        epochKeys,
        handler,
        headers: (start, count) => headers.chain.rawAt(start, count),
        dial,
        clock,
        log,
        limits: { cellTimeoutMs: CELL_TIMEOUT_MS, cellsPerCircuit: 100_000 },
      }),
    );
    const port = starting.use(await startTamperingPort(relay, { node, streams }));
    const onion = { host: onionAddressOf(identity.publicKey), port: 50_010 };
    ports.set(onion.host, { port: port.port, node });
    const [current, next] = epochKeys.published();
    if (current === undefined || next === undefined) throw new Error('no keys');
    const listed: ConsensusNode = {
      nodeId,
      descriptorDigest: new Uint8Array(32),
      weight: 1,
      flags: new Set(['Relay', 'Gateway', 'Running']),
      family: nodeId,
      onion,
      keyConfigs: keyConfigsOf({ keyConfigs: [current, next] }),
      replyKey: loadPublicKey(replyKey.publicKey),
    };
    return { node, listed, relay };
  };

  const started: StartedNode[] = [];
  for (let index = 0; index < options.nodes; index++) started.push(await startOne(index));
  const listed = started.map((one) => one.listed);
  const now = Math.floor(clock() / 1000);
  const agree: LookupNetwork['agree'] = (changes) => {
    const content = {
      network,
      epoch: 1,
      prev: new Uint8Array(32),
      validAfter: now - 60,
      freshUntil: now + 3600,
      validUntil: now + 7200,
      params: new Map([
        ['mix-ms', 0],
        ['tick-ms', 0],
      ]),
      nodes: listed
        .map((node) => ({ ...node, ...changes(node) }))
        .sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1)),
    };
    listing.consensus = parseConsensus(renderConsensus(content));
    return listing.consensus;
  };
  const agreed = agree(() => ({}));
  const nodes = started.map((one) => one.node);
  const source: ConsensusSource = { current: () => agreed, refresh: () => Promise.resolve(agreed) };
  await waitUntil(
    () => started.every(({ relay }) => relay.warm.length === options.nodes - 1) || undefined,
    { what: 'the links between the nodes', timeoutMs: 10_000, intervalMs: 20, signal },
  );
  const running = starting.move();
  return {
    chain,
    wallet,
    nodes,
    consensus: agreed,
    electrumPort: server.port,
    node(id) {
      const found = nodes.find(({ nodeId }) => nodeId === id);
      if (found === undefined) throw new Error(`no node ${id}`);
      return found;
    },
    agree,
    repent() {
      for (const node of nodes) node.misdeeds = {};
    },
    dial,
    isolations,
    async lookup({ answerMs = 3_000, consensus: from = source, state: held } = {}) {
      const files = running.use(await makeTemporaryDirectory());
      const state = held ?? (await openClientState(files.path));
      const choices = new StickyChoices(state, clock);
      const faults = new FaultLog();
      const pool = new RelayPool({
        dial,
        network,
        session: randomBytes(8).toString('hex'),
        consensusHash: () => agreed.hash,
        clock,
        connectMs: 2000,
        answerMs,
      });
      const headerChain = new HeaderChain(networkParams(network), clock);
      const bonds = new BondChecks({
        pool,
        chain: headerChain,
        syncOnce: (until) => headers.syncOnce(until),
        faults,
        clock,
      });
      const headers: HeaderView = new HeaderView({
        store: { chain: headerChain, save: () => Promise.resolve() },
        news: (until) => nowAndThen(HEADERS_EVERY_MS, until),
        sync: (syncing) =>
          syncFromRelays(choices.relays(bonds.judge(from.current() ?? agreed)), {
            chain: headerChain,
            pool,
            faults,
            ...syncing,
          }),
      });
      const scope = new Scope();
      scope.use(pool);
      scope.use(headers);
      scope.use(bonds);
      const lookup = running.use(
        new RelayedLookup({
          network,
          consensus: from,
          choices,
          bonds,
          pool,
          headers,
          faults,
          pace: PACE,
          clock,
          log,
          scope,
        }),
      );
      return { lookup, state };
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

interface StartedNode {
  readonly node: TestNode;
  readonly listed: ConsensusNode;
  readonly relay: RelayServer;
}

/** Stands before a node: whoever dials the node gets here. */
async function startTamperingPort(
  { host, port }: { host: string; port: number },
  { node, streams }: { node: TestNode; streams: Set<Duplex> },
): Promise<AsyncDisposable & { port: number }> {
  return listenTcp({
    host: '127.0.0.1',
    port: 0,
    maxConnections: 1000,
    onConnection: (near) => {
      streams.add(near);
      near.on('close', () => streams.delete(near));
      void loopbackDial({ host, port }, { isolation: '', signal: AbortSignal.timeout(1000) }).then(
        (far) => {
          join(near, far, node);
        },
      );
    },
  });
}

function join(near: Duplex, far: Duplex, node: TestNode): void {
  const write =
    (stream: Duplex) =>
    (frame: Frame): void => {
      const bytes = encodeFrame(frame);
      node.frames.push({ type: frame.type, bytes: bytes.length });
      if (stream.writable) stream.write(bytes);
    };
  const wire: Wire = { send: write(far), back: write(near) };
  const pass = (from: Duplex, deal: (frame: Frame) => void): void => {
    const decoder = new FrameDecoder();
    from.on('data', (chunk: Uint8Array) => {
      decoder.push(chunk).forEach(deal);
    });
  };
  pass(near, (frame) => {
    (node.misdeeds.incoming ?? wire.send)(frame, wire);
  });
  pass(far, (frame) => {
    (node.misdeeds.outgoing ?? wire.back)(frame, wire);
  });
  for (const [one, other] of [
    [near, far],
    [far, near],
  ] as const) {
    one.on('close', () => other.destroy());
    one.on('error', () => other.destroy());
  }
}
