import { fromHex, toBase64, toHex } from '../base/bytes.ts';
import { type ConsensusNode, parseNode, renderNode } from './consensus-node.ts';
import { DirectoryError } from './directory-error.ts';
import { BASE64_OF_32, bytesOf, HASH, NETWORK, NUMBER, parseNumber } from './fields.ts';
import { MAX_CONSENSUS_SECONDS, MAX_NODES, MAX_PARAMS } from './limits.ts';
import { type NodeId } from './node-id.ts';
import { digestOfText } from './note.ts';

export type { ConsensusNode, NodeFlag } from './consensus-node.ts';

/** Parameters of the whole network, such as `mix-ms`, by name. Values are whole numbers. */
export type ConsensusParams = ReadonlyMap<string, number>;

/** Head of the Merkle log that holds the consensuses before this one (RFC 6962). */
export interface LogHead {
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

export interface ConsensusContent {
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
  /** In the order of their ids, each id once. */
  readonly nodes: readonly ConsensusNode[];
  readonly log?: LogHead | undefined;
}

/** A list of nodes that a threshold of authorities signs (spec/directory.md section 5). */
export interface Consensus extends ConsensusContent {
  /** What is signed: lines that end in LF. */
  readonly text: string;
  /** SHA-256 of the text. */
  readonly hash: Uint8Array;
  node(id: NodeId): ConsensusNode | undefined;
}

const PARAM = new RegExp(`^([a-z][a-z0-9-]{0,31})=(${NUMBER})$`);
const LOG = new RegExp(`^([!-*,-~]{1,255}) (${NUMBER}) (${BASE64_OF_32})$`);

/**
 * The text that the authorities sign. The order of the parameters does not matter.
 * @throws DirectoryError `malformed`, `duplicate-node`: what `parseConsensus` would not read back.
 */
export function renderConsensus(content: ConsensusContent): string {
  const { log } = content;
  const params = [...content.params].map(([name, value]) => ` ${name}=${value}`);
  const lines = [
    'sotto-consensus/1',
    `network ${content.network}`,
    `epoch ${content.epoch}`,
    `prev ${toHex(content.prev)}`,
    `valid-after ${content.validAfter}`,
    `fresh-until ${content.freshUntil}`,
    `valid-until ${content.validUntil}`,
    `params${params.sort().join('')}`,
    ...content.nodes.map(renderNode),
    ...(log ? [`log ${log.origin} ${log.size} ${toBase64(log.root)}`] : []),
  ];
  const text = lines.map((line) => `${line}\n`).join('');
  parseConsensus(text);
  return text;
}

/**
 * Reads exactly the texts that `renderConsensus` writes; whether anyone signed it is not looked at.
 * @throws DirectoryError `malformed`, `duplicate-node`.
 */
export function parseConsensus(text: string): Consensus {
  const [header, network, epoch, prev, after, fresh, until, params, ...rest] = text.split('\n');
  if (header !== 'sotto-consensus/1') throw new DirectoryError('malformed', 'not a consensus');
  if (rest.pop() !== '') throw new DirectoryError('malformed', 'the last line has no end');
  const log = rest.at(-1)?.startsWith('log ') ? parseLog(rest.pop()) : undefined;
  const nodes = parseNodes(rest);
  const byId = new Map(nodes.map((node) => [node.nodeId, node]));
  const content = {
    text,
    hash: digestOfText(text),
    network: valueOf('network', NETWORK, network),
    epoch: parseNumber(valueOf('epoch', NUMBER, epoch)),
    prev: fromHex(valueOf('prev', HASH, prev)),
    validAfter: parseNumber(valueOf('valid-after', NUMBER, after)),
    freshUntil: parseNumber(valueOf('fresh-until', NUMBER, fresh)),
    validUntil: parseNumber(valueOf('valid-until', NUMBER, until)),
    params: parseParams(params),
    nodes,
    log,
    node: (id: NodeId) => byId.get(id),
  };
  checkTimes(content);
  return content;
}

function valueOf(name: string, pattern: string, line: string | undefined): string {
  const value = line?.startsWith(`${name} `) ? line.slice(name.length + 1) : '';
  if (!new RegExp(`^${pattern}$`).test(value)) {
    throw new DirectoryError('malformed', `the line ${name} is not there or not right`);
  }
  return value;
}

function checkTimes(times: Pick<Consensus, 'validAfter' | 'freshUntil' | 'validUntil'>): void {
  const { validAfter, freshUntil, validUntil } = times;
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

function parseNodes(lines: readonly string[]): ConsensusNode[] {
  if (lines.length > MAX_NODES) throw new DirectoryError('malformed', 'too many nodes');
  let before = '';
  return lines.map((line) => {
    const node = parseNode(line);
    if (node.nodeId === before) throw new DirectoryError('duplicate-node', `${before} twice`);
    if (node.nodeId < before) throw new DirectoryError('malformed', 'nodes out of order');
    before = node.nodeId;
    return node;
  });
}

function parseLog(line: string | undefined): LogHead {
  const [, origin, size, root] = LOG.exec(line?.slice('log '.length) ?? '') ?? [];
  if (origin === undefined || size === undefined || root === undefined) {
    throw new DirectoryError('malformed', 'the line log is not right');
  }
  return { origin, size: parseNumber(size), root: bytesOf(root) };
}
