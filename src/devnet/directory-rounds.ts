import type { Clock } from '../base/clock.ts';
import { acceptConsensus } from '../directory/accept-consensus.ts';
import type { Consensus, ConsensusParams } from '../directory/consensus.ts';
import { MAX_CONSENSUS_BYTES } from '../directory/limits.ts';
import { decodeNote, openNote } from '../directory/note.ts';
import type { Policy } from '../directory/policy.ts';
import { writeDurably } from '../io/durable-file.ts';
import type { Authorities } from './authorities.ts';

export interface DirectoryRoundsOptions {
  readonly authorities: Authorities;
  readonly policy: Policy;
  /** Where the nodes look for the newest consensus. */
  readonly consensusFile: string;
  /** The newest descriptors of the nodes. */
  readonly descriptors: () => Promise<readonly string[]>;
  readonly params: ConsensusParams;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

export interface DirectoryRounds extends AsyncDisposable {
  /** The newest. */
  readonly consensus: Consensus;
  /** How many authorities signed it. */
  readonly signatures: number;
}

const ROUND_MS = 3_600_000;
const FRESH_SECONDS = 2 * 3600;
const VALID_SECONDS = 24 * 3600;
const FIRST_PREV = new Uint8Array(32);

/** Has the authorities sign a consensus now and every hour, and gives it to the nodes. */
export async function startDirectoryRounds(
  options: DirectoryRoundsOptions,
): Promise<DirectoryRounds> {
  let latest = await round(options, undefined);
  let running: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    running = round(options, latest.consensus).then((next) => {
      latest = next;
    }, options.onError);
  }, ROUND_MS);
  return {
    get consensus() {
      return latest.consensus;
    },
    get signatures() {
      return latest.signatures;
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await running;
    },
  };
}

async function round(
  options: DirectoryRoundsOptions,
  previous: Consensus | undefined,
): Promise<Pick<DirectoryRounds, 'consensus' | 'signatures'>> {
  const { authorities, policy, consensusFile, descriptors, params, clock } = options;
  const now = clock();
  const validAfter = Math.floor(now / 1000);
  const note = await authorities.sign(await descriptors(), {
    epoch: (previous?.epoch ?? 0) + 1,
    prev: previous?.hash ?? FIRST_PREV,
    validAfter,
    freshUntil: validAfter + FRESH_SECONDS,
    validUntil: validAfter + VALID_SECONDS,
    params,
  });
  const consensus = acceptConsensus({ note, policy, now, previous });
  await writeDurably(consensusFile, note);
  const verifiers = policy.authorities.map(({ verifier }) => verifier);
  const { signers } = openNote(decodeNote(note, MAX_CONSENSUS_BYTES), verifiers);
  return { consensus, signatures: signers.length };
}
