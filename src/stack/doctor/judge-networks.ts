import {
  COMPOSE_LABELS,
  type Container,
  type DockerNetwork,
  labelOf,
} from '../docker/container.ts';
import type { Edge } from '../edges.ts';
import type { Plan } from '../plan.ts';

const NO_HOST_ADDRESS = 'com.docker.network.bridge.inhibit_ipv4';
const MASQUERADE = 'com.docker.network.bridge.enable_ip_masquerade';

/** How containers are on networks other than the plan has it; empty when all is as planned. */
export function strayContainers(plan: Plan, containers: readonly Container[]): readonly string[] {
  return containers.flatMap((container) => {
    const service = plan.services.find(({ name }) => name === labelOf(container, 'service'))?.name;
    const name = service ?? container.Name.slice(1);
    if (service === undefined) return [`${name} is not of this server`];
    const planned = new Map(
      plan.edges.flatMap((edge) => {
        const address = edge.members[service];
        return address === undefined ? [] : [[networkName(plan, edge), address] as const];
      }),
    );
    const { Networks } = container.NetworkSettings;
    const actual = Object.entries(Networks).filter(([network]) => network !== 'none');
    return [
      ...actual
        .filter(([network]) => !planned.has(network))
        .map(([network]) => `${name} is on the network ${network}`),
      ...actual
        .filter(([network, { IPAddress }]) => (planned.get(network) ?? IPAddress) !== IPAddress)
        .map(([network]) => `${name} has another address on ${network}`),
      ...[...planned.keys()]
        .filter((network) => !(network in Networks))
        .map((network) => `${name} is not on ${network}`),
      ...(/^(host|container:)/.test(container.HostConfig.NetworkMode)
        ? [`${name} shares the network of ${container.HostConfig.NetworkMode}`]
        : []),
    ];
  });
}

/** How the networks are others than the plan has it, and who else is on them. */
export function brokenNetworks({
  plan,
  networks,
  containers,
}: {
  readonly plan: Plan;
  readonly networks: readonly DockerNetwork[];
  readonly containers: readonly Container[];
}): readonly string[] {
  const ours = new Set(containers.map(({ Id }) => Id));
  return networks.flatMap((network) => {
    const { Name, Labels } = network;
    const strangers = Object.entries(network.Containers ?? {})
      .filter(([id]) => !ours.has(id))
      .map(([, { Name: stranger }]) => `${stranger} is on our network ${Name}`);
    const edge = plan.edges.find(({ name }) => name === Labels?.[COMPOSE_LABELS.network]);
    return [
      ...strangers,
      ...(edge ? differences(network, edge) : [`${Name} is not of this server`]),
    ];
  });
}

function differences(network: DockerNetwork, edge: Edge): readonly string[] {
  const { Name, Options, Internal, EnableIPv6, IPAM, Driver } = network;
  const subnets = (IPAM.Config ?? []).map(({ Subnet }) => Subnet);
  return [
    ...(edge.internal && !Internal ? [`${Name} is not internal`] : []),
    ...(edge.internal && Options?.[NO_HOST_ADDRESS] !== 'true'
      ? [`this machine is on ${Name}`]
      : []),
    ...(edge.name === 'lan' && Options?.[MASQUERADE] !== 'false' ? [`${Name} lets out`] : []),
    ...(EnableIPv6 ? [`${Name} has IPv6`] : []),
    ...(Driver === 'bridge' ? [] : [`${Name} is a network of ${Driver}`]),
    ...(subnets.length === 1 && subnets[0] === edge.subnet ? [] : [`${Name} has other addresses`]),
  ];
}

function networkName(plan: Plan, { name }: Edge): string {
  return `${plan.config.docker.project}_${name}`;
}
