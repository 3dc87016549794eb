import type { ServerBackup } from '../stack/backup/archive.ts';
import { OWN_DEVICE } from '../stack/devices.ts';

/** What may be said of a backup: no secrets. */
export interface DescribedBackup {
  readonly created: string;
  readonly onions: ServerBackup['onions'];
  readonly nodeId: string;
  readonly devices: readonly string[];
  readonly files: number;
}

const DEVICE = /\/authorized_clients\/(.+)\.auth$/;

export function describeBackup(backup: ServerBackup): DescribedBackup {
  const { created, onions, nodeId, files } = backup;
  const devices = [...files.keys()]
    .flatMap((path) => DEVICE.exec(path)?.[1] ?? [])
    .filter((name) => name !== OWN_DEVICE);
  return { created, onions, nodeId, devices, files: files.size };
}
