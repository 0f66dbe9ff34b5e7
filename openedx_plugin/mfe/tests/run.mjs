// Compile the tests and run them with Node's own runner, in a document of jsdom.
import { spawnSync } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { build } from 'esbuild';

const out = 'node_modules/.cache/mcw-tests';
await rm(out, { recursive: true, force: true });
const names = (await readdir('tests/unit')).filter((name) => name.endsWith('.test.jsx'));
await build({
  entryPoints: names.map((name) => `tests/unit/${name}`),
  outdir: out,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  jsx: 'transform',
  packages: 'external',
  sourcemap: 'inline',
  logLevel: 'warning',
});
const files = names.map((name) => `${out}/${name.replace(/\.jsx$/, '.mjs')}`);
// Dates are asserted on the day of Greenwich.
const ran = spawnSync(process.execPath, ['--enable-source-maps', '--import', './tests/unit/page.mjs', '--test', ...files], {
  stdio: 'inherit', env: { ...process.env, TZ: 'UTC' },
});
process.exit(ran.status ?? 1);
