import { join } from 'node:path';
import { z } from 'zod';
import { loadYaml, parseYaml } from '../config/load-yaml.ts';
import { PACKAGE_ROOT } from './package-root.ts';

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const HASH = /^[0-9a-f]{64}$/;
const VERSION = /^\d+(\.\d+){0,3}$/;
const versionSchema = z.string().regex(VERSION, 'expected a version in quotes: 31.1');

const feedSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('github'), repository: z.string().regex(/^[\w.-]+\/[\w.-]+$/) }),
  z.strictObject({
    kind: z.literal('debian'),
    package: z.string().regex(/^[a-z0-9+.-]+$/),
    suite: z.string().regex(/^[a-z-]+$/),
  }),
  z.strictObject({ kind: z.literal('node'), line: z.int().positive() }),
]);

/** Where the project that makes something says what its newest version is. */
export type ReleaseFeed = z.output<typeof feedSchema>;

function perArchitecture(hash: RegExp): z.ZodType<{ amd64?: string; arm64?: string } | undefined> {
  const each = z.string().regex(hash);
  return z.strictObject({ amd64: each, arm64: each }).partial().optional();
}

const pinSchema = z
  .strictObject({
    image: z.string().regex(/^[a-z0-9][a-z0-9./_-]*$/),
    tag: z.string().regex(/^[\w][\w.-]*$/),
    version: versionSchema,
    digest: z.string().regex(DIGEST, 'expected sha256: and 64 hexadecimal digits'),
    manifests: perArchitecture(DIGEST),
    release: perArchitecture(HASH),
    seen: z.array(z.string().min(1)).min(1),
    never: z.array(z.strictObject({ version: versionSchema, why: z.string().min(1) })),
    feed: feedSchema,
  })
  .refine(({ version, never }) => never.every((each) => each.version !== version), {
    path: ['version'],
    message: 'this version must never run',
  });

/** One image by the digest of the list of its architectures. */
export type Pin = z.output<typeof pinSchema>;

const pinsSchema = z.strictObject({
  bitcoind: pinSchema,
  fulcrum: pinSchema,
  electrs: pinSchema,
  /** Bases of our own images. */
  tor: pinSchema.safeExtend({ floor: versionSchema }),
  node: pinSchema,
});

export type Pins = z.output<typeof pinsSchema>;

const PATH = join(PACKAGE_ROOT, 'docker', 'pins.yaml');

/** Reads `docker/pins.yaml`. @throws UserError naming every problem with its line. */
export async function loadPins(): Promise<Pins> {
  return loadYaml(PATH, pinsSchema);
}

/** As `loadPins`, of a text. */
export function parsePins(text: string): Pins {
  return parseYaml({ path: PATH, text, schema: pinsSchema });
}

/** `bitcoin/bitcoin:31.1@sha256:…`: the tag for people, the digest for engines. */
export function pinnedImage({ image, tag, digest }: Pin): string {
  return `${image}:${tag}@${digest}`;
}
