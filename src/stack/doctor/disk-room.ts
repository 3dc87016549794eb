import { freeMegabytes } from '../../io/free-space.ts';
import type { Check, Outcome } from '../finding.ts';
import { failure, fine, warning } from '../outcome.ts';
import type { Plan } from '../plan.ts';

/** Databases need room to put themselves in order; below it bitcoind and the indexers may break. */
const LEAST_MEGABYTES = 1_000;
/** Mainnet grows by as much in about six weeks, index and chain together. */
const ADVISED_MEGABYTES = 20_000;
const ADVISED_MEGABYTES_OF_TESTS = 3_000;

/** The disks that services write to have room. */
export function diskRoom({ services, config }: Plan): Check {
  return {
    id: 'disk',
    title: 'disk',
    async run() {
      const paths = [...new Set(services.flatMap(({ dataDirectory }) => dataDirectory ?? []))];
      const rooms = await Promise.all(
        paths.map(async (path) => ({ path, megabytes: await freeMegabytes(path) })),
      );
      const [tightest] = rooms.sort((a, b) => a.megabytes - b.megabytes);
      if (tightest === undefined) return fine('nothing is kept');
      return judgeRoom(tightest, config.network === 'mainnet');
    },
  };
}

export function judgeRoom(
  { path, megabytes }: { readonly path: string; readonly megabytes: number },
  isMainnet: boolean,
): Outcome {
  const found = `${(megabytes / 1_000).toFixed(1)} GB left for ${path}`;
  const todo =
    'Make room, or move chain and index to a larger disk: `storage` in sotto.yaml. Never remove single files of theirs.';
  if (megabytes < LEAST_MEGABYTES) return failure(found, todo);
  const advised = isMainnet ? ADVISED_MEGABYTES : ADVISED_MEGABYTES_OF_TESTS;
  return megabytes < advised ? warning(found, todo) : fine(found);
}
