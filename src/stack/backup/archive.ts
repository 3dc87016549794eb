import { createHash } from 'node:crypto';
import { parseMarker } from '../marker.ts';
import { isBackupPath, REQUIRED } from './backup-paths.ts';
import { decodeManifest, encodeManifest, type Manifest, MANIFEST_FILE } from './manifest.ts';
import { identityOf, type ServerIdentity } from './server-identity.ts';
import { damaged, packTar, quoted, type TarLimits, unpackTar } from './tar.ts';

/** What makes a server the same server again. */
export interface ServerBackup extends ServerIdentity {
  /** ISO 8601. */
  readonly created: string;
  /** By path relative to the home. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export const ARCHIVE_LIMITS: TarLimits = { files: 2000, fileBytes: 1 << 20 };

/**
 * A tar: the manifest, then the files it lists.
 * @throws UserError when the files do not make a whole server.
 */
export async function packArchive(
  files: ReadonlyMap<string, Uint8Array>,
  created: Date,
): Promise<Uint8Array> {
  const manifest: Manifest = {
    created: created.toISOString(),
    ...identityOf(files),
    files: [...files].map(([path, bytes]) => ({
      path,
      bytes: bytes.length,
      sha256: sha256(bytes),
    })),
  };
  return packTar(new Map([[MANIFEST_FILE, encodeManifest(manifest)], ...files]));
}

/**
 * Reads an archive and verifies all that can be: its version, that it has the files the manifest
 * lists and no others, each with its hash, at paths a server has, and that the seeds make the onion
 * addresses and the node id that the manifest says.
 * @throws UserError for whatever is not so.
 */
export async function readArchive(bytes: Uint8Array): Promise<ServerBackup> {
  const held = await unpackTar(bytes, ARCHIVE_LIMITS);
  const first = held.get(MANIFEST_FILE);
  if (first === undefined) throw damaged('it has no manifest');
  const { created, onions, nodeId, files: listed } = decodeManifest(first);
  held.delete(MANIFEST_FILE);
  for (const { path, bytes: length, sha256: digest } of listed) {
    const file = held.get(path);
    if (file === undefined) throw damaged(`${quoted(path)} is missing`);
    if (file.length !== length || sha256(file) !== digest) {
      throw damaged(`${quoted(path)} is not what it was`);
    }
  }
  const paths = new Set(listed.map(({ path }) => path));
  if (paths.size !== listed.length) throw damaged('its manifest lists a file twice');
  for (const path of held.keys()) {
    if (!paths.has(path)) throw damaged(`${quoted(path)} is not in its manifest`);
    if (!isBackupPath(path)) throw damaged(`no server has a file ${quoted(path)}`);
  }
  for (const path of Object.values(REQUIRED)) {
    if (!paths.has(path)) throw damaged(`${path} is missing`);
  }
  parseMarker(held.get(REQUIRED.marker) ?? new Uint8Array());
  const derived = identityOf(held);
  for (const name of ['wallet', 'relay', 'p2p'] as const) {
    if (derived.onions[name] !== onions[name]) {
      throw damaged(`the key of the ${name} onion does not make its address`);
    }
  }
  if (derived.nodeId !== nodeId) throw damaged('the identity key does not make the node id');
  return { created, onions, nodeId, files: held };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
