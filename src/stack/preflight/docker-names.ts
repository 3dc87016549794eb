import { fromUtf8 } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import { readIfPresent } from '../../io/durable-file.ts';
import { containersOf, inspectNetworks } from '../docker/container.ts';
import { docker } from '../docker/docker-program.ts';
import type { Check, Outcome } from '../finding.ts';
import { failure, fine } from '../outcome.ts';
import { overlap, parseRoutes, parseSubnet, type Subnet } from './subnet.ts';
import type { Subject } from './subject.ts';

const LAST_OCTETS = 256;

/** Whether the name of the project and the addresses of its networks are nobody else's. */
export function dockerNamesCheck({ config }: Subject): Check {
  return {
    id: 'docker-names',
    title: "Docker's names",
    async run({ signal }): Promise<Outcome> {
      const { project, networkPrefix } = config.docker;
      try {
        if ((await containersOf(project, { signal })).length > 0) {
          return failure(
            `the Docker project ${project} has containers already`,
            `Give this one another name: --project ${project}-2`,
          );
        }
        const taken = await takenSubnets(signal);
        if (isFree(networkPrefix, taken)) {
          return fine(`project ${project}, networks in ${networkPrefix}.0/25`);
        }
        return failure(
          `addresses of ${networkPrefix}.0/25 are in use by this machine or another network of Docker`,
          `Give others: --network-prefix ${freePrefix(networkPrefix, taken)}`,
        );
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return { verdict: 'warn', found: 'not looked at, for Docker does not answer' };
      }
    },
  };
}

async function takenSubnets(signal: AbortSignal): Promise<readonly Subnet[]> {
  const ids = await docker(['network', 'ls', '--quiet', '--no-trunc'], { signal });
  const networks = await inspectNetworks(
    ids.split('\n').filter((id) => id !== ''),
    { signal },
  );
  const routes = (await readIfPresent('/proc/net/route')) ?? new Uint8Array();
  return [
    ...networks.flatMap(({ IPAM }) =>
      (IPAM.Config ?? []).flatMap(({ Subnet: text = '' }) => parseSubnet(text) ?? []),
    ),
    ...parseRoutes(fromUtf8(routes)),
  ];
}

function isFree(prefix: string, taken: readonly Subnet[]): boolean {
  const own = parseSubnet(`${prefix}.0/25`);
  return own !== undefined && !taken.some((each) => overlap(each, own));
}

function freePrefix(prefix: string, taken: readonly Subnet[]): string {
  const [first, second] = prefix.split('.');
  const free = Array.from({ length: LAST_OCTETS }, (_, third) => `${first}.${second}.${third}`);
  return free.find((candidate) => isFree(candidate, taken)) ?? '10.214.50';
}
