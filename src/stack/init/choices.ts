import { UserError } from '../../base/errors.ts';
import { type StackConfig, stackConfigSchema } from '../../config/stack-config.ts';

/** What a person says at `sotto init`, each by the flag of its name; the rest is as the schema says. */
export interface Choices {
  readonly network?: string | undefined;
  readonly target?: string | undefined;
  readonly backend?: string | undefined;
  readonly storage?: string | undefined;
  readonly bitcoinData?: string | undefined;
  readonly openWallet?: boolean | undefined;
  readonly exposeLan?: string | undefined;
  readonly memoryMib?: number | undefined;
  readonly policy?: string | undefined;
  readonly torTestNetwork?: string | undefined;
  readonly project?: string | undefined;
  readonly networkPrefix?: string | undefined;
  readonly firstPort?: number | undefined;
}

const FLAGS: Readonly<Record<string, string>> = {
  'docker.project': '--project',
  'docker.network_prefix': '--network-prefix',
  'process.first_port': '--first-port',
  'relay.policy': '--policy',
  'tor.test_network': '--tor-test-network',
};

/** @throws UserError naming all that will not do, each by its flag. */
export function configFrom(choices: Choices): StackConfig {
  const { policy } = choices;
  const parsed = stackConfigSchema.safeParse({
    network: choices.network,
    target: choices.target,
    backend: choices.backend,
    storage: choices.storage,
    bitcoin_data: choices.bitcoinData,
    open_wallet: choices.openWallet,
    expose_lan: choices.exposeLan,
    memory_mib: choices.memoryMib,
    ...(policy !== undefined && { relay: { policy } }),
    tor: { test_network: choices.torTestNetwork },
    docker: { project: choices.project, network_prefix: choices.networkPrefix },
    process: { first_port: choices.firstPort },
  });
  if (parsed.success) return parsed.data;
  throw new UserError('that cannot be the configuration of a server', {
    hint: parsed.error.issues.map(({ path, message }) => `${flagOf(path)}: ${message}`).join('\n'),
  });
}

function flagOf(path: readonly PropertyKey[]): string {
  const name = path.join('.');
  return FLAGS[name] ?? `--${name.replaceAll('_', '-')}`;
}
