import { UserError } from '../../base/errors.ts';
import { type Address, formatAddress } from '../../io/dial.ts';
import { freeMegabytes } from '../../io/free-space.ts';
import { findPortHolder, isTaken } from '../../io/port-holder.ts';
import { requireTor } from '../../tor/tor-program.ts';
import type { Plan } from '../plan.ts';
import type { ServiceSpec } from '../service.ts';
import { requirePrograms } from './find-programs.ts';

type Listener = ServiceSpec['listens'][number];

/** What the first hours take; how much the chain does is for `sotto init`. */
const MIN_FREE_MB = 200;

/**
 * Looks for what would keep the services from starting. None of them runs.
 * @throws UserError
 */
export async function checkMachine(plan: Plan, signal: AbortSignal): Promise<void> {
  await requirePrograms(plan);
  if (plan.services.some(({ name }) => name === 'tor')) {
    await requireTor(signal, plan.config.process.programs.tor);
  }
  await requireSpace(plan);
  await requirePorts(plan);
}

/** The same for a plan that follows one that runs. @throws UserError */
export async function checkChange(before: Plan, next: Plan): Promise<void> {
  await requirePrograms(next);
  const own = before.services.flatMap(({ listens }) => listens);
  const isNew = ({ address }: Listener): boolean =>
    !own.some((each) => formatAddress(each.address) === formatAddress(address));
  const services = next.services.map((spec) => ({ ...spec, listens: spec.listens.filter(isNew) }));
  await requirePorts({ home: next.home, services });
}

async function requireSpace({ home, services }: Pick<Plan, 'home' | 'services'>): Promise<void> {
  const directories = services.flatMap(({ dataDirectory }) => dataDirectory ?? []);
  for (const directory of new Set([home.directory, ...directories])) {
    const megabytes = await freeMegabytes(directory);
    if (megabytes >= MIN_FREE_MB) continue;
    throw new UserError(`the disk is full: ${directory} has room for ${megabytes} MB`, {
      hint: 'Make room there. Nothing is lost: programs go on where they were.',
    });
  }
}

/** @throws UserError that names all ports in use, and by whom where that can be told. */
async function requirePorts({ home, services }: Pick<Plan, 'home' | 'services'>): Promise<void> {
  const taken: string[] = [];
  for (const { name, listens } of services) {
    for (const { what, address } of listens) {
      if (!(await isTaken(address))) continue;
      taken.push(
        `${formatAddress(address)} (${name}: ${what}) by ${await describeHolder(address)}`,
      );
    }
  }
  if (taken.length === 0) return;
  throw new UserError(`ports of this server are in use:\n${taken.join('\n')}`, {
    hint: `End that program, or give another process.first_port in ${home.configFile}: this server takes 16 ports from there on.`,
  });
}

async function describeHolder(address: Address): Promise<string> {
  const holder = await findPortHolder(address);
  return holder ? `${holder.name} (process ${holder.pid})` : "another user's program";
}
