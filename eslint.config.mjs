import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Features of src/, each a folder that imports only those in front of it. shared/ and config/ are below all of them. */
const FEATURES = [
  'admin',
  'balances',
  'providers',
  'connections',
  'consents',
  'accounts',
  'amlyze',
  'outbox',
  'delivery',
  'operations',
  'sync',
  'records',
  'schedule',
  'database',
  'health',
  'simulators',
];

/** Nobody imports a controller but the module of its own folder; the simulators are no part of the service. */
const EVERYWHERE = [
  {
    regex: String.raw`^\.\.(/.*)?/[^/]+\.controller$`,
    message: 'A controller is only known to the module of its folder.',
  },
];
const NO_SIMULATORS = folders(['simulators'], 'The service does not know the simulators.');

/** Imports that climb out of a folder into one of the named features. */
function folders(names, message) {
  return [{ regex: String.raw`^(\.\./)+(${names.join('|')})(/|$)`, message }];
}

const importRule = (...patterns) => ({
  'no-restricted-imports': ['error', { patterns: [...EVERYWHERE, ...patterns.flat()] }],
});

const others = (...allowed) => FEATURES.filter((name) => !allowed.includes(name));
const behind = (feature) => FEATURES.slice(FEATURES.indexOf(feature) + 1);

/** "No certificate check" in any spelling: a property, a string key, an assignment. */
const TLS_CHECK_OFF = [
  'Property[key.name="rejectUnauthorized"][value.value=false]',
  'Property[key.value="rejectUnauthorized"][value.value=false]',
  'AssignmentExpression[left.property.name="rejectUnauthorized"][right.value=false]',
].map((selector) => ({ selector, message: 'Certificates are always checked; give the authority as `ca`.' }));

const PROCESS_ENV = {
  selector: 'MemberExpression[object.name="process"][property.name="env"]',
  message: 'Only src/config reads the environment; inject Environment.',
};

export default defineConfig(
  { ignores: ['dist*/', 'coverage/', 'node_modules/', '.data/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/explicit-function-return-type': ['error', { allowExpressions: true }],
      '@typescript-eslint/no-deprecated': 'error',
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': 'allow-with-description' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // A type-only import would erase the metadata that injection needs.
      '@typescript-eslint/consistent-type-imports': 'off',
      // A DTO's property says its type, also where the default is the only value.
      '@typescript-eslint/prefer-as-const': 'off',
      // Nest's modules are classes without members.
      '@typescript-eslint/no-extraneous-class': 'off',
      // Numbers are wanted in messages.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'no-eval': 'error',
      'no-restricted-syntax': ['error', PROCESS_ENV, ...TLS_CHECK_OFF],
    },
  },

  // ---- who may import whom ----
  { files: ['src/**/*.ts'], rules: importRule(NO_SIMULATORS) },
  {
    files: ['src/shared/**/*.ts', 'src/config/**/*.ts'],
    rules: importRule(folders(FEATURES, 'shared and config are below every feature.')),
  },
  ...FEATURES.map((name) => ({
    files: [`src/${name}/**/*.ts`],
    rules: importRule(NO_SIMULATORS, folders(behind(name), 'Features import no feature behind them in this list.')),
  })),
  {
    files: ['src/amlyze/**/*.ts'],
    rules: importRule(folders(others('amlyze'), 'AMLYZE does not know where a balance comes from.')),
  },
  {
    files: ['src/outbox/**/*.ts'],
    rules: importRule(folders(others('outbox'), 'The outbox imports only shared.')),
  },
  {
    // The simulators judge the gateway: nothing of it may be on both sides.
    files: ['src/simulators/**/*.ts'],
    rules: {
      ...importRule(folders(others('simulators'), 'A simulator shares no code with what it checks.')),
      'no-console': 'off',
    },
  },

  // ---- exceptions ----
  {
    files: ['src/config/**/*.ts', 'src/simulators/main.ts', 'src/sandbox*.ts', 'src/sandbox/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...TLS_CHECK_OFF] },
  },
  {
    files: ['src/sandbox*.ts', 'src/sandbox/**/*.ts'],
    rules: { ...importRule(), 'no-console': 'off' },
  },
  {
    files: ['src/**/*.spec.ts', 'test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      ...importRule(),
      'no-console': 'off',
      'no-restricted-syntax': ['error', ...TLS_CHECK_OFF],
      // supertest's bodies and pg's raw rows are any; a wrong shape fails the test anyway.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/explicit-function-return-type': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['**/*.mjs', '**/*.js', '**/*.cjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        fetch: 'readonly',
        module: 'writable',
        require: 'readonly',
        __dirname: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
        AbortSignal: 'readonly',
        Buffer: 'readonly',
      },
    },
  },
  prettier,
);
