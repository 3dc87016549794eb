import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../base/errors.ts';
import { OPENED } from '../../io/child-stream.ts';
import { parseAddress } from '../../io/dial.ts';
import { privateDial } from '../../io/private-dial.ts';

// Runs in the node's container: joins standard input and output with the one address it is given.
// What is not read on one side is not read on the other.

const DIAL_TIMEOUT_MS = 10_000;
/** How long the other end may go on after our input ended. */
const LINGER_MS = 2_000;

try {
  const address = parseAddress(process.argv[2] ?? '');
  const signal = AbortSignal.timeout(DIAL_TIMEOUT_MS);
  const stream = await privateDial(address)(address, { signal, isolation: 'pipe' });
  const end = (): never => process.exit(0);
  stream.once('close', end).once('error', end);
  process.stdout.once('error', end);
  process.stdin.once('error', end).once('end', () => void sleep(LINGER_MS).then(end));
  process.stdout.write(OPENED);
  stream.pipe(process.stdout);
  process.stdin.pipe(stream);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
