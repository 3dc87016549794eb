import { fileURLToPath } from 'node:url';

/** The directory of this package: `compose.yaml`, `docker/` and `dist/` are in it. */
export const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
