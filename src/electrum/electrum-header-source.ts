import { fromHex } from '../base/bytes.ts';
import type { ElectrumClient } from './client.ts';
import type { HeaderSource } from './header-sync.ts';

/** Headers from an Electrum server. */
export function electrumHeaderSource(name: string, client: ElectrumClient): HeaderSource {
  return {
    name,
    async headers(start, count, { signal }) {
      const method = 'blockchain.block.headers';
      const params = { start_height: start, count };
      const { hex, headers } = await client.call(method, params, { signal });
      return fromHex(headers?.join('') ?? hex ?? '');
    },
  };
}
