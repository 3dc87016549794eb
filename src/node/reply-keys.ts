import { equalBytes, utf8 } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import type { Consensus } from '../directory/consensus.ts';
import type { NodeId } from '../directory/node-id.ts';
import { type SigningKey, signingKeyFromSeed } from '../directory/signing-key.ts';
import { expand } from '../relay/hkdf.ts';
import type { ReplySigner } from '../relay/node-identity.ts';

/** The reply key that a descriptor announces. */
export interface AnnouncedReplyKey {
  readonly key: SigningKey;
  /** Unix seconds; a whole day. */
  readonly until: number;
}

/** The reply keys of one node: each follows from its seed and the time (spec/relay.md section 1). */
export interface ReplyKeys {
  /** The key to announce now. */
  announced(): AnnouncedReplyKey;
  /** Signs with the key that the asker's consensus names. */
  readonly signer: ReplySigner;
}

export interface ReplyKeysOptions {
  /** 32 bytes. */
  readonly seed: Uint8Array;
  readonly nodeId: NodeId;
  /** The newest consensus first, then those that clients may still go by. */
  readonly consensuses: () => readonly Consensus[];
  readonly clock: Clock;
}

const DAY_SECONDS = 86_400;
/** A key is announced for 30 days: for 27 days from its first, and 3 days longer for those who know it. */
const TURN_DAYS = 27;
/** A consensus is valid for a day, and lists descriptors that expire within two. */
const LONGER_DAYS = 3;

export function replyKeysOf({ seed, nodeId, consensuses, clock }: ReplyKeysOptions): ReplyKeys {
  // Not all nodes change their keys on the same day.
  const aheadDays = Number.parseInt(nodeId.slice(0, 8), 16) % TURN_DAYS;
  const held = new Map<number, SigningKey>();

  const turnNow = (): number => Math.floor((clock() / 1000 / DAY_SECONDS + aheadDays) / TURN_DAYS);
  const keyOf = (turn: number): SigningKey => {
    const key = held.get(turn) ?? signingKeyFromSeed(expand(seed, infoOf(turn), 32));
    held.set(turn, key);
    for (const other of held.keys()) if (other < turnNow() - 1) held.delete(other);
    return key;
  };
  const named = (hash: Uint8Array | undefined): Uint8Array | undefined => {
    const all = consensuses();
    const meant = hash && all.find((each) => equalBytes(each.hash.subarray(0, hash.length), hash));
    return (meant ?? all[0])?.node(nodeId)?.replyKey.bytes;
  };

  return {
    announced: () => {
      const turn = turnNow();
      const lastDay = (turn + 1) * TURN_DAYS - aheadDays + LONGER_DAYS;
      return { key: keyOf(turn), until: lastDay * DAY_SECONDS };
    },
    signer: {
      sign: (message, consensusHash) => {
        const newest = keyOf(turnNow());
        const before = keyOf(turnNow() - 1);
        const wanted = named(consensusHash);
        const isBefore = wanted !== undefined && equalBytes(wanted, before.publicKey);
        return (isBefore ? before : newest).sign(message);
      },
    },
  };
}

function infoOf(turn: number): Uint8Array {
  return utf8(`sotto/reply-key/1\0${turn}`);
}
