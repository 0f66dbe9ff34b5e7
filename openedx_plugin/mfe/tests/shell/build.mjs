// Bundle the two stand-ins of shells with the packed widget: node build.mjs <unpacked package> <folder to write>
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const [unpacked, out] = process.argv.slice(2).map((one) => path.resolve(one));
const here = path.dirname(fileURLToPath(import.meta.url));
const stand = (name) => path.join(here, name);
const widget = '@mooc-microcred/learner-dashboard-widget';

await build({
  // The one takes the ES modules and the other CommonJS, so that both are tried.
  entryPoints: { legacy: stand('legacy.jsx'), site: stand('site.jsx') },
  outdir: out,
  bundle: true,
  format: 'iife',
  jsx: 'transform',
  define: { 'process.env.NODE_ENV': '"production"' },
  alias: {
    '@edx/frontend-platform': stand('frontend-platform.js'),
    '@edx/frontend-platform/auth': stand('frontend-platform.js'),
    '@edx/frontend-platform/i18n': stand('frontend-platform.js'),
    '@openedx/frontend-base': stand('frontend-base.jsx'),
    [`${widget}/legacy`]: path.join(unpacked, 'dist/esm/legacy.js'),
    [`${widget}/frontend-base`]: path.join(unpacked, 'dist/cjs/frontend-base.js'),
  },
  nodePaths: [path.dirname(path.dirname(createRequire(import.meta.url).resolve('react/package.json')))],
  logLevel: 'warning',
});
