import { dataDirectoryOf, type PlanContext, placesOf } from '../plan-context.ts';
import type { ServiceSpec } from '../service.ts';

/** A regtest chain with an Electrum server of its own, in place of bitcoind and target. */
export function devnetService(context: PlanContext): ServiceSpec {
  const { endpoints, sizes } = context;
  const { host, port } = endpoints.targetListen;
  return {
    name: 'target',
    command: [
      ...(['sotto', 'devnet'] as const),
      ...['--host', host, '--port', String(port)],
      ...['--directory', placesOf(context, 'target').data],
    ],
    files: [],
    dataDirectory: dataDirectoryOf(context, 'target'),
    reaches: [],
    listens: [{ what: 'Electrum', address: endpoints.targetListen }],
    memoryMiB: sizes.services.target,
    stopSeconds: 10,
  };
}
