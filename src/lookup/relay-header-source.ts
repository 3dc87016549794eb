import { type NodeId } from '../directory/node-id.ts';
import { type HeaderSource } from '../electrum/header-sync.ts';
import { type RelayLink } from '../relay/relay-link.ts';

/** Headers from a relay, by its node id. The link is opened at the first question. */
export function relayHeaderSource(nodeId: NodeId, link: () => Promise<RelayLink>): HeaderSource {
  return {
    name: nodeId,
    headers: async (start, count, options) => (await link()).headers(start, count, options),
  };
}
