// Loaded by the npm scripts before anything else (node --import), so it is plain JavaScript for old versions.

// The scripts run on the Node.js 24 that `npm ci` puts into node_modules. With --ignore-scripts it is missing,
// and an older one of the machine cannot read TypeScript. import.meta.main came with 24.2.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 2)) {
  console.error(
    `This needs Node.js 24, which npm ci installs beside this machine's ${process.versions.node} unless ` +
      'install scripts are switched off. Run: npm ci --ignore-scripts=false',
  );
  process.exit(1);
}

// Loading a script takes up to a second, in which Ctrl-C shall look no different from later.
process.once('SIGINT', () => {
  console.log(process.stdout.isTTY ? '\nStopped.' : 'Stopped.');
  process.exit(130);
});
