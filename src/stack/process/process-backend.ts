import { fromUtf8 } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { merge } from '../../base/merge.ts';
import { RpcClient } from '../../bitcoin/rpc-client.ts';
import { DialError } from '../../io/dial.ts';
import { readIfPresent } from '../../io/durable-file.ts';
import { followLog } from '../../io/follow-log.ts';
import { loopbackDial } from '../../io/loopback-dial.ts';
import type { Backend, LogLine, LogOptions } from '../backend.ts';
import type { Plan } from '../plan.ts';
import type { ServiceName } from '../service.ts';
import { BITCOIND_COOKIE } from '../services/bitcoind.ts';
import { askSupervisor } from './control.ts';
import { awaitEnd, launchSupervisor } from './launch-supervisor.ts';
import { controlSocketOf, LOG_FILES, serviceLogOf } from './run-files.ts';

const RPC_TIMEOUT_MS = 30_000;

/** Runs the services as processes of this machine, under a supervisor of their own: `sotto run`. */
export function processBackend({ plan }: { readonly plan: Plan; readonly log: Logger }): Backend {
  const { home, endpoints } = plan;
  const socket = controlSocketOf(home);
  const bitcoind = plan.services.find(({ name }) => name === 'bitcoind');
  const rpc = new RpcClient({
    address: endpoints.bitcoind.rpc,
    credentials: () => readCookie(bitcoind?.dataDirectory),
    timeoutMs: RPC_TIMEOUT_MS,
  });
  const up: Backend['up'] = async ({ signal, onProgress = () => undefined }) => {
    const ask = (): ReturnType<typeof askSupervisor> =>
      askSupervisor(socket, { command: 'reload' }, signal);
    onProgress('asking the supervisor');
    if ((await ask()) !== undefined) return;
    onProgress('starting the supervisor');
    await launchSupervisor(plan, signal);
    onProgress('starting the services');
    if ((await ask()) === undefined) throw new UserError('the supervisor ended while it started');
  };
  const down: Backend['down'] = async ({ signal }) => {
    await askSupervisor(socket, { command: 'stop' }, signal);
    await awaitEnd(plan, signal);
  };
  return {
    up,
    down,
    async restart(services, { signal }) {
      if (services.length === 0) return;
      const request = { command: 'restart', services } as const;
      if ((await askSupervisor(socket, request, signal)) === undefined) await up({ signal });
    },
    async states({ signal }) {
      const states = await askSupervisor(socket, { command: 'states' }, signal);
      const absent = states === undefined ? 'stopped' : 'missing';
      return plan.services.map(
        ({ name }) =>
          states?.find(({ service }) => service === name) ?? {
            service: name,
            state: absent,
            restarts: 0,
          },
      );
    },
    logs: (options) => logsOf(plan, options),
    callBitcoind: (call) => rpc.call(call),
    dialElectrum: (service, { signal }) =>
      loopbackDial(service === 'target' ? endpoints.target.node : endpoints.bridge.tor, {
        signal,
        isolation: '',
      }),
    remove: down,
  };
}

/** bitcoind writes its password there at each start. */
async function readCookie(directory: string | undefined): Promise<string> {
  const cookie = directory && (await readIfPresent(`${directory}/${BITCOIND_COOKIE}`));
  if (!cookie) throw new DialError('bitcoind does not run yet');
  return fromUtf8(cookie).trim();
}

function logsOf(plan: Plan, options: LogOptions): AsyncIterable<LogLine> {
  const { service, lines, follow, signal } = options;
  const services = plan.services.map(({ name }) => name);
  const wanted = service === undefined ? services : [service];
  return merge(
    wanted.map((name) =>
      linesOf(name, {
        path: serviceLogOf(plan.home, name),
        files: LOG_FILES,
        lines,
        follow,
        signal,
      }),
    ),
  );
}

async function* linesOf(
  service: ServiceName,
  options: Parameters<typeof followLog>[0],
): AsyncGenerator<LogLine> {
  for await (const text of followLog(options)) yield { service, text };
}
