import type { StackConfig } from '../config/stack-config.ts';
import { type Edge, edgesOf } from './edges.ts';
import { type Endpoints, endpointsOf } from './endpoints.ts';
import { environmentOf } from './environment.ts';
import type { Home, OnionName } from './home.ts';
import type { ImageName, PlanContext, PlanFacts } from './plan-context.ts';
import type { ServiceSpec } from './service.ts';
import { bitcoindService } from './services/bitcoind.ts';
import { bridgeService } from './services/bridge.ts';
import { devnetService } from './services/devnet.ts';
import { electrsService } from './services/electrs.ts';
import { fulcrumService } from './services/fulcrum.ts';
import { guardService } from './services/guard.ts';
import { lanService } from './services/lan.ts';
import { nodeService } from './services/node.ts';
import { torService } from './services/tor.ts';
import { watchdogService } from './services/watchdog.ts';
import { sizesOf } from './sizes.ts';

/** A personal server as it is to be, whatever runs it. */
export interface Plan {
  readonly config: StackConfig;
  readonly home: Home;
  /** In the order in which they start. */
  readonly services: readonly ServiceSpec[];
  readonly endpoints: Endpoints;
  /** Docker's networks; none in the process backend. */
  readonly edges: readonly Edge[];
  /** Each onion's address. */
  readonly onions: Readonly<Record<OnionName, string>>;
  readonly images: Readonly<Record<ImageName, string>>;
  /** Whom the services run as. */
  readonly user: { readonly uid: number; readonly gid: number };
  /** What `.env` says: what compose.yaml leaves open. No secrets. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface PlanOptions {
  readonly config: StackConfig;
  readonly home: Home;
  readonly facts: PlanFacts;
}

const TARGET_SERVICES = {
  fulcrum: fulcrumService,
  electrs: electrsService,
  devnet: devnetService,
} as const;

/** Of the machine's memory, unless the configuration says how much: the rest is for its disk cache. */
const SHARE = 0.75;

/** The one place that says what a personal server consists of. */
export function makePlan({ config, home, facts }: PlanOptions): Plan {
  const { target, backend, docker } = config;
  const endpoints = endpointsOf(config);
  const sizes = sizesOf({
    memoryMiB: config.memoryMib ?? Math.floor(facts.memoryMiB * SHARE),
    target,
    initialSyncDone: facts.initialSyncDone,
    hasBridge: config.bridge !== undefined,
  });
  const context: PlanContext = { config, home, facts, endpoints, sizes };
  const services = [
    torService(context),
    watchdogService(context),
    ...(target === 'devnet' ? [] : [bitcoindService(context)]),
    TARGET_SERVICES[target](context),
    nodeService(context),
    ...(config.bridge ? [bridgeService(context, config.bridge)] : []),
    ...(config.openWallet ? [guardService(context)] : []),
    ...(config.exposeLan ? [lanService(context)] : []),
  ];
  const names = services.map(({ name }) => name);
  return {
    config,
    home,
    services,
    endpoints,
    edges: backend === 'docker' ? edgesOf(docker.networkPrefix, names) : [],
    onions: facts.onions,
    images: facts.images,
    user: { uid: facts.uid, gid: facts.gid },
    environment: environmentOf(context, services),
  };
}
