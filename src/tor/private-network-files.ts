import { utf8 } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { makePrivateDirectory, writeDurably } from '../io/durable-file.ts';

/** What a tor of a private network is to know from its start on. */
export interface EarlyKnowledge {
  /** Absolute: the directory that is to be tor's `DataDirectory`. */
  readonly dataDirectory: string;
  /** The key certificates of all authorities, one after the other (dir-spec section 3.1). */
  readonly certificates: string;
  readonly clock: Clock;
}

/** The only length that tor takes, in seconds. */
const HISTORY_SECONDS = 86_400;
/** More than a network on one machine carries. Bytes a second. */
const BANDWIDTH = 1_000_000;

/** Writes the certificates of the authorities: a tor that asks for them too early waits longer each time. */
export async function writeCertificates(known: EarlyKnowledge): Promise<void> {
  await makePrivateDirectory(known.dataDirectory);
  await writeDurably(`${known.dataDirectory}/cached-certs`, utf8(known.certificates));
}

/**
 * Writes the state of a relay that has carried as much as any other. Paths are chosen by what relays say
 * that they have carried, and at first that is nothing, and 1 kB for one of them: then nobody finds a path.
 */
export async function writeRelayState({ dataDirectory, clock }: EarlyKnowledge): Promise<void> {
  const [day, time] = new Date(clock()).toISOString().split(/[T.]/);
  const history = ['Read', 'Write'].flatMap((direction) => [
    `BWHistory${direction}Ends ${day} ${time}`,
    `BWHistory${direction}Interval ${HISTORY_SECONDS}`,
    `BWHistory${direction}Values 0`,
    `BWHistory${direction}Maxima ${BANDWIDTH}`,
  ]);
  await makePrivateDirectory(dataDirectory);
  await writeDurably(`${dataDirectory}/state`, utf8(history.map((line) => `${line}\n`).join('')));
}
