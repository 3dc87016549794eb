import { machineAddresses } from '../../io/machine-addresses.ts';
import type { Waiting } from '../backend.ts';
import { type Container, containersOf, labelOf } from '../docker/container.ts';
import { PACKAGE_IN_IMAGE } from '../docker/dial-from-container.ts';
import { docker, runDocker } from '../docker/docker-program.ts';
import type { Check } from '../finding.ts';
import { failure, fine, warning } from '../outcome.ts';
import type { Plan } from '../plan.ts';
import { trialOf } from './forbidden.ts';
import { leaksOf } from './judge-probe.ts';
import { probeReportSchema } from './probe.ts';

const PROBE_PROGRAM = `${PACKAGE_IN_IMAGE}/dist/stack/doctor/probe-program.js`;
/** The container of each probe sees no secret and can do nothing else. */
const HARDENED = [
  ...['--rm', '--pull', 'never', '--log-driver', 'none', '--read-only', '--cap-drop', 'ALL'],
  ...['--security-opt', 'no-new-privileges', '--memory', '128m', '--entrypoint', 'node'],
];

/** Tries from inside each container what must fail there: to dial out, and to resolve a name. */
export function isolationProbe(plan: Plan): Check {
  return {
    id: 'isolation',
    title: 'nothing but tor reaches the world',
    async run({ signal }) {
      const running = (await containersOf(plan.config.docker.project, { signal })).filter(
        ({ State }) => State.Status === 'running',
      );
      const probed = running.filter((each) => labelOf(each, 'service') !== 'tor');
      if (probed.length === 0) {
        return warning('nothing runs that could be tried', 'Start the server: sotto up');
      }
      const missing = await runDocker(['image', 'inspect', plan.images.node], { signal });
      if (missing.code !== 0) {
        return failure('the image to try it with is not here', 'Make it with: sotto up');
      }
      const leaks = await Promise.all(probed.map((each) => leaksFrom(each, plan, { signal })));
      const all = leaks.flat();
      if (all.length > 0) {
        return failure(
          all.join('; '),
          'Stop the server now: sotto down. If you changed its networks or compose.yaml, undo that; then: sotto up',
        );
      }
      const names = probed.map(nameOf).join(', ');
      return fine(`${names}: no dial, no name and no route gets out`);
    },
  };
}

async function leaksFrom(
  container: Container,
  plan: Plan,
  { signal }: Waiting,
): Promise<readonly string[]> {
  const service = plan.services.find(({ name }) => name === labelOf(container, 'service'));
  const trial = trialOf({ plan, service, hostAddresses: machineAddresses() });
  const { uid, gid } = plan.user;
  const text = await docker(
    [
      ...['run', ...HARDENED, '--user', `${uid}:${gid}`, '--network', `container:${container.Id}`],
      ...[plan.images.node, PROBE_PROGRAM, JSON.stringify(trial.order)],
    ],
    { signal },
  );
  const report = probeReportSchema.parse(JSON.parse(text));
  return leaksOf(trial, report).map((leak) => `${nameOf(container)} ${leak}`);
}

function nameOf(container: Container): string {
  return labelOf(container, 'service') ?? container.Name.slice(1);
}
