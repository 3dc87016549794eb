import { equalBytes } from '../base/bytes.ts';
import { type Clock } from '../base/clock.ts';
import { type Consensus, parseConsensus } from './consensus.ts';
import { DirectoryError } from './directory-error.ts';
import { swapsKey } from './key-configs.ts';
import { CHAIN_SECONDS, MAX_CONSENSUS_BYTES } from './limits.ts';
import { checkSize, digestOfText, openNote, textOfNote } from './note.ts';
import { isQuorum, type Policy } from './policy.ts';

export interface AcceptOptions {
  readonly note: Uint8Array | string;
  readonly policy: Policy;
  /** Milliseconds since the Unix epoch. */
  readonly now: ReturnType<Clock>;
  /** The newest consensus that was accepted before, even one that has expired since. */
  readonly previous?: Consensus | undefined;
}

/**
 * Everything a client checks before it uses a consensus (spec/directory.md section 6).
 * @throws DirectoryError, each reason with its own code; `gap` when consensuses between `previous`
 * and this one are needed to tell whether it follows.
 */
export function acceptConsensus({ note, policy, now, previous }: AcceptOptions): Consensus {
  const consensus = verifyConsensus(note, policy);
  checkInTime(consensus, now);
  if (previous !== undefined) checkFollows(consensus, previous);
  return consensus;
}

/**
 * Checks who signed and that it is of our network, but neither time nor place in the chain.
 * @throws DirectoryError `too-large`, `malformed`, `duplicate-node`, `bad-signature`,
 * `duplicate-signature`, `too-few-signatures`, `wrong-network`.
 */
export function verifyConsensus(note: Uint8Array | string, policy: Policy): Consensus {
  checkSize(note, MAX_CONSENSUS_BYTES);
  const { text, signers } = openNote(
    note,
    policy.authorities.map(({ verifier }) => verifier),
  );
  if (!isQuorum(policy, signers)) {
    throw new DirectoryError('too-few-signatures', `only ${signers.length} authorities signed`);
  }
  return parseOf(policy, text);
}

/**
 * One that a consensus which was verified leads back to: that names it by its hash, so nobody else need have
 * signed. Under a policy of authorities that have changed since, too few may have.
 * @throws DirectoryError `too-large`, `malformed`, `wrong-digest`, `duplicate-node`, `wrong-network`.
 */
export function openPrevious(
  note: Uint8Array | string,
  { hash, policy }: { readonly hash: Uint8Array; readonly policy: Policy },
): Consensus {
  checkSize(note, MAX_CONSENSUS_BYTES);
  const text = textOfNote(note);
  if (!equalBytes(digestOfText(text), hash)) {
    throw new DirectoryError('wrong-digest', 'not the consensus that was asked for');
  }
  return parseOf(policy, text);
}

function parseOf({ network }: Policy, text: string): Consensus {
  const consensus = parseConsensus(text);
  if (consensus.network !== network) {
    throw new DirectoryError('wrong-network', `a consensus of ${consensus.network}`);
  }
  return consensus;
}

/** @throws DirectoryError `not-yet-valid`, `expired`. */
function checkInTime({ validAfter, validUntil }: Consensus, now: number): void {
  if (now < validAfter * 1000) throw new DirectoryError('not-yet-valid', 'not valid yet');
  if (now >= validUntil * 1000) throw new DirectoryError('expired', 'not valid any more');
}

/**
 * The same consensus again follows itself. One that comes so long after the previous one that nobody
 * keeps what lies between follows by its epoch alone.
 * @throws DirectoryError `rolled-back`, `forked`, `gap`, `swapped-key`.
 */
export function checkFollows(consensus: Consensus, previous: Consensus): void {
  if (equalBytes(consensus.hash, previous.hash)) return;
  const ahead = consensus.epoch - previous.epoch;
  if (ahead < 0) throw new DirectoryError('rolled-back', 'an older epoch than accepted before');
  if (ahead === 0) throw new DirectoryError('forked', 'another consensus of the same epoch');
  if (equalBytes(consensus.prev, previous.hash)) {
    checkKeysKept(consensus, previous);
  } else if (ahead === 1) {
    throw new DirectoryError('forked', 'it follows another consensus');
  } else if (consensus.validAfter < previous.validUntil + CHAIN_SECONDS) {
    throw new DirectoryError('gap', 'consensuses in between are missing');
  }
}

/**
 * A key configuration that was announced stays until its epoch is over, so that one that was
 * swapped cannot pass for a renewal.
 * @throws DirectoryError `swapped-key`
 */
function checkKeysKept(consensus: Consensus, previous: Consensus): void {
  for (const node of consensus.nodes) {
    const before = previous.node(node.nodeId);
    if (before !== undefined && swapsKey(node.keyConfigs, before.keyConfigs)) {
      throw new DirectoryError('swapped-key', `another key of an old key id for ${node.nodeId}`);
    }
  }
}
