import { z } from 'zod';
import type { Backend, ServiceState } from './backend.ts';
import { imageFacts } from './docker/image-facts.ts';
import { type OwnImage, ownImageName } from './docker/image-context.ts';
import type { Check, Outcome } from './finding.ts';
import { type Pin, pinnedImage, type Pins } from './pins.ts';
import type { Plan } from './plan.ts';
import type { ImageName } from './plan-context.ts';
import type { ServiceName } from './service.ts';
import { runningTorVersion } from './tor-version.ts';
import { compareVersions } from './version.ts';

export interface VerifyOptions {
  readonly plan: Plan;
  readonly backend: Backend;
  readonly pins: Pins;
}

/** Compares what runs with the pins. Programs of the process backend are the person's own choice. */
export function verifyChecks(options: VerifyOptions): readonly Check[] {
  const { plan } = options;
  const services = plan.config.backend === 'docker' ? plan.services : [];
  return [
    ...services.map(({ name }) => imageCheck(name, options)),
    torCheck(options),
    ...(plan.config.target === 'devnet' ? [] : [bitcoindCheck(options)]),
  ];
}

function imageCheck(service: ServiceName, { plan, backend, pins }: VerifyOptions): Check {
  return {
    id: `image-${service}`,
    title: `the image of ${service}`,
    async run({ signal }) {
      const states = await backend.states({ signal });
      const state = states.find((each) => each.service === service);
      if (state?.imageId === undefined) return notRunning(service);
      const named = imageNameOf(service);
      const planned = plan.images[named];
      const facts = await imageFacts(state.imageId, { signal });
      const current = await imageFacts(planned, { signal });
      if (current?.id !== state.imageId) return otherContent(state, planned);
      const ours = ownImageOf(named, plan);
      return judgeImage({
        named,
        planned,
        digests: facts?.digests ?? [],
        base: facts?.base,
        own: ours && (await ownImageName(ours)),
        pin: pinOf(named, { plan, pins }),
      });
    },
  };
}

/** What is known of the image of a service that runs as planned. */
export interface JudgedImage {
  readonly named: ImageName;
  readonly planned: string;
  readonly digests: readonly string[];
  readonly base: string | undefined;
  /** The name of our own image, where there is one. */
  readonly own: string | undefined;
  /** Of the image itself, or of the base of our own. */
  readonly pin: Pin;
}

export function judgeImage({ named, planned, digests, base, own, pin }: JudgedImage): Outcome {
  const variable = `SOTTO_${named.toUpperCase()}_IMAGE`;
  if (own !== undefined && planned === own) {
    return base === pinnedImage(pin)
      ? { verdict: 'ok', found: `${planned}, made here upon ${base}` }
      : {
          verdict: 'warn',
          found: `${planned}, made here upon ${base ?? 'an unknown base'} instead of the pinned one`,
          todo: 'Where a registry can be reached, leave SOTTO_BASE_IMAGE away and type: sotto update',
        };
  }
  if (own === undefined && planned === pinnedImage(pin)) {
    return digests.includes(`${pin.image}@${pin.digest}`)
      ? { verdict: 'ok', found: planned }
      : {
          verdict: 'fail',
          found: `${planned} is named, and what runs is not of this digest`,
          todo: 'Stop it and fetch it anew: sotto down; docker image rm the image; sotto up',
        };
  }
  return {
    verdict: 'warn',
    found: `${planned}, by ${variable}, is none that Sotto pins`,
    todo: `For the pinned image leave ${variable} away and type: sotto up`,
  };
}

/** Which image of ours it is; the devnet runs in that of the node. */
function ownImageOf(named: ImageName, { config }: Plan): OwnImage | undefined {
  if (named === 'tor' || named === 'node') return named;
  return named === 'target' && config.target === 'devnet' ? 'node' : undefined;
}

function pinOf(named: ImageName, options: Pick<VerifyOptions, 'plan' | 'pins'>): Pin {
  const { plan, pins } = options;
  if (named !== 'target') return pins[named];
  const { target } = plan.config;
  return target === 'devnet' ? pins.node : pins[target];
}

function imageNameOf(service: ServiceName): ImageName {
  return service === 'tor' || service === 'bitcoind' || service === 'target' ? service : 'node';
}

function torCheck({ plan, pins }: VerifyOptions): Check {
  const { floor } = pins.tor;
  return {
    id: 'tor-version',
    title: 'the version of tor',
    async run() {
      const version = await runningTorVersion(plan.home);
      if (version === undefined) return notRunning('tor');
      return compareVersions(version, floor) >= 0
        ? { verdict: 'ok', found: `${version}, and ${floor} is needed` }
        : {
            verdict: 'fail',
            found: `${version} is too old for the network, which needs ${floor}`,
            todo: 'Renew it: sotto update, then sotto up',
          };
    },
  };
}

const NETWORK_INFO = z.looseObject({ subversion: z.string() });

function bitcoindCheck({ backend, pins: { bitcoind: pin } }: VerifyOptions): Check {
  return {
    id: 'bitcoind-version',
    title: 'the version of bitcoind',
    async run({ signal }) {
      const call = { method: 'getnetworkinfo', result: NETWORK_INFO, signal };
      const { subversion } = await backend.callBitcoind(call);
      return judgeBitcoind(subversion, pin);
    },
  };
}

/** @param subversion as bitcoind tells its peers: `/Satoshi:31.1.0/`. */
export function judgeBitcoind(subversion: string, { version: pinned, never }: Pin): Outcome {
  const version = /^\/Satoshi:(\d+(?:\.\d+)+)[^/]*\//.exec(subversion)?.[1];
  if (version === undefined) return { verdict: 'warn', found: 'it does not say its version' };
  const bad = never.find((each) => compareVersions(each.version, version) === 0);
  if (bad) {
    return {
      verdict: 'fail',
      found: `${version} must not run: ${bad.why}`,
      todo: `Run ${pinned}: leave SOTTO_BITCOIND_IMAGE away, or install it on this machine`,
    };
  }
  return compareVersions(version, pinned) === 0
    ? { verdict: 'ok', found: version }
    : { verdict: 'warn', found: `${version} runs, and Sotto was made for ${pinned}` };
}

function notRunning(service: ServiceName): Outcome {
  return { verdict: 'fail', found: `${service} does not run`, todo: 'Type: sotto up' };
}

function otherContent({ image = 'an image' }: ServiceState, planned: string): Outcome {
  return {
    verdict: 'fail',
    found: `a container of ${image} runs, and the plan is ${planned}`,
    todo: 'Start it anew: sotto up',
  };
}
