const shared = {
  rootDir: '.',
  testEnvironment: 'node',
  extensionsToTreatAsEsm: [],
  transform: { '\\.(tsx?|sql|css|m?js)$': '<rootDir>/tests/support/transform.mjs' },
  // Published as ES modules only, or importing such on demand; the transform makes CommonJS of them for jest.
  transformIgnorePatterns: [
    '/node_modules/(?!(p-limit|yocto-queue|p-map|p-retry|is-network-error|gaxios|node-fetch|fetch-blob|data-uri-to-buffer|formdata-polyfill|preact|preact-render-to-string)/)',
  ],
  clearMocks: true,
};

// With a PostgreSQL for all test files, and the built bundles.
const served = {
  ...shared,
  globalSetup: '<rootDir>/tests/support/globalSetup.ts',
  globalTeardown: '<rootDir>/tests/support/globalTeardown.ts',
};

export default {
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/tests/unit/**/*.test.ts'] },
    {
      ...served,
      displayName: 'integration',
      testMatch: ['<rootDir>/tests/integration/**/*.test.ts'],
    },
    { ...served, displayName: 'deploy', testMatch: ['<rootDir>/tests/deploy/**/*.test.ts'] },
    { ...served, displayName: 'citus', testMatch: ['<rootDir>/tests/citus/**/*.test.ts'] },
  ],
  // Most tests wait for processes and servers: four at once on two cores.
  maxWorkers: 4,
  coverageProvider: 'v8',
  // The page is tested in a browser, as the built function, where nothing counts what ran.
  collectCoverageFrom: [
    'functions/**/*.ts',
    'lib/**/*.ts',
    '!functions/syncAdmin.ts',
    '!functions/admin/**',
    '!**/*.d.ts',
  ],
  coverageThreshold: { global: { lines: 90, branches: 90 } },
  coverageReporters: ['text', 'lcovonly'],
  testTimeout: 90_000,
};
