import {
  type ConsensusHead,
  HEAD_LINES,
  type LogHead,
  parseHead,
  parseLog,
  renderHead,
  renderLog,
} from './consensus-head.ts';
import { type ConsensusNode, parseNode, renderNode } from './consensus-node.ts';
import { DirectoryError } from './directory-error.ts';
import { MAX_NODES } from './limits.ts';
import { type NodeId } from './node-id.ts';
import { digestOfText } from './note.ts';

export type { ConsensusParams, LogHead } from './consensus-head.ts';
export type { ConsensusNode, NodeFlag } from './consensus-node.ts';

export interface ConsensusContent extends ConsensusHead {
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

/**
 * The text that the authorities sign. The order of the parameters does not matter.
 * @throws DirectoryError `malformed`, `duplicate-node`: what `parseConsensus` would not read back.
 */
export function renderConsensus(content: ConsensusContent): string {
  const lines = [
    'sotto-consensus/1',
    ...renderHead(content),
    ...content.nodes.map(renderNode),
    ...(content.log ? [renderLog(content.log)] : []),
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
  const [header, ...rest] = text.split('\n');
  const head = rest.splice(0, HEAD_LINES);
  if (header !== 'sotto-consensus/1') throw new DirectoryError('malformed', 'not a consensus');
  if (rest.pop() !== '') throw new DirectoryError('malformed', 'the last line has no end');
  const log = rest.at(-1)?.startsWith('log ') ? parseLog(rest.pop()) : undefined;
  const nodes = parseNodes(rest);
  const byId = new Map(nodes.map((node) => [node.nodeId, node]));
  return {
    text,
    hash: digestOfText(text),
    ...parseHead(head),
    nodes,
    log,
    node: (id: NodeId) => byId.get(id),
  };
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
