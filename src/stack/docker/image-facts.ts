import { z } from 'zod';
import { BASE_LABEL } from './build-images.ts';
import { type DockerOptions, runDocker } from './docker-program.ts';

const IMAGE = z.looseObject({
  Id: z.string(),
  RepoDigests: z.array(z.string()).nullable(),
  Config: z.looseObject({ Labels: z.record(z.string(), z.string()).nullish() }),
});

/** An image that the engine holds. */
export interface ImageFacts {
  /** Of its content. */
  readonly id: string;
  /** As registries know it: `bitcoin/bitcoin@sha256:…`. None for one that was made here. */
  readonly digests: readonly string[];
  /** What an image of ours was made upon. */
  readonly base: string | undefined;
}

/** @param image its name, or its id. Undefined when the engine holds none. */
export async function imageFacts(
  image: string,
  options: DockerOptions,
): Promise<ImageFacts | undefined> {
  const { code, stdout } = await runDocker(['image', 'inspect', image], options);
  if (code !== 0) return undefined;
  const [found] = z.array(IMAGE).parse(JSON.parse(stdout));
  return (
    found && {
      id: found.Id,
      digests: found.RepoDigests ?? [],
      base: found.Config.Labels?.[BASE_LABEL],
    }
  );
}
