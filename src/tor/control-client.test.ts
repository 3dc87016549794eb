import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { type Duplex, duplexPair } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { test } from 'vitest';
import { lineStream } from '../io/line-stream.ts';
import { type ControlClient, ControlError, startControlClient } from './control-client.ts';

const COOKIE = randomBytes(32);

interface FakeTor {
  /** What the client sent after it was let in. */
  readonly commands: string[];
  readonly stream: Duplex;
}

/** Speaks the control protocol's server side as tor does, knowing `cookie`. */
function fakeTor(answers: Readonly<Record<string, string>>, cookie: Uint8Array = COOKIE): FakeTor {
  const [stream, tor] = duplexPair();
  const commands: string[] = [];
  const connection = lineStream(tor, 4096);
  const serve = async (): Promise<void> => {
    let nonces = Buffer.alloc(0);
    const hmac = (key: string): string =>
      createHmac('sha256', key).update(cookie).update(nonces).digest('hex').toUpperCase();
    for await (const command of connection.lines) {
      const [name, argument = '', nonce = ''] = command.split(' ');
      if (name === 'PROTOCOLINFO') {
        await connection.write('250-PROTOCOLINFO 1\r\n250 OK\r');
      } else if (name === 'AUTHCHALLENGE') {
        assert.equal(argument, 'SAFECOOKIE');
        const serverNonce = randomBytes(32);
        nonces = Buffer.concat([Buffer.from(nonce, 'hex'), serverNonce]);
        const hash = hmac('Tor safe cookie authentication server-to-controller hash');
        await connection.write(
          `250 AUTHCHALLENGE SERVERHASH=${hash} SERVERNONCE=${serverNonce.toString('hex')}\r`,
        );
      } else if (name === 'AUTHENTICATE') {
        const right = hmac('Tor safe cookie authentication controller-to-server hash');
        const ok = argument.toUpperCase() === right;
        await connection.write(ok ? '250 OK\r' : '515 Authentication failed\r');
      } else {
        commands.push(command);
        const answer = answers[command];
        if (answer === 'hang up') tor.end();
        else await connection.write(answer ?? '250 OK\r');
      }
    }
  };
  void serve();
  return { commands, stream };
}

function connect(
  { stream }: FakeTor,
  onEvent: (text: string) => void = () => undefined,
): Promise<ControlClient> {
  return startControlClient({
    stream,
    readCookie: () => Promise.resolve(COOKIE),
    events: ['HS_DESC'],
    onEvent,
  });
}

test('it is let in with the cookie and subscribes to its events', async () => {
  const tor = fakeTor({});
  await using client = await connect(tor);
  await client.takeOwnership();
  assert.deepEqual(tor.commands, ['SETEVENTS HS_DESC', 'TAKEOWNERSHIP']);
});

test('it tells the values an option has, and none for a default', async () => {
  const tor = fakeTor({
    'GETCONF HiddenServiceDir': '250-HiddenServiceDir=/a b\r\n250 HiddenServiceDir=/c\r',
    'GETCONF SocksPolicy': '250 SocksPolicy\r',
  });
  await using control = await connect(tor);
  assert.deepEqual(await control.getConf('HiddenServiceDir'), ['/a b', '/c']);
  assert.deepEqual(await control.getConf('SocksPolicy'), []);
});

test('an option is set, and one that tor does not take is refused', async () => {
  const tor = fakeTor({ 'SETCONF NoSuchOption=1': '552 Unrecognized option\r' });
  await using control = await connect(tor);
  await control.setConf('V3AuthVotingInterval', '3600');
  assert.equal(tor.commands.at(-1), 'SETCONF V3AuthVotingInterval=3600');
  await assert.rejects(control.setConf('NoSuchOption', '1'), { name: 'ControlError', status: 552 });
});

test('a server that does not know the cookie is refused', async () => {
  await assert.rejects(connect(fakeTor({}, randomBytes(32))), /does not know the control cookie/);
});

test('answers of one and of many lines are told apart', async () => {
  const tor = fakeTor({
    'GETINFO version': '250-version=0.4.9.11\r\n250 OK\r',
    'GETINFO circuit-status':
      '250+circuit-status=\r\n1 BUILT $AA,$BB PURPOSE=GENERAL\r\n2 LAUNCHED\r\n.\r\n250 OK\r',
  });
  await using client = await connect(tor);
  const [version, circuits] = await Promise.all([client.getInfo('version'), client.circuits()]);
  assert.equal(version, '0.4.9.11');
  assert.deepEqual(
    circuits.map(({ id, state, hops }) => ({ id, state, hops })),
    [
      { id: 1, state: 'BUILT', hops: 2 },
      { id: 2, state: 'LAUNCHED', hops: 0 },
    ],
  );
});

test('an event between a command and its answer is no answer', async () => {
  const tor = fakeTor({ 'CLOSECIRCUIT 7': '650 HS_DESC UPLOAD a\r\n250 OK\r' });
  const events: string[] = [];
  await using client = await connect(tor, (event) => events.push(event));
  await client.closeCircuit(7);
  assert.deepEqual(events, ['HS_DESC UPLOAD a']);
});

test('a refused command rejects with the status, and the next one works', async () => {
  const tor = fakeTor({ 'CLOSECIRCUIT 7': '552 Unknown circuit "7"\r' });
  await using client = await connect(tor);
  await assert.rejects(
    client.closeCircuit(7),
    (error) => error instanceof ControlError && error.status === 552,
  );
  await client.signal('ACTIVE');
});

test('a lost connection rejects what waits, fails the client and refuses what follows', async () => {
  await using client = await connect(fakeTor({ 'GETINFO version': 'hang up' }));
  await assert.rejects(client.getInfo('version'), /lost/);
  await assert.rejects(client.failed, /closed/);
  await assert.rejects(client.getInfo('version'), /closed/);
});

test('a closed client has not failed', async () => {
  const client = await connect(fakeTor({}));
  let failed = false;
  client.failed.catch(() => (failed = true));
  await client[Symbol.asyncDispose]();
  await setImmediate();
  assert.equal(failed, false);
});

test('a command cannot hold a second one', async () => {
  await using client = await connect(fakeTor({}));
  await assert.rejects(client.getInfo('version\r\nSIGNAL HALT'), RangeError);
});
