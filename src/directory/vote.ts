import { toBase64 } from '../base/bytes.ts';
import {
  type ConsensusHead,
  HEAD_LINES,
  type LogHead,
  parseHead,
  parseLog,
  renderHead,
  renderLog,
} from './consensus-head.ts';
import { type NodeFlag, parseFlags, renderFlags } from './consensus-node.ts';
import { DirectoryError } from './directory-error.ts';
import { BASE64_OF_32, bytesOf, NODE_ID, NUMBER, parseNumber } from './fields.ts';
import { MAX_NODES, MAX_VOTE_BYTES, MAX_WEIGHT } from './limits.ts';
import { type NodeId } from './node-id.ts';
import { digestOfText } from './note.ts';

/** What an authority says about a node. */
export interface VotedNode {
  readonly nodeId: NodeId;
  /** SHA-256 of the text of the descriptor that it would list. */
  readonly descriptorDigest: Uint8Array;
  /** Satoshis in a bond whose proof it has checked; 0 without one. */
  readonly bond: number;
  /** Not empty. */
  readonly flags: ReadonlySet<NodeFlag>;
}

export interface VoteContent extends ConsensusHead {
  /** The verifier key of the authority whose vote it is (C2SP signed-note). */
  readonly author: string;
  /** In the order of their ids, each id once. */
  readonly nodes: readonly VotedNode[];
  readonly log: LogHead;
}

/** What one authority would have the next consensus say (spec/directory.md section 9). */
export interface Vote extends VoteContent {
  /** What is signed: lines that end in LF. */
  readonly text: string;
  /** SHA-256 of the text. */
  readonly digest: Uint8Array;
}

const HEADER = 'sotto-vote/1';
const AUTHORITY_LINE = /^authority ([^\s+\p{Cc}]{1,255}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44})$/u;
const NODE_LINE = new RegExp(`^node (${NODE_ID}) (${BASE64_OF_32}) (${NUMBER}) ([A-Za-z,]+)$`);

/**
 * The text that its author signs. The order of the parameters does not matter.
 * @throws DirectoryError `malformed`, `duplicate-node`, `too-large`: what `parseVote` would refuse.
 */
export function renderVote(content: VoteContent): string {
  const lines = [
    HEADER,
    `authority ${content.author}`,
    ...renderHead(content),
    ...content.nodes.map(renderNode),
    renderLog(content.log),
  ];
  const text = lines.map((line) => `${line}\n`).join('');
  parseVote(text);
  return text;
}

/**
 * Reads exactly the texts that `renderVote` writes; whether anyone signed it is not looked at.
 * @throws DirectoryError `too-large`, `malformed`, `duplicate-node`.
 */
export function parseVote(text: string): Vote {
  if (Buffer.byteLength(text) > MAX_VOTE_BYTES) {
    throw new DirectoryError('too-large', `a vote of more than ${MAX_VOTE_BYTES} bytes`);
  }
  const [header, authority = '', ...rest] = text.split('\n');
  const head = rest.splice(0, HEAD_LINES);
  if (header !== HEADER) throw new DirectoryError('malformed', 'not a vote');
  if (rest.pop() !== '') throw new DirectoryError('malformed', 'the last line has no end');
  const [, author] = AUTHORITY_LINE.exec(authority) ?? [];
  if (author === undefined)
    throw new DirectoryError('malformed', 'the line authority is not right');
  const log = parseLog(rest.pop());
  return {
    text,
    digest: digestOfText(text),
    author,
    ...parseHead(head),
    nodes: parseNodes(rest),
    log,
  };
}

function renderNode({ nodeId, descriptorDigest, bond, flags }: VotedNode): string {
  return `node ${nodeId} ${toBase64(descriptorDigest)} ${bond} ${renderFlags(flags)}`;
}

function parseNodes(lines: readonly string[]): readonly VotedNode[] {
  if (lines.length > MAX_NODES) throw new DirectoryError('malformed', 'too many nodes');
  let before = '';
  return lines.map((line) => {
    const [, nodeId, digest, bond, flags] = NODE_LINE.exec(line) ?? [];
    if (nodeId === undefined || digest === undefined || bond === undefined || flags === undefined) {
      throw new DirectoryError('malformed', 'not a node line of a vote');
    }
    if (nodeId === before) throw new DirectoryError('duplicate-node', `${before} twice`);
    if (nodeId < before) throw new DirectoryError('malformed', 'nodes out of order');
    before = nodeId;
    return {
      nodeId,
      descriptorDigest: bytesOf(digest),
      bond: parseNumber(bond, MAX_WEIGHT),
      flags: parseVotedFlags(flags),
    };
  });
}

/** Who has a bond is said by its amount. */
function parseVotedFlags(text: string): ReadonlySet<NodeFlag> {
  const flags = parseFlags(text);
  if (flags.has('Bonded')) throw new DirectoryError('malformed', 'Bonded is no flag of a vote');
  return flags;
}
