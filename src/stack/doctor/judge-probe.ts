import { formatAddress } from '../../io/dial.ts';
import type { Trial } from './forbidden.ts';
import type { ProbeReport } from './probe.ts';

/** So many addresses are named where there are more. */
const NAMED = 2;

/**
 * What got out of a container that must reach nothing but its neighbours; empty when all is well.
 * @throws RangeError when the report does not answer the order.
 */
export function leaksOf(
  { order, forbidden, deadRouters }: Trial,
  report: ProbeReport,
): readonly string[] {
  if (
    report.dialled.length !== order.dial.length ||
    report.resolvedBy.length !== order.resolvers.length ||
    report.proxied.length !== order.proxies.length
  ) {
    throw new RangeError('the probe did not answer what it was asked');
  }
  const reached = forbidden.filter(({ refusalCounts }, index) => {
    const reach = report.dialled[index];
    return reach === 'opened' || (reach === 'refused' && refusalCounts);
  });
  const whos = [...new Set(reached.map(({ who }) => who))];
  const resolvers = order.resolvers.filter((_, index) => report.resolvedBy[index]);
  const proxies = order.proxies.filter((_, index) => report.proxied[index] === 'granted');
  return [
    ...whos.map((who) => {
      const addresses = reached.filter((each) => each.who === who);
      return `reaches ${who} at ${some(addresses.map(({ address }) => formatAddress(address)))}`;
    }),
    ...(report.resolved ? ['resolves names'] : []),
    ...(resolvers.length > 0 ? [`resolves names by ${some(resolvers)}`] : []),
    ...(proxies.length > 0
      ? [`gets clearnet from tor at ${some(proxies.map(formatAddress))}`]
      : []),
    ...report.routers
      .filter((router) => !deadRouters.includes(router))
      .map((router) => `has the router ${router}`),
  ];
}

function some(names: readonly string[]): string {
  const more = names.length - NAMED;
  const named = names.slice(0, NAMED).join(', ');
  return more > 0 ? `${named} and ${more} more` : named;
}
