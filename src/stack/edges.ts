import type { ServiceName } from './service.ts';

/**
 * Docker's networks: a small one for each pair of services that talk. Every one is internal but
 * `egress`, on which tor reaches the world, and `lan`, on which the local network comes in.
 */
const EDGES = {
  egress: { first: 0, members: { tor: 2 } },
  tor_bitcoind: { first: 8, members: { tor: 10, bitcoind: 11 } },
  tor_target: { first: 16, members: { tor: 18, target: 19 } },
  tor_node: { first: 24, members: { tor: 26, node: 27 } },
  bitcoind_target: { first: 32, members: { bitcoind: 34, target: 35 } },
  target_node: { first: 40, members: { target: 42, node: 43 } },
  tor_guard: { first: 48, members: { tor: 50, guard: 51 } },
  guard_target: { first: 56, members: { guard: 58, target: 59 } },
  lan: { first: 64, members: { lan: 66 } },
  lan_target: { first: 72, members: { lan: 74, target: 75 } },
  tor_bridge: { first: 80, members: { tor: 82, bridge: 83 } },
  bridge_target: { first: 88, members: { bridge: 90, target: 91 } },
  lan_bridge: { first: 96, members: { lan: 98, bridge: 99 } },
} as const satisfies Record<string, Site>;

interface Site {
  /** The last number of the subnet's own address; it has 8. */
  readonly first: number;
  readonly members: Partial<Record<ServiceName, number>>;
}

export type EdgeName = keyof typeof EDGES;

const OPEN_EDGES: readonly EdgeName[] = ['egress', 'lan'];

/** One network of Docker. */
export interface Edge {
  readonly name: EdgeName;
  /** `10.213.50.8/29` */
  readonly subnet: string;
  /** Without a way to the host and the world. */
  readonly internal: boolean;
  /** The address of each service of the plan on it. */
  readonly members: Partial<Record<ServiceName, string>>;
}

/**
 * The networks that these services are on. compose.yaml is one for all plans: a service is also on a
 * network where it would meet one that this plan does without, and is alone there.
 */
export function edgesOf(prefix: string, services: readonly ServiceName[]): readonly Edge[] {
  const sites: readonly [string, Site][] = Object.entries(EDGES);
  return sites
    .map(([name, { first, members }]) => ({
      name: name as EdgeName,
      subnet: `${prefix}.${first}/29`,
      internal: !OPEN_EDGES.includes(name as EdgeName),
      members: Object.fromEntries(
        Object.entries(members)
          .filter(([service]) => isIn(services, service))
          .map(([service, last]) => [service, `${prefix}.${last}`]),
      ),
    }))
    .filter(({ members }) => Object.keys(members).length > 0);
}

/** The address of a service on a network. @throws RangeError when it is not on it. */
export function hostOn(prefix: string, edge: EdgeName, service: ServiceName): string {
  const last = (EDGES[edge] as Site).members[service];
  if (last === undefined) throw new RangeError(`${service} is not on ${edge}`);
  return `${prefix}.${last}`;
}

function isIn(services: readonly ServiceName[], name: string): boolean {
  return (services as readonly string[]).includes(name);
}
