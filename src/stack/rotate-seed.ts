import { randomBytes } from 'node:crypto';
import { equalBytes } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { createSecretFile, eraseFile, readIfPresent } from '../io/durable-file.ts';
import { linkDurably, renameDurably } from '../io/file-tree.ts';
import type { DurableSteps } from './durable-steps.ts';

const SEED_BYTES = 32;

export interface SeedFile {
  readonly path: string;
  /** Files that hold the key made from it, for others to read: they are made anew at the next start. */
  readonly copies: readonly string[];
}

/**
 * Puts a new seed into the place of an old one, and erases the old one. After each step the process
 * may be killed: the file is then one of the two, never missing, and running this again ends what was
 * begun with the same new seed.
 * @throws UserError when there is no seed.
 */
export async function* rotateSeed({ path, copies }: SeedFile): DurableSteps {
  const next = `${path}.next`;
  const former = `${path}.former`;
  const held = await readIfPresent(path);
  if (held === undefined) {
    throw new UserError(`there is no ${path}`, { hint: 'Is it on a disk that is not mounted?' });
  }
  const old = await readIfPresent(former);
  const isSwitched = old !== undefined && !equalBytes(old, held);
  if (!isSwitched) {
    if ((await readIfPresent(next))?.length !== SEED_BYTES) {
      await eraseFile(next);
      await createSecretFile(next, randomBytes(SEED_BYTES));
      yield 'made';
    }
    if (old === undefined) {
      await linkDurably(path, former);
      yield 'kept';
    }
    await renameDurably(next, path);
    yield 'switched';
  }
  for (const copy of copies) await eraseFile(copy);
  await eraseFile(former);
  yield 'erased';
}
