import { createHash } from 'node:crypto';
import { concatBytes, fromHex } from '../src/base/bytes.ts';
import {
  type Consensus,
  type ConsensusContent,
  parseConsensus,
  renderConsensus,
} from '../src/directory/consensus.ts';
import {
  type Descriptor,
  type DescriptorStatement,
  parseDescriptor,
  signDescriptor,
} from '../src/directory/descriptor.ts';
import { listNodes } from '../src/directory/list-nodes.ts';
import { signNote } from '../src/directory/note.ts';
import { type Policy } from '../src/directory/policy.ts';
import { loadPublicKey } from '../src/directory/public-key.ts';
import { type SigningKey, signingKeyFromSeed } from '../src/directory/signing-key.ts';

/** 2026-12-01 00:00:00 UTC, the day 20788 since the Unix epoch. */
export const TEST_TIME = 1_796_083_200;

/** 32 bytes that follow from a name. */
export function testSeed(name: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(`sotto test ${name}`).digest());
}

export interface TestAuthority {
  readonly name: string;
  readonly key: SigningKey;
}

export function testAuthorities(count: number): readonly TestAuthority[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `sotto/authority-${index + 1}`,
    key: signingKeyFromSeed(testSeed(`authority ${index + 1}`)),
  }));
}

export function testPolicy(authorities: readonly TestAuthority[]): Policy {
  return {
    network: 'regtest',
    authorities: authorities.map(({ name, key }) => ({
      name: name.slice('sotto/'.length),
      verifier: { name, key: loadPublicKey(key.publicKey) },
    })),
    groups: [],
    bootstrap: [],
  };
}

/** A key configuration of suite 1 whose X25519 key has no known secret. */
export function testKeyConfig(name: string, epoch: number): Uint8Array {
  const publicKey = testSeed(`hpke ${name} ${epoch}`);
  return concatBytes(
    Uint8Array.of(epoch % 256),
    fromHex('0020'),
    publicKey,
    fromHex('000400010003'),
  );
}

export function testStatement(
  name: string,
  changes: Partial<DescriptorStatement> = {},
): DescriptorStatement {
  return {
    port: 50_010,
    roles: new Set(['relay', 'gateway'] as const),
    family: [],
    replyKey: signingKeyFromSeed(testSeed(`reply ${name}`)).publicKey,
    replyKeyUntil: TEST_TIME + 30 * 86_400,
    keyConfigs: [
      { epoch: 20_788, keyConfig: testKeyConfig(name, 20_788) },
      { epoch: 20_789, keyConfig: testKeyConfig(name, 20_789) },
    ],
    electrum: {
      protocol: '1.6',
      genesis: '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206',
    },
    limits: { cellsPerSecond: 200, burst: 2000 },
    published: TEST_TIME - 3600,
    expires: TEST_TIME + 86_400,
    unknown: [],
    ...changes,
  };
}

export function testDescriptorNote(
  name: string,
  changes: Partial<DescriptorStatement> = {},
): string {
  return signDescriptor(testStatement(name, changes), {
    identity: signingKeyFromSeed(testSeed(`identity ${name}`)),
    onion: signingKeyFromSeed(testSeed(`onion ${name}`)),
  });
}

export function testDescriptor(
  name: string,
  changes: Partial<DescriptorStatement> = {},
): Descriptor {
  return parseDescriptor(testDescriptorNote(name, changes));
}

const descriptors = ['a', 'b', 'c', 'd'].map((name) => testDescriptor(name));
const nodes = listNodes({
  descriptors,
  weightOf: () => 100,
  validAfter: TEST_TIME,
});

/** A first consensus over four nodes of one weight. */
export function testContent(changes: Partial<ConsensusContent> = {}): ConsensusContent {
  return {
    network: 'regtest',
    epoch: 1,
    prev: new Uint8Array(32),
    validAfter: TEST_TIME,
    freshUntil: TEST_TIME + 6 * 3600,
    validUntil: TEST_TIME + 24 * 3600,
    params: new Map([
      ['mix-ms', 500],
      ['tick-ms', 250],
      ['poll-mean-s', 14_400],
      ['unbonded-percent', 10],
      ['family-cap-percent', 10],
    ]),
    nodes,
    ...changes,
  };
}

export function testConsensus(changes: Partial<ConsensusContent> = {}): Consensus {
  return parseConsensus(renderConsensus(testContent(changes)));
}

/** The consensus that follows, 6 hours later. */
export function nextContent(
  previous: Consensus,
  changes: Partial<ConsensusContent> = {},
): ConsensusContent {
  return testContent({
    epoch: previous.epoch + 1,
    prev: previous.hash,
    validAfter: previous.freshUntil,
    freshUntil: previous.freshUntil + 6 * 3600,
    validUntil: previous.freshUntil + 24 * 3600,
    ...changes,
  });
}

export function signedBy(content: ConsensusContent, signers: readonly TestAuthority[]): string {
  return signNote(renderConsensus(content), ...signers);
}
