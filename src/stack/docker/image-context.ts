import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readIfPresent } from '../../io/durable-file.ts';
import { filesBelow, type TreeFile } from '../../io/tree-files.ts';
import { PACKAGE_ROOT } from '../package-root.ts';
import { type ProductionPackage, productionPackages } from './production-packages.ts';

/** The images that are made on the person's machine. */
export const OWN_IMAGES = ['tor', 'node'] as const;

export type OwnImage = (typeof OWN_IMAGES)[number];

const TAG_CHARACTERS = 12;
const APP = 'app';

/**
 * The name of an image by what goes into it: `sotto-node:0123456789ab`. The same files give the same
 * name on every machine; of a package, its version counts.
 */
export async function ownImageName(image: OwnImage): Promise<string> {
  const hash = createHash('sha256');
  for (const [path, { bytes, isExecutable }] of await ownFiles(image)) {
    hash.update(`${path}\0${isExecutable}\0${bytes.length}\0`).update(bytes);
  }
  for (const { place, version } of await packagesOf(image)) hash.update(`${place}@${version}\0`);
  return `sotto-${image}:${hash.digest('hex').slice(0, TAG_CHARACTERS)}`;
}

/** What `docker build` is given, by path. The Dockerfile is among it. */
export async function imageContext(image: OwnImage): Promise<ReadonlyMap<string, TreeFile>> {
  const files = new Map(await ownFiles(image));
  for (const { place, directory } of await packagesOf(image)) {
    // Packages inside of this one are in the list themselves.
    for (const [path, file] of await filesBelow(directory, ['node_modules'])) {
      files.set(`${APP}/${place}/${path}`, file);
    }
  }
  return files;
}

async function ownFiles(image: OwnImage): Promise<ReadonlyMap<string, TreeFile>> {
  const files = new Map(await filesBelow(join(PACKAGE_ROOT, 'docker', image)));
  if (image === 'tor') return files;
  for (const [path, file] of await filesBelow(join(PACKAGE_ROOT, 'dist'), ['.built'])) {
    files.set(`${APP}/dist/${path}`, file);
  }
  const manifest = await readIfPresent(join(PACKAGE_ROOT, 'package.json'));
  if (manifest === undefined) throw new Error(`${PACKAGE_ROOT} has no package.json`);
  return files.set(`${APP}/package.json`, { bytes: manifest, isExecutable: false });
}

async function packagesOf(image: OwnImage): Promise<readonly ProductionPackage[]> {
  return image === 'node' ? productionPackages(PACKAGE_ROOT) : [];
}
