import { equalBytes } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { checkFamily } from '../directory/admit-descriptor.ts';
import { type Descriptor } from '../directory/descriptor.ts';
import { DirectoryError, type DirectoryErrorCode } from '../directory/directory-error.ts';
import { digestOfText, textOfNote } from '../directory/note.ts';
import { PUT_KINDS, type Taken } from '../relay/frame-payload.ts';
import { type Put } from '../relay/put-parts.ts';
import { type HeldNodes, type Standing } from './held-nodes.ts';
import { type KeptLog } from './keep-log.ts';
import { type NewestConsensus } from './newest-consensus.ts';
import { type ProvedBonds } from './proved-bonds.ts';

export interface PutTakers {
  readonly nodes: HeldNodes;
  readonly standing: Standing;
  readonly bonds: Pick<ProvedBonds, 'take'>;
  readonly keptLog: Pick<KeptLog, 'take'>;
  /** Given a notice of where evidence is. */
  readonly fetchEvidence: (notice: Uint8Array) => Promise<void>;
  readonly newest: NewestConsensus;
  readonly clock: Clock;
  /** Told of each descriptor that is news of a node which is here. */
  readonly onDescriptor: (descriptor: Descriptor) => void;
}

const TAKEN: Taken = { verdict: 'taken', text: '' };

/**
 * Another time the answer to the same may be another: a payment has few confirmations, a clock is off, a node
 * is not held yet.
 */
const PASSING: ReadonlySet<DirectoryErrorCode> = new Set([
  'not-yet-valid',
  'wrong-key-epoch',
  'unknown-node',
  'bond-unproved',
  'full',
  'busy',
]);

/** Takes what somebody brought, or says why not. When it says `taken`, no crash undoes it. */
export async function takePut({ kind, bytes }: Put, takers: PutTakers): Promise<Taken> {
  const { nodes, bonds, newest, clock, standing } = takers;
  try {
    if (kind === PUT_KINDS.descriptor) {
      const held = heldInSame(bytes, nodes);
      if (held !== undefined) return { verdict: 'taken', text: remarkOn(held, nodes) };
      const admission = { now: clock(), consensus: newest.consensus, standing };
      const descriptor = await nodes.admit(bytes, admission);
      // One that was held already, in other bytes, is held as another object.
      if (nodes.newest(descriptor.nodeId) === descriptor) takers.onDescriptor(descriptor);
      return { verdict: 'taken', text: remarkOn(descriptor, nodes) };
    } else if (kind === PUT_KINDS.bond) {
      await bonds.take(bytes);
    } else if (kind === PUT_KINDS.cosignature) {
      await takers.keptLog.take(bytes);
    } else if (kind === PUT_KINDS.evidence) {
      await takers.fetchEvidence(bytes);
    } else throw new DirectoryError('unknown-kind', 'this authority does not take that');
    return TAKEN;
  } catch (error) {
    if (error instanceof DirectoryError) return verdictOf(error);
    throw error;
  }
}

/** The newest descriptor of a node, if it came in the same bytes: to check them again takes long. */
function heldInSame(note: Uint8Array, nodes: HeldNodes): Descriptor | undefined {
  const held = nodes.get(digestOfText(textOfNote(note)));
  if (held === undefined || nodes.newest(held.nodeId) !== held) return undefined;
  const before = nodes.noteOf(held.digest);
  return before !== undefined && equalBytes(before, note) ? held : undefined;
}

/** What does not count of a descriptor that was taken. */
function remarkOn(descriptor: Descriptor, nodes: HeldNodes): string {
  try {
    checkFamily(descriptor, (nodeId) => nodes.newest(nodeId));
    return '';
  } catch (error) {
    if (error instanceof DirectoryError) return textOf(error);
    throw error;
  }
}

/** How a refusal is told. */
export function verdictOf(error: DirectoryError): Taken {
  return { verdict: PASSING.has(error.code) ? 'later' : 'refused', text: textOf(error) };
}

function textOf({ code, message }: DirectoryError): string {
  return `${code}: ${message}`;
}
