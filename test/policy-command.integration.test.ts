import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, test, vi } from 'vitest';
import { startAuthorityServer } from '../src/authority/authority-server.ts';
import { utf8 } from '../src/base/bytes.ts';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { policyCommand } from '../src/cli/commands/policy.ts';
import { terminalQr } from '../src/cli/qr.ts';
import { DIRECTORY_KINDS } from '../src/directory/directory-view.ts';
import { type Policy, renderPolicy } from '../src/directory/policy.ts';
import { fingerprintOf, formatPolicyLink, policyFor } from '../src/directory/policy-link.ts';
import { formatAddress } from '../src/io/dial.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import type { LinkNetwork } from '../src/relay/hello.ts';
import { startOnionMap } from './onion-map.ts';
import { testAuthorities, testDescriptor, testPolicy } from './test-directory.ts';

const four = testPolicy(testAuthorities(4));
const { onion } = testDescriptor('a');
const policy: Policy = { ...four, authorities: four.authorities.slice(0, 3), bootstrap: [onion] };
const link = { network: 'regtest', onion, fingerprint: fingerprintOf(policy) };
const linkText = formatPolicyLink(link);

let scope: Scope;
let path: (name: string) => string;
let printed: string[];

beforeEach(async () => {
  scope = new Scope();
  const directory = scope.use(await makeTemporaryDirectory()).path;
  path = (name) => join(directory, name);
  printed = [];
  const output = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed.push(String(text));
    return true;
  });
  scope.defer(() => {
    output.mockRestore();
  });
});
afterEach(() => scope[Symbol.asyncDispose]());

async function run(...args: readonly string[]): Promise<string> {
  await policyCommand().parseAsync(args, { from: 'user' });
  return printed.splice(0).join('');
}

interface Served {
  readonly network?: LinkNetwork;
  /** What it answers to who asks for a policy. */
  readonly answer?: (fingerprint: Uint8Array) => Uint8Array | undefined;
}

/** Somebody at the onion of the link; gives the SOCKS port that leads there. */
async function serve({ network = 'regtest', answer }: Served): Promise<string> {
  const noteOf = (kind: number, digest: Uint8Array): Uint8Array | undefined =>
    kind === DIRECTORY_KINDS.policy
      ? (answer ?? ((fingerprint) => policyFor(fingerprint, policy)))(digest)
      : undefined;
  const server = await startAuthorityServer({
    listen: { host: '127.0.0.1', port: 0 },
    network,
    expectProxyHeader: false,
    directory: { current: () => undefined, noteOf },
    take: () => Promise.reject(new Error('nothing is brought here')),
    clock: Date.now,
    log: silent,
  });
  const port = scope.use(server).port;
  return formatAddress(scope.use(await startOnionMap(new Map([[onion.host, port]]))));
}

test('a policy is shown with its fingerprint and a link, which is a QR code too', async () => {
  writeFileSync(path('policy'), `# from the founders\n${renderPolicy(policy)}`);
  const text = await run('show', '--policy', path('policy'));
  assert.match(text, /^authorities {2}authority-1, authority-2, authority-3; 2 must sign$/m);
  assert.ok(text.includes(linkText));
  assert.ok(text.includes(terminalQr(linkText)));
  const told: unknown = JSON.parse(await run('show', '--policy', path('policy'), '--json'));
  assert.deepEqual(told, {
    network: 'regtest',
    authorities: ['authority-1', 'authority-2', 'authority-3'],
    needed: 2,
    relays: [formatAddress(onion)],
    fingerprint: linkText.split('#')[1],
    link: linkText,
  });
});

test('a policy is fetched from the onion of a link, and is the one that was shown', async () => {
  const socks = await serve({});
  const text = await run('fetch', linkText, path('policy'), '--socks', socks);
  assert.match(text, /^network {6}regtest$/m);
  assert.equal(readFileSync(path('policy'), 'utf8'), renderPolicy(policy));
  await assert.rejects(
    run('fetch', linkText, path('policy'), '--socks', socks),
    /is there already/,
  );
});

test.each<Served & { which: string; said: RegExp }>([
  { which: 'who does not have it', answer: () => undefined, said: /does not have this policy/ },
  {
    which: 'who gives another one',
    answer: () => utf8(renderPolicy(four)),
    said: /not the policy that the link names/,
  },
  {
    which: 'who gives no end of one',
    answer: () => new Uint8Array(70_000),
    said: /a policy of more than 65536 bytes/,
  },
  { which: 'who is of another network', network: 'signet', said: /is of another network/ },
])('from somebody $which nothing is written', async ({ said, ...served }) => {
  const socks = await serve(served);
  await assert.rejects(run('fetch', linkText, path('policy'), '--socks', socks), said);
  assert.equal(existsSync(path('policy')), false);
});

test('a policy of another network than its link says is not written', async () => {
  const socks = await serve({ network: 'signet' });
  const signet = formatPolicyLink({ ...link, network: 'signet' });
  await assert.rejects(run('fetch', signet, path('policy'), '--socks', socks), {
    code: 'wrong-network',
  });
  assert.equal(existsSync(path('policy')), false);
});

test('without tor, and where nobody is at the onion, that is said', async () => {
  const nobody = formatAddress(scope.use(await startOnionMap(new Map())));
  for (const socks of ['127.0.0.1:1', nobody]) {
    await assert.rejects(run('fetch', linkText, path('policy'), '--socks', socks), {
      name: 'UserError',
      message: /does not answer: /,
    });
  }
});

test('it is told how an older policy file goes on beside a newer one', async () => {
  writeFileSync(path('three'), renderPolicy(policy));
  writeFileSync(path('four'), renderPolicy(four));
  writeFileSync(path('signet'), renderPolicy({ ...four, network: 'signet' }));
  assert.equal(
    await run('compare', path('three'), path('four')),
    'stay        authority-1, authority-2, authority-3\n' +
      'come        authority-4\n' +
      'go          nobody\n' +
      'newer file  starts after a consensus that 3 of authority-1, authority-2, authority-3 signed\n' +
      'older file  goes on whenever the newer one does\n',
  );
  const back = JSON.parse(await run('compare', path('four'), path('three'), '--json')) as object;
  assert.deepEqual(back, {
    stay: ['authority-1', 'authority-2', 'authority-3'],
    come: [],
    go: ['authority-4'],
    toStart: 2,
    forOlder: 3,
    olderGoesOn: 'when-enough-sign',
  });
  await assert.rejects(run('compare', path('three'), path('signet')), { name: 'UserError' });
});
