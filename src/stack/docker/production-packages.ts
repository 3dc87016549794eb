import { dirname, join } from 'node:path';
import { z } from 'zod';
import { fromUtf8 } from '../../base/bytes.ts';
import { readIfPresent } from '../../io/durable-file.ts';

/** One installed package that Sotto needs to run. */
export interface ProductionPackage {
  /** Its directory on this machine, absolute. */
  readonly directory: string;
  /** Where it goes below Sotto's own directory: `node_modules/a/node_modules/b`. */
  readonly place: string;
  readonly version: string;
}

const manifestSchema = z.looseObject({
  version: z.string(),
  dependencies: z.record(z.string(), z.string()).optional(),
  optionalDependencies: z.record(z.string(), z.string()).optional(),
});

const FOLDER = '/node_modules/';

/**
 * The packages that the package in `root` needs, and that those need, found where Node would find
 * them: so it is the same for a clone, a global installation, and a dependency of a project.
 * @returns in the order of their places.
 */
export async function productionPackages(root: string): Promise<readonly ProductionPackage[]> {
  const found = new Map<string, ProductionPackage>();
  const waiting = [root];
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    const manifest = await manifestOf(directory);
    if (manifest === undefined) throw new Error(`${directory} is no package`);
    const optional = Object.keys(manifest.optionalDependencies ?? {});
    for (const name of new Set([...Object.keys(manifest.dependencies ?? {}), ...optional])) {
      const needed = await resolvePackage(name, directory);
      if (needed === undefined && optional.includes(name)) continue;
      if (needed === undefined) throw new Error(`${name}, which ${directory} needs, is missing`);
      const place = placeOf(needed.directory, root);
      const other = found.get(place);
      if (other?.directory === needed.directory) continue;
      if (other) throw new Error(`${other.directory} and ${needed.directory} have one place`);
      found.set(place, { ...needed, place });
      waiting.push(needed.directory);
    }
  }
  return [...found.values()].sort((a, b) => (a.place < b.place ? -1 : 1));
}

async function resolvePackage(
  name: string,
  from: string,
): Promise<{ readonly directory: string; readonly version: string } | undefined> {
  const directory = join(from, 'node_modules', name);
  const manifest = await manifestOf(directory);
  if (manifest) return { directory, version: manifest.version };
  return dirname(from) === from ? undefined : resolvePackage(name, dirname(from));
}

async function manifestOf(directory: string): Promise<z.output<typeof manifestSchema> | undefined> {
  const bytes = await readIfPresent(join(directory, 'package.json'));
  return bytes && manifestSchema.parse(JSON.parse(fromUtf8(bytes)));
}

/** Below the root's own `node_modules`, or below the outermost one that the root itself is in. */
function placeOf(directory: string, root: string): string {
  const inner = directory.startsWith(`${root}/`);
  return (inner ? directory.slice(root.length) : directory.slice(directory.indexOf(FOLDER))).slice(
    1,
  );
}
