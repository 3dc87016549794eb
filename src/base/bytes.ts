/** The bytes given do not have the shape they should. */
export class MalformedBytesError extends Error {
  override readonly name = 'MalformedBytesError';
}

/** Lower-case hexadecimal, two characters a byte. */
export function toHex(bytes: Uint8Array): string {
  return view(bytes).toString('hex');
}

/** @throws MalformedBytesError unless the text is an even number of hexadecimal characters. */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) {
    throw new MalformedBytesError('not hexadecimal');
  }
  return plain(Buffer.from(text, 'hex'));
}

/** Standard base64 with padding (RFC 4648 section 4). */
export function toBase64(bytes: Uint8Array): string {
  return view(bytes).toString('base64');
}

/** @throws MalformedBytesError unless the text is canonical padded base64 (RFC 4648 section 4). */
export function fromBase64(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw new MalformedBytesError('not base64');
  return plain(bytes);
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

/** Compares public bytes; its running time tells where they differ. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && view(a).equals(view(b));
}

/** The same bytes last first: Bitcoin shows hashes in this order. */
export function reverseBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes).reverse();
}

export function utf8(text: string): Uint8Array {
  return plain(Buffer.from(text, 'utf8'));
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws MalformedBytesError when the bytes are not valid UTF-8. */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new MalformedBytesError('not UTF-8', { cause });
  }
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function plain(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
