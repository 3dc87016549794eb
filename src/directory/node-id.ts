import { createHash } from 'node:crypto';
import { toHex } from '../base/bytes.ts';

/** 16 bytes as 32 lower-case hexadecimal characters. */
export type NodeId = string;

/** The first 16 bytes of SHA-256("sotto/node/1\0" + identity key) (spec/directory.md section 1). */
export function nodeIdOf(identityPublicKey: Uint8Array): NodeId {
  const digest = createHash('sha256').update('sotto/node/1\0').update(identityPublicKey).digest();
  return toHex(digest.subarray(0, 16));
}
