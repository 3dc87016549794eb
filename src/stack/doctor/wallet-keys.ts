import { listDevices, OWN_DEVICE } from '../devices.ts';
import type { Check } from '../finding.ts';
import { failure, fine, warning } from '../outcome.ts';
import type { Plan } from '../plan.ts';

/** The wallet onion is closed to those without a device's key. tor says nothing of files it cannot read. */
export function walletKeys({ home, config }: Pick<Plan, 'home' | 'config'>): Check {
  return {
    id: 'wallet-onion-keys',
    title: 'keys of the wallet onion',
    async run() {
      if (config.openWallet) {
        return warning(
          'none: open_wallet is true, and whoever learns the address can use it',
          'If all your wallets can have a key: open_wallet: false in sotto.yaml, then sotto up',
        );
      }
      const devices = await listDevices(home);
      const valid = devices.filter(({ publicKey }) => publicKey !== undefined);
      const damaged = devices.filter(({ publicKey }) => publicKey === undefined);
      if (valid.length === 0) {
        return failure(
          'there is none, and tor then lets everyone in who learns the address',
          'Stop tor now: sotto down. With sotto up the server gets its own key again; then: sotto device add NAME',
        );
      }
      if (damaged.length > 0) {
        const names = damaged.map(({ name }) => name).join(', ');
        return failure(
          `the key of ${names} is damaged, and tor passes over it`,
          `Take it away and make another: sotto device revoke ${damaged[0]?.name ?? ''}; sotto device add NAME`,
        );
      }
      const others = valid.filter(({ name }) => name !== OWN_DEVICE).length;
      return others === 0
        ? fine("the server's own; no wallet has one yet")
        : fine(`of ${others} device${others === 1 ? '' : 's'}, and the server's own`);
    },
  };
}
