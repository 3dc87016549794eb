import { fromHex, toBase64, toHex } from '../base/bytes.ts';
import { DirectoryError } from './directory-error.ts';
import { BASE64_OF_32, bytesOf, HASH, NETWORK, NUMBER, parseNumber } from './fields.ts';
import { MAX_CONSENSUS_SECONDS, MAX_PARAMS } from './limits.ts';

/** Parameters of the whole network, such as `mix-ms`, by name. Values are whole numbers. */
export type ConsensusParams = ReadonlyMap<string, number>;

/** Head of the Merkle log that holds the consensuses before this one (RFC 6962). */
export interface LogHead {
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

/** What a consensus says before its nodes, and each vote for it (spec/directory.md section 5). */
export interface ConsensusHead {
  readonly network: string;
  readonly epoch: number;
  /** Hash of the consensus before this one; zeros for the first. */
  readonly prev: Uint8Array;
  /** Unix seconds, as the two that follow. */
  readonly validAfter: number;
  /** From here on there should be a newer one. */
  readonly freshUntil: number;
  /** From here on this one must not be used. */
  readonly validUntil: number;
  readonly params: ConsensusParams;
}

/** How many lines `renderHead` gives and `parseHead` takes. */
export const HEAD_LINES = 7;

const PARAM = new RegExp(`^([a-z][a-z0-9-]{0,31})=(${NUMBER})$`);
const LOG = new RegExp(`^log ([!-*,-~]{1,255}) (${NUMBER}) (${BASE64_OF_32})$`);

/** The lines without their ends. The order of the parameters does not matter. */
export function renderHead(head: ConsensusHead): readonly string[] {
  const params = [...head.params].map(([name, value]) => ` ${name}=${value}`);
  return [
    `network ${head.network}`,
    `epoch ${head.epoch}`,
    `prev ${toHex(head.prev)}`,
    `valid-after ${head.validAfter}`,
    `fresh-until ${head.freshUntil}`,
    `valid-until ${head.validUntil}`,
    `params${params.sort().join('')}`,
  ];
}

/** @throws DirectoryError `malformed` unless `renderHead` writes just these lines. */
export function parseHead(lines: readonly string[]): ConsensusHead {
  const [network, epoch, prev, after, fresh, until, params] = lines;
  const head = {
    network: valueOf('network', NETWORK, network),
    epoch: parseNumber(valueOf('epoch', NUMBER, epoch)),
    prev: fromHex(valueOf('prev', HASH, prev)),
    validAfter: parseNumber(valueOf('valid-after', NUMBER, after)),
    freshUntil: parseNumber(valueOf('fresh-until', NUMBER, fresh)),
    validUntil: parseNumber(valueOf('valid-until', NUMBER, until)),
    params: parseParams(params),
  };
  checkTimes(head);
  return head;
}

export function renderLog({ origin, size, root }: LogHead): string {
  return `log ${origin} ${size} ${toBase64(root)}`;
}

/** @throws DirectoryError `malformed`. */
export function parseLog(line: string | undefined): LogHead {
  const [, origin, size, root] = LOG.exec(line ?? '') ?? [];
  if (origin === undefined || size === undefined || root === undefined) {
    throw new DirectoryError('malformed', 'the line log is not right');
  }
  return { origin, size: parseNumber(size), root: bytesOf(root) };
}

function valueOf(name: string, pattern: string, line: string | undefined): string {
  const value = line?.startsWith(`${name} `) ? line.slice(name.length + 1) : '';
  if (!new RegExp(`^${pattern}$`).test(value)) {
    throw new DirectoryError('malformed', `the line ${name} is not there or not right`);
  }
  return value;
}

function checkTimes({ validAfter, freshUntil, validUntil }: ConsensusHead): void {
  const inOrder = validAfter < freshUntil && freshUntil < validUntil;
  if (!inOrder || validUntil - validAfter > MAX_CONSENSUS_SECONDS) {
    throw new DirectoryError('malformed', 'the times are out of order or too far apart');
  }
}

function parseParams(line: string | undefined): ConsensusParams {
  const [name, ...words] = line?.split(' ') ?? [];
  if (name !== 'params' || words.length > MAX_PARAMS) {
    throw new DirectoryError('malformed', 'the line params is not there or too long');
  }
  const params = new Map<string, number>();
  let before = '';
  for (const word of words) {
    const [, key, value] = PARAM.exec(word) ?? [];
    if (key === undefined || value === undefined || word <= before || params.has(key)) {
      throw new DirectoryError('malformed', 'a parameter is not right or out of order');
    }
    params.set(key, parseNumber(value));
    before = word;
  }
  return params;
}
