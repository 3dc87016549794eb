import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { renderTorrcLine } from './torrc-line.ts';
import { type OnionSettings, renderTorrc, type TorSettings, withoutOnion } from './torrc.ts';

const client: TorSettings = {
  dataDirectory: '/var/data',
  socks: [{ at: '127.0.0.1:auto', reaches: 'onions' }],
  onions: [],
};

test('a torrc of one onion on the public network', () => {
  const text = renderTorrc({
    dataDirectory: '/var/lib/sotto #1/data',
    socks: [{ at: '127.0.0.1:9050', reaches: 'onions' }],
    owningPid: 4321,
    onions: [
      {
        directory: '/var/lib/sotto #1/relay',
        ports: [
          { virtual: 50010, target: '127.0.0.1:4000' },
          { virtual: 80, target: 'unix:/run/a "b"' },
        ],
        exportCircuitId: true,
        maxStreams: 16,
        powDefences: { queueRate: 25, queueBurst: 100 },
        introDefence: true,
      },
    ],
  });
  assert.equal(
    text,
    String.raw`DataDirectory "/var/lib/sotto #1/data"
AvoidDiskWrites 1
Log notice stdout
SafeLogging 1
SocksPort 127.0.0.1:9050 OnionTrafficOnly ExtendedErrors
ControlPort 127.0.0.1:auto
ControlPortWriteToFile "/var/lib/sotto #1/data/control-port"
CookieAuthentication 1
CookieAuthFile "/var/lib/sotto #1/data/control-cookie"
__OwningControllerProcess 4321
ClientOnly 1
HiddenServiceDir "/var/lib/sotto #1/relay"
HiddenServicePort 50010 127.0.0.1:4000
HiddenServicePort "80 unix:\"/run/a \\\"b\\\"\""
HiddenServiceExportCircuitID haproxy
HiddenServiceMaxStreams 16
HiddenServiceMaxStreamsCloseCircuit 1
HiddenServicePoWDefensesEnabled 1
HiddenServicePoWQueueRate 25
HiddenServicePoWQueueBurst 100
HiddenServiceEnableIntroDoSDefense 1
`,
  );
});

test('a torrc of a personal server: sockets, several SOCKS ports, keys to private onions', () => {
  const text = renderTorrc({
    dataDirectory: '/data/state',
    socks: [
      { at: 'unix:/data/run/socks', reaches: 'onions' },
      { at: 'unix:/data/my run/exit-socks', reaches: 'clearnet' },
      { at: '10.213.50.26:9050', reaches: 'onions' },
    ],
    control: { socket: '/data/run/control', cookie: '/data/run/cookie' },
    clientKeys: '/data/client-keys',
    onions: [],
  });
  assert.equal(
    text,
    String.raw`DataDirectory /data/state
AvoidDiskWrites 1
Log notice stdout
SafeLogging 1
SocksPort unix:/data/run/socks OnionTrafficOnly ExtendedErrors
SocksPort "unix:\"/data/my run/exit-socks\" NoOnionTraffic ExtendedErrors"
SocksPort 10.213.50.26:9050 OnionTrafficOnly ExtendedErrors
ControlPort unix:/data/run/control
CookieAuthentication 1
CookieAuthFile /data/run/cookie
ClientOnionAuthDir /data/client-keys
ClientOnly 1
`,
  );
});

test('an onion is taken out of a torrc with all its lines, and the others stay', () => {
  const onion = (name: string): OnionSettings => ({
    directory: `/data/my onions/${name}`,
    ports: [{ virtual: 80, target: '127.0.0.1:80' }],
    maxStreams: 16,
  });
  const names = ['wallet', 'wallet2', 'relay'];
  const torrc = renderTorrc({ ...client, onions: names.map(onion) });
  for (const name of names) {
    const others = names.filter((other) => other !== name);
    assert.equal(
      withoutOnion(torrc, onion(name).directory),
      renderTorrc({ ...client, onions: others.map(onion) }),
    );
  }
  assert.throws(() => withoutOnion(torrc, '/data/my onions/p2p'), RangeError);
});

test('every address in the torrc of a private network is 127.0.0.1', () => {
  const authority = {
    nickname: 'authority1',
    host: '127.0.0.1',
    orPort: 5001,
    dirPort: 5002,
    v3Ident: 'A'.repeat(40),
    fingerprint: 'B'.repeat(40),
  };
  for (const role of ['client', { host: '127.0.0.1' }, authority] as const) {
    const member = { authorities: [authority], role };
    const text = renderTorrc({ ...client, privateNetwork: member });
    assert.match(text, /^TestingTorNetwork 1$/m);
    assert.match(
      text,
      /^DirAuthority authority1 orport=5001 no-v2 v3ident=A{40} 127\.0\.0\.1:5002 B{40}$/m,
    );
    for (const [address] of text.matchAll(/\d+\.\d+\.\d+\.\d+/g))
      assert.equal(address, '127.0.0.1');
    const listeners = text.matchAll(/^(?:Socks|Control|OR|Dir)Port (.*)$/gm);
    for (const [, listener] of listeners) assert.match(listener ?? '', /^127\.0\.0\.1:/);
  }
});

test('no value makes a second line, a comment or an open end', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      let line: string;
      try {
        line = renderTorrcLine(['Option', value]);
      } catch (error) {
        assert.ok(error instanceof RangeError);
        return;
      }
      const written = line.slice('Option '.length, -1);
      assert.equal(line, `Option ${written}\n`);
      assert.doesNotMatch(written, /[\r\n]/);
      assert.equal(asTorReads(written), value);
    }),
  );
});

test('a path with a line end is refused', () => {
  const dataDirectory = '/var/data\nSocksPort 0.0.0.0:9050';
  assert.throws(() => renderTorrc({ ...client, dataDirectory }), RangeError);
});

test('a target that tor would have to resolve is refused', () => {
  for (const target of ['example.com:80', '80', 'unix:relative', '127.0.0.1:80 1.2.3.4:80']) {
    const onions = [{ directory: '/var/onion', ports: [{ virtual: 80, target }] }];
    assert.throws(() => renderTorrc({ ...client, onions }), RangeError);
  }
});

test('a SOCKS port that tor could take for something else is refused', () => {
  for (const at of ['9050', 'localhost:9050', 'unix:run', '127.0.0.1:9050 WorldWritable']) {
    assert.throws(() => renderTorrc({ ...client, socks: [{ at, reaches: 'onions' }] }), RangeError);
  }
});

test('a tor that is asked for no SOCKS port opens none', () => {
  assert.match(renderTorrc({ ...client, socks: [] }), /^SocksPort 0$/m);
});

/** The rules of torrc(5) for a value: a C string, or the text up to a comment, trimmed. */
function asTorReads(written: string): string {
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(written)?.[1];
  if (quoted !== undefined) return quoted.replace(/\\(.)/g, '$1');
  assert.doesNotMatch(written, /["\\]/);
  return written.replace(/#.*$/, '').trim();
}
