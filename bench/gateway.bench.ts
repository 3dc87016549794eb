import { silent } from '../src/base/log.ts';
import type { Duplex } from 'node:stream';
import { Gateway } from '../src/relay/gateway.ts';
import type { GatewayHandler } from '../src/relay/gateway-handler.ts';
import { helloOf } from '../src/relay/hello.ts';
import { Link } from '../src/relay/link.ts';
import { DEFAULT_RELAY_LIMITS } from '../src/relay/relay-limits.ts';
import type { Report } from './harness.ts';
import {
  PATIENT,
  streamPair,
  testCell,
  testConsensusOf,
  testDirectory,
  testNode,
  testPeer,
} from '../test/relay-fixtures.ts';

const CELLS = 4_000;
const IN_FLIGHT = 64;

const handler: GatewayHandler = ({ args }) =>
  Promise.resolve({ code: 'OK', tipHeight: 1, tipHash: new Uint8Array(32), body: args });

/** The whole of the gateway's work on a cell but for what the handler does. */
export async function bench(): Promise<readonly Report[]> {
  const node = testNode('gateway');
  const consensus = testConsensusOf([node]);
  const cells = Array.from(
    { length: CELLS },
    () => testCell(node, { now: Date.now(), consensus, op: 1 }).cell,
  );
  await using gateway = new Gateway({
    identity: node.identity,
    epochKeys: node,
    directory: testDirectory(consensus),
    handler,
    clock: Date.now,
    log: silent,
    limits: { ...DEFAULT_RELAY_LIMITS, gatewayQuota: { cellsPerSecond: CELLS, burst: CELLS } },
  });
  const [near, far]: [Duplex, Duplex] = streamPair();
  const link: Link = new Link({
    stream: near,
    hello: helloOf({ network: 'regtest', capabilities: 0, consensus }),
    answers: true,
    clock: Date.now,
    timing: PATIENT,
    onFrame: (frame) => {
      gateway.take(peer, frame);
    },
  });
  const peer = gateway.welcome(link, 'relay');

  const cpu = process.cpuUsage();
  await new Promise<void>((resolve, reject) => {
    let asked = 0;
    let answered = 0;
    const ask = (relay: Link): void => {
      const payload = cells[asked];
      if (payload !== undefined) relay.send({ type: 'IN', id: asked++, payload });
    };
    const relay = testPeer(far, {
      onFrame: ({ type }, relayLink) => {
        if (type !== 'OUT') return;
        answered += 1;
        if (answered === CELLS) resolve();
        else ask(relayLink);
      },
    });
    void relay.ended.then(reject);
    for (let index = 0; index < IN_FLIGHT; index++) ask(relay.link);
  });
  const { user, system } = process.cpuUsage(cpu);
  link.close('closed', 'measured');
  const perCpuSecond = Math.round(CELLS / ((user + system) / 1e6));
  const rows = [
    { what: 'cells opened, signed and sealed over a link', 'per s and core': perCpuSecond },
  ];
  return [{ title: 'Gateway pipeline without its target', rows }];
}
