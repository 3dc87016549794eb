import { Option } from 'commander';
import type { SocksChoice } from '../tor/open-socks.ts';
import { absolutePath } from './absolute-path.ts';
import { hostAndPort } from './client-options.ts';

// Options of a command that can start a tor.

export const socksChoiceOption = new Option(
  '--socks <auto|own|host:port>',
  "tor's SOCKS port; auto: 9050 or 9150 of this machine, else a tor of its own",
)
  .env('SOTTO_SOCKS')
  .argParser((text): SocksChoice => (text === 'auto' || text === 'own' ? text : hostAndPort(text)))
  .default('auto');

export const torTestNetworkOption = new Option(
  '--tor-test-network <file>',
  'its own tor joins this private Tor network, for tests',
).argParser(absolutePath);
