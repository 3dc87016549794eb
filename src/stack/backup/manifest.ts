import { z } from 'zod';
import { fromUtf8, utf8 } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import { damaged } from './tar.ts';

/** The first file of a backup; all others are listed in it. */
export const MANIFEST_FILE = 'manifest.json';

const FORMAT = 'sotto-backup';
const VERSION = 1;

const onion = z.string().regex(/^[a-z2-7]{56}\.onion$/);

const headSchema = z.object({ format: z.literal(FORMAT), version: z.int().min(1) });

const manifestSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  /** When it was made, ISO 8601. */
  created: z.iso.datetime(),
  onions: z.strictObject({ wallet: onion, relay: onion, p2p: onion }),
  nodeId: z.string().regex(/^[0-9a-f]{32}$/),
  files: z.array(
    z.strictObject({
      path: z.string(),
      bytes: z.int().min(0),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});

/** What a backup says of itself. */
export type Manifest = Omit<z.infer<typeof manifestSchema>, 'format' | 'version'>;

export function encodeManifest(manifest: Manifest): Uint8Array {
  return utf8(`${JSON.stringify({ format: FORMAT, version: VERSION, ...manifest }, null, 2)}\n`);
}

/** @throws UserError when it is not one, or of a later version. */
export function decodeManifest(bytes: Uint8Array): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(fromUtf8(bytes));
  } catch {
    throw damaged('its manifest cannot be read');
  }
  const head = headSchema.safeParse(value);
  if (!head.success) throw damaged('its manifest is not one of Sotto');
  if (head.data.version > VERSION) {
    throw new UserError(
      `the backup has version ${head.data.version}; this sotto reads ${VERSION}`,
      {
        hint: 'Restore it with the sotto that made it, or a newer one.',
      },
    );
  }
  const manifest = manifestSchema.safeParse(value);
  if (!manifest.success) {
    const [problem] = manifest.error.issues;
    throw damaged(`its manifest is wrong at ${problem?.path.join('.') ?? 'the start'}`);
  }
  const { created, onions, nodeId, files } = manifest.data;
  return { created, onions, nodeId, files };
}
