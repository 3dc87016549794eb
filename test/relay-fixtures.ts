import { createHash, randomBytes } from 'node:crypto';
import { type Duplex, duplexPair } from 'node:stream';
import { toBase64 } from '../src/base/bytes.ts';
import type { Cbor } from '../src/base/cbor.ts';
import type { Consensus, ConsensusNode } from '../src/directory/consensus.ts';
import type { DirectoryView } from '../src/directory/directory-view.ts';
import { nodeIdOf } from '../src/directory/node-id.ts';
import { loadPublicKey } from '../src/directory/public-key.ts';
import { type SigningKey, signingKeyFromSeed } from '../src/directory/signing-key.ts';
import { type CellKey, sealCell, type SealedCell } from '../src/relay/cell.ts';
import type { Frame } from '../src/relay/frame.ts';
import { helloOf, type LinkNetwork } from '../src/relay/hello.ts';
import { encodeKeyConfig } from '../src/relay/key-config.ts';
import { type LinkError } from '../src/relay/link-error.ts';
import { Link } from '../src/relay/link.ts';
import { encodeRequest, type Request } from '../src/relay/message.ts';
import type { NodeIdentity } from '../src/relay/node-identity.ts';
import { generateKeyPair, keyPairFromSeed } from '../src/relay/x25519.ts';

/** A node of a test's network with all its keys. */
export interface TestNode {
  readonly identity: NodeIdentity;
  readonly replyKey: SigningKey;
  readonly cellKey: CellKey;
  readonly keyFor: (keyId: number) => CellKey | undefined;
  readonly listed: ConsensusNode;
}

const KEY_ID = 7;

export function testNode(name: string, changes: Partial<ConsensusNode> = {}): TestNode {
  const seed = (use: string): Uint8Array =>
    new Uint8Array(createHash('sha256').update(`${name} ${use}`).digest());
  const replyKey = signingKeyFromSeed(seed('reply'));
  const nodeId = nodeIdOf(signingKeyFromSeed(seed('identity')).publicKey);
  const { privateKey, publicKey } = keyPairFromSeed(seed('cell'));
  const keyConfig = encodeKeyConfig({ keyId: KEY_ID, publicKey });
  const cellKey = { privateKey, keyConfig };
  return {
    identity: { nodeId, family: [], replyKey },
    replyKey,
    cellKey,
    keyFor: (keyId) => (keyId === KEY_ID ? cellKey : undefined),
    listed: {
      nodeId,
      descriptorDigest: seed('descriptor'),
      weight: 1,
      flags: new Set(['Relay', 'Gateway', 'Running'] as const),
      family: nodeId,
      onion: { host: `${name}.onion`, port: 50_010 },
      keyConfigs: { current: toBase64(keyConfig), next: toBase64(keyConfig) },
      replyKey: loadPublicKey(replyKey.publicKey),
      ...changes,
    },
  };
}

/** Answers at once unless told otherwise. */
export function testConsensusOf(
  nodes: readonly TestNode[],
  params: Readonly<Record<string, number>> = { 'mix-ms': 0, 'tick-ms': 0 },
): Consensus {
  const hash = randomBytes(32);
  return {
    text: '',
    hash,
    network: 'regtest',
    epoch: 1,
    prev: new Uint8Array(32),
    validAfter: 0,
    freshUntil: 0,
    validUntil: 0,
    params: new Map(Object.entries(params)),
    nodes: nodes.map(({ listed }) => listed),
    node: (id) => nodes.find(({ listed }) => listed.nodeId === id)?.listed,
  };
}

export interface TestDirectory extends DirectoryView {
  consensus: Consensus | undefined;
}

export function testDirectory(consensus: Consensus | undefined): TestDirectory {
  return {
    consensus,
    current() {
      return this.consensus;
    },
    noteOf: () => undefined,
  };
}

/** A request sealed for a gateway, and its plaintext. */
export function testCell(
  gateway: TestNode,
  request: Partial<Request> & { now: number; consensus: Consensus | undefined },
): SealedCell & { readonly plaintext: Uint8Array } {
  const { now, consensus, ...changes } = request;
  const args: Cbor = new Uint8Array(32);
  const plaintext = encodeRequest({
    op: 0,
    minute: Math.floor(now / 60_000),
    consensusHash: (consensus?.hash ?? new Uint8Array(16)).subarray(0, 16),
    nonce: randomBytes(16),
    args,
    ...changes,
  });
  const { keyConfig } = gateway.cellKey;
  return { ...sealCell({ keyConfig, nodeId: gateway.identity.nodeId, plaintext }), plaintext };
}

/** The far end of a link, as a test plays it: keeps every frame it gets. */
export interface TestPeer {
  readonly link: Link;
  readonly frames: Frame[];
  readonly ended: Promise<LinkError>;
  /** The frames of one type that came until there were `count` of them. */
  next(type: Frame['type'], count?: number): Promise<Frame[]>;
}

export interface TestPeerOptions {
  readonly network?: LinkNetwork;
  readonly capabilities?: number;
  readonly onFrame?: (frame: Frame, link: Link) => void;
}

export const PATIENT = { helloMs: 60_000, idleMs: Infinity, stallMs: 60_000 };

export function testPeer(stream: Duplex, options: TestPeerOptions = {}): TestPeer {
  const { network = 'regtest', capabilities = 0, onFrame } = options;
  const frames: Frame[] = [];
  const waiting: (() => void)[] = [];
  const changed = (): void => {
    for (const wake of waiting.splice(0)) wake();
  };
  let end: (reason: LinkError) => void;
  const ended = new Promise<LinkError>((resolve) => (end = resolve));
  const link = new Link({
    stream,
    hello: helloOf({ network, capabilities, consensus: undefined }),
    answers: false,
    clock: Date.now,
    timing: PATIENT,
    onFrame: (frame) => {
      frames.push(frame);
      onFrame?.(frame, link);
      changed();
    },
    onClose: (reason) => {
      end(reason);
      changed();
    },
  });
  return {
    link,
    frames,
    ended,
    async next(type, count = 1) {
      for (;;) {
        const found = frames.filter((frame) => frame.type === type);
        if (found.length >= count) return found;
        if (link.ended !== undefined) throw link.ended;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
  };
}

/** Lets what is on its way through streams arrive: a fixed number of turns of the event loop. */
export async function settle(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** As two ends of one socket: when one is destroyed, the other is. */
export function streamPair(): [Duplex, Duplex] {
  const [near, far] = duplexPair();
  for (const [stream, other] of [
    [near, far],
    [far, near],
  ] as const) {
    stream.on('error', () => undefined);
    stream.on('close', () => setImmediate(() => other.destroy()));
  }
  return [near, far];
}

/** A well-formed cell that no node can open. */
export function garbageCell(node: TestNode): Uint8Array {
  const { cell } = testCell(node, { now: 0, consensus: undefined });
  const garbage = Uint8Array.from(cell);
  garbage.set(generateKeyPair().publicKey, 7);
  return garbage;
}
