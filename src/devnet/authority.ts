import { fromUtf8 } from '../base/bytes.ts';
import {
  type Consensus,
  type ConsensusContent,
  type ConsensusNode,
  parseConsensus,
  renderConsensus,
} from '../directory/consensus.ts';
import { type Descriptor, parseDescriptor } from '../directory/descriptor.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { listNodes } from '../directory/list-nodes.ts';
import { type NodeId } from '../directory/node-id.ts';
import { type NoteSigner, signNote } from '../directory/note.ts';
import { readIfPresent, writeDurably } from '../io/durable-file.ts';

/** What the authorities agree on for one epoch before they look at descriptors. */
export interface EpochPlan extends Omit<ConsensusContent, 'network' | 'nodes' | 'log'> {
  /** 100 for every node that is not named. */
  readonly weights?: ReadonlyMap<NodeId, number> | undefined;
}

export interface Authority {
  /**
   * The signed note of the consensus that follows from the descriptors, which come as notes; those
   * that do not verify are left out. Asked again for an epoch, it repeats what it signed then.
   * @throws DirectoryError `rolled-back` for an epoch before the last one it signed.
   */
  sign(descriptors: readonly string[], plan: EpochPlan): Promise<string>;
}

export interface AuthorityOptions {
  readonly signer: NoteSigner;
  readonly network: string;
  /** Keeps the text that was signed last. */
  readonly recordFile: string;
}

const DEFAULT_WEIGHT = 100;

/** Signs one text for an epoch and no other, across restarts too. */
export function openAuthority({ signer, network, recordFile }: AuthorityOptions): Authority {
  return {
    async sign(notes, plan) {
      const last = await readRecord(recordFile);
      if (last !== undefined && last.epoch > plan.epoch) {
        throw new DirectoryError('rolled-back', `epoch ${last.epoch} is signed already`);
      }
      if (last?.epoch === plan.epoch) return signNote(last.text, signer);
      const text = renderConsensus({
        ...plan,
        network,
        nodes: nodesOf(notes, plan, last),
      });
      // Once the record is on disk, no crash can make us sign another text for this epoch.
      await writeDurably(recordFile, text);
      return signNote(text, signer);
    },
  };
}

function nodesOf(
  notes: readonly string[],
  { weights, validAfter }: EpochPlan,
  previous: Consensus | undefined,
): readonly ConsensusNode[] {
  return listNodes({
    descriptors: notes.flatMap(verifiedDescriptor),
    weightOf: (nodeId) => weights?.get(nodeId) ?? DEFAULT_WEIGHT,
    validAfter,
    previous,
  });
}

function verifiedDescriptor(note: string): readonly Descriptor[] {
  try {
    return [parseDescriptor(note)];
  } catch (error) {
    if (error instanceof DirectoryError) return [];
    throw error;
  }
}

async function readRecord(path: string): Promise<Consensus | undefined> {
  const bytes = await readIfPresent(path);
  return bytes && parseConsensus(fromUtf8(bytes));
}
