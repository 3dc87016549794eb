import { usedMegabytes } from '../io/disk-usage.ts';
import { listDevices, OWN_DEVICE } from './devices.ts';
import type { Plan } from './plan.ts';
import type { ServiceName } from './service.ts';

/** What a server keeps, whether it runs or not. */
export interface Holdings {
  /** Names of those that may reach the wallet onion. */
  readonly devices: readonly string[];
  /** What the data of each service takes on the disk. */
  readonly usedMegabytes: Readonly<Partial<Record<ServiceName, number>>>;
}

export async function holdingsOf({ home, services }: Plan): Promise<Holdings> {
  const devices = (await listDevices(home)).map(({ name }) => name);
  const used = await Promise.all(
    services.map(async ({ name, dataDirectory }) =>
      // The watchdog looks after tor's.
      dataDirectory === undefined || name === 'watchdog'
        ? []
        : [[name, await usedMegabytes(dataDirectory)] as const],
    ),
  );
  return {
    devices: devices.filter((name) => name !== OWN_DEVICE),
    usedMegabytes: Object.fromEntries(used.flat()),
  };
}
