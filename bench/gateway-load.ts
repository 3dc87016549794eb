import { randomBytes } from 'node:crypto';
import { loopbackDial } from '../src/io/loopback-dial.ts';
import { silent } from '../src/base/log.ts';
import { startEmbeddedChain } from '../src/devnet/embedded-chain.ts';
import { fundWallet } from '../src/devnet/wallet.ts';
import { decodeHistoryBody } from '../src/query/history-body.ts';
import { encodeQuery, type Query } from '../src/query/query.ts';
import { decodeAnswer } from '../src/relay/frame-payload.ts';
import { RELAY_CAPABILITY } from '../src/relay/hello.ts';
import { decodeReply } from '../src/relay/message.ts';
import { testCell, testConsensusOf, testNode, testPeer } from '../test/relay-fixtures.ts';

// The other side of gateway.bench.ts, told what to do over IPC: the Electrum server, and the relays
// that ask. It takes its time to seal cells before the gateway is measured, and to check replies after.

/** What the parent says, in this order. Each but the first is for one measurement. */
export type LoadOrder =
  | { readonly serve: { readonly addresses: number } }
  | { readonly prepare: LoadBatch }
  | { readonly ask: LoadRelays }
  | { readonly check: true };

export interface LoadBatch {
  readonly op: 'NOOP' | 'HISTORY';
  /** In hex. */
  readonly consensusHash: string;
}

export interface LoadRelays {
  readonly port: number;
  readonly links: number;
  /** In flight on each link. */
  readonly cells: number;
}

type Sealed = ReturnType<typeof testCell>;

const node = testNode('gateway');
let scriptHashes: readonly string[] = [];
let cells: readonly Sealed[] = [];
let bodies: (Uint8Array | undefined)[] = [];

process.on('message', (order: LoadOrder) => {
  void act(order).then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit());

async function act(order: LoadOrder): Promise<object> {
  if ('serve' in order) return await serve(order.serve.addresses);
  if ('prepare' in order) return prepare(order.prepare);
  if ('ask' in order) return await ask(order.ask);
  return check();
}

async function serve(addresses: number): Promise<{ port: number }> {
  const seed = randomBytes(32);
  const chain = await startEmbeddedChain({ seed, clock: Date.now, port: 0, log: silent });
  scriptHashes = (await fundWallet(chain, { seed, addresses })).map((one) => one.scriptHash);
  return { port: chain.electrum.port };
}

/** One cell for each address. */
function prepare({ op, consensusHash }: LoadBatch): object {
  const hash = Buffer.from(consensusHash, 'hex');
  const consensus = { ...testConsensusOf([node]), hash };
  cells = scriptHashes.map((scriptHash) => {
    const query: Query = op === 'NOOP' ? { op } : { op, scriptHash, proofs: true, raw: true };
    return testCell(node, { now: Date.now(), consensus, ...encodeQuery(query) });
  });
  bodies = [];
  return {};
}

async function ask({ port, links, cells: inFlight }: LoadRelays): Promise<object> {
  const dialing = { signal: new AbortController().signal, isolation: 'bench' };
  let next = 0;
  let answered = 0;
  await new Promise<void>((resolve, reject) => {
    const dialAll = Array.from({ length: links }, async () => {
      const peer = testPeer(await loopbackDial({ host: '127.0.0.1', port }, dialing), {
        capabilities: RELAY_CAPABILITY,
        onFrame: ({ type, id, payload }) => {
          if (type !== 'OUT') return;
          bodies[id] = payload;
          answered += 1;
          if (answered === cells.length) resolve();
          else send();
        },
      });
      const send = (): void => {
        const sealed = cells[next];
        if (sealed !== undefined) peer.link.send({ type: 'IN', id: next++, payload: sealed.cell });
      };
      void peer.ended.then(reject);
      for (let index = 0; index < inFlight; index++) send();
    });
    Promise.all(dialAll).catch(reject);
  });
  return {};
}

/** How many transactions came for each cell. Throws unless every reply is whole and OK. */
function check(): { transactions: number } {
  const { replyKey } = node.listed;
  const verify = replyKey.verify.bind(replyKey);
  const { nodeId } = node.identity;
  let transactions = 0;
  for (const [index, { openReply, plaintext }] of cells.entries()) {
    const { body } = decodeAnswer(bodies[index] ?? new Uint8Array(0));
    const reply = decodeReply({ bytes: openReply(body), nodeId, request: plaintext, verify });
    if (reply.code !== 'OK') throw new Error(`the gateway answered ${reply.code}`);
    if (reply.body === null) continue;
    for (const { height, proof, raw } of decodeHistoryBody(reply.body).entries) {
      if (raw === undefined || (height > 0 && proof === undefined)) throw new Error('not whole');
      transactions += 1;
    }
  }
  return { transactions: transactions / cells.length };
}
