import { type ControlClient, ControlError } from '../../tor/control-client.ts';
import { controlArguments } from '../../tor/control-reply.ts';
import { DescriptorUploads } from '../../tor/descriptor-uploads.ts';
import { connectTorControl } from '../../tor/open-control.ts';
import type { Home, OnionName } from '../home.ts';
import { readWatchdogStatus } from '../watchdog/status-file.ts';
import type { OnionObservation, TorObservation } from './observations.ts';

export interface TorProbe extends AsyncDisposable {
  /** @throws DialError when no tor listens; ControlError; the signal's reason. */
  observe(signal: AbortSignal): Promise<TorObservation>;
}

interface TorProbeOptions {
  readonly home: Pick<Home, 'torControl' | 'torControlCookie' | 'data'>;
  /** Their addresses. */
  readonly onions: Readonly<Record<OnionName, string>>;
}

/** Keeps one connection to tor's control socket, to hear what becomes of descriptors. */
export function torProbe({ home, onions }: TorProbeOptions): TorProbe {
  let held: { readonly control: ControlClient; readonly uploads: DescriptorUploads } | undefined;

  const connected = async (signal: AbortSignal): Promise<NonNullable<typeof held>> => {
    if (held !== undefined) return held;
    const uploads = new DescriptorUploads();
    const control = await connectTorControl({
      socket: home.torControl,
      cookieFile: home.torControlCookie,
      signal,
      events: ['HS_DESC'],
      onEvent: (text) => {
        uploads.note(text);
      },
    });
    const fresh = { control, uploads };
    control.failed.catch(() => {
      if (held === fresh) held = undefined;
    });
    held = fresh;
    return fresh;
  };

  return {
    async observe(signal) {
      const { control, uploads } = await connected(signal);
      const [phase, established, isDormant, circuits, watchdog] = await Promise.all([
        control.bootstrapPhase(),
        control.getInfo('status/circuit-established'),
        control.getInfo('dormant'),
        control.getInfo('circuit-status'),
        readWatchdogStatus(home.data('tor')),
      ]);
      const lookAt = async (name: OnionName): Promise<OnionObservation> => {
        const onion = onions[name];
        return {
          hasDescriptor: await hasDescriptor(control, onion),
          introductions: introductionsOf(onion, circuits),
          uploads: uploads.stateOf(onion),
        };
      };
      const [wallet, relay, p2p] = await Promise.all([
        lookAt('wallet'),
        lookAt('relay'),
        lookAt('p2p'),
      ]);
      return {
        bootstrapPercent: phase.percent,
        summary: phase.summary,
        circuitEstablished: established === '1',
        dormant: isDormant === '1',
        isGivenUp: watchdog?.kind === 'given-up',
        onions: { wallet, relay, p2p },
      };
    },
    async [Symbol.asyncDispose]() {
      await held?.control[Symbol.asyncDispose]();
    },
  };
}

/** Whether tor has made one for its own onion service. */
async function hasDescriptor(control: ControlClient, onion: string): Promise<boolean> {
  try {
    const key = `hs/service/desc/id/${onion.replace(/\.onion$/, '')}`;
    return (await control.getInfo(key)) !== '';
  } catch (error) {
    // It says so of services that it does not have, too.
    if (error instanceof ControlError) return false;
    throw error;
  }
}

/** Circuits to introduction points that are ready for clients (control-spec section 4.1.1). */
function introductionsOf(onion: string, circuitStatus: string): number {
  return circuitStatus.split('\n').filter((line) => {
    const circuit = controlArguments(line);
    return (
      circuit.get('HS_STATE') === 'HSSI_ESTABLISHED' &&
      `${circuit.get('REND_QUERY') ?? ''}.onion` === onion
    );
  }).length;
}
