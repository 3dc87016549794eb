import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';

// The other side of relay-forwarding.bench.ts, told what to do over IPC: gateways that answer every
// cell at once, and clients that always have cells in flight. It reads frames by their length alone,
// to take less time than the relay.

/** What the parent says. */
export interface LoadOrder {
  readonly gateways?: number;
  readonly clients?: LoadClients;
  /** Whether gateways answer cells. */
  readonly answering?: boolean;
  readonly count?: true;
}

export interface LoadClients {
  readonly links: number;
  /** In flight on each link. */
  readonly cells: number;
  readonly port: number;
  readonly nodeIds: readonly string[];
}

const HELLO = 0x01;
const FORWARD = 0x02;
const BACK = 0x03;
const IN = 0x11;
const OUT = 0x12;
const PAYLOAD_BYTES = { [HELLO]: 64, [FORWARD]: 2084, [OUT]: 4104 };
const REGTEST = 3;

let answering = true;
let answered = 0;

process.on('message', (order: LoadOrder) => {
  if (order.gateways !== undefined) void startGateways(order.gateways);
  if (order.clients !== undefined) startClients(order.clients);
  if (order.answering !== undefined) answering = order.answering;
  if (order.count === true) process.send?.({ answered });
});
process.on('disconnect', () => process.exit());

async function startGateways(count: number): Promise<void> {
  const ports: number[] = [];
  for (let index = 0; index < count; index++) {
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => undefined);
      socket.write(frame(HELLO, 0));
      readFrames(socket, (type, id) => (type === IN && answering ? frame(OUT, id) : undefined));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ports.push((server.address() as { port: number }).port);
  }
  process.send?.({ ports });
}

function startClients({ links, cells, port, nodeIds }: LoadClients): void {
  for (let link = 0; link < links; link++) {
    let next = link;
    const forward = (id: number): Buffer => {
      const bytes = frame(FORWARD, id);
      bytes.write(nodeIds[next++ % nodeIds.length] ?? '', 10, 'hex');
      return bytes;
    };
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    socket.on('error', () => undefined);
    socket.write(frame(HELLO, 0));
    for (let id = 0; id < cells; id++) socket.write(forward(id));
    readFrames(socket, (type, id) => {
      if (type !== BACK) return undefined;
      answered += 1;
      return forward(id);
    });
  }
}

/** Writes the answers to all frames of one chunk at once. */
function readFrames(
  socket: Socket,
  answer: (type: number | undefined, id: number) => Buffer | undefined,
): void {
  let held: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const answers: Buffer[] = [];
    while (held.length >= 10 && held.length >= 4 + held.readUInt32BE(0)) {
      const bytes = answer(held[5], held.readUInt32BE(6));
      if (bytes !== undefined) answers.push(bytes);
      held = held.subarray(4 + held.readUInt32BE(0));
    }
    if (answers.length > 0) socket.write(Buffer.concat(answers));
  });
}

function frame(type: keyof typeof PAYLOAD_BYTES, id: number): Buffer {
  const bytes = Buffer.alloc(10 + PAYLOAD_BYTES[type]);
  bytes.writeUInt32BE(bytes.length - 4, 0);
  bytes[4] = 1;
  bytes[5] = type;
  bytes.writeUInt32BE(id, 6);
  if (type === HELLO) bytes[10] = REGTEST;
  return bytes;
}
