import { concatBytes, fromHex, toBase64, utf8 } from '../base/bytes.ts';
import { onionAddressOf, publicKeyOfOnion } from '../tor/onion-address.ts';
import { type OnionAddress } from './consensus-node.ts';
import {
  type DescriptorContent,
  parseDescriptorText,
  renderDescriptorText,
} from './descriptor-text.ts';
import { DirectoryError } from './directory-error.ts';
import { type KeyConfigs } from './key-configs.ts';
import { MAX_DESCRIPTOR_BYTES } from './limits.ts';
import { nodeIdOf, type NodeId } from './node-id.ts';
import { decodeNote, digestOfText, openNote, signNote, textOfNote } from './note.ts';
import { loadPublicKey, type PublicKey } from './public-key.ts';
import { type SigningKey } from './signing-key.ts';

/** A node's own signed statement of its keys and onion address (spec/directory.md section 4). */
export interface Descriptor extends DescriptorContent {
  /** The note without its signature. */
  readonly text: string;
  /** SHA-256 of the text. */
  readonly digest: Uint8Array;
}

/** What a node states; the rest follows from its keys. */
export type DescriptorStatement = Omit<DescriptorContent, 'nodeId' | 'identity' | 'onion'> & {
  /** Of the relay onion. */
  readonly port: number;
};

export interface DescriptorKeys {
  readonly identity: SigningKey;
  readonly onion: SigningKey;
}

/**
 * A signed note, at most 8192 bytes.
 * @throws DirectoryError for a statement that `parseDescriptor` would refuse.
 */
export function signDescriptor(statement: DescriptorStatement, keys: DescriptorKeys): string {
  const { port, ...rest } = statement;
  const identity = keys.identity.publicKey;
  const nodeId = nodeIdOf(identity);
  const onion = { host: onionAddressOf(keys.onion.publicKey), port };
  const content = { ...rest, nodeId, identity, onion };
  const signature = toBase64(keys.onion.sign(onionMessage(content)));
  const text = `${renderDescriptorText(content)}onion-sig ${signature}\n`;
  const note = signNote(text, { name: signerName(nodeId), key: keys.identity });
  parseDescriptor(note);
  return note;
}

/** The keys as a consensus lists them. */
export function keyConfigsOf({ keyConfigs }: Pick<DescriptorContent, 'keyConfigs'>): KeyConfigs {
  const [current, next] = keyConfigs;
  return { current: toBase64(current.keyConfig), next: toBase64(next.keyConfig) };
}

/**
 * Checks that the identity signed the text, the onion key signed the identity, and the node id is
 * that of the identity. The time is the caller's to check.
 * @throws DirectoryError `too-large`, `malformed`, `duplicate-line`, `weak-key`, `wrong-node-id`, `bad-signature`,
 * `duplicate-signature`, `unsigned`, `bad-onion-signature`.
 */
export function parseDescriptor(note: Uint8Array | string): Descriptor {
  const source = decodeNote(note, MAX_DESCRIPTOR_BYTES);
  const { descriptor, onionSignature } = unchecked(source);
  const { nodeId, identity, onion, replyKey } = descriptor;
  if (nodeIdOf(identity) !== nodeId) {
    throw new DirectoryError('wrong-node-id', 'the node id is not that of the identity');
  }
  loadPublicKey(replyKey);
  const { signers } = openNote(source, [
    { name: signerName(nodeId), key: loadPublicKey(identity) },
  ]);
  if (signers.length === 0) {
    throw new DirectoryError('unsigned', 'the identity did not sign');
  }
  if (!onionKeyOf(onion).verify(onionMessage(descriptor), onionSignature)) {
    throw new DirectoryError('bad-onion-signature', 'the onion key did not sign the identity');
  }
  return descriptor;
}

/**
 * One that was parsed before it was put on our own disk: neither signatures nor keys are looked at again, which takes
 * nearly all of the time.
 * @throws DirectoryError `too-large`, `malformed`, `duplicate-line`.
 */
export function rereadDescriptor(note: Uint8Array | string): Descriptor {
  return unchecked(decodeNote(note, MAX_DESCRIPTOR_BYTES)).descriptor;
}

function unchecked(note: string): { descriptor: Descriptor; onionSignature: Uint8Array } {
  const text = textOfNote(note);
  const { onionSignature, ...content } = parseDescriptorText(text);
  return { descriptor: { ...content, text, digest: digestOfText(text) }, onionSignature };
}

function signerName(nodeId: NodeId): string {
  return `sotto/${nodeId}`;
}

function onionKeyOf({ host }: OnionAddress): PublicKey {
  let bytes: Uint8Array;
  try {
    bytes = publicKeyOfOnion(host);
  } catch (cause) {
    throw new DirectoryError('malformed', 'not an onion address', { cause });
  }
  return loadPublicKey(bytes);
}

/** What the onion key signs: it vouches for the identity at one time, and for nothing else. */
function onionMessage(
  content: Pick<DescriptorContent, 'nodeId' | 'identity' | 'published'>,
): Uint8Array {
  const published = new DataView(new ArrayBuffer(8));
  published.setBigUint64(0, BigInt(content.published));
  return concatBytes(
    utf8('sotto/onion/1\0'),
    fromHex(content.nodeId),
    content.identity,
    new Uint8Array(published.buffer),
  );
}
