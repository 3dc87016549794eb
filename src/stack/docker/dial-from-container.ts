import type { Duplex } from 'node:stream';
import { openChildStream } from '../../io/child-stream.ts';
import { type Address, formatAddress } from '../../io/dial.ts';

/** Where the image of the node has this package. */
export const PACKAGE_IN_IMAGE = '/opt/sotto';

const PIPE_PROGRAM = `${PACKAGE_IN_IMAGE}/dist/stack/docker/pipe-program.js`;

/**
 * A stream to an address from inside a container of the node's image. The signal ends it, also once
 * it is open.
 * @throws DialError when nothing answers there, or the container does not run.
 */
export async function dialFromContainer(
  address: Address,
  { container, signal }: { readonly container: string; readonly signal: AbortSignal },
): Promise<Duplex> {
  return await openChildStream({
    command: 'docker',
    args: ['exec', '--interactive', container, 'node', PIPE_PROGRAM, formatAddress(address)],
    signal,
  });
}
