const shared = {
  rootDir: '.',
  testEnvironment: 'node',
  extensionsToTreatAsEsm: [],
  transform: { '\\.(ts|sql|m?js)$': '<rootDir>/tests/support/transform.mjs' },
  // Published as ES modules only, or importing such on demand; the transform makes CommonJS of them for jest.
  transformIgnorePatterns: [
    '/node_modules/(?!(p-map|p-retry|is-network-error|gaxios|node-fetch|fetch-blob|data-uri-to-buffer|formdata-polyfill)/)',
  ],
  clearMocks: true,
};

export default {
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/tests/unit/**/*.test.ts'] },
    {
      ...shared,
      displayName: 'integration',
      testMatch: ['<rootDir>/tests/integration/**/*.test.ts'],
      globalSetup: '<rootDir>/tests/support/globalSetup.ts',
      globalTeardown: '<rootDir>/tests/support/globalTeardown.ts',
    },
  ],
  // Most tests wait for processes and servers: three at once on two cores.
  maxWorkers: 3,
  coverageProvider: 'v8',
  collectCoverageFrom: ['functions/**/*.ts', 'lib/**/*.ts', '!**/*.d.ts'],
  coverageThreshold: { global: { lines: 90, branches: 90 } },
  coverageReporters: ['text', 'lcovonly'],
  testTimeout: 30_000,
};
