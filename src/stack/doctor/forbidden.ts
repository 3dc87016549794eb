import type { Address } from '../../io/dial.ts';
import { formatAddress } from '../../io/dial.ts';
import type { Edge } from '../edges.ts';
import type { Plan } from '../plan.ts';
import type { ServiceName, ServiceSpec } from '../service.ts';
import type { ProbeOrder } from './probe.ts';

/** An address that a service must not reach. */
export interface Forbidden {
  readonly address: Address;
  /** Who is there, for the person: `the internet`. */
  readonly who: string;
  /** A refusal too shows that packets get there. A neighbour on the same network may refuse. */
  readonly refusalCounts: boolean;
}

interface Pair {
  readonly plan: Plan;
  readonly service: ServiceSpec | undefined;
  readonly other: ServiceSpec;
}

/** What a probe tries from inside a service, with what each of it means. */
export interface Trial {
  readonly order: ProbeOrder;
  readonly forbidden: readonly Forbidden[];
  /** Routers that there are in name only: nobody has these addresses, or nobody passes packets on. */
  readonly deadRouters: readonly string[];
}

const INTERNET: readonly Address[] = [
  { host: '1.1.1.1', port: 443 },
  { host: '9.9.9.9', port: 443 },
  { host: '8.8.8.8', port: 53 },
  { host: '2606:4700:4700::1111', port: 443 },
];
const RESOLVERS = ['1.1.1.1', '9.9.9.9', '8.8.8.8'];
/** Reserved for such things (RFC 2606), and resolved everywhere that names are. */
const NAME = 'example.com';
const HOST_PORTS = [22, 53];
/** What a tor may listen with for its operator, or into the clear: control, DNS, HTTP, transparent. */
const TOR_PORTS = [53, 8118, 9040, 9050, 9051, 9053];
const TIMEOUT_MS = 3_000;
const EVERYWHERE = '0.0.0.0';

/**
 * Everything that a container must not reach. A few packets go to well-known public servers if the
 * isolation is broken: that is the proof.
 * @param service undefined for a container that is not of the plan: it may reach nothing.
 * @param hostAddresses of this machine, numeric.
 */
export function trialOf({
  plan,
  service,
  hostAddresses,
}: {
  readonly plan: Plan;
  readonly service: ServiceSpec | undefined;
  readonly hostAddresses: readonly string[];
}): Trial {
  const forbidden = [
    ...INTERNET.map((address) => ({ address, who: 'the internet', refusalCounts: true })),
    // The local network comes in through this machine: there the engine's bridge has an address.
    ...(service?.name === 'lan' ? [] : hostsOf(hostAddresses, plan)),
    ...plan.services.flatMap((other) => neighboursOf(other, { plan, service })),
  ];
  return {
    forbidden,
    deadRouters: deadRouters(plan, service),
    order: {
      dial: forbidden.map(({ address }) => address),
      name: NAME,
      resolvers: RESOLVERS,
      proxies: proxiesOf(plan, service?.name),
      timeoutMs: TIMEOUT_MS,
    },
  };
}

function hostsOf(hostAddresses: readonly string[], plan: Plan): readonly Forbidden[] {
  return [...new Set([...hostAddresses, ...plan.edges.map(routerOf)])].flatMap((host) =>
    HOST_PORTS.map((port) => ({
      address: { host, port },
      who: 'this machine',
      refusalCounts: true,
    })),
  );
}

/**
 * Old engines give a container of an internal network a route to a router, whose address our networks
 * keep free. On the network for the local network there is one, which passes nothing on.
 */
function deadRouters(plan: Plan, service: ServiceSpec | undefined): readonly string[] {
  return plan.edges
    .filter(({ internal, name }) => internal || (name === 'lan' && service?.name === 'lan'))
    .map(routerOf);
}

/** The first address of a network is the engine's. */
function routerOf({ subnet }: Edge): string {
  return subnet.replace(/(\d+)\/\d+$/, (_, first: string) => String(Number(first) + 1));
}

/** Where another service listens and this one has no business, and tor's ports for others. */
function neighboursOf(
  other: ServiceSpec,
  { plan, service }: { readonly plan: Plan; readonly service: ServiceSpec | undefined },
): readonly Forbidden[] {
  if (other.name === service?.name) return [];
  const allowed = allowedOf(plan, service);
  const torAddresses = plan.edges.flatMap(({ members }) => members.tor ?? []);
  const addresses = [
    ...other.listens.flatMap(({ address }) => placesOf(address, { plan, service, other })),
    ...(other.name === 'tor'
      ? torAddresses.flatMap((host) => TOR_PORTS.map((port) => ({ host, port })))
      : []),
  ];
  return addresses
    .filter((address) => !allowed.has(formatAddress(address)))
    .map((address) => ({ address, who: other.name, refusalCounts: false }));
}

/**
 * What listens on all addresses of its container is tried on each network that only the other is on.
 * compose.yaml is one for all plans: neighbours on one network need not have business with each other.
 */
function placesOf({ host, port }: Address, { plan, service, other }: Pair): readonly Address[] {
  if (host !== EVERYWHERE) return [{ host, port }];
  return plan.edges
    .filter(({ members }) => service === undefined || members[service.name] === undefined)
    .flatMap(({ members }) => members[other.name] ?? [])
    .map((each) => ({ host: each, port }));
}

function allowedOf(plan: Plan, service: ServiceSpec | undefined): ReadonlySet<string> {
  const reached = plan.services.filter(({ name }) => service?.reaches.includes(name));
  const listens = reached
    .filter(({ name }) => name !== 'tor')
    .flatMap((other) => other.listens.map(({ address }) => address));
  return new Set([...listens, ...proxiesOf(plan, service?.name)].map(formatAddress));
}

function proxiesOf({ endpoints }: Plan, service: ServiceName | undefined): Address[] {
  const users = ['bitcoind', 'node', 'bridge'] as const;
  return users.filter((user) => user === service).map((user) => endpoints.socks[user]);
}
