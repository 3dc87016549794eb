import { z } from 'zod';
import type { Address } from '../io/dial.ts';
import { networkSchema, privateAddressSchema } from './fields.ts';

export const TARGETS = ['fulcrum', 'electrs', 'devnet'] as const;
export type TargetKind = (typeof TARGETS)[number];

export const BACKENDS = ['docker', 'process'] as const;
export type BackendKind = (typeof BACKENDS)[number];

/** What the process backend runs besides Sotto itself. */
export const PROGRAMS = ['tor', 'bitcoind', 'fulcrum', 'electrs'] as const;
export type ProgramName = (typeof PROGRAMS)[number];

/** What a bridge asks: the own target, or gateways of the relay network, each for a part. */
const BRIDGE_LOOKUPS = ['direct', 'relayed'] as const;
export type BridgeLookup = (typeof BRIDGE_LOOKUPS)[number];

const BRIDGE_SCHEDULES = ['steady', 'fast'] as const;

export interface RelayMembership {
  /** The policy file. */
  readonly policy: string;
  /** What `sotto bond prove` wrote. */
  readonly bond?: string | undefined;
  readonly leave?: boolean | undefined;
}

/** What the person decided about a personal server: `sotto.yaml`, read. */
export interface StackConfig {
  readonly network: z.output<typeof networkSchema>;
  /** The Electrum server. `devnet` brings a regtest chain of its own, so that there is no bitcoind. */
  readonly target: TargetKind;
  readonly backend: BackendKind;
  /** Where the chain and the index are kept instead of the home. */
  readonly storage?: string | undefined;
  /** An existing data directory of bitcoind. */
  readonly bitcoinData?: string | undefined;
  /** The wallet onion answers without a device's key, through the guard. */
  readonly openWallet: boolean;
  /** Where the local network reaches the target, an address of this machine. */
  readonly exposeLan?: Address | undefined;
  /** What all services together may take; of the machine's when absent. */
  readonly memoryMib?: number | undefined;
  /** The network that the node takes part in, or leaves. */
  readonly relay?: RelayMembership | undefined;
  /** A bridge answers the wallets of the wallet onion and of the local network, not the target. */
  readonly bridge?:
    | {
        readonly lookup: BridgeLookup;
        readonly schedule?: (typeof BRIDGE_SCHEDULES)[number] | undefined;
      }
    | undefined;
  /** JSON: the authorities of a private Tor network, for tests. */
  readonly testNetworkFile?: string | undefined;
  readonly docker: { readonly project: string; readonly networkPrefix: string };
  readonly process: {
    readonly firstPort: number;
    /** Where a program is that is not on PATH. */
    readonly programs: Readonly<Partial<Record<ProgramName, string>>>;
  };
}

/** What all services need at their smallest. */
const MIN_MEMORY_MIB = 3328;
const MIN_MEMORY_WITH_BRIDGE_MIB = 3712;
/** Ports that the process backend counts from `first_port` on. */
export const PORTS_IN_A_ROW = 16;

/** What the files that name it could take for something else: control characters, quotes, `#`, `$`, `\\`. */
const PLAIN_PATH = /^\/([^\p{Cc}'"#$\\]*[^\p{Cc}\s'"#$\\])?$/u;

/** An absolute path that every file of the plan can hold as it is. */
export const plainPathSchema = z
  .string()
  .regex(PLAIN_PATH, "expected an absolute path without quotes, '#', '$' and '\\'");

const BYTE = String.raw`(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])`;
const PRIVATE_PREFIX = new RegExp(
  String.raw`^(10\.${BYTE}|172\.(1[6-9]|2\d|3[01])|192\.168)\.${BYTE}$`,
);

/** Whatever else is wrong: all problems are told at once. */
const when = ({ value }: { readonly value: unknown }): boolean =>
  typeof value === 'object' && value !== null;

/** A node of a network asks that network unless it is told otherwise. */
function lookupOf(
  bridge: { readonly lookup?: BridgeLookup | undefined },
  relay: unknown,
): BridgeLookup {
  return bridge.lookup ?? (relay === undefined ? 'direct' : 'relayed');
}

const fileSchema = z.strictObject({
  network: networkSchema,
  target: z.enum(TARGETS).default('fulcrum'),
  backend: z.enum(BACKENDS).default('docker'),
  storage: plainPathSchema.optional(),
  bitcoin_data: plainPathSchema.optional(),
  open_wallet: z.boolean().default(false),
  expose_lan: privateAddressSchema.optional(),
  memory_mib: z.int().min(MIN_MEMORY_MIB).optional(),
  relay: z
    .strictObject({
      policy: plainPathSchema,
      bond: plainPathSchema.optional(),
      leave: z.boolean().optional(),
    })
    .optional(),
  bridge: z
    .strictObject({
      lookup: z.enum(BRIDGE_LOOKUPS).optional(),
      schedule: z.enum(BRIDGE_SCHEDULES).optional(),
    })
    .optional(),
  tor: z.strictObject({ test_network: plainPathSchema.optional() }).prefault({}),
  docker: z
    .strictObject({
      project: z
        .string()
        .regex(/^[a-z0-9][a-z0-9_-]{0,40}$/, 'expected small letters, digits, - and _')
        .default('sotto'),
      network_prefix: z
        .string()
        .regex(PRIVATE_PREFIX, 'expected the first three numbers of private addresses: 10.213.50')
        .default('10.213.50'),
    })
    .prefault({}),
  process: z
    .strictObject({
      first_port: z
        .int()
        .min(1024)
        .max(65_536 - PORTS_IN_A_ROW)
        .default(29_050),
      programs: z.partialRecord(z.enum(PROGRAMS), plainPathSchema).default({}),
    })
    .prefault({}),
});

export const stackConfigSchema = fileSchema
  .refine(({ target, network }) => target !== 'devnet' || network === 'regtest', {
    path: ['target'],
    message: 'devnet serves regtest only',
    when,
  })
  .refine(({ target, bitcoin_data }) => target !== 'devnet' || bitcoin_data === undefined, {
    path: ['bitcoin_data'],
    message: 'devnet has no bitcoind to use it',
    when,
  })
  .refine(({ bridge, relay }) => bridge?.lookup !== 'relayed' || relay !== undefined, {
    path: ['bridge', 'lookup'],
    message: 'relayed needs the network to ask: say relay',
    when,
  })
  .refine(({ bridge, relay }) => !bridge?.schedule || lookupOf(bridge, relay) === 'relayed', {
    path: ['bridge', 'schedule'],
    message: 'the own server tells at once what is new: a schedule is for relayed',
    when,
  })
  .refine(({ bridge, open_wallet }) => bridge === undefined || !open_wallet, {
    path: ['open_wallet'],
    message: 'a bridge goes on asking for what a wallet asked: it is for devices with a key',
    when,
  })
  .refine(
    ({ bridge, memory_mib = Infinity }) => !bridge || memory_mib >= MIN_MEMORY_WITH_BRIDGE_MIB,
    {
      path: ['memory_mib'],
      message: `with a bridge it takes at least ${MIN_MEMORY_WITH_BRIDGE_MIB}`,
      when,
    },
  )
  .transform((file): StackConfig => ({
    network: file.network,
    target: file.target,
    backend: file.backend,
    storage: file.storage,
    bitcoinData: file.bitcoin_data,
    openWallet: file.open_wallet,
    exposeLan: file.expose_lan,
    memoryMib: file.memory_mib,
    relay: file.relay,
    bridge: file.bridge && {
      lookup: lookupOf(file.bridge, file.relay),
      schedule: file.bridge.schedule,
    },
    testNetworkFile: file.tor.test_network,
    docker: { project: file.docker.project, networkPrefix: file.docker.network_prefix },
    process: { firstPort: file.process.first_port, programs: file.process.programs },
  }));
