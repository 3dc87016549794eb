import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** The architecture, bottom first: which folders of src/ a folder may import, besides itself. */
const MAY_IMPORT = {
  base: [],
  io: ['base'],
  config: ['base', 'io'],
  tor: ['base', 'io'],
  bitcoin: ['base', 'io'],
  electrum: ['base', 'io', 'bitcoin'],
  directory: ['base', 'io', 'tor'],
  query: ['base', 'electrum'],
  bond: ['base', 'bitcoin', 'electrum', 'directory', 'query'],
  relay: ['base', 'io', 'directory'],
  lookup: ['base', 'io', 'bitcoin', 'electrum', 'directory', 'query', 'bond', 'relay'],
  bridge: ['base', 'io', 'bitcoin', 'electrum', 'directory', 'lookup'],
  authority: [
    'base',
    'io',
    'config',
    'tor',
    'bitcoin',
    'electrum',
    'directory',
    'query',
    'bond',
    'relay',
    'lookup',
  ],
  node: [
    'base',
    'io',
    'config',
    'tor',
    'bitcoin',
    'electrum',
    'directory',
    'query',
    'bond',
    'relay',
  ],
  devnet: [
    'base',
    'io',
    'config',
    'tor',
    'bitcoin',
    'electrum',
    'directory',
    'query',
    'relay',
    'lookup',
    'authority',
    'node',
  ],
  stack: [
    'base',
    'io',
    'config',
    'tor',
    'bitcoin',
    'electrum',
    'directory',
    'relay',
    'authority',
    'node',
  ],
  cli: [
    'base',
    'io',
    'config',
    'tor',
    'bitcoin',
    'electrum',
    'directory',
    'query',
    'bond',
    'relay',
    'lookup',
    'bridge',
    'authority',
    'node',
    'devnet',
    'stack',
  ],
};

/** Wire formats and file texts: values in, values out. No file, socket, process or clock. */
const PURE = [
  'src/{base,bond,query}/**',
  'src/tor/{client-authorization,control-reply,descriptor-uploads,onion-address,onion-key}.ts',
  'src/tor/{private-network-torrc,torrc,torrc-line}.ts',
  'src/bitcoin/{address,bitcoin-conf,block-header,compact-target,default-p2p-port,double-sha256}.ts',
  'src/bitcoin/{networks,regtest-conf,rpc-rights,transaction}.ts',
  'src/electrum/{protocol,protocol-version,rpc-reply,rpc-request,verbose-transaction,wire-params}.ts',
  'src/electrum/{script-hash,history-status,merkle,header-chain,header-history,header-rules,target-rule}.ts',
  'src/directory/{admit-descriptor,build-consensus,combine-notes,consensus-head,count-votes}.ts',
  'src/directory/{detached-signature,directory-error,directory-view,equivocation,gathered-signatures}.ts',
  'src/directory/{bond-line,change-cache,checkpoint,consensus-change,cosignature,merkle-log}.ts',
  'src/directory/{timeline,usable-descriptors,vote,vote-exchange,vote-index,weights}.ts',
  'src/directory/{checkpoints,cosigned-log,evidence-index,evidence-notice,fork-error}.ts',
  'src/directory/{gathered-cosignatures,log-proof,source-queue,take-cosignature}.ts',
  'src/directory/{witness-record,witnesses}.ts',
  'src/directory/{accept-consensus,consensus,consensus-node,describe-consensus,descriptor,descriptor-text}.ts',
  'src/directory/{family,fields,key-configs,limits,list-nodes,node-id,note,public-key,signing-key}.ts',
  'src/directory/{policy,policy-change,policy-link,weight-params}.ts',
  'src/relay/{cell,encapsulation,fingerprint-set,hkdf,hpke,key-config,x25519}.ts',
  'src/relay/{frame,frame-payload,limits,message,relay-error,replay-cache,token-bucket}.ts',
  'src/bridge/{answers,fee-estimates,history-record,record-pages,sealed-page,still-proved}.ts',
  'src/bridge/{forks,held-transactions,output-spenders,own-transactions,tell-history,watch-limits}.ts',
  'src/lookup/{assignment,balance,epoch-key,fee-rates,judged-consensus,schedule,verify-history}.ts',
  'src/stack/watchdog/ladder.ts',
  'src/devnet/{chain,chain-block,chain-ledger,chain-policy,chain-script,chain-transaction}.ts',
  'src/devnet/{demo-result,merkle-tree,purse,seen}.ts',
  'src/stack/{edges,endpoints,environment,plan,plan-context,rpc-user,sizes,stack-config-text}.ts',
  'src/stack/{disk-needs,sync-estimate}.ts',
  'src/stack/backup/{archive,backup-paths,manifest,server-identity}.ts',
  'src/stack/init/choices.ts',
  'src/stack/preflight/subnet.ts',
  'src/stack/services/**',
  'src/stack/readiness/{judge-bitcoind,judge-target,judge-tor,judgement,observations,pace,read-logs}.ts',
  'src/stack/readiness/{readiness,step}.ts',
];

/** Bytes, hashes and the text of paths. */
const HARMLESS = ['!node:buffer', '!node:crypto', '!node:path'];
/** An address and its text; whoever dials it is given the function. */
const DIAL_TYPES = ['!../io/dial.ts', '!../../io/dial.ts'];

const EDGES = {
  regex: '^node:(fs|net|tls|dns|http|https|child_process|dgram)(/|$)',
  message: 'Only io/ touches the outside.',
};
const CLIENTS = {
  regex: '^execa$',
  message: 'execa lives in io/child-process.ts.',
};

const layers = Object.entries(MAY_IMPORT).flatMap(([folder, allowed]) => {
  const forbidden = Object.keys(MAY_IMPORT).filter(
    (other) => other !== folder && !allowed.includes(other),
  );
  const upward = {
    regex: `^(\\.\\./)+(${forbidden.join('|')})/`,
    message: `${folder}/ may not import this folder.`,
  };
  const direction = forbidden.length > 0 ? [upward] : [];
  const edges = folder === 'io' ? [] : [EDGES, CLIENTS];
  return [
    layer(`src/${folder}/**`, [...edges, ...direction]),
    layer(`src/${folder}/**/*.test.ts`, direction),
  ];
});

function layer(files, patterns) {
  return { files: [files], rules: { 'no-restricted-imports': ['error', { patterns }] } };
}

export default defineConfig(
  { ignores: ['dist/', 'dist-bench/', 'coverage/'] },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['*.js', 'scripts/*.js'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      'prefer-const': ['error', { ignoreReadBeforeAssign: true }],
      'no-console': 'error',
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 3],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
    },
  },
  ...layers,
  {
    files: PURE,
    ignores: ['**/*.test.ts'],
    rules: {
      // A second rule id, because a later setting of the same rule replaces the earlier one whole.
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { patterns: ['node:*', ...HARMLESS, '../io/*', '../../io/*', ...DIAL_TYPES] },
      ],
      'no-restricted-globals': ['error', 'process', 'fetch', 'setTimeout', 'setInterval'],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Pass the time in.' },
      ],
    },
  },
  {
    files: ['src/cli/**', 'bench/**', 'scripts/**', 'examples/**'],
    rules: { 'no-console': 'off' },
  },
  { files: ['**/*.test.ts', 'test/**', 'bench/**'], rules: { 'max-lines': 'off' } },
  {
    files: ['*.js', 'scripts/*.js'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      globals: {
        process: 'readonly',
        URL: 'readonly',
        console: 'readonly',
        setTimeout: 'readonly',
      },
    },
    rules: { '@typescript-eslint/explicit-module-boundary-types': 'off' },
  },
);
