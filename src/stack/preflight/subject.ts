import type { StackConfig } from '../../config/stack-config.ts';
import type { Owner } from '../../io/ownership.ts';
import type { Home } from '../home.ts';

/** What is to be installed where. */
export interface Subject {
  readonly config: StackConfig;
  readonly home: Home;
  /** Whom its services will run as. */
  readonly user: Owner;
}
