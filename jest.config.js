/** Unit specs stand beside the code they check; everything that needs a process, a server or Postgres is under test/. */
module.exports = {
  roots: ['<rootDir>/src', '<rootDir>/test', '<rootDir>/bench'],
  testRegex: '\\.(spec|test)\\.ts$',
  testEnvironment: 'node',
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2024',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'commonjs' },
      },
    ],
  },
  // Most tests wait for a process, a server or Postgres: one worker a core, not one less.
  maxWorkers: '100%',
  testTimeout: 30_000,
};
