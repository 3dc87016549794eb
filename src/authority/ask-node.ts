import type { Clock } from '../base/clock.ts';
import { equalBytes } from '../base/bytes.ts';
import { type Descriptor } from '../directory/descriptor.ts';
import { DIRECTORY_KINDS } from '../directory/directory-view.ts';
import { MAX_DESCRIPTOR_BYTES } from '../directory/limits.ts';
import { decodeNote, digestOfText, textOfNote } from '../directory/note.ts';
import { type Dial } from '../io/dial.ts';
import { type LinkNetwork } from '../relay/hello.ts';
import { openRelayLink } from '../relay/relay-link.ts';

export interface AskNodeOptions {
  readonly dial: Dial;
  readonly network: LinkNetwork;
  readonly clock: Clock;
}

/**
 * Asks a node for its own descriptor, at the onion that the descriptor names: who answers is there and
 * goes by that descriptor.
 * @throws DialError, LinkError, DirectoryError, or an Error when it has another one; the signal's reason.
 */
export async function askNode(
  { digest, onion }: Descriptor,
  { dial, network, clock }: AskNodeOptions,
  signal: AbortSignal,
): Promise<void> {
  const stream = await dial(onion, { isolation: `probe ${onion.host}`, signal });
  await using link = openRelayLink({ stream, network, clock });
  const maxBytes = MAX_DESCRIPTOR_BYTES;
  const note = await link.directory(DIRECTORY_KINDS.descriptor, digest, { signal, maxBytes });
  if (note.length === 0) throw new Error('it does not have its own descriptor');
  const text = textOfNote(decodeNote(note, maxBytes));
  if (!equalBytes(digestOfText(text), digest)) throw new Error('it answers with another text');
}
