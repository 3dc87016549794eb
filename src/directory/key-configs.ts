import { DirectoryError } from './directory-error.ts';
import { firstByteOf } from './fields.ts';

/**
 * RFC 9458 key configurations of 41 bytes, by which cells are sealed to a node, in base64 as the list has
 * them: of thousands few are used.
 */
export interface KeyConfigs {
  /** Of the current key epoch. */
  readonly current: string;
  readonly next: string;
}

/** @throws DirectoryError `malformed` when the key ids do not follow one another. */
export function checkKeyIds({ current, next }: KeyConfigs): void {
  if (firstByteOf(next) !== (firstByteOf(current) + 1) % 256) {
    throw new DirectoryError('malformed', 'the key ids do not follow one another');
  }
}

/** Whether a key configuration differs from the one of the same key id before. */
export function swapsKey(after: KeyConfigs, before: KeyConfigs): boolean {
  const differ = (a: string, b: string): boolean => a !== b && firstByteOf(a) === firstByteOf(b);
  return (
    differ(after.current, before.current) ||
    differ(after.current, before.next) ||
    differ(after.next, before.current) ||
    differ(after.next, before.next)
  );
}
