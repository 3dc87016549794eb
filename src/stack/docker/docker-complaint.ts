import { UserError } from '../../base/errors.ts';

interface Complaint {
  readonly pattern: RegExp;
  readonly message: string;
  readonly hint: string;
}

/** What docker says on standard error when something is wrong that a person can mend. */
const COMPLAINTS: readonly Complaint[] = [
  {
    pattern:
      /permission denied while trying to connect|dial unix [^:]+: connect: permission denied/,
    message: 'you may not use Docker on this machine',
    hint:
      'Let your user do so (it is then as mighty as root here), and log in again: sudo usermod -aG docker "$USER"\n' +
      'Or run this command with sudo.',
  },
  {
    pattern:
      /Cannot connect to the Docker daemon|error during connect|failed to connect to the docker API/,
    message: 'the Docker engine does not run',
    hint: 'Start it, now and at each boot: sudo systemctl enable --now docker',
  },
  {
    pattern:
      /'compose' is not a docker command|unknown command: docker compose|unknown shorthand flag: 'p' in -p/,
    message: 'Docker has no compose plugin',
    hint:
      'On Debian or Ubuntu type: sudo apt-get install docker-compose-v2\n' +
      "From Docker's own packages: sudo apt-get install docker-compose-plugin",
  },
  {
    pattern: /Pool overlaps with other one|invalid pool request/,
    message: 'the addresses of the server are taken by another network of Docker',
    hint: 'Choose others in sotto.yaml, such as `docker: { network_prefix: 10.214.50 }`. See: docker network ls',
  },
  {
    pattern: /port is already allocated|address already in use|cannot assign requested address/,
    message: 'the address of expose_lan cannot be used',
    hint: 'Give an address of this machine and a free port in sotto.yaml: expose_lan',
  },
  {
    pattern: /no space left on device/i,
    message: 'the disk is full',
    hint: 'See what takes the room: docker system df; df -h',
  },
  {
    pattern: /manifest unknown|pull access denied|manifest for .* not found|no matching manifest/,
    message: 'an image is not to be had for this machine',
    hint: 'Name another in the environment, such as SOTTO_BITCOIND_IMAGE or SOTTO_TARGET_IMAGE.',
  },
  {
    pattern: /no such host|i\/o timeout|TLS handshake timeout|connection refused.*registry|EOF$/m,
    message: 'an image cannot be fetched',
    hint: 'Is this machine online? Images that are here already can be named: SOTTO_BITCOIND_IMAGE, SOTTO_TARGET_IMAGE.',
  },
];

const MAX_LINES = 8;

/** An error of docker in words for the person: what it is, what to type, and docker's own words. */
export function explainDocker(args: readonly string[], stderr: string): UserError {
  const words = lastLines(stderr);
  const known = COMPLAINTS.find(({ pattern }) => pattern.test(stderr));
  if (known === undefined) {
    return new UserError(`docker ${args[0] ?? ''} failed: ${words || 'it does not say why'}`);
  }
  const hint = words === '' ? known.hint : `${known.hint}\nDocker says: ${words}`;
  return new UserError(known.message, { hint });
}

function lastLines(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter(Boolean).slice(-MAX_LINES).join('\n');
}
