import { hash } from 'node:crypto';

/** SHA-256 of the SHA-256, 32 bytes in the order they are hashed: Bitcoin shows them reversed. */
export function doubleSha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', hash('sha256', bytes, 'buffer'), 'buffer');
}
