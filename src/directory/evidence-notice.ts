import { DirectoryError } from './directory-error.ts';
import { NODE_ID } from './fields.ts';
import { decodeNote } from './note.ts';
import { type NodeId } from './node-id.ts';

const NOTICE = new RegExp(`^sotto-evidence-at/1\nnode (${NODE_ID})\n$`);
const MAX_NOTICE_BYTES = 128;

/** How a node tells an authority that it has evidence, which is too large to be brought. */
export function renderEvidenceNotice(nodeId: NodeId): string {
  return `sotto-evidence-at/1\nnode ${nodeId}\n`;
}

/** The node that has it. @throws DirectoryError `too-large`, `malformed`. */
export function parseEvidenceNotice(bytes: Uint8Array): NodeId {
  const [, nodeId] = NOTICE.exec(decodeNote(bytes, MAX_NOTICE_BYTES)) ?? [];
  if (nodeId === undefined) throw new DirectoryError('malformed', 'not a notice of evidence');
  return nodeId;
}
