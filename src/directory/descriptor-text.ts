import { toBase64, toHex } from '../base/bytes.ts';
import { type Bond, parseBond, renderBond } from './bond-line.ts';
import { type OnionAddress } from './consensus-node.ts';
import { DirectoryError } from './directory-error.ts';
import {
  BASE64_OF_32,
  BASE64_OF_41,
  BASE64_OF_64,
  bytesOf,
  HASH,
  NODE_ID,
  NUMBER,
  ONION_HOST,
  parseNumber,
  parsePort,
} from './fields.ts';
import { MAX_DESCRIPTOR_SECONDS, MAX_FAMILY } from './limits.ts';
import { type NodeId } from './node-id.ts';

export type NodeRole = 'relay' | 'gateway';

/** The key that opens a node's cells in one key epoch. */
export interface EpochKeyConfig {
  readonly epoch: number;
  /** RFC 9458 section 3, 41 bytes; its key id is the epoch modulo 256. */
  readonly keyConfig: Uint8Array;
}

/** What a descriptor says (spec/directory.md section 4). Times are Unix seconds. */
export interface DescriptorContent {
  readonly nodeId: NodeId;
  /** 32 bytes. */
  readonly identity: Uint8Array;
  readonly onion: OnionAddress;
  readonly roles: ReadonlySet<NodeRole>;
  /** The other nodes of the same operator. It counts only where they say so too. */
  readonly family: readonly NodeId[];
  /** 32 bytes. */
  readonly replyKey: Uint8Array;
  /** A whole day. */
  readonly replyKeyUntil: number;
  readonly keyConfigs: readonly [current: EpochKeyConfig, next: EpochKeyConfig];
  readonly electrum: { readonly protocol: string; readonly genesis: string };
  readonly limits: { readonly cellsPerSecond: number; readonly burst: number };
  readonly bond?: Bond | undefined;
  readonly published: number;
  readonly expires: number;
  /** Lines that this version does not know. */
  readonly unknown: readonly string[];
}

const HEADER = 'sotto-descriptor/1';
const LINE = /^([a-z][a-z0-9-]{0,31})(?: (.*))?$/;

/** The values of every known line but `hpke`, which is there twice. */
const PATTERNS = {
  node: whole(`(${NODE_ID})`),
  identity: whole(`(${BASE64_OF_32})`),
  onion: whole(`(${ONION_HOST}):(${NUMBER})`),
  roles: whole('(relay,gateway|relay|gateway)'),
  family: whole(`(${NODE_ID}(?:,${NODE_ID}){0,${MAX_FAMILY - 1}})`),
  'reply-key': whole(`(${BASE64_OF_32}) until ([0-9]{4}-[0-9]{2}-[0-9]{2})`),
  electrum: whole(`([0-9]{1,2}(?:\\.[0-9]{1,2}){1,2}) genesis (${HASH})`),
  limits: whole(`cells/s=(${NUMBER}) burst=(${NUMBER})`),
  bond: whole(`(.*)`),
  published: whole(`(${NUMBER})`),
  expires: whole(`(${NUMBER})`),
  'onion-sig': whole(`(${BASE64_OF_64})`),
};

const HPKE = whole(`(${NUMBER}) (${BASE64_OF_41}) epoch (${NUMBER})`);
/** What surrounds the X25519 key in a key configuration of suite 1, after the key id. */
const SUITE_1 = { before: '0020', after: '000400010003' };

/**
 * The text of a descriptor up to its line `onion-sig`, which is the last one.
 * Unknown lines come before it.
 */
export function renderDescriptorText(content: DescriptorContent): string {
  const { onion, family, electrum, limits, bond } = content;
  const lines = [
    HEADER,
    `node ${content.nodeId}`,
    `identity ${toBase64(content.identity)}`,
    `onion ${onion.host}:${onion.port}`,
    `roles ${(['relay', 'gateway'] as const).filter((role) => content.roles.has(role)).join(',')}`,
    ...(family.length > 0 ? [`family ${[...family].sort().join(',')}`] : []),
    `reply-key ${toBase64(content.replyKey)} until ${renderDay(content.replyKeyUntil)}`,
    ...content.keyConfigs.map(
      ({ epoch, keyConfig }) => `hpke ${epoch % 256} ${toBase64(keyConfig)} epoch ${epoch}`,
    ),
    `electrum ${electrum.protocol} genesis ${electrum.genesis}`,
    `limits cells/s=${limits.cellsPerSecond} burst=${limits.burst}`,
    ...(bond ? [renderBond(bond)] : []),
    `published ${content.published}`,
    `expires ${content.expires}`,
    ...content.unknown,
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/**
 * The lines may come in any order; each known one once, `hpke` twice, unknown ones once by name.
 * No signature is looked at.
 * @throws DirectoryError `malformed`, `duplicate-line`.
 */
export function parseDescriptorText(
  text: string,
): DescriptorContent & { onionSignature: Uint8Array } {
  const { known, hpke, unknown } = sortLines(text);
  const groupsOf = (name: KnownName): Groups => {
    const groups = known.get(name);
    if (groups === undefined) throw malformed(`the line ${name} is missing`);
    return groups;
  };
  const [nodeId] = groupsOf('node');
  const [identity] = groupsOf('identity');
  const [host, port] = groupsOf('onion');
  const [roles] = groupsOf('roles');
  const [replyKey, replyKeyUntil] = groupsOf('reply-key');
  const [protocol, genesis] = groupsOf('electrum');
  const [cellsPerSecond, burst] = groupsOf('limits');
  const bond = known.get('bond');
  const [published] = groupsOf('published');
  const [expires] = groupsOf('expires');
  const [onionSignature] = groupsOf('onion-sig');
  const content = {
    nodeId,
    identity: bytesOf(identity),
    onion: { host, port: parsePort(port) },
    roles: new Set(roles.split(',') as NodeRole[]),
    family: parseFamily(known.get('family')),
    replyKey: bytesOf(replyKey),
    replyKeyUntil: parseDay(replyKeyUntil),
    keyConfigs: parseKeyConfigs(hpke),
    electrum: { protocol, genesis },
    limits: { cellsPerSecond: parseNumber(cellsPerSecond), burst: parseNumber(burst) },
    bond: bond && parseBond(`bond ${bond[0]}`),
    published: parseNumber(published),
    expires: parseNumber(expires),
    unknown,
    onionSignature: bytesOf(onionSignature),
  };
  checkTimes(content);
  return content;
}

type KnownName = keyof typeof PATTERNS;
/** The groups of a pattern, none of them optional. */
type Groups = readonly [string, string];

interface SortedLines {
  readonly known: ReadonlyMap<KnownName, Groups>;
  readonly hpke: readonly string[];
  readonly unknown: readonly string[];
}

function sortLines(text: string): SortedLines {
  const [header, ...lines] = text.split('\n');
  if (header !== HEADER || lines.pop() !== '') throw malformed('not a descriptor');
  const names = new Set<string>();
  const sorted = {
    known: new Map<KnownName, Groups>(),
    hpke: [] as string[],
    unknown: [] as string[],
  };
  for (const line of lines) {
    const [, name, value = ''] = LINE.exec(line) ?? [];
    if (name === undefined) throw malformed('not a line of a descriptor');
    if (name === 'hpke') sorted.hpke.push(value);
    else if (names.has(name)) {
      throw new DirectoryError('duplicate-line', `the line ${name} is there twice`);
    } else if (isKnown(name)) sorted.known.set(name, groupsOf(name, value));
    else sorted.unknown.push(line);
    names.add(name);
  }
  return sorted;
}

function whole(pattern: string): RegExp {
  return new RegExp(`^${pattern}$`);
}

function isKnown(name: string): name is KnownName {
  return Object.hasOwn(PATTERNS, name);
}

function groupsOf(name: KnownName, value: string): Groups {
  const match = PATTERNS[name].exec(value);
  if (match === null) throw malformed(`the line ${name} is not right`);
  return match.slice(1) as unknown as Groups;
}

function parseFamily(groups: Groups | undefined): readonly NodeId[] {
  const family = groups?.[0].split(',') ?? [];
  if (family.some((id, index) => index > 0 && id <= (family[index - 1] ?? ''))) {
    throw malformed('the family is out of order');
  }
  return family;
}

function parseKeyConfigs(lines: readonly string[]): DescriptorContent['keyConfigs'] {
  const [current, next, ...more] = lines.map(parseKeyConfig);
  if (current === undefined || next === undefined || more.length > 0) {
    throw malformed('there must be two lines hpke');
  }
  if (next.epoch !== current.epoch + 1) throw malformed('the key epochs do not follow one another');
  return [current, next];
}

function parseKeyConfig(line: string): EpochKeyConfig {
  const [, id, encoded, epochText] = HPKE.exec(line) ?? [];
  if (id === undefined || encoded === undefined || epochText === undefined) {
    throw malformed('a line hpke is not right');
  }
  const keyConfig = bytesOf(encoded);
  const epoch = parseNumber(epochText);
  if (parseNumber(id) !== epoch % 256 || keyConfig[0] !== epoch % 256) {
    throw malformed('a key id is not that of its epoch');
  }
  const hex = toHex(keyConfig);
  if (!hex.startsWith(SUITE_1.before, 2) || !hex.endsWith(SUITE_1.after)) {
    throw malformed('a key configuration of another suite');
  }
  return { epoch, keyConfig };
}

function renderDay(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

function parseDay(text: string): number {
  const seconds = Date.parse(text) / 1000;
  if (Number.isNaN(seconds) || renderDay(seconds) !== text) throw malformed('no such day');
  return seconds;
}

function checkTimes({ published, expires, replyKeyUntil }: DescriptorContent): void {
  if (published >= expires || expires > published + MAX_DESCRIPTOR_SECONDS) {
    throw malformed('the times are out of order or too far apart');
  }
  if (replyKeyUntil < expires) throw malformed('the reply key ends before the descriptor');
}

function malformed(message: string): DirectoryError {
  return new DirectoryError('malformed', message);
}
